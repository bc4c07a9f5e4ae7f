package oracle

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	osvpb "github.com/ossf/osv-schema/bindings/go/osvschema"

	"github.com/fnaudit/fnaudit/vulndb"
)

// TestAgainstOsvScanner compares ids for versions at and around every range
// boundary of every package of the feed.
func TestAgainstOsvScanner(t *testing.T) {
	shared := os.Getenv("FNAUDIT_SHARED")
	if shared == "" {
		t.Skip("FNAUDIT_SHARED is not set: nothing to compare over")
	}
	feed := filepath.Join(shared, "osv")
	var inputs []vulndb.Input
	for eco := range ecosystems() {
		inputs = append(inputs, vulndb.Input{Ecosystem: eco, Archive: filepath.Join(feed, eco, "all.zip"), Folder: true})
	}
	dir := t.TempDir()
	if _, err := vulndb.Build(context.Background(), dir, inputs, vulndb.Options{}); err != nil {
		t.Fatal(err)
	}
	db, err := vulndb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, eco := range slices.Sorted(maps.Keys(ecosystems())) {
		t.Run(eco, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			ref, err := load(feed, eco, ecosystems()[eco])
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("osv-scanner's way of loading %d records took %v", len(ref.records), time.Since(start))
			releases := ref.releases()
			if len(releases) == 0 {
				compare(t, db, ref)
			}
			for _, release := range releases {
				compare(t, db, ref.of(release))
			}
		})
	}
}

func compare(t *testing.T, db *vulndb.DB, ref *reference) {
	byID := map[string]*osvpb.Vulnerability{}
	for _, v := range ref.records {
		byID[v.GetId()] = v
	}
	pairs, hits, failures := 0, 0, 0
	causes := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(ref.byName)) {
		records := ref.byName[name]
		if ref.ecosystem == "PyPI" {
			records = ref.byName[vulndb.NormalName("PyPI", name)] // the reference normalises the package's name
		}
		for _, version := range ref.versions(name) {
			pairs++
			theirs, panicked := ref.match(records, name, version)
			if panicked {
				// Ask record by record, so that one does not hide the others.
				for _, v := range records {
					ids, _ := ref.match([]*osvpb.Vulnerability{v}, name, version)
					theirs = append(theirs, ids...)
				}
			}
			res, err := db.Match(context.Background(), vulndb.Package{Ecosystem: ref.full(), Name: name, Version: version})
			if err != nil {
				t.Fatal(err)
			}
			ours := map[string]bool{}
			for _, m := range res.Matches {
				ours[m.Advisory.ID] = true
			}
			maybe := map[string]bool{}
			for _, m := range res.Unversioned {
				maybe[m.Advisory.ID] = true
			}
			hits += len(theirs)
			for id := range ours {
				if slices.Contains(theirs, id) {
					continue
				}
				if cause := ref.explain(difference{byID[id], name, version, true, false}); cause != "" {
					causes["more: "+cause]++
				} else if failures++; failures <= 20 {
					t.Errorf("%s %s: we say %s, osv-scanner does not", name, version, id)
				}
			}
			for _, id := range theirs {
				if ours[id] {
					continue
				}
				if cause := ref.explain(difference{byID[id], name, version, false, maybe[id]}); cause != "" {
					causes["fewer: "+cause]++
				} else if failures++; failures <= 20 {
					t.Errorf("%s %s: osv-scanner says %s, we do not (%s)", name, version, id, strings.Join(res.Problems, "; "))
				}
			}
		}
	}
	if pairs < 1000 || hits < pairs/4 {
		t.Errorf("only %d pairs and %d ids compared: the feed is not what it should be", pairs, hits)
	}
	t.Logf("%s: %d packages, %d pairs, %d ids of osv-scanner; %d differences without a cause", ref.full(), len(ref.byName), pairs, hits, failures)
	for _, c := range slices.Sorted(maps.Keys(causes)) {
		t.Logf("%6d %s", causes[c], c)
	}
}
