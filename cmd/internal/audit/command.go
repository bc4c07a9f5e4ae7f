package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// managers are the package managers by the names of their lockfiles, and of the
// lists that pip reads.
var managers = map[string]string{
	"package-lock.json": "npm", "npm-shrinkwrap.json": "npm", ".package-lock.json": "npm", "yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm", "bun.lock": "bun",
	"requirements.txt": "pip", "poetry.lock": "poetry", "uv.lock": "uv", "Pipfile.lock": "pipenv", "pdm.lock": "pdm",
	"Gemfile.lock": "bundler", "composer.lock": "composer", "Cargo.lock": "cargo", "go.mod": "go", "packages.lock.json": "dotnet",
}

// usual are the package managers by kind of package, where no lockfile tells.
var usual = map[string]string{
	"npm": "npm", "pypi": "pip", "golang": "go", "maven": "maven", "gem": "bundler", "cargo": "cargo", "nuget": "dotnet", "composer": "composer",
	"deb": "apt", "apk": "apk", "rpm": "dnf",
}

// manager is the package manager that moves a component; "" when none does.
func (v *adviser) manager(c *finding.Component) string {
	typ := sbom.TypeOf(c.PURL)
	for _, lock := range []string{lockfileOf(c), v.lock[typ]} {
		if m := managers[lock]; m != "" {
			return m
		}
	}
	return usual[typ]
}

// way is how a package is moved to another version.
type way struct {
	manager, name, from, to string
	transitive              bool // another package brings it
	takes                   takes
	refusing                []ask // by whom takes is takesNot

	listed, folder bool // of pip: requirements.txt names it; it lies in a folder that is packed, and in no environment
	untold         bool // of go and pipenv: neither who needs it is told, nor that the function asks for it itself
	left           bool // of pnpm: the lockfile does not name this version any more
}

// command is what is typed into a shell to move the package; "" when there is
// no such command, or when name or version hold anything that names and versions
// do not: both come from the artifact, and what a person copies must be a name
// for the package manager and nothing at all for the shell.
//
// Of a package that another one brings, it is the command that moves it as far
// as that one allows; where that is known not to be far enough there is none,
// but for those managers that need not ask. The forms are those of the managers' own manuals (npm 7
// and newer, Yarn 1 and newer, pnpm 8, bun 1.1, Poetry 1.2, uv 0.4, Pipenv
// 2022, PDM 2.11, Bundler 2, Cargo, .NET SDK 6, Composer 2, Maven's versions
// plugin 2.12).
func (w way) command() string {
	if !w.plain() {
		return ""
	}
	name, to := w.name, w.to
	if w.takes == takesNot && w.manager != "go" && w.manager != "dotnet" {
		return ""
	}
	switch w.manager {
	case "npm":
		if w.transitive {
			return "npm update " + name
		}
		return "npm install " + name + "@" + to
	case "yarn":
		if w.transitive {
			return "" // Yarn 1 cannot, and nothing tells which Yarn it is: see note
		}
		return "yarn add " + name + "@" + to
	case "pnpm":
		if w.left {
			return "pnpm prune"
		}
		if w.transitive {
			return "pnpm update --depth Infinity " + name
		}
		return "pnpm add " + name + "@" + to
	case "bun":
		if w.transitive {
			return "bun update " + name
		}
		return "bun add " + name + "@" + to
	case "pip":
		return "pip install " + quoted(name+"=="+to)
	case "poetry":
		if w.transitive {
			return "poetry update " + name
		}
		return "poetry add " + quoted(name+"@^"+to)
	case "uv":
		if w.transitive {
			return "uv lock --upgrade-package " + quoted(name+"=="+to)
		}
		return "uv add " + quoted(name+">="+to)
	case "pipenv": // "pipenv update" refuses what the Pipfile does not name
		if !strings.Contains(to, ".") { // PEP 440: "~=" is not of one number
			return "pipenv install " + quoted(name+">="+to)
		}
		return "pipenv install " + quoted(name+"~="+to)
	case "pdm":
		if w.transitive {
			return "pdm update " + name
		}
		return "pdm add " + quoted(name+">="+to)
	case "go":
		if name == "stdlib" {
			return "go get toolchain@go" + to
		}
		return "go get " + name + "@v" + strings.TrimPrefix(to, "v")
	case "maven":
		group, artifact, ok := strings.Cut(name, ":")
		if !ok || w.transitive { // the plugin changes what the POM names
			return ""
		}
		return "mvn versions:use-dep-version -Dincludes=" + group + ":" + artifact + " -DdepVersion=" + to + " -DforceVersion=true"
	case "bundler":
		return "bundle update --conservative " + name
	case "cargo":
		if w.from == "" {
			return "cargo update -p " + name + " --precise " + to
		}
		return "cargo update -p " + name + "@" + w.from + " --precise " + to
	case "dotnet":
		return "dotnet add package " + name + " --version " + to
	case "composer":
		if w.transitive {
			return "composer update " + name + " --with-dependencies"
		}
		return "composer require " + quoted(name+":^"+to)
	case "apt":
		return "apt-get install --only-upgrade " + name
	case "apk":
		return "apk add --upgrade " + name
	case "dnf":
		return "dnf upgrade " + name
	}
	return ""
}

