package reach

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestNames holds what the names of real toolchains (1.16 to 1.27) mean.
func TestNames(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"golang.org/x/net/html.Parse", "golang.org/x/net/html.Parse"},
		{"gopkg.in/yaml%2ev2.(*parser).peek", "gopkg.in/yaml.v2.parser.peek"},
		{"encoding/json.(*Decoder).Decode.func1", "encoding/json.Decoder.Decode"},
		{"time.Duration.String", "time.Duration.String"},
		{"slices.SortFunc[go.shape.int]", "slices.SortFunc"},
		{"a/b.(*List[go.shape.struct { x.Y int }]).Push", "a/b.List.Push"},
		{"main.run.Parse.func1", "main.run main.run.Parse"},
		{"main.run.func1.2", "main.run"},
		{"net.(*Resolver).lookupIP-fm", "net.Resolver.lookupIP"},
		{"os.init.0", "os.init"},
		{"os.init", "os.init"},
		{"a/b.glob..func1", "a/b.glob"},
		{"iter.Pull[...].func2-range1", "iter.Pull"},
		{"a.F.gowrap1", "a.F"},
		{"a.F.deferwrap2", "a.F"},
		{"runtime.memequal.abi0", "runtime.memequal"},
		{"type:.eq.main.T", "compiler"},
		{"go:struct { a/b.T }.M", "compiler"},
		{"memeqbody", "bare"},
		{"_rt0_amd64_linux", "bare"},
		{"x_cgo_munmap.abi0", "bare"},
		{"x_cgo_munmap.cold", "bare"},
		{"f.constprop.0.isra.0", "bare"},
		{"gopkg.in/yaml%252ev2.(*parser).init.func1", "gopkg.in/yaml.v2.parser.init"}, // Go 1.27
		{"", "broken"},
		{"a\x01.b", "broken"},
		{"a/b", "broken"},
		{"a.b[c", "broken"},
		{"a.b]", "broken"},
		{"a%zz/x.y", "broken"},
		{strings.Repeat("x", maxSymbol) + ".y", "broken"},
	} {
		f, k := parseName(tt.name)
		var got []string
		switch k {
		case kindFunction:
			for _, s := range f.symbols() {
				got = append(got, s.String())
			}
			slices.Sort(got)
		default:
			got = []string{map[kind]string{kindBare: "bare", kindBroken: "broken", kindCompiler: "compiler"}[k]}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: %s, want %s", clip(tt.name), s, tt.want)
		}
	}
}

// TestAround holds which functions closures say were inlined, of packages that
// are not known.
func TestAround(t *testing.T) {
	for _, tt := range []struct{ names, want string }{
		{"main.run.Parse.func1", "Parse"},
		{"main.T.M.func1 main.T.M", ""},
		{"main.(*T).M.Parse.func1", "Parse"},
		{"main.run.func1.Decoder.Decode.1", "Decode Decoder Decoder.Decode"},
		{"_.goready.func1", "goready"},
	} {
		n := newNames()
		for _, s := range strings.Fields(tt.names) {
			n.add(s)
		}
		n.settle()
		if got := strings.Join(slices.Sorted(maps.Keys(n.inlined)), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.names, got, tt.want)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		version string
		found   []string
		want    string
	}{
		{"go1.26.8", []string{"go1.20"}, ""},
		{"go1.27rc1", []string{"go1.20"}, ""},
		{"go1.20", []string{"go1.18", "go1.20"}, ""},
		{"go1.19.13", []string{"go1.18"}, ""},
		{"go1.17", []string{"go1.16"}, ""},
		{"go1.26.8 X:nocoverageredesign", []string{"go1.20"}, ""},
		{"go1.15.15", []string{"go1.20"}, "its function table is that of go1.20"},
		{"go1.20", []string{"go1.16", "go1.18"}, "its function table is that of go1.16, go1.18"},
		{fmt.Sprintf("go1.%d", newest+1), []string{"go1.20"}, "newer than this version"},
		{"go2.0", []string{"go1.20"}, "no release"},
		{"devel go1.27-abc", []string{"go1.20"}, "no release"},
		{"go1.27-devel_abc", []string{"go1.20"}, "no release"},
		{"", []string{"go1.20"}, "no release"},
		{"go1.", []string{"go1.20"}, "no release"},
	} {
		if got := wrongFormat(tt.version, tt.found); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%q, %v: %q, want %q", tt.version, tt.found, got, tt.want)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"a/b.(*T[go.shape.int]).M.func1", "a.b-fm", "x.y.z.0", "[]", "a/%2e.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fn, k := parseName(s)
		if k != kindFunction {
			return
		}
		if fn.pkg == "" || len(fn.tokens) == 0 {
			t.Errorf("%q: %+v", s, fn)
		}
		n := newNames()
		n.add(s)
		n.settle()
	})
}
