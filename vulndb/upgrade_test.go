package vulndb

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// ladder is a record of which each version n.0.0 to n.5.0 is affected, up to
// and without steps.0.0.
func ladder(id, name string, steps int) file {
	var b strings.Builder
	for n := range steps {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"introduced":"%d.0.0"},{"fixed":"%d.5.0"}`, n, n)
	}
	return file{id + ".json", both(fmt.Sprintf(`{"id":%q,"modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"npm","name":%q},"ranges":[{"type":"SEMVER","events":[%s]}]}]}`, id, name, b.String()))}
}

// TestUpgrade: the lowest version that clears everything, also when each fix is
// affected by something else.
func TestUpgrade(t *testing.T) {
	zip := writeZip(t, filepath.Join(t.TempDir(), "all.zip"),
		file{"A.json", both(recordJSON("A", "npm", "p", "0", "1.0.0"))},
		file{"B.json", both(recordJSON("B", "npm", "p", "1.0.0", "1.2.0"))},
		file{"C.json", both(recordJSON("C", "npm", "p", "1.2.0", "2.0.0"))},
		file{"D.json", both(`{"id":"D","affected":[{"package":{"ecosystem":"npm","name":"open"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)},
		ladder("E", "steps", 100),
		file{"F.json", both(`{"id":"F","affected":[{"package":{"ecosystem":"npm","name":"limited"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.0.0"},{"limit":"2.0.0"}]}]}]}`)},
	)
	dir := t.TempDir()
	build(t, dir, Input{Ecosystem: "npm", Archive: zip})
	db := open(t, dir)
	for _, c := range []struct{ name, version, want string }{
		{"p", "0.5.0", "2.0.0"}, {"p", "1.5.0", "2.0.0"}, {"open", "1.0.0", ""},
		{"steps", "7.1.0", "7.5.0"}, {"steps", "99.4.9", "99.5.0"}, {"limited", "1.0.0", "3.0.0"},
	} {
		pkg := Package{Ecosystem: "npm", Name: c.name, Version: c.version}
		r, err := db.Match(context.Background(), pkg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Upgrade(context.Background(), pkg, Groups(pkg, r.Matches))
		if err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v, want %q", c.name, c.version, got, err, c.want)
		}
	}
	if r, err := db.Match(context.Background(), Package{Ecosystem: "npm", Name: "limited", Version: "2.1.0"}); err != nil || len(r.Matches) > 0 {
		t.Error("beyond the limit", r, err)
	}
}

// BenchmarkUpgrade climbs 50 steps, each the fix of one record and affected by
// the next, of records with many events.
func BenchmarkUpgrade(b *testing.B) {
	files := []file{ladder("L", "p", 60)}
	for n := range 59 {
		files = append(files, file{fmt.Sprintf("R-%d.json", n), both(recordJSON(fmt.Sprintf("R-%d", n), "npm", "p", fmt.Sprintf("%d.5.0", n), fmt.Sprintf("%d.0.0", n+1)))})
	}
	for n := range 50 {
		files = append(files, ladder(fmt.Sprintf("X-%d", n), "p", 60))
	}
	dir := b.TempDir()
	if _, err := Build(context.Background(), dir, []Input{{Ecosystem: "npm", Archive: writeZip(b, filepath.Join(b.TempDir(), "all.zip"), files...)}}, Options{}); err != nil {
		b.Fatal(err)
	}
	db, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	pkg := Package{Ecosystem: "npm", Name: "p", Version: "30.1.0"}
	r, err := db.Match(context.Background(), pkg)
	if err != nil {
		b.Fatal(err)
	}
	groups := Groups(pkg, r.Matches)
	for b.Loop() {
		if _, err := db.Upgrade(context.Background(), pkg, groups); err != nil {
			b.Fatal(err)
		}
	}
}
