package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What a killed run left is removed by one that writes the same output a day
// later; nothing else is.
func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	old, young := time.Now().Add(-25*time.Hour), time.Now().Add(-23*time.Hour)
	files := map[string]time.Time{
		".out.json.123.tmp":  old,   // the one that goes
		".out.json.124.tmp":  young, // of a run that may go on
		".out.json.tmp":      old,   // no digits
		".out.json.12a.tmp":  old,
		".out.json.123.tmpx": old,
		".other.json.12.tmp": old,
		"out.json.123.tmp":   old,
	}
	for name, at := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(dir, ".out.json.7.tmp")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(folder, old, old); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "out.json"), func(w io.Writer) error { _, err := fmt.Fprint(w, "{}"); return err }); err != nil {
		t.Fatal(err)
	}
	want := []string{"out.json", ".out.json.7.tmp"}
	for name := range files {
		if name != ".out.json.123.tmp" {
			want = append(want, name)
		}
	}
	var got []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
