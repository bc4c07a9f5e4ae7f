package vulndb

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
)

// TestReleaseCounts builds a distribution's file from records whose memory is
// used again for the ones after them: the names of its releases must be copies.
func TestReleaseCounts(t *testing.T) {
	want := map[string]int{}
	var files []file
	for i := range 3000 {
		release := fmt.Sprintf("v3.%d", i%7)
		want[release[1:]]++ // kept as versions: without the v
		id := fmt.Sprintf("ALPINE-CVE-2026-%05d", i)
		files = append(files, file{id + ".json", recordJSON(id, "Alpine:"+release, fmt.Sprintf("package-%d", i%90), "0", "1.2.3-r4")})
	}
	dir := t.TempDir()
	archive := writeZip(t, filepath.Join(dir, "feed", "all.zip"), files...)
	ids := map[string]bool{}
	for _, jobs := range []int{1, 2, 8} {
		store := filepath.Join(dir, fmt.Sprint("store", jobs))
		s, err := Build(context.Background(), store, []Input{{Ecosystem: "Alpine", Archive: archive}}, Options{Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		ids[s.ID] = true
		db, err := Open(store)
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.files["Alpine"].releaseCounts()
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%d jobs: %v, %v; want %v", jobs, got, err, want)
		}
		db.Close()
	}
	if len(ids) != 1 {
		t.Errorf("the same records have %d snapshot ids", len(ids))
	}
}

// TestReleaseCountsOfDoubles has a record of another layer take the place of
// one, with its release.
func TestReleaseCountsOfDoubles(t *testing.T) {
	dir := t.TempDir()
	feed := writeZip(t, filepath.Join(dir, "feed", "all.zip"),
		file{"A-1.json", recordJSON("A-1", "Alpine:v3.1", "p", "0", "1.2.3-r4")},
		file{"A-2.json", recordJSON("A-2", "Alpine:v3.2", "p", "0", "1.2.3-r4")})
	own := writeZip(t, filepath.Join(dir, "own", "all.zip"), file{"A-1.json", recordJSON("A-1", "Alpine:v3.3", "p", "0", "1.2.4-r0")})
	store := filepath.Join(dir, "store")
	if _, err := Build(context.Background(), store, []Input{{Ecosystem: "Alpine", Archive: feed}, {Ecosystem: "Alpine", Archive: own, Origin: "own"}}, Options{}); err != nil {
		t.Fatal(err)
	}
	db, err := Open(store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := db.files["Alpine"].releaseCounts()
	if want := map[string]int{"3.2": 1, "3.3": 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if damages, err := Check(context.Background(), store); err != nil || len(damages) > 0 {
		t.Error(damages, err)
	}
}
