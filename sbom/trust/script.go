package trust

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/sbom"
)

// The rules about code that runs unasked. What ran at installation ran where
// the function was built, with whatever that machine may do; what it left is in
// the function.
const (
	// RuleInstallScript: the package runs a command when it is installed. A note
	// where the command is one of the well-known ones that build or fetch the
	// package's own machine code, or print something; low for a program of its
	// own. Medium where it uses the network and starts programs, or fetches
	// something. High where it runs what it has just fetched or decoded, speaks of
	// several places where credentials lie and uses the network, or hides what it
	// does. What is judged from the words of the program that a command starts is
	// probable: they may stand in a comment or a message.
	RuleInstallScript Rule = "install-script"
	// RuleStartScript: a .pth file holds code that Python runs whenever it starts.
	// A note for the lines that setuptools, virtual environments and coverage
	// write; else medium, since packages have no need of it; high where it
	// decodes, fetches or starts something.
	RuleStartScript Rule = "start-script"
)

// scripts judges what a component runs by itself.
func scripts(c *sbom.Component) []Signal {
	if c.Main {
		return nil
	}
	j := &originJudge{c: c}
	told := slices.ContainsFunc(c.Traits, func(t sbom.Trait) bool { return t.Kind == sbom.TraitScript && t.Detail != sbom.NotTold })
	for _, t := range c.Traits {
		switch {
		case t.Kind != sbom.TraitScript:
		case strings.HasPrefix(t.Detail, "start: "):
			startScript(j, t)
		case t.Detail != sbom.NotTold:
			w, why := weigh(t.Detail, doings(c, t))
			if s := j.say(RuleInstallScript, w, "runs at installation: "+shortened(t.Detail)+why, t); s != nil {
				s.Probable = strings.HasPrefix(why, ofProgram)
			}
		case !told:
			j.say(RuleInstallScript, Low, "has a script that runs at installation; what it does is not told", t)
		}
	}
	return j.out
}

// starts judges what files of no component run when the interpreter starts.
func starts(traits []sbom.Trait) []Signal {
	byFile := map[string]*originJudge{}
	var out []Signal
	for _, t := range traits {
		if t.Kind != sbom.TraitScript || !strings.HasPrefix(t.Detail, "start: ") {
			continue
		}
		if byFile[t.Path] == nil {
			byFile[t.Path] = &originJudge{c: &sbom.Component{}}
		}
		startScript(byFile[t.Path], t)
	}
	for _, t := range traits {
		if j := byFile[t.Path]; j != nil {
			out = append(out, j.out...)
			delete(byFile, t.Path)
		}
	}
	return out
}

// doings returns what the files do that a script of npm runs.
func doings(c *sbom.Component, script sbom.Trait) map[string]bool {
	out := map[string]bool{}
	for _, t := range c.Traits {
		if t.Kind != sbom.TraitCalls || t.Artifact != script.Artifact || !strings.HasPrefix(t.Path, path.Dir(script.Path)+"/") {
			continue
		}
		for d := range strings.SplitSeq(t.Detail, ", ") {
			out[d] = true
		}
	}
	return out
}

var (
	// fetches and runs: curl … | sh, bash <(curl …), eval "$(wget …)", PowerShell's iex
	pipedToShell = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(curl|wget|fetch|iwr|invoke-webrequest)\b[^;&]{0,500}\|\s*(sudo\s+)?(\S*/)?(sh|bash|zsh|dash|node|python3?|perl|ruby|iex)\b|\b(sh|bash|zsh|eval|source)\b[^;&|]{0,40}[<$]\(\s*(curl|wget)\b|\biex\b`)
	})
	// decodes and runs
	decoded = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)base64\s+(-d|-D|--decode)|\bpowershell\b[^;&|]{0,200}\s-e(nc|ncodedcommand)?\s|\beval\s*\(|\bnew\s+Function\s*\(|\batob\s*\(|['"]base64['"]|/dev/tcp/|\\x[0-9a-f]{2}\\x[0-9a-f]{2}\\x[0-9a-f]{2}`)
	})
	fetching = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(curl|wget|iwr|invoke-webrequest)\b|\bhttps?://|require\(\s*\\?['"](node:)?(https?|net|dns)\\?['"]|\bfetch\(|\b(npm|yarn|pnpm|pip3?)\s+(i|install|add|exec|dlx)\b\s+[^-\s&|;]|\b(npx|bunx)\b`)
	})
)

// harmless are commands that are known for what they do: they build, fetch or
// find the package's own machine code, print, ask for money, set up the author's
// repository, or do nothing. Those that fetch take what the package's own
// publisher put beside it.
var harmless = []string{
	"node-gyp", "node-gyp-build", "node-gyp-build-optional-packages", "node-pre-gyp", "prebuild-install", "prebuildify", "cmake-js", "napi", "neon",
	"husky", "opencollective", "opencollective-postinstall", "is-ci", "in-install", "not-in-install", "in-publish", "not-in-publish", "only-allow", "patch-package",
	"tsc", "rimraf", "ngc", "ngcc", "echo", "exit", "true", ":", "cd", "test", "command", "which",
}

// quiet is how core-js and its like run a file of their own and ignore whether
// it is there: the file is what counts.
var quiet = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^node -e \\?"try\s*\{\s*require\(\\?['"]\./[\w./-]+\\?['"]\);?\s*\}\s*catch\s*(\(\w*\))?\s*\{\s*\}\\?"$`)
})

