package catalog

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// truth is what a corpus case says about itself.
type truth struct {
	Artefacts []string `json:"artefacts"`
	Runtime   string   `json:"runtime"`
	Layers    []string `json:"layers"`
	Packages  []struct {
		PURL string `json:"purl"`
	} `json:"packages"`
	Ignore   []string `json:"ignore"`
	Shadowed []string `json:"shadowed"`
	Resolved []struct {
		PURL string `json:"purl"`
	} `json:"resolved"`
	Expect string `json:"expect"`
}

// TestCorpus scores the catalogers on real packages with known content. It
// needs the corpus, which is no part of the project.
func TestCorpus(t *testing.T) {
	shared := os.Getenv("FNAUDIT_SHARED")
	if shared == "" {
		t.Skip("FNAUDIT_SHARED is not set: THE CATALOGERS ARE NOT SCORED ON REAL PACKAGES")
	}
	cases, err := filepath.Glob(filepath.Join(shared, "corpus", "*", "*", "truth.json"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases under %s: %v", shared, err)
	}
	var found, missed, wrong int
	for _, p := range cases {
		dir := filepath.Dir(p)
		name := filepath.Base(dir)
		kind, _, _ := strings.Cut(name, "-")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			var want truth
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			s := catalogueCase(t, dir, want)
			if s == nil {
				return // it could not be opened, which Open says
			}
			switch {
			case name == "go-upx":
				mustBeUnknown(t, s)
			case kind == "bundle": // without its lockfile: nothing wrong, and what is not named is said
				named, wrong := names(s, want)
				if wrong > 0 || named < 0.5 {
					t.Errorf("%d wrong, %.3f of the names", wrong, named)
				}
				if named < 1 && !slices.ContainsFunc(s.Unknowns, func(u sbom.Unknown) bool { return u.Kind == sbom.Opaque || u.Kind == sbom.Unattributed }) {
					t.Errorf("%.3f of the names, and nothing is unknown", named)
				}
			case name == "java-shaded": // class names are all that is left: most names, few versions, nothing wrong
				if named, wrong := names(s, want); wrong > 0 || named < 0.85 {
					t.Errorf("%d wrong, %.3f of the names", wrong, named)
				}
			case kind == "hostile":
				if tp, fn, _ := score(t, s, want); want.Expect == "handle" && fn > 0 {
					t.Errorf("%d of %d packages are missing", fn, tp+fn)
				}
			default:
				tp, fn, fp := score(t, s, want)
				found, missed, wrong = found+tp, missed+fn, wrong+fp
				if recall, precision := ratio(tp, fn), ratio(tp, fp); recall < 0.95 || precision < 0.95 {
					t.Errorf("recall %.3f, precision %.3f", recall, precision)
				}
				checkLayers(t, s, want)
			}
		})
	}
	recall, precision := ratio(found, missed), ratio(found, wrong)
	t.Logf("%d packages found, %d missed, %d wrong: recall %.4f, precision %.4f", found, missed, wrong, recall, precision)
	if recall < 0.99 || precision < 0.99 {
		t.Error("over all cases recall and precision must be at least 0.99")
	}
}

func ratio(good, bad int) float64 {
	if good+bad == 0 {
		return 1
	}
	return float64(good) / float64(good+bad)
}

func catalogueCase(t *testing.T, dir string, want truth) *sbom.SBOM {
	t.Helper()
	spec := bundle.Spec{Ref: filepath.Join(dir, want.Artefacts[0]), Runtime: want.Runtime}
	if spec.Runtime == "image" {
		spec.Runtime = ""
	}
	for _, l := range want.Layers {
		spec.Layers = append(spec.Layers, filepath.Join(dir, l))
	}
	f, err := (&bundle.Opener{Wanted: Wanted}).Open(t.Context(), spec)
	if err != nil {
		if want.Expect == "" || want.Expect == "handle" {
			t.Fatal(err)
		}
		return nil
	}
	defer f.Close()
	s, err := New(Options{}).Run(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// key is a package URL as the corpus compares it.
func key(purl string) string {
	purl, _, _ = strings.Cut(purl, "?")
	if u, err := url.PathUnescape(purl); err == nil {
		purl = u
	}
	if rest, ok := strings.CutPrefix(purl, "pkg:golang/"); ok {
		i := strings.LastIndexByte(rest, '@')
		if i > 0 {
			purl = "pkg:golang/" + rest[:i] + "@" + strings.TrimPrefix(rest[i+1:], "v")
		}
	}
	return purl
}

// names returns how many of the true packages are there in whatever version, 0
// to 1, and how many are there that should not.
func names(s *sbom.SBOM, want truth) (found float64, wrong int) {
	have := map[string]bool{}
	for _, c := range s.Components {
		name, _, _ := strings.Cut(key(c.PURL), "@")
		have[name] = true
	}
	n := 0
	for _, p := range want.Packages {
		if name, _, _ := strings.Cut(key(p.PURL), "@"); have[name] {
			n++
		}
	}
	return float64(n) / float64(max(len(want.Packages), 1)), len(have) - n
}

func score(t *testing.T, s *sbom.SBOM, want truth) (found, missed, wrong int) {
	t.Helper()
	ignore := map[string]bool{}
	for _, p := range want.Ignore {
		name, _, _ := strings.Cut(strings.TrimPrefix(key(p), "pkg:"), "@")
		ignore[name] = true
	}
	have := map[string]bool{}
	for _, c := range s.Components {
		name, _, _ := strings.Cut(strings.TrimPrefix(key(c.PURL), "pkg:"), "@")
		if !c.Main && !ignore[name] {
			have[key(c.PURL)] = true
		}
	}
	seen := map[string]bool{}
	for _, p := range want.Packages {
		k := key(p.PURL)
		if seen[k] {
			continue
		}
		seen[k] = true
		if have[k] {
			found++
			continue
		}
		missed++
		t.Logf("missing %s", k)
	}
	for k := range have {
		if !seen[k] {
			wrong++
			if want.Expect == "" {
				t.Logf("wrong %s", k)
			}
		}
	}
	return found, missed, wrong
}

func mustBeUnknown(t *testing.T, s *sbom.SBOM) {
	t.Helper()
	for _, u := range s.Unknowns {
		if u.Kind == sbom.Opaque && u.Code {
			return
		}
	}
	t.Errorf("nothing is opaque among %d components and %d unknowns", len(s.Components), len(s.Unknowns))
}

func checkLayers(t *testing.T, s *sbom.SBOM, want truth) {
	t.Helper()
	state := map[string]sbom.State{}
	for _, c := range s.Components {
		state[key(c.PURL)] = c.State
	}
	for _, p := range want.Shadowed {
		if got := state[key(p)]; got != sbom.Shadowed {
			t.Errorf("%s is %q, want shadowed", p, got)
		}
	}
	for _, p := range want.Resolved {
		if got := state[key(p.PURL)]; got != sbom.Live {
			t.Errorf("%s is %q, want live", p.PURL, got)
		}
	}
}
