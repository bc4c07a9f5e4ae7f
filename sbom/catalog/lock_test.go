package catalog

import (
	"encoding/binary"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestWrongLockfilesAreErrors: what is no lockfile must not pass as an empty one.
func TestWrongLockfilesAreErrors(t *testing.T) {
	for name, p := range lockParsers() {
		for _, data := range []string{"", "<html>", "{}", "[]", "null", "\x00\xff", "x"} {
			if got, err := p.parse([]byte(data), nil); err == nil && len(got) == 0 {
				t.Errorf("%s: %q is an empty lockfile", name, data)
			}
		}
	}
}

func TestNpmPackageDir(t *testing.T) {
	for dir, want := range map[string]string{
		"node_modules/a":                        "a",
		"x/y/node_modules/@s/a":                 "@s/a",
		"node_modules/a/node_modules/b":         "b",
		"node_modules/.pnpm/a@1/node_modules/a": "a",
		"node_modules/a/dist/node_modules/b":    "b",
		"tests/node_modules/a":                  "a", // the function's own folder may be called so
		"node_modules/a/test/x/node_modules/b":  "",
		"node_modules/a/lib":                    "",
		"node_modules/@s":                       "",
		"node_modules/@s/a/lib":                 "",
		"node_modules/.bin":                     "",
		"node_modules/":                         "",
		"my_node_modules/a":                     "",
		"a":                                     "",
		"":                                      "",
	} {
		got, ok := npmPackageDir(dir)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, %v", dir, got, ok)
		}
	}
}

