package night

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestClaim: what a run that was killed left goes at once, and what a running one
// writes never does.
func TestClaim(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "set")
	claim := func(dir string) *Claim {
		t.Helper()
		c, err := ClaimSet(dir)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := claim(dir)
	s, err := OpenSet(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(s.Name("a"), func(w io.Writer) error { _, err := io.WriteString(w, "{}"); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimSet(dir); !errors.Is(err, ErrClaimed) {
		t.Errorf("a second claim: %v", err)
	}
	other := claim(filepath.Join(parent, "set.b")) // its name begins with that of the first
	neighbour, err := OpenSet(other, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".set.12.tmp", ".set.before.tmp"} {
		if err := os.Mkdir(filepath.Join(parent, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(s.temp); err != nil {
		t.Errorf("a claim that was refused, or of another set, took away what is being written: %v", err)
	}
	if err := s.Place(); err != nil {
		t.Fatal(err)
	}
	c.Release()
	c.Release()
	claim(dir).Release()
	if _, err := os.Stat(neighbour.temp); err != nil {
		t.Errorf("the set %q took away what %q writes", "set", "set.b")
	}
	neighbour.Drop()
	other.Release()
	left, err := os.ReadDir(parent)
	if err != nil || len(left) != 1 || left[0].Name() != "set" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestTemporaryOf(t *testing.T) {
	for name, want := range map[string]bool{
		".a.123.tmp": true, ".a.b.123.tmp": false, ".a.before.tmp": false, ".a..tmp": false, ".a.tmp": false, ".a.123.tmp2": false, "a.123.tmp": false,
	} {
		if temporaryOf("a", name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// TestSetKeepsWhatCame: what came into the folder, or was replaced there, since it
// was read is never replaced.
func TestSetKeepsWhatCame(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, dir string){
		"came":    func(t *testing.T, dir string) { put(t, filepath.Join(dir, "new.json"), "{}") },
		"changed": func(t *testing.T, dir string) { put(t, filepath.Join(dir, "old.json"), "{ }") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "set")
			put(t, filepath.Join(dir, "old.json"), "{}")
			found, err := Find([]string{dir}, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := ClaimSet(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Release()
			s, err := OpenSet(c, found)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Drop()
			change(t, dir)
			if err := s.Place(); err == nil {
				t.Error("it was replaced")
			}
		})
	}
}

// TestLoadSeesOneSet: of a set that another run replaced, nothing is read as if it
// were what was found.
func TestLoadSeesOneSet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	const text = `{"schemaVersion":"1","tool":{"name":"fnaudit","version":"1"},"judgedAt":"2026-11-20T00:00:00Z","functions":[{"name":"a","artifacts":[],"components":[],"unknowns":[],"findings":[],"checks":[]}]}`
	put(t, filepath.Join(dir, "a.json"), text)
	found, err := Find([]string{dir}, nil)
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Fatal(found, err)
	}
	if _, err := found[0].Load(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a.json"), text)
	if _, err := found[0].Load(); !errors.Is(err, errChanged) {
		t.Errorf("a file of another set was taken for the one that was found: %v", err)
	}
}
