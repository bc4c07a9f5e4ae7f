package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// pyIndex is what indexes say: "name version" -> what it needs, separated by
// "|". Before that may stand, each with a blank behind: "yanked", "sdist",
// "python=>=3.8" of the page, "requires=>=3.8" of the metadata, and "fails". A
// version "!" says why nothing is known of a project.
type pyIndex map[string]string

func (x pyIndex) Releases(_ context.Context, p registry.Package) ([]registry.PythonRelease, error) {
	var out []registry.PythonRelease
	for key, said := range x {
		name, version, _ := strings.Cut(key, " ")
		if name != p.Name {
			continue
		}
		if version == "!" {
			return nil, errors.New(said)
		}
		f := registry.PythonFile{Name: name + "-" + version + "-py3-none-any.whl"}
		for w := range strings.FieldsSeq(said) {
			switch {
			case w == "yanked":
				f.Yanked = true
			case w == "sdist":
				f.Name = name + "-" + version + ".tar.gz"
			case strings.HasPrefix(w, "python="):
				f.Python = w[len("python="):]
			case strings.HasPrefix(w, "file="):
				f.Name = w[len("file="):]
			}
		}
		out = append(out, registry.PythonRelease{Version: version, Files: []registry.PythonFile{f}})
	}
	slices.SortFunc(out, func(a, b registry.PythonRelease) int { return strings.Compare(a.Version, b.Version) })
	return out, nil
}

func (x pyIndex) Needs(_ context.Context, p registry.Package, r registry.PythonRelease, _ bool) (n registry.PythonNeeds, err error) {
	said := x[p.Name+" "+r.Version]
	for {
		word, rest, more := strings.Cut(said, " ")
		switch {
		case word == "fails":
			return n, errors.New("nobody says it")
		case strings.HasPrefix(word, "requires="):
			n.Python = word[len("requires="):]
		case word != "yanked" && word != "sdist" && !strings.HasPrefix(word, "python=") && !strings.HasPrefix(word, "file="):
			if said != "" {
				n.Requires = strings.Split(said, "|")
			}
			return n, nil
		}
		if said = rest; !more {
			return n, nil
		}
	}
}