func TestNpmVersion(t *testing.T) {
	for in, want := range map[string]string{"1.0.0": "1.0.0", "v1.0.0": "1.0.0", " =v1.0.0 ": "1.0.0", "vnext": "vnext", "": "", "v": "v"} {
		if got := npmVersion(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestExactVersion(t *testing.T) {
	for in, want := range map[string]bool{"1.2.3": true, "=1.2.3": true, "v1.2.3-rc.1": true, "1.2.3+b": true, "1.2": false, "^1.2.3": false, "1.x.0": false,
		"1.2.3 || 2.0.0": false, "1.0.0 - 2.0.0": false, "latest": false, "": false, "https://x/1.2.3": false, "1.2.*": false} {
		if got := exactVersion(in); got != want {
			t.Errorf("%q: got %v", in, got)
		}
	}
}

func TestParseRequirement(t *testing.T) {
	for in, want := range map[string]requirement{
		"requests==2.20.0":               {name: "requests", version: "2.20.0"},
		"requests [socks] == 2.20.0":     {name: "requests", version: "2.20.0"},
		"requests===2.20.0":              {name: "requests", version: "2.20.0"},
		"requests==2.*":                  {name: "requests"},
		"requests==2.20.0,!=2.1":         {name: "requests"},
		"requests>=2":                    {name: "requests"},
		"requests":                       {name: "requests"},
		"x @ https://host.example/x.whl": {name: "x", resolved: "https://host.example/x.whl"},
		"./local#egg=mine":               {name: "mine", resolved: "./local#egg=mine"},
	} {
		if got, ok := parseRequirement(in); !ok || got != want {
			t.Errorf("%q: got %+v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "./local", "https://host.example/x.whl", "==1.0", "-"} {
		if got, ok := parseRequirement(in); ok {
			t.Errorf("%q: got %+v", in, got)
		}
	}
}

func TestIntegrity(t *testing.T) {
	got := integrity("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==?x sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= md5-short junk sha256-@@")
	if keys := slices.Sorted(maps.Keys(got)); !reflect.DeepEqual(keys, []string{"sha1", "sha512"}) || got["sha1"] != "da39a3ee5e6b4b0d3255bfef95601890afd80709" {
		t.Errorf("got %v", got)
	}
}

func TestTrailingCommas(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,}`:           `{"a":1}`,
		"[1,\n 2,\n]":        "[1,\n 2]",
		`{"a":",}",}`:        `{"a":",}"}`,
		`{"a":"\",]",}`:      `{"a":"\",]"}`,
		`"open`:              `"open`,
		`{"a":[{"b":1,},],}`: `{"a":[{"b":1}]}`,
	} {
		blank := strings.NewReplacer(" ", "", "\n", "") // the commas leave their places
		if got := string(withoutTrailingCommas([]byte(in))); blank.Replace(got) != blank.Replace(want) || len(got) != len(in) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// FuzzLockfiles gives arbitrary bytes to every format. The seeds are the
// lockfiles of testdata.
func FuzzLockfiles(f *testing.F) {
	parsers := lockParsers()
	names := slices.Sorted(maps.Keys(parsers))
	if ar, err := txtar.ParseFile("testdata/lock_declares.txtar"); err == nil {
		for _, file := range ar.Files {
			if i := slices.Index(names, path.Base(file.Name)); i >= 0 {
				f.Add(uint8(i), file.Data)
			}
		}
	}
	f.Add(uint8(0), []byte("{\"packages\":{\"node_modules/\":{}}}"))
	a := &artifact{opts: Options{}.withDefaults()}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		p := parsers[names[int(which)%len(names)]]
		if p.json && a.checkJSON(data) != nil {
			return
		}
		entries, err := p.parse(data, &npmManifest{ranges: map[string]string{"a": "^1"}})
		if err != nil && entries != nil {
			t.Error("an error with entries")
		}
	})
}

func FuzzManifests(f *testing.F) {
	f.Add([]byte(`{"name":"x","version":"1","license":{"type":"MIT"},"dependencies":{"a":"npm:b@1"}}`))
	f.Add([]byte("requests[x]==1.0 ; y \\\n --hash=z\n-r a.txt\n"))
	f.Add([]byte("Name: x\n y\nVersion: 1\n\nbody"))
	f.Add([]byte("Gem::Specification.new do |s|\n s.name = \"x\"\n s.add_dependency(%q<y>)\n"))
	a := &artifact{opts: Options{}.withDefaults(), licences: map[string]string{}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if a.checkJSON(data) == nil {
			if m, err := parseNpmManifest(data); err == nil {
				m.requires()
				a.spdx(m.licenses...)
			}
		}
		reqs, _ := parseRequirements(data)
		for _, r := range reqs {
			if r.name == "" || strings.ContainsAny(r.name, " \n/") {
				t.Errorf("name %q", r.name)
			}
		}
		pythonHeader(data)
		gemHeader("x.gemspec", data)
		gemRequires(data)
		gemLiteral(data, ".version")
	})
}

// FuzzExecutable gives arbitrary bytes to everything that reads executables.
func FuzzExecutable(f *testing.F) {
	f.Add(elfWith(".dep-v0", []byte("x"), 0))
	f.Add(elfWith(".go.buildinfo", []byte("\xff Go buildinf:\x08\x02\x20\x00\x00\x00"), 0))
	f.Add([]byte("MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE\x00\x00\x64\x86"))
	f.Add([]byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01\x03\x00\x00\x00\x02\x00\x00\x00"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		fn := openZipAt(t, dir, txtar.File{Name: "bootstrap", Data: data})
		a := newArtifact(Options{}.withDefaults(), fn.Volumes[0])
		executables(t.Context(), a)
		goBinaries(t.Context(), a)
		rustBinaries(t.Context(), a)
		a.nodeBinaries()
		opaqueFiles(t.Context(), a)
		a.release()
		if len(a.executables) > 0 && len(a.found) == 0 && len(a.unknowns) == 0 {
			t.Error("an executable that says nothing is no unknown")
		}
	})
}

// TestRequirementsUTF16: pip decodes a requirements file by its byte order mark.
func TestRequirementsUTF16(t *testing.T) {
	const text = "requests==2.19.0\r\n"
	for _, tt := range []struct {
		name    string
		encode  func(string) []byte
		reqs    int
		strange int
	}{
		{"little endian", func(s string) []byte { return utf16Bytes(s, binary.LittleEndian) }, 1, 0},
		{"big endian", func(s string) []byte { return utf16Bytes(s, binary.BigEndian) }, 1, 0},
		{"cut off", func(s string) []byte { return append(utf16Bytes(s, binary.LittleEndian), 'x') }, 1, 1},
		{"no mark", func(s string) []byte { return utf16Bytes(s, binary.LittleEndian)[2:] }, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reqs, _, strange := scanRequirements(tt.encode(text))
			if len(reqs) != tt.reqs || strange != tt.strange {
				t.Errorf("got %+v and %d strange lines", reqs, strange)
			}
			if len(reqs) > 0 && (reqs[0].name != "requests" || reqs[0].version != "2.19.0") {
				t.Errorf("got %+v", reqs[0])
			}
		})
	}
}

func utf16Bytes(s string, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// TestUVExtras: what an extra that a dependency asks for brings is needed to
// run; what no one asks for is not.
func TestUVExtras(t *testing.T) {
	const text = `version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "httpx", extra = ["http2", "cli"] },
]

[package.optional-dependencies]
own = [
    { name = "unasked" },
]

[[package]]
name = "httpx"
version = "0.27.0"

[package.optional-dependencies]
cli = [{ name = "rich", extra = ["jupyter"] }]
http2 = [
    { name = "h2" },
]
socks = [
    { name = "socksio" },
]

[[package]]
name = "h2"
version = "4.1.0"

[[package]]
name = "rich"
version = "13.0.0"

[package.optional-dependencies]
jupyter = [
    { name = "ipywidgets" },
]

[[package]]
name = "ipywidgets"
version = "8.0.0"

[[package]]
name = "socksio"
version = "1.0.0"

[[package]]
name = "unasked"
version = "1.0.0"
`
	entries, err := parseUVLock([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	var run []string
	for _, e := range entries {
		if !e.dev {
			run = append(run, e.name)
		}
	}
	if want := []string{"app", "httpx", "h2", "rich", "ipywidgets"}; !slices.Equal(run, want) {
		t.Errorf("got %q, want %q", run, want)
	}
}
