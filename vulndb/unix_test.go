//go:build unix

package vulndb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk limits how large a file may become, which fails writes as a
// full disk does. The update must say so and leave the store as it was.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv("VULNDB_TEST_FULL"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 30_000, Max: 30_000}); err != nil {
			t.Fatal(err)
		}
		_, err := Build(context.Background(), dir, []Input{{Ecosystem: "npm", Archive: os.Getenv("VULNDB_TEST_FEED")}}, Options{Now: testNow()})
		if !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("the disk was full, and the update says: %v", err)
		}
		return
	}
	dir := t.TempDir()
	build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(4, "2.0.0")...)})
	before := storeFiles(t, dir)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "VULNDB_TEST_FULL="+dir, "VULNDB_TEST_FEED="+writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(2000, "1.0.0")...))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after := storeFiles(t, dir); len(after) != len(before) {
		t.Errorf("left behind: %v", after)
	}
	wantIDs(t, open(t, dir), Package{Ecosystem: "npm", Name: "package-0", Version: "1.5.0"}, "GHSA-0000", "GHSA-0001")
}

// TestCutShort cuts a file that is mapped. The kernel raises a fault for pages
// that are gone; it must become an error.
func TestCutShort(t *testing.T) {
	dir := t.TempDir()
	s := build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(4000, "2.0.0")...)})
	db := open(t, dir)
	if err := os.Truncate(filepath.Join(dir, ecoDir, s.Sources[0].File), 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Match(context.Background(), Package{Ecosystem: "npm", Name: "package-0", Version: "1.0.0"}); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}
