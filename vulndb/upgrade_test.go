package vulndb

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
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

// TestSteps: the lowest version that clears everything, also when each fix is
// affected by something else, and what is the best without a new first number.
func TestSteps(t *testing.T) {
	zip := writeZip(t, filepath.Join(t.TempDir(), "all.zip"),
		file{"A.json", both(recordJSON("A", "npm", "p", "0", "1.0.0"))},
		file{"B.json", both(recordJSON("B", "npm", "p", "1.0.0", "1.2.0"))},
		file{"C.json", both(recordJSON("C", "npm", "p", "1.2.0", "2.0.0"))},
		file{"D.json", both(`{"id":"D","affected":[{"package":{"ecosystem":"npm","name":"open"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)},
		ladder("E", "steps", 100),
		file{"F.json", both(`{"id":"F","affected":[{"package":{"ecosystem":"npm","name":"limited"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.0.0"},{"limit":"2.0.0"}]}]}]}`)},
		// two flaws: one is fixed in the same line, the other only in the next
		file{"G1.json", both(recordJSON("G1", "npm", "two", "0", "1.4.0"))},
		file{"G2.json", both(recordJSON("G2", "npm", "two", "0", "3.0.0"))},
		// the same below 1.0, where the second number is the first
		file{"H1.json", both(recordJSON("H1", "npm", "zero", "0", "0.3.9"))},
		file{"H2.json", both(recordJSON("H2", "npm", "zero", "0", "0.4.0"))},
		// no fix for one of them
		file{"I1.json", both(recordJSON("I1", "npm", "half", "0", "1.4.0"))},
		file{"I2.json", both(`{"id":"I2","affected":[{"package":{"ecosystem":"npm","name":"half"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)},
		// the fix within the line has a flaw of its own
		file{"J1.json", both(recordJSON("J1", "npm", "worse", "0", "1.4.0"))},
		file{"J2.json", both(recordJSON("J2", "npm", "worse", "1.4.0", "1.4.1"))},
		// fixed first in a pre-release
		file{"K1.json", both(recordJSON("K1", "npm", "beta", "0", "2.0.0-rc.1"))},
		file{"K2.json", both(recordJSON("K2", "npm", "beta", "0", "2.1.0"))},
		// the last affected version is named, and no fix
		file{"L1.json", both(`{"id":"L1","affected":[{"package":{"ecosystem":"npm","name":"last"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"last_affected":"1.1.0"}]}]}]}`)},
		file{"L2.json", both(recordJSON("L2", "npm", "last", "0", "1.2.0"))},
		// the end of an interval is named in one record only by the last version that it affects, and a fix of the next line in another
		file{"M1.json", both(`{"id":"M1","affected":[{"package":{"ecosystem":"npm","name":"other"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"last_affected":"1.1.0"}]},{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.3.0"}]}]}]}`)},
		file{"M2.json", both(recordJSON("M2", "npm", "other", "2.3.0", "2.4.0"))},
		file{"M3.json", both(`{"id":"M3","affected":[{"package":{"ecosystem":"npm","name":"other"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.5.0"},{"fixed":"0.9.0"}]},{"type":"GIT","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}`)},
		file{"M4.json", both(`{"id":"M4","withdrawn":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"npm","name":"other"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.2.0"}]}]}]}`)},
	)
	dir := t.TempDir()
	build(t, dir, Input{Ecosystem: "npm", Archive: zip})
	db := open(t, dir)
	for _, c := range []struct {
		name, version    string
		all, minor, most string // "version ids", with "!" for another line
		avoid            string
	}{
		{name: "p", version: "0.5.0", all: "2.0.0! A", most: "2.0.0! A"},
		{name: "p", version: "1.5.0", all: "2.0.0! C", most: "2.0.0! C"},
		{name: "open", version: "1.0.0"},
		{name: "steps", version: "7.1.0", all: "7.5.0 E", most: "7.5.0 E"},
		{name: "steps", version: "99.4.9", all: "99.5.0 E", most: "99.5.0 E"},
		{name: "limited", version: "1.0.0", all: "3.0.0! F", most: "3.0.0! F"},
		{name: "two", version: "1.0.0", all: "3.0.0! G1 G2", minor: "1.4.0 G1", most: "3.0.0! G1 G2"},
		{name: "two", version: "1.4.0", all: "3.0.0! G2", most: "3.0.0! G2"},
		{name: "zero", version: "0.3.1", all: "0.4.0! H1 H2", minor: "0.3.9 H1", most: "0.4.0! H1 H2"},
		{name: "half", version: "1.0.0", minor: "1.4.0 I1", most: "1.4.0 I1"},
		{name: "half", version: "1.5.0"},
		{name: "worse", version: "1.0.0", all: "1.4.1 J1", most: "1.4.1 J1"},
		{name: "worse", version: "1.0.0", avoid: "1.4.1"},
		{name: "beta", version: "1.0.0", all: "2.1.0! K1 K2", most: "2.1.0! K1 K2"},
		{name: "beta", version: "2.0.0-beta.1", all: "2.1.0 K1 K2", minor: "", most: "2.1.0 K1 K2"},
		{name: "last", version: "1.0.0", all: "1.2.0 L1 L2", most: "1.2.0 L1 L2"},
		{name: "other", version: "1.0.0", all: "2.4.0! M1", most: "2.4.0! M1"},
		{name: "other", version: "2.0.0", all: "2.4.0 M1", most: "2.4.0 M1"},
		{name: "other", version: "1.0.0", avoid: "2.4.0"},
		{name: "two", version: "1.0.0", avoid: "3.0.0", minor: "1.4.0 G1", most: "1.4.0 G1"},
		{name: "two", version: "not a version"},
	} {
		pkg := Package{Ecosystem: "npm", Name: c.name, Version: c.version}
		r, err := db.Match(context.Background(), pkg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Steps(context.Background(), pkg, []string{c.version}, Groups(pkg, r.Matches), func(v string) bool { return v == c.avoid })
		if err != nil || spell(got.All) != c.all || spell(got.Minor) != c.minor || spell(got.Most) != c.most {
			t.Errorf("%s %s: %q %q %q, %v, want %q %q %q", c.name, c.version, spell(got.All), spell(got.Minor), spell(got.Most), err, c.all, c.minor, c.most)
		}
	}
	if r, err := db.Match(context.Background(), Package{Ecosystem: "npm", Name: "limited", Version: "2.1.0"}); err != nil || len(r.Matches) > 0 {
		t.Error("beyond the limit", r, err)
	}

	// several candidates: above each of them, and of no line that they do not share
	pkg := Package{Ecosystem: "npm", Name: "two"}
	r, err := db.Match(context.Background(), Package{Ecosystem: "npm", Name: "two", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.Steps(context.Background(), pkg, []string{"1.0.0", "2.0.0"}, Groups(pkg, r.Matches), nil)
	if err != nil || spell(got.All) != "3.0.0 G1 G2" || got.Minor.To != "" {
		t.Errorf("candidates: %+v, %v", got, err)
	}
}

func spell(s Step) string {
	if s.To == "" {
		return ""
	}
	if s.Major {
		s.To += "!"
	}
	slices.SortFunc(s.Clears, func(a, b string) int {
		return strings.Compare(strings.TrimPrefix(a, "CVE-"), strings.TrimPrefix(b, "CVE-"))
	})
	return s.To + " " + strings.ReplaceAll(strings.Join(s.Clears, " "), "CVE-", "")
}

// BenchmarkSteps climbs 50 steps, each the fix of one record and affected by
// the next, of records with many events.
func BenchmarkSteps(b *testing.B) {
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
		if _, err := db.Steps(context.Background(), pkg, []string{pkg.Version}, groups, nil); err != nil {
			b.Fatal(err)
		}
	}
}