func TestPyPI(t *testing.T) {
	for _, tt := range []struct {
		name string
		has  pyIndex
		want string
	}{
		{"nothing", pyIndex{"a 1.0": ""}, ""},
		{"the highest that satisfies", pyIndex{"a 1.0": "b >=1,<2", "b 1.0": "", "b 1.9": "", "b 1.10": "", "b 2.0": ""}, "b@1.10!"},
		{"names and versions in any spelling", pyIndex{"a 1.0": "B.B__c(>= 1)", "b-b-c 1.0": ""}, "b-b-c@1.0!"},
		{"transitive, one version for all", pyIndex{"a 1.0": "b|c", "b 1.0": "c<2", "c 1.5": "", "c 2.0": ""}, "b@1.0! c@1.5!"},
		{"a circle", pyIndex{"a 1.0": "b", "b 1.0": "c", "c 1.0": "a>=1|b"}, "b@1.0! c@1.0"},
		{"a circle to another version", pyIndex{"a 1.0": "b", "b 2.0": "a>=2", "b 1.0": "", "a 2.0": ""}, "b@1.0!"},
		{"an extra", pyIndex{"a 1.0": "requests[socks]>=2", "requests 2.0": "idna|pysocks!=1.5.7 ; extra == 'socks'|pytest ; extra == 'test'", "idna 3.0": "", "pysocks 1.7": ""},
			"idna@3.0 pysocks@1.7 requests@2.0!"},
		{"an extra asked for after its package was chosen", pyIndex{"a 1.0": "r|z", "z 1.0": "r[S_X]", "r 1.0": "y; extra=='s-x'", "y 1.0": ""}, "r@1.0! y@1.0 z@1.0!"},
		{"an extra of extras", pyIndex{"a 1.0": "r[all]", "r 1.0": "r[x,y]; extra=='all'|p; extra == 'x'|q; extra == 'y'", "p 1": "", "q 1": ""}, "p@1 q@1 r@1.0!"},
		{"an extra that there is not", pyIndex{"a 1.0": "r[none]", "r 1.0": ""}, "r@1.0!"},
		{"markers", pyIndex{"a 1.0": "w; sys_platform == 'win32'|l; sys_platform == 'linux' and python_version >= '3.8'|o; python_version<'3.8'|n; '3.9' < python_version|k; platform_release > '5'|m; (os_name=='nt' or implementation_name == 'cpython') and platform_machine not in 'arm64 aarch64'",
			"l 1": "", "n 1": "", "k 1": "", "m 1": ""}, "k@1! l@1! m@1! n@1!"},
		{"two for one package by marker", pyIndex{"a 1.0": "n<2; python_version < '3.9'|n>=2; python_version >= '3.9'|n!=2.2", "n 1.0": "", "n 2.1": "", "n 2.2": ""}, "n@2.1!"},
		{"a conflict that an older version resolves", pyIndex{"a 1.0": "b|c", "b 1.0": "d<2", "b 2.0": "d>=2", "c 1.0": "d<2", "d 1.0": "", "d 2.0": ""}, "b@1.0! c@1.0! d@1.0"},
		{"a conflict", pyIndex{"a 1.0": "b|c", "b 1.0": "d<2", "c 1.0": "d>=2", "d 1.0": "", "d 2.0": ""},
			"for CPython 3.14 on 64-bit Linux no set of versions has all that is asked for: d: <2,>=2"},
		{"yanked", pyIndex{"a 1.0": "b|c==1.1", "b 1.0": "", "b 1.1": "yanked", "c 1.0": "", "c 1.1": "yanked "}, "b@1.0! c@1.1!"},
		{"yanked, and pinned by another", pyIndex{"a 1.0": "b|d", "d 1.0": "b==1.1", "b 1.0": "", "b 1.1": "yanked"}, "b@1.1! d@1.0!"},
		{"all yanked", pyIndex{"a 1.0": "b", "b 1.1": "yanked"}, "[b: no version of it for CPython 3.14 on 64-bit Linux satisfies what is asked for: it has none]"},
		{"before a final release", pyIndex{"a 1.0": "b|c>=2.0rc1|d|e<2", "b 1.0": "", "b 2.0rc1": "", "c 1.0": "", "c 2.0rc1": "", "d 1.0.dev3": "", "d 1.0a1": "", "e 2.0rc1": "", "e 1.9": ""},
			"b@1.0! c@2.0rc1! d@1.0a1! e@1.9!"},
		{"local versions", pyIndex{"a 1.0": "b==1.0", "b 1.0": "", "b 1.0+cpu": ""}, "b@1.0+cpu!"},
		{"a Python that is too new", pyIndex{"a 1.0": "b", "b 2.0": "python=>=3.20", "b 1.0": ""}, "b@1.0!"},
		{"that only the metadata tells", pyIndex{"a 1.0": "b", "b 2.0": "requires=>=3.20", "b 1.0": ""}, "b@1.0!"},
		{"no wheel for this platform", pyIndex{"a 1.0": "b", "b 2.0": "file=b-2.0-cp314-cp314-win_amd64.whl", "b 1.0": "file=b-1.0-cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"}, "b@1.0!"},
		{"nobody has it", pyIndex{"a 1.0": "b>=1|c", "c 1": ""}, "c@1! [b: the registry knows no such package]"},
		{"nothing is known of it", pyIndex{"a 1.0": "b>=1", "b !": "it is down"}, "[b: nothing is known of it: it is down]"},
		{"no version satisfies", pyIndex{"a 1.0": "b>=3|c", "b 1.0": "", "c 1": ""}, "c@1! [b: no version of it for CPython 3.14 on 64-bit Linux satisfies >=3]"},
		{"nobody says what it needs", pyIndex{"a 1.0": "b", "b 1.0": "sdist fails"}, "b@1.0! [b: what its version 1.0 needs is not known: nobody says it]"},
		{"nobody says what the package needs", pyIndex{"a 1.0": "fails"}, "what its version 1.0 needs is not known: nobody says it"},
		{"from elsewhere", pyIndex{"a 1.0": "b @ https://x.test/b.whl ; python_version > '3'|c@git+ssh://x.test/c ; python_version < '3'"}, `[b: a takes it from elsewhere than an index: "https://x.test/b.whl"]`},
		{"what cannot be read", pyIndex{"a 1.0": "b ^1.0|c >=x; extra=='t'|d; nonsense == '1'|../e|f[x", "b 1.0": ""},
			`[a: its version 1.0 asks for what cannot be read: "../e": it has no name] [b: a 1.0 asks for what cannot be read: "b ^1.0": it has no operator] ` +
				`[d: a 1.0 asks for what cannot be read: "d; nonsense == '1'": when it is needed cannot be read: it names a variable that there is not] ` +
				`[f: a 1.0 asks for what cannot be read: "f[x": its extras do not end]`},
		{"over the limit", pyIndex{"a 1.0": "b|c|d|e|f"}, "it needs over 5 packages"},
		{"there is no such version", pyIndex{"a 2.0": ""}, "no index lists a file of its version 1.0"},
		{"the package itself is yanked", pyIndex{"a 1.0": "yanked b", "b 1.0": "a"}, "b@1.0!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree, err := ofPyPI(t.Context(), tt.has, "A", "1.0", Limits{Packages: 5}.withDefaults())
			tree.sort()
			got := tree.String()
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if err == nil && tree.Environment != "CPython 3.14 on 64-bit Linux" {
				t.Errorf("for %q", tree.Environment)
			}
		})
	}
}