// ofProgram begins why a command speaks against a package when that was read
// from the words of the program that it starts.
const ofProgram = ", whose program "

// weigh says how much a command of npm speaks against a package, and why.
func weigh(script string, does map[string]bool) (w Weight, why string) {
	name, command, _ := strings.Cut(script, ": ")
	if name == "extension" {
		return Note, ", which builds its native part"
	}
	switch {
	case pipedToShell().MatchString(command):
		return High, ", which runs what it fetches"
	case decoded().MatchString(command):
		return High, ", which runs what it decodes"
	case does["runs what it decodes"]:
		return High, ofProgram + "runs what it decodes"
	case does["hides its names"]:
		return High, ofProgram + "hides what it does"
	case does["secrets"] && does["network"]:
		return High, ofProgram + "speaks of credentials and of the network"
	}
	known := true
	for part := range strings.FieldsFuncSeq(command, func(r rune) bool { return r == '&' || r == '|' || r == ';' || r == '(' || r == ')' }) {
		known = known && idiom(part)
	}
	if known || quiet().MatchString(command) && !does["network"] && !does["programs"] {
		return Note, ""
	}
	switch {
	case fetching().MatchString(command):
		return Medium, ", which fetches something"
	case does["network"] && does["programs"]:
		return Medium, ofProgram + "uses the network and starts programs"
	case does["network"]:
		return Medium, ofProgram + "uses the network"
	case does["programs"]:
		return Low, ofProgram + "starts others"
	case does["it could not be read"]:
		return Medium, ofProgram + "could not be read"
	}
	return Low, ""
}

// idiom reports whether a simple command is one of the harmless ones.
func idiom(command string) bool {
	words := strings.Fields(command)
	for len(words) > 0 && (words[0] == "npx" || words[0] == "exec" || strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
		words = words[1:]
	}
	return len(words) == 0 || slices.Contains(harmless, words[0])
}

// startScript judges one line of a .pth file.
func startScript(j *originJudge, t sbom.Trait) {
	line := strings.TrimPrefix(t.Detail, "start: ")
	w, why := Medium, ""
	switch {
	case knownStart(line):
		w = Note
	case loud().MatchString(line):
		w, why = High, ", which decodes, fetches or starts something"
	}
	j.say(RuleStartScript, w, path.Base(t.Path)+" runs whenever Python starts: "+shortened(line)+why, t)
}

var (
	loud = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`base64|zlib|marshal|codecs|urllib|requests|socket|http|subprocess|os\.system|os\.popen|\bexec\s*\(|\beval\s*\(|compile\s*\(|fromhex|\\x[0-9a-f]{2}\\x`)
	})
	quoted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'[\w.]*'`) })

	editable = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^import (__editable___\w+_finder); (__editable___\w+_finder)\.install\(\)$`)
	})
)

// startLines are the lines that tools write, with the names in them left out:
// setuptools for its stand-in of distutils and in easy-install.pth, virtualenv,
// pywin32, and coverage as its manual says.
var startLines = []string{
	`import os; var = ''; enabled = os.environ.get(var, '') == ''; enabled and __import__('').add_shim();`,
	`import os; var = ''; enabled = os.environ.get(var, '') == ''; enabled and __import__('').add_shim()`,
	`import sys; sys.__plen = len(sys.path)`,
	`import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; p=getattr(sys,'',0); sys.path[p:p]=new; sys.__egginsert = p+len(new)`,
	`import _virtualenv`,
	`import pywin32_bootstrap`,
	`import coverage; coverage.process_startup()`,
}

// namespaceLine are the statements that setuptools writes for a package that is
// spread over distributions (-nspkg.pth).
var namespaceLine = []string{
	`import sys, types, os`, `has_mfs = sys.version_info > (3, 5)`, `importlib = has_mfs and __import__('')`, `has_mfs and __import__('')`,
	`p = os.path.join(sys._getframe(1).f_locals[''], *('',))`, `p = os.path.join(sys._getframe(1).f_locals[''], *('', ''))`, `p = os.path.join(sys._getframe(1).f_locals[''], *('', '', ''))`,
	`m = has_mfs and sys.modules.setdefault('', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('', [os.path.dirname(p)])))`,
	`m = m or sys.modules.setdefault('', types.ModuleType(''))`, `ie = os.path.exists(os.path.join(p,''))`, `m = not ie and sys.modules.setdefault('', types.ModuleType(''))`,
	`mp = (m or []) and m.__dict__.setdefault('',[])`, `(p not in mp) and mp.append(p)`, `m and setattr(sys.modules[''], '', m)`,
}

// knownStart reports whether a line is one that a well-known tool writes, by its
// content: anybody can give a file its name.
func knownStart(line string) bool {
	if m := editable().FindStringSubmatch(line); m != nil {
		return m[1] == m[2]
	}
	imports := strings.Count(line, "__import__('")
	for _, of := range []string{"_distutils_hack", "importlib.util", "importlib.machinery"} {
		imports -= strings.Count(line, "__import__('"+of+"')")
	}
	if imports > 0 {
		return false // of something else
	}
	plain := quoted().ReplaceAllString(line, "''")
	if slices.Contains(startLines, plain) {
		return true
	}
	for s := range strings.SplitSeq(plain, ";") {
		if !slices.Contains(namespaceLine, strings.TrimSpace(s)) {
			return false
		}
	}
	return true
}

// shortened bounds a command in a title.
func shortened(s string) string {
	const most = 120
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
