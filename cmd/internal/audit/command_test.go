package audit

import (
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

func TestUpgradeCommand(t *testing.T) {
	for _, c := range []struct {
		w    way
		want string
	}{
		{way{manager: "npm", name: "qs", from: "6.7.0", to: "6.7.3"}, "npm install qs@6.7.3"},
		{way{manager: "npm", name: "@scope/a.b", to: "1.0.0"}, "npm install @scope/a.b@1.0.0"},
		{way{manager: "npm", name: "qs", to: "6.7.3", transitive: true}, "npm update qs"},
		{way{manager: "yarn", name: "qs", to: "6.7.3"}, "yarn add qs@6.7.3"},
		{way{manager: "yarn", name: "qs", to: "6.7.3", transitive: true}, ""},
		{way{manager: "pnpm", name: "qs", to: "6.7.3"}, "pnpm add qs@6.7.3"},
		{way{manager: "pnpm", name: "qs", to: "6.7.3", transitive: true}, "pnpm update --depth Infinity qs"},
		{way{manager: "bun", name: "qs", to: "6.7.3"}, "bun add qs@6.7.3"},
		{way{manager: "bun", name: "qs", to: "6.7.3", transitive: true}, "bun update qs"},
		{way{manager: "pip", name: "requests", to: "2.32.0"}, "pip install 'requests==2.32.0'"},
		{way{manager: "poetry", name: "requests", to: "2.32.0"}, "poetry add 'requests@^2.32.0'"},
		{way{manager: "poetry", name: "urllib3", to: "2.2.2", transitive: true}, "poetry update urllib3"},
		{way{manager: "uv", name: "requests", to: "2.32.0"}, "uv add 'requests>=2.32.0'"},
		{way{manager: "uv", name: "urllib3", to: "2.2.2", transitive: true}, "uv lock --upgrade-package 'urllib3==2.2.2'"},
		{way{manager: "pipenv", name: "requests", to: "2.32.0"}, "pipenv install 'requests~=2.32.0'"},
		{way{manager: "pipenv", name: "keyring", to: "25"}, "pipenv install 'keyring>=25'"},
		{way{manager: "pipenv", name: "urllib3", to: "2.2.2", transitive: true}, "pipenv install 'urllib3~=2.2.2'"},
		{way{manager: "npm", name: "qs", to: "6.7.3", transitive: true, takes: takesAll}, "npm update qs"},
		{way{manager: "npm", name: "qs", to: "6.7.3", transitive: true, takes: takesNot}, ""},
		{way{manager: "pip", name: "urllib3", to: "2.2.2", transitive: true, takes: takesNot}, ""},
		{way{manager: "cargo", name: "time", from: "0.1.0", to: "0.2.23", transitive: true, takes: takesNot}, ""},
		{way{manager: "go", name: "golang.org/x/net", to: "0.17.0", transitive: true, takes: takesNot}, "go get golang.org/x/net@v0.17.0"},
		{way{manager: "dotnet", name: "Newtonsoft.Json", to: "13.0.1", transitive: true, takes: takesNot}, "dotnet add package Newtonsoft.Json --version 13.0.1"},
		{way{manager: "maven", name: "org.a:b-c", to: "2.17.1", transitive: true}, ""},
		{way{manager: "pnpm", name: "qs", to: "6.7.3", left: true}, "pnpm prune"},
		{way{manager: "pdm", name: "urllib3", to: "2.2.2", transitive: true}, "pdm update urllib3"},
		{way{manager: "pdm", name: "requests", to: "2.32.0"}, "pdm add 'requests>=2.32.0'"},
		{way{manager: "go", name: "golang.org/x/net", from: "v0.10.0", to: "0.17.0"}, "go get golang.org/x/net@v0.17.0"},
		{way{manager: "go", name: "stdlib", from: "1.22.1", to: "1.22.5"}, "go get toolchain@go1.22.5"},
		{way{manager: "maven", name: "org.a:b-c", to: "2.17.1"}, "mvn versions:use-dep-version -Dincludes=org.a:b-c -DdepVersion=2.17.1 -DforceVersion=true"},
		{way{manager: "bundler", name: "rack", to: "2.2.8"}, "bundle update --conservative rack"},
		{way{manager: "cargo", name: "time", from: "0.1.0", to: "0.2.23"}, "cargo update -p time@0.1.0 --precise 0.2.23"},
		{way{manager: "dotnet", name: "Newtonsoft.Json", to: "13.0.1"}, "dotnet add package Newtonsoft.Json --version 13.0.1"},
		{way{manager: "composer", name: "guzzlehttp/psr7", to: "2.4.5"}, "composer require 'guzzlehttp/psr7:^2.4.5'"},
		{way{manager: "composer", name: "guzzlehttp/psr7", to: "2.4.5", transitive: true}, "composer update guzzlehttp/psr7 --with-dependencies"},
		{way{manager: "apt", name: "libssl3", to: "3.0.11-1~deb12u2"}, "apt-get install --only-upgrade libssl3"},
		{way{manager: "apt", name: "libstdc++6", to: "1:12"}, "apt-get install --only-upgrade libstdc++6"},
		{way{manager: "apk", name: "openssl", to: "3.1.4-r5"}, "apk add --upgrade openssl"},
		{way{manager: "dnf", name: "openssl-libs", to: "1:3.0.7-25.el9"}, "dnf upgrade openssl-libs"},
		{way{manager: "", name: "node", to: "22.1.0"}, ""},
	} {
		if got := c.w.command(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.w, got, c.want)
		}
	}
}

