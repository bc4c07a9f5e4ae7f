package bundle

import (
	"encoding/binary"
	"path"
	"strings"
)

// guesser reads off the content what nobody declared. Each guess is reported as
// one in Function.Guessed, and none is made when the content speaks for two.
type guesser struct{ f *Function }

// platform guesses the service. host.json marks the root of an Azure app
// (learn.microsoft.com/azure/azure-functions/functions-host-json). Everything
// else that looks like a function, with a runtime id of AWS or none, is taken
// for AWS Lambda. Google's ids have no dot: "nodejs22", "python313".
func (g *guesser) platform() Platform {
	code := g.f.Volumes[0]
	rt := g.f.Spec.Runtime
	switch {
	case code.has("host.json"):
		return PlatformAzure
	case googleRuntime(rt):
		return PlatformGoogle
	case rt != "", len(g.f.Volumes) > 1, code.has("bootstrap"):
		return PlatformAWS
	case code.Artifact.Kind == KindBinary:
		return PlatformNone
	case g.language(code) != "":
		return PlatformAWS
	}
	return PlatformNone
}

func googleRuntime(id string) bool {
	for _, lang := range []string{"nodejs", "python", "go1", "php", "ruby"} {
		if v, ok := strings.CutPrefix(id, lang); ok && v != "" && strings.Trim(v, "0123456789") == "" {
			return true
		}
	}
	return false
}

// runtime guesses the runtime id. Where the content shows a version the id has
// it ("python3.12", "nodejs20.x", "ruby3.3"); else it is the language alone
// ("nodejs", "java"), which no platform has as an id, so that nothing is
// concluded from a version that nobody knows.
func (g *guesser) runtime() string {
	code := g.f.Volumes[0]
	lang := g.language(code)
	if lang == "provided" {
		return "provided.al2023"
	}
	if lang == "" {
		for _, v := range g.f.Volumes[1:] { // a layer with a bootstrap is a custom runtime
			if v.has("bootstrap") {
				return "provided.al2023"
			}
		}
	}
	ids := map[string]bool{}
	for _, v := range g.f.Volumes {
		for _, f := range v.Files() {
			if id := versionInPath(f.Path); id != "" && (lang == "" || strings.HasPrefix(id, lang)) {
				ids[id] = true
			}
		}
	}
	if lang == "" && len(g.f.Volumes) == 1 {
		return "" // the interpreter's traces alone do not make a function
	}
	if len(ids) == 1 {
		for id := range ids {
			return id
		}
	}
	return lang
}

// handler is not guessed: nothing in a package says it.
func (g *guesser) handler() string { return "" }

// language tells what the code is written in by what lies at its root.
func (g *guesser) language(v *Volume) string {
	if v.Artifact.Kind == KindJar {
		return "java"
	}
	if v.has("bootstrap") {
		return "provided"
	}
	if v.has("package.json") || v.has("node_modules") {
		return "nodejs"
	}
	seen := map[string]bool{}
	for _, f := range v.Files() {
		dir, name := path.Split(f.Path)
		if dir == "" {
			switch path.Ext(name) {
			case ".js", ".mjs", ".cjs":
				seen["nodejs"] = true
			case ".py":
				seen["python"] = true
			case ".rb":
				seen["ruby"] = true
			case ".class":
				seen["java"] = true
			}
		}
		switch {
		case strings.HasSuffix(name, ".deps.json") && dir == "", strings.HasSuffix(name, ".runtimeconfig.json") && dir == "":
			seen["dotnet"] = true
		case strings.HasSuffix(f.Path, ".dist-info/METADATA") && strings.Count(f.Path, "/") == 1:
			seen["python"] = true
		case strings.HasPrefix(f.Path, "vendor/bundle/ruby/"):
			seen["ruby"] = true
		case dir == "lib/" && strings.HasSuffix(name, ".jar"), strings.HasSuffix(name, ".class") && !strings.HasPrefix(dir, "node_modules/"):
			seen["java"] = true
		}
	}
	// a Python or .NET function ships scripts and classes of others at times
	for _, lang := range []string{"dotnet", "python", "ruby", "java", "nodejs"} {
		if seen[lang] {
			return lang
		}
	}
	return ""
}

// versionInPath reads a runtime version off a path: where layers and package
// managers put their files (docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html)
// and the tag of compiled Python modules (PEP 3149).
func versionInPath(p string) string {
	if rest, ok := strings.CutPrefix(p, "nodejs/node"); ok {
		if v, _, ok := strings.Cut(rest, "/"); ok && digits(v) {
			return "nodejs" + v + ".x"
		}
	}
	if rest, ok := strings.CutPrefix(p, "python/lib/python"); ok {
		if v, _, ok := strings.Cut(rest, "/"); ok && dotted(v) {
			return "python" + v
		}
	}
	for _, prefix := range []string{"vendor/bundle/ruby/", "ruby/gems/"} {
		if rest, ok := strings.CutPrefix(p, prefix); ok {
			major, rest, _ := strings.Cut(rest, ".")
			minor, _, ok := strings.Cut(rest, ".")
			if ok && digits(major) && digits(minor) {
				return "ruby" + major + "." + minor
			}
		}
	}
	if i := strings.LastIndex(p, ".cpython-3"); i >= 0 && (strings.HasSuffix(p, ".so") || strings.HasSuffix(p, ".pyc")) {
		minor := p[i+len(".cpython-3"):]
		n := 0
		for n < len(minor) && minor[n] >= '0' && minor[n] <= '9' {
			n++
		}
		if n > 0 && n <= 2 {
			return "python3." + minor[:n]
		}
	}
	return ""
}

func digits(s string) bool { return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == "" }

func dotted(s string) bool {
	a, b, ok := strings.Cut(s, ".")
	return ok && digits(a) && digits(b)
}

// arch reads the machine off native code: the bootstrap, and libraries and
// addons by their usual names. A few dozen first bytes of at most 64 files are
// looked at.
func (g *guesser) arch() string {
	found, left := "", 64
	for _, v := range g.f.Volumes {
		t := v.Tree()
		single := v.Artifact.Kind == KindBinary
		for _, f := range v.Files() {
			if left == 0 {
				return found
			}
			if f.Mode != 0 || !(single || f.Path == "bootstrap" || strings.HasSuffix(f.Path, ".node") ||
				strings.HasSuffix(f.Path, ".so") || strings.Contains(base(f.Path), ".so.")) {
				continue
			}
			left--
			var head [20]byte
			n, err := t.Peek(f.Path, head[:])
			if err != nil {
				continue
			}
			switch a := elfMachine(head[:n]); {
			case a == "":
			case found == "":
				found = a
			case found != a:
				return "" // built for both
			}
		}
	}
	return found
}

// elfMachine gives the platform's name for e_machine of an ELF header (System V
// ABI, chapter 4): 62 is x86-64, 183 is AArch64.
func elfMachine(h []byte) string {
	if len(h) < 20 || string(h[:4]) != "\x7fELF" {
		return ""
	}
	var order binary.ByteOrder = binary.LittleEndian
	if h[5] == 2 {
		order = binary.BigEndian
	}
	switch order.Uint16(h[18:]) {
	case 62:
		return "x86_64"
	case 183:
		return "arm64"
	}
	return ""
}