func TestPyPIEnvironment(t *testing.T) {
	x := pyIndex{"a 1.0": "python=>=3.7,<3.12 t; python_version < '3.12'", "t 1": ""}
	tree, err := ofPyPI(t.Context(), x, "a", "1.0", Limits{}.withDefaults())
	if err != nil || tree.Environment != "CPython 3.11 on 64-bit Linux" || tree.String() != "t@1!" {
		t.Errorf("%s %s %v", tree.Environment, tree, err)
	}
	_, err = ofPyPI(t.Context(), pyIndex{"a 1.0": "python=<3"}, "a", "1.0", Limits{}.withDefaults())
	if err == nil || err.Error() != "it runs on no CPython from 3.6 to 3.14, says its index" {
		t.Error(err)
	}
}

// TestPyPINeeds holds who needs whom, an extra's needs among them.
func TestPyPINeeds(t *testing.T) {
	x := pyIndex{"a 1.0": "r[s]", "r 1.0": "b|y; extra=='s'", "y 1.0": "b", "b 1": ""}
	tree, err := ofPyPI(t.Context(), x, "a", "1.0", Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	tree.sort()
	var got []string
	for _, n := range tree.Nodes {
		got = append(got, fmt.Sprint(n.Package.Name, n.Needs))
	}
	if want := "b[] r[b y] y[b]"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestPyPIHostile holds that an index cannot make it go on for ever.
func TestPyPIHostile(t *testing.T) {
	deep := pyIndex{"a 1.0": "p0"}
	for i := range 2000 {
		deep[fmt.Sprintf("p%d 1", i)] = fmt.Sprintf("p%d", i+1)
	}
	if _, err := ofPyPI(t.Context(), deep, "a", "1.0", Limits{}.withDefaults()); err == nil || err.Error() != "it needs over 1000 packages" {
		t.Error(err)
	}
	fight := pyIndex{"a 1.0": ""} // each pair of neighbours has only conflicts
	var all []string
	for i := range 12 {
		all = append(all, fmt.Sprintf("p%d", i))
		for v := range 30 {
			fight[fmt.Sprintf("p%d %d", i, v)] = fmt.Sprintf("q==%d", i*100+v)
		}
	}
	for v := range 1300 {
		fight[fmt.Sprintf("q %d", v)] = ""
	}
	fight["a 1.0"] = strings.Join(all, "|")
	if tree, err := ofPyPI(t.Context(), fight, "a", "1.0", Limits{}.withDefaults()); err == nil {
		t.Errorf("resolved: %s", tree)
	}
	for _, s := range []string{strings.Repeat("(", 1<<12), "a;" + strings.Repeat("(", 1<<12), "a[" + strings.Repeat("x,", 1<<12), "a" + strings.Repeat(">=1,", 1<<11), "a;\x00", "a @", strings.Repeat("a", 1<<20)} {
		parsePyNeed(s)
	}
}

func FuzzPyNeed(f *testing.F) {
	for _, s := range []string{"a", "a[b,c]>=1,<2; python_version<'3' and (extra == 'x' or os_name != 'nt')", "a @ https://x.test/a ; extra=='b'", "a (==1.*)", "a===x", "a~=1.0.post1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parsePyNeed(s)
		if err == nil && n.marker != nil {
			n.marker(pyEnv{12}, "x")
		}
		n.spec.has("1.0", pyVersion{release: []int{1}, post: -1, dev: -1})
	})
}

// TestWays holds through whom a package is needed.
func TestWays(t *testing.T) {
	x := pyIndex{"a 1.0": "b|c", "b 1.0": "d", "c 1.0": "d|e", "d 1.0": "f|b", "e 1.0": "f", "f 1": "b|a"}
	tree, err := ofPyPI(t.Context(), x, "a", "1.0", Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	tree.sort()
	tree.ways()
	var got []string
	for _, n := range tree.Nodes {
		got = append(got, fmt.Sprint(n.Package.Name, n.Through))
	}
	if want := "b[] c[] d[b] e[c] f[b d]"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}