// TestUpgradeNote: what the command does not do is said, in one line.
func TestUpgradeNote(t *testing.T) {
	one := []ask{{of: &finding.Component{Name: "body", Version: "1.0.0"}, rng: "6.5.0", known: true}}
	odd := []ask{{of: &finding.Component{Name: "body"}, rng: "git+ssh://x/y#\u202e", known: true}}
	many := slices.Concat(one, odd, one, one)
	for _, c := range []struct {
		w    way
		by   []string
		want string
	}{
		{way{manager: "npm", to: "6.5.3"}, nil, ""},
		{way{manager: "npm", to: "6.5.3", transitive: true}, []string{"a"}, `a must accept 6.5.3: else move that, or set it to 6.5.3 under "overrides" in package.json`},
		{way{manager: "npm", to: "6.5.3", transitive: true, takes: takesAll}, []string{"a"}, "whoever needs it takes 6.5.3: only the lockfile changes"},
		{way{manager: "npm", to: "6.5.3", transitive: true, takes: takesNot, refusing: one}, []string{"a", "b"}, `body 1.0.0 takes 6.5.0 of it: move a and b, or set it to 6.5.3 for body under "overrides" in package.json`},
		{way{manager: "bun", to: "6.5.3", transitive: true, takes: takesNot, refusing: odd}, []string{"a"}, `body takes other versions of it: move a, or set it to 6.5.3 for body under "overrides" in package.json`},
		{way{manager: "yarn", to: "6.5.3", transitive: true, takes: takesNot, refusing: many}, []string{"a", "b", "c", "d"}, `body 1.0.0 takes 6.5.0 of it and body takes other versions of it, and 2 more do not take it either: move a, b and 2 more, or set it to 6.5.3 under "resolutions" in package.json`},
		{way{manager: "yarn", name: "qs", to: "6.5.3", transitive: true, takes: takesAll}, []string{"a"}, "whoever needs it takes 6.5.3: with Yarn 2 or newer run yarn up -R qs; with Yarn 1 delete its entry from yarn.lock and run yarn install"},
		{way{manager: "yarn", name: "qs;x", to: "6.5.3", transitive: true, takes: takesAll}, []string{"a"}, "whoever needs it takes 6.5.3: only the lockfile changes"},
		{way{manager: "pnpm", to: "6.5.3"}, nil, "then pnpm prune, for the old version stays in node_modules/.pnpm"},
		{way{manager: "pnpm", to: "6.5.3", left: true}, nil, "the lockfile does not name this version any more: it was left in node_modules/.pnpm"},
		{way{manager: "pip", to: "2.0", listed: true, folder: true}, nil, "write it into requirements.txt; install into an empty folder: pip install -t leaves old metadata"},
		{way{manager: "pip", to: "2.0", transitive: true, takes: takesAll}, []string{"a"}, "whoever needs it takes 2.0"},
		{way{manager: "pip", to: "2.0", transitive: true, takes: takesNot, refusing: one}, []string{"a"}, "body 1.0.0 takes 6.5.0 of it: move a"},
		{way{manager: "pipenv", to: "2.0", transitive: true}, []string{"a"}, "this makes it a direct dependency; a brings it"},
		{way{manager: "uv", to: "2.0", transitive: true, takes: takesNot, refusing: one}, []string{"a"}, "body 1.0.0 takes 6.5.0 of it: move a, or set it to 2.0 under override-dependencies of [tool.uv] in pyproject.toml"},
		{way{manager: "maven", to: "2.0", transitive: true}, []string{"a:b"}, "a:b brings it: move that, or pin 2.0 under dependencyManagement (Gradle: a constraint)"},
		{way{manager: "go", to: "2.0", transitive: true}, []string{"a"}, ""},
		{way{manager: "go", name: "stdlib", to: "1.26.1"}, nil, "build with Go 1.26.1 or newer"},
		{way{manager: "cargo", to: "2.0"}, nil, "Cargo.toml must take 2.0: else write that there first"},
		{way{manager: "bundler", to: "2.0"}, nil, "the Gemfile must take 2.0: else write that there first"},
		{way{manager: "bundler", to: "2.0", transitive: true, takes: takesAll}, []string{"a"}, "whoever needs it takes 2.0: only the lockfile changes"},
		{way{manager: "apt", to: "2.0"}, nil, "in the Dockerfile after apt-get update, or take a newer base image"},
		{way{manager: "apk", to: "2.0"}, nil, "in the Dockerfile, or take a newer base image"},
		{way{manager: "cargo", to: "2.0", transitive: true}, nil, "what brings it must accept 2.0"},
	} {
		if got := c.w.note(c.by); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.w, got, c.want)
		}
	}
}

