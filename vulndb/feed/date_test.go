package feed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFolderDateIsItsOwn: how current a folder is does not depend on which of its
// ecosystems are asked for, nor on whether they are asked for together.
func TestFolderDateIsItsOwn(t *testing.T) {
	dated := func(id, ecosystem, date string) string {
		return strings.Replace(recordOf(id, ecosystem, "p"), "2026-01-02T03:04:05Z", date, 1)
	}
	foldered := map[string]string{
		"npm/A.json":   dated("A", "npm", "2026-02-01T00:00:00Z"),
		"PyPI/B.json":  dated("B", "PyPI", "2026-03-01T00:00:00Z"),
		"PyPI/C.json":  dated("C", "PyPI", "2099-01-01T00:00:00Z"),
		"Go/D.json":    dated("D", "Go", "2026-01-01T00:00:00Z"),
		"Maven/E.json": "{broken",
	}
	flat := map[string]string{"A.json": foldered["npm/A.json"], "B.json": foldered["PyPI/B.json"], "C.json": foldered["PyPI/C.json"]}
	for name, c := range map[string]struct {
		files map[string]string
		asked [][]string // one update each, into one store
	}{
		"alone":       {foldered, [][]string{{"npm"}, {"Go"}, {"PyPI"}}},
		"together":    {foldered, [][]string{{"npm", "Go", "PyPI"}}},
		"two":         {foldered, [][]string{{"npm", "Go"}, {"PyPI"}}},
		"twice":       {foldered, [][]string{{"npm"}, {"npm", "Go", "PyPI"}, {"Go"}}},
		"flat":        {flat, [][]string{nil}},
		"flat, alone": {flat, [][]string{{"npm"}, {"PyPI"}}},
	} {
		t.Run(name, func(t *testing.T) {
			from, dir := t.TempDir(), t.TempDir()
			for name, content := range c.files {
				path := filepath.Join(from, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			for _, asked := range c.asked {
				s, _ := mustUpdate(t, dir, options(from, asked...))
				for _, src := range s.Sources {
					if !src.AsOf.Equal(want) {
						t.Errorf("after %v: %s as of %v", asked, src.Ecosystem, src.AsOf)
					}
				}
			}
		})
	}
}