// note says what the command does not: who has to accept the move, and what to
// do where nobody does. by are the direct dependencies that bring the package. It is one line.
func (w way) note(by []string) string {
	if w.left {
		return "the lockfile does not name this version any more: it was left in node_modules/.pnpm"
	}
	if !w.transitive {
		return w.noteDirect()
	}
	who := "what brings it"
	switch {
	case len(by) == 1:
		who = by[0]
	case len(by) > 1 && len(by) <= 3:
		who = strings.Join(by[:len(by)-1], ", ") + " and " + by[len(by)-1]
	case len(by) > 3:
		who = fmt.Sprintf("%s and %d more", strings.Join(by[:2], ", "), len(by)-2)
	}
	switch w.manager {
	case "go":
		return "" // the build takes the highest version that anybody asks for
	case "maven":
		return fmt.Sprintf("%s brings it: move that, or pin %s under dependencyManagement (Gradle: a constraint)", who, w.to)
	case "dotnet":
		return fmt.Sprintf("%s brings it: this makes it a direct reference", who)
	}
	pin := w.pin()
	switch {
	case w.takes == takesAll && w.manager == "yarn" && w.plain():
		return fmt.Sprintf("whoever needs it takes %s: with Yarn 2 or newer run yarn up -R %s; with Yarn 1 delete its entry from yarn.lock and run yarn install", w.to, w.name)
	case w.manager == "pipenv":
		return "this makes it a direct dependency; " + who + " brings it"
	case w.takes == takesAll:
		text := "whoever needs it takes " + w.to
		if w.manager == "pip" {
			return joined(text, w.noteDirect())
		}
		return text + ": only the lockfile changes"
	case w.takes == takesNot && pin != "":
		return fmt.Sprintf("%s: move %s, or %s", saying(w.refusing), who, pin)
	case w.takes == takesNot:
		return fmt.Sprintf("%s: move %s", saying(w.refusing), who)
	case pin != "":
		return fmt.Sprintf("%s must accept %s: else move that, or %s", who, w.to, pin)
	}
	return fmt.Sprintf("%s must accept %s", who, w.to)
}

// noteDirect is note about what the function asks for itself.
func (w way) noteDirect() string {
	switch w.manager {
	case "go":
		if w.name == "stdlib" {
			return "build with Go " + w.to + " or newer"
		}
		if w.untold {
			return "who needs a module, which neither go.mod nor a binary tells: go mod why -m MODULE"
		}
	case "pipenv":
		if w.untold {
			return "Pipfile.lock does not tell who needs it: pipenv graph --reverse does; where the Pipfile does not name it, this adds it there"
		}
	case "maven":
		return "with Gradle: set it to " + w.to + " in the dependencies, or in a constraint"
	case "bundler":
		return "the Gemfile must take " + w.to + ": else write that there first"
	case "cargo":
		return "Cargo.toml must take " + w.to + ": else write that there first"
	case "apt":
		return "in the Dockerfile after apt-get update, or take a newer base image"
	case "apk", "dnf":
		return "in the Dockerfile, or take a newer base image"
	case "pip":
		list, folder := "", ""
		if w.listed {
			list = "write it into requirements.txt"
		}
		if w.folder {
			folder = "install into an empty folder: pip install -t leaves old metadata"
		}
		return joined(list, folder)
	case "pnpm":
		return "then pnpm prune, for the old version stays in node_modules/.pnpm"
	}
	return ""
}

// joined puts what is not empty into one line.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// pin is where the project itself can set the version of a package that another
// one brings, whatever that one takes; "" when the manager has no such place.
func (w way) pin() string {
	to := w.to
	if len(w.refusing) == 1 {
		to += " for " + w.refusing[0].of.Name // there may be another copy, which is higher
	}
	switch w.manager {
	case "npm", "bun":
		return "set it to " + to + " under \"overrides\" in package.json"
	case "yarn":
		return "set it to " + to + " under \"resolutions\" in package.json"
	case "pnpm":
		return "set it to " + to + " under \"overrides\" in pnpm-workspace.yaml (pnpm 9 and before: \"pnpm\" in package.json)"
	case "uv":
		return "set it to " + w.to + " under override-dependencies of [tool.uv] in pyproject.toml"
	case "pdm":
		return "set it to " + w.to + " under [tool.pdm.resolution.overrides] in pyproject.toml"
	}
	return ""
}

// plain says whether name and version are such that no shell and no package
// manager takes them for anything else: an option, a path, an address, a
// command.
func (w way) plain() bool {
	if !plainVersion(w.to) || w.from != "" && !plainVersion(w.from) {
		return false
	}
	switch w.manager {
	case "npm", "yarn", "pnpm", "bun":
		scope, base, scoped := strings.Cut(w.name, "/")
		if scoped {
			return len(scope) > 1 && scope[0] == '@' && plainWord(scope[1:], "._~-") && plainWord(base, "._~-")
		}
		return plainWord(w.name, "._~-")
	case "maven":
		return plainWord(w.name, "._:-")
	case "go", "composer":
		for part := range strings.SplitSeq(w.name, "/") {
			if !plainWord(part, "._~-") {
				return false
			}
		}
		return w.manager != "composer" || strings.Count(w.name, "/") == 1
	case "apt", "apk", "dnf":
		return plainWord(w.name, "._+-")
	}
	return plainWord(w.name, "._-")
}

// plainVersion says whether a text starts with a digit, or with "v" and one,
// and has nothing but what versions are made of.
func plainVersion(s string) bool {
	digits := strings.TrimPrefix(s, "v")
	return digits != "" && digits[0] >= '0' && digits[0] <= '9' && plainWord(digits, ".+-_~:") && len(s) <= 128
}

// plainWord says whether a text is letters and digits of ASCII and some other
// characters, which it does not start with.
func plainWord(s, others string) bool {
	if s == "" || len(s) > 256 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || strings.IndexByte(others, c) < 0) {
			return false
		}
	}
	return true
}

// quoted puts a word into single quotes. It holds none: see plain.
func quoted(s string) string { return "'" + s + "'" }
