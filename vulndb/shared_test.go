package vulndb

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sharedFeed returns the inputs of a real feed, or skips. .ci/run sets the
// variables: FNAUDIT_SHARED names a folder that has one as osv, FNAUDIT_FEED
// another folder of <Ecosystem>/all.zip that goes before it.
func sharedFeed(t testing.TB) []Input {
	feed := os.Getenv("FNAUDIT_FEED")
	if shared := os.Getenv("FNAUDIT_SHARED"); feed == "" && shared != "" {
		feed = filepath.Join(shared, "osv")
	}
	if feed == "" {
		t.Skip("FNAUDIT_SHARED and FNAUDIT_FEED are not set: not run against a real feed")
	}
	found, err := filepath.Glob(filepath.Join(feed, "*", "all.zip"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no feed under %s: %v", feed, err)
	}
	var list []Input
	for _, p := range found {
		list = append(list, Input{Ecosystem: filepath.Base(filepath.Dir(p)), Archive: p, Folder: true})
	}
	return list
}

func TestSharedFeed(t *testing.T) {
	inputs := sharedFeed(t)
	dir := t.TempDir()
	ctx := context.Background()
	start := time.Now()
	s, err := Build(ctx, dir, inputs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built %d records in %v", s.Records(), time.Since(start))
	start = time.Now()
	damages, err := Check(ctx, dir)
	if err != nil || len(damages) > 0 {
		t.Fatal(damages, err)
	}
	t.Logf("checked in %v", time.Since(start))
	var zips, files int64
	for i, src := range s.Sources {
		st, err := os.Stat(inputs[i].Archive)
		if err != nil {
			t.Fatal(err)
		}
		zips += st.Size()
		files += src.Size
		t.Logf("%-10s %5d records %5d packages %8d bytes of %8d, as of %s, modified %s", src.Ecosystem, src.Records, src.Packages, src.Size, st.Size(), src.AsOf, src.Modified)
	}
	t.Logf("%d bytes of %d zipped", files, zips)
}
