package catalog

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
)

// opaque returns minified code of at least n bytes behind what names packages.
func opaque(n int, names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "/*! Bundled license information:\n\n%s/index.js:\n  (*! %s. MIT License. A. Author *)\n*/\n", name, name)
	}
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "var f%d=(e,t)=>{return e.map(e=>e+t)};", i)
	}
	return b.String()
}

func lockOf(names ...string) string {
	var roots, rest []string
	for _, n := range names {
		roots = append(roots, fmt.Sprintf("%q: \"1\"", n))
		rest = append(rest, fmt.Sprintf(", \"node_modules/%s\": {\"version\": \"1.0.0\"}", n))
	}
	return `{"lockfileVersion": 3, "packages": {"": {"dependencies": {` + strings.Join(roots, ", ") + `}}` + strings.Join(rest, "") + `}}`
}

// TestBound: which lockfiles bound a bundle that nobody can read.
func TestBound(t *testing.T) {
	for _, tt := range []struct {
		name, code, inside, given string
		bound                     string
		why                       string // in the reason
	}{
		{"none", opaque(100_000, "alpha"), "", "", "", "more than 64 KB"},
		{"it came along and stands for the code", opaque(100_000, "alpha", "beta"), lockOf("alpha", "beta"), "", "package-lock.json", "taken from package-lock.json"},
		{"half of it is named", opaque(100_000, "alpha"), lockOf("alpha", "beta"), "", "package-lock.json", "taken from"},
		{"a decoy beside code that names nothing", opaque(500_000), lockOf("harmless"), "", "", "name no package"},
		{"a decoy that does not know what the bytes name", opaque(500_000, "alpha"), lockOf("harmless"), "", "", "it lacks what the bytes name: alpha"},
		{"a decoy that the bytes name", opaque(500_000, "harmless"), lockOf("harmless"), "", "", "its packages, 1 in all, hardly come to the 5"},
		{"little of it is named", opaque(100_000, "alpha"), lockOf("alpha", "b", "c"), "", "", "name 1 of the 3 packages"},
		{"given", opaque(500_000), "", lockOf("alpha"), "given.json", "taken from given.json"},
		{"given, beside a decoy", opaque(500_000), lockOf("harmless"), lockOf("alpha"), "given.json", "taken from given.json"},
		{"given, of another project", opaque(500_000, "alpha"), "", lockOf("harmless"), "", "given.json, which was given, lists none of the packages that the bytes name: alpha"},
		{"given, of another project, beside the right one", opaque(100_000, "alpha", "beta"), lockOf("alpha", "beta"), lockOf("harmless"), "package-lock.json", "taken from package-lock.json"},
	} {
		files := []txtar.File{{Name: "index.js", Data: []byte(tt.code)}}
		if tt.inside != "" {
			files = append(files, txtar.File{Name: "package-lock.json", Data: []byte(tt.inside)})
		}
		var opts Options
		if tt.given != "" {
			l, err := ReadLockfile("given.json", []byte(tt.given), nil)
			if err != nil {
				t.Fatal(err)
			}
			opts.Lockfiles = append(opts.Lockfiles, l)
		}
		ref := filepath.Join(t.TempDir(), "function.zip")
		writeZip(t, ref, files)
		f, err := (&bundle.Opener{}).Open(t.Context(), bundle.Spec{Ref: ref})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s, err := New(opts).Run(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		addsUp(t, s.Coverage)
		if len(s.Coverage.Files) != 1 || s.Coverage.Files[0].Bound != tt.bound {
			t.Errorf("%s: bounded by %+v", tt.name, s.Coverage.Files)
		}
		said, code := "", false
		for _, u := range s.Unknowns {
			if u.Path == "index.js" && u.Kind != "unmatched" {
				said, code = u.Reason, u.Code
			}
		}
		if !strings.Contains(said, tt.why) || code != (tt.bound == "") {
			t.Errorf("%s: code=%v %s", tt.name, code, said)
		}
		if refused := s.Coverage.Files[0].Refused != ""; refused != strings.HasPrefix(tt.name, "given, of another") {
			t.Errorf("%s: refused %v", tt.name, refused)
		}
		declared := map[string]bool{}
		for _, c := range s.Components {
			declared[c.PURL] = true
		}
		for _, lock := range []string{tt.inside, tt.given} {
			for _, name := range []string{"alpha", "beta", "harmless"} {
				if strings.Contains(lock, "node_modules/"+name) && !declared["pkg:npm/"+name+"@1.0.0"] {
					t.Errorf("%s: %s of the lockfile is not reported", tt.name, name)
				}
			}
		}
	}
}
