//go:build unix

package vulndb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
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

// TestFeedsFullDisk puts lists that do not fit.
func TestFeedsFullDisk(t *testing.T) {
	if dir := os.Getenv("VULNDB_TEST_FEEDS_FULL"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 30_000, Max: 30_000}); err != nil {
			t.Fatal(err)
		}
		if _, err := putFeeds(t, dir, Options{}, day(4), epssList(t, 10_000)); !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("the disk was full, and the update says: %v", err)
		}
		return
	}
	dir := npmStore(t, 4)
	was, err := putFeeds(t, dir, Options{}, day(3), epssList(t, 100))
	if err != nil {
		t.Fatal(err)
	}
	before := storeFiles(t, dir)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFeedsFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "VULNDB_TEST_FEEDS_FULL="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if now, err := ReadSnapshot(dir); err != nil || now.ID != was.ID || !slices.Equal(before, storeFiles(t, dir)) {
		t.Errorf("the store changed: %v, %v", storeFiles(t, dir), err)
	}
}

// TestFeedsKilled kills a process that replaces lists, at random moments: the
// store is sound each time, and what is left behind goes with the next update.
func TestFeedsKilled(t *testing.T) {
	if dir := os.Getenv("VULNDB_TEST_FEEDS_KILLED"); dir != "" {
		fmt.Println("ready")
		for i := 0; ; i++ {
			if _, err := putFeeds(t, dir, Options{AllowOlder: true}, day(1+i%20), kevList(t, 300+i%7), epssList(t, 3000+i%7)); err != nil {
				fmt.Println(err)
				os.Exit(3)
			}
		}
	}
	dir := npmStore(t, 4)
	for range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFeedsKilled$")
		cmd.Env = append(os.Environ(), "VULNDB_TEST_FEEDS_KILLED="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			t.Fatal(line, err)
		}
		time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); len(rest) > 0 {
			t.Fatalf("the update failed: %s (%v)", rest, err)
		}
		if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
			t.Fatal(damages, err)
		}
	}
	if _, err := putFeeds(t, dir, Options{AllowOlder: true}, day(1), kevList(t, 3), epssList(t, 3)); err != nil {
		t.Fatal(err)
	}
	if files := storeFiles(t, dir); len(files) != 5 {
		t.Errorf("left behind: %v", files)
	}
}

// TestFeedCutShort cuts a list that is mapped: see TestCutShort.
func TestFeedCutShort(t *testing.T) {
	dir := npmStore(t, 4)
	s, err := putFeeds(t, dir, Options{}, day(3), epssList(t, 3000))
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, dir)
	if err := os.Truncate(s.Feeds[0].Path(dir), 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Score([]string{"CVE-2000-3999"}); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}
