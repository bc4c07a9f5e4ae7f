package pystrip

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
)

var update = flag.Bool("update", false, "rewrite the golden sections of testdata/*.txtar")

// TestGolden scans each testdata/*.txtar. "known: NAME..." in the comment are
// the projects that the advisory store knows, "owned: PREFIX..." the paths that
// metadata accounts for, "claims: PREFIX=NAME==VERSION..." whose metadata that is,
// and "installed: NAME==VERSION..." the metadata that lies at the top.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test cases: %v", err)
	}
	for _, p := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(p), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(p)
			if err != nil {
				t.Fatal(err)
			}
			last := &ar.Files[len(ar.Files)-1]
			if last.Name != "golden" {
				t.Fatal("no golden section")
			}
			files := map[string][]byte{}
			for _, f := range ar.Files[:len(ar.Files)-1] {
				files[f.Name] = f.Data
			}
			owned := words(ar.Comment, "owned:")
			in := input(files)
			in.Owned = func(p string) bool {
				return slices.ContainsFunc(owned, func(o string) bool { return strings.HasPrefix(p, o) })
			}
			in.Claims = func(p string) (out []Distribution) {
				for _, c := range words(ar.Comment, "claims:") {
					if prefix, d, _ := strings.Cut(c, "="); strings.HasPrefix(p, prefix) {
						out = append(out, distribution(d))
					}
				}
				return out
			}
			for _, d := range words(ar.Comment, "installed:") {
				in.Installed = append(in.Installed, distribution(d))
			}
			known := words(ar.Comment, "known:")
			got := render(Scan(t.Context(), in, Options{Known: func(n string) bool { return slices.Contains(known, n) }}))
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(p, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(last.Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func distribution(s string) Distribution {
	name, version, _ := strings.Cut(s, "==")
	return Distribution{Name: name, Version: version, Metadata: name + "-" + version + ".dist-info/METADATA"}
}

// words returns the words behind a key of the comment.
func words(comment []byte, key string) []string {
	for line := range strings.SplitSeq(string(comment), "\n") {
		if rest, ok := strings.CutPrefix(line, key); ok {
			return strings.Fields(rest)
		}
	}
	return nil
}

// input returns files that nobody owns.
func input(files map[string][]byte) Input {
	in := Input{
		Read: func(p string, limit int64) ([]byte, error) {
			data, ok := files[p]
			if !ok {
				return nil, os.ErrNotExist
			}
			if int64(len(data)) > limit {
				return nil, errors.New("too long")
			}
			return data, nil
		},
		Owned: func(string) bool { return false },
	}
	for p, data := range files {
		in.Files = append(in.Files, bundle.File{Path: p, Size: int64(len(data))})
	}
	slices.SortFunc(in.Files, func(a, b bundle.File) int { return cmp.Compare(a.Path, b.Path) })
	return in
}

func render(r Result) string {
	var b strings.Builder
	for _, p := range r.Packages {
		fmt.Fprintf(&b, "%s", p.Project)
		if p.Version != "" {
			fmt.Fprintf(&b, "==%s", p.Version)
		}
		if len(p.Versions) > 0 {
			fmt.Fprintf(&b, " one of %s", strings.Join(p.Versions, ", "))
		}
		if p.Vendored {
			b.WriteString(" vendored")
		}
		if p.NameOnly {
			b.WriteString(" name only")
		}
		fmt.Fprintf(&b, "\n    %s: %s %.1f: %s\n", p.Path, p.Method, p.Confidence, p.Detail)
		if owns := append(slices.Clone(p.Dirs), p.Modules...); len(owns) > 0 {
			fmt.Fprintf(&b, "    owns %s\n", strings.Join(owns, " "))
		}
	}
	for _, s := range r.Stated {
		fmt.Fprintf(&b, "%s==%s says %s\n    %s of %s, known %v\n", s.Name, s.Version, s.Says, s.Path, strings.Join(s.Files, " "), s.Known)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&b, "? %s: %s\n", g.Path, g.Reason)
	}
	for _, u := range r.Unread {
		fmt.Fprintf(&b, "! %s: %v\n", u.Path, u.Err)
	}
	return b.String()
}

func TestScanStopsAtItsLimit(t *testing.T) {
	r := Scan(context.Background(), input(map[string][]byte{"six.py": nil, "requests/__init__.py": nil, "yaml/__init__.py": nil}), Options{MaxPackages: 2})
	if len(r.Packages) != 2 || r.Dropped != 1 {
		t.Errorf("%d packages, %d dropped", len(r.Packages), r.Dropped)
	}
}

func TestScanNeedsNoPython(t *testing.T) {
	r := Scan(context.Background(), input(map[string][]byte{"index.js": nil, "node_modules/node-gyp/gyp/six.py": nil}), Options{})
	if len(r.Packages)+len(r.Gaps) != 0 {
		t.Errorf("got %+v", r)
	}
}