// TestUpgradeCommandHostile: whatever a package or a version is called, a shell
// runs the package manager with it, or there is no command.
func TestUpgradeCommandHostile(t *testing.T) {
	texts := []string{
		"a;touch x", "a`touch x`", "$(touch x)", "a'b", "'$(touch x)'", `a"b`, "a|b", "a&b", "a>x", "a<x", "a b", "a\nb", "a\rb", "a\tb", "a\\b", "a*", "a?", "a[b]", "{a,b}", "~", "~root", "#a", "!a", "a!b", "%PATH%", "a%b",
		"-g", "--registry=http://x", "-", ".", "..", "../x", "./x", "/etc", "a/../b", "@", "@/", "@a", "@a/", "@a/b/c", "@-a/b", "@a/-b", "@a/.b", "a//b", "git+https://x/y", "http://x", "file:x", "npm:a", "a@npm:b", "a@b",
		"\u202ea", "a\u00a0b", "ａ", "a\x00b", "\x1b[31m", "", strings.Repeat("a", 5000), "x:y:z -Dexec", "a:b;c",
	}
	versions := []string{"1.0.0", "1;touch x", "$(x)", "1`x`", "1 2", "1\n2", "latest", "-1", "1'", "^1", ">=1", "git+https://x", "../1", "1/2", "v", "", "1\u202e", "1|x", "1&x", strings.Repeat("1", 500), "1@2", "1#2", "1!2", "1*"}
	managers := []string{"npm", "yarn", "pnpm", "bun", "pip", "poetry", "uv", "pipenv", "pdm", "go", "maven", "bundler", "cargo", "dotnet", "composer", "apt", "apk", "dnf", "", "other"}
	check := func(w way) {
		cmd := w.command()
		if cmd == "" {
			return
		}
		for i := range len(cmd) {
			c := cmd[i]
			ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(" -_.@/:=+~^><'", c) >= 0
			if !ok {
				t.Fatalf("%+v: %q", w, cmd)
			}
		}
		// What is not plain for a shell stands between quotes, and nothing in there ends them.
		outside := ""
		for i, part := range strings.Split(cmd, "'") {
			if i%2 == 0 {
				outside += part
			}
		}
		if strings.Count(cmd, "'")%2 != 0 || strings.ContainsAny(outside, "^><") {
			t.Fatalf("%+v: %q", w, cmd)
		}
		for _, word := range strings.Fields(outside) {
			if strings.HasPrefix(word, "~") || strings.HasPrefix(word, ".") || strings.HasPrefix(word, "/") {
				t.Fatalf("%+v: %q", w, cmd)
			}
		}
	}
	for _, m := range managers {
		for _, transitive := range []bool{false, true} {
			for _, name := range texts {
				w := way{manager: m, name: name, from: "1.0.0", to: "1.0.1", transitive: transitive}
				if cmd := w.command(); cmd != "" && !(m == "maven" && name == "npm:a" || name == "file:x") && !plainHostile(m, name) {
					t.Errorf("%s %q: %q", m, name, cmd)
				}
				check(w)
				if note := w.note([]string{name}); strings.Contains(note, "yarn up") && !w.plain() {
					t.Errorf("a command in words: %q", note)
				}
				for _, v := range versions {
					check(way{manager: m, name: name, from: v, to: "1.0.1", transitive: transitive})
					check(way{manager: m, name: name, from: "1.0.0", to: v, transitive: transitive})
				}
			}
			for _, v := range versions[1:] {
				if cmd := (way{manager: m, name: "a", to: v, transitive: transitive}).command(); cmd != "" {
					t.Errorf("%s, version %q: %q", m, v, cmd)
				}
			}
		}
	}
}

// plainHostile are the texts that are names after all, for some managers.
func plainHostile(manager, name string) bool {
	return manager == "maven" && (name == "npm:a" || name == "file:x")
}

// FuzzUpgradeCommand: no name makes a shell do anything else than run one
// program with words.
func FuzzUpgradeCommand(f *testing.F) {
	f.Add("npm", "qs", "6.7.3", true)
	f.Add("pip", "requests", "2.32.0", false)
	f.Fuzz(func(t *testing.T, manager, name, to string, transitive bool) {
		cmd := way{manager: manager, name: name, to: to, transitive: transitive}.command()
		if strings.ContainsAny(cmd, ";&|`$(){}[]*?!#\"\\\n\r\t\x00<") || strings.Count(cmd, "'")%2 != 0 {
			t.Fatalf("%q", cmd)
		}
	})
}
