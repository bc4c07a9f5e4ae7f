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

// importFile imports an export from disk.
func importFile(dir, path string, o AdoptOptions) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	o.Now = testNow()
	_, err = ImportFrom(context.Background(), dir, f, "", o)
	return err
}

// exportTo makes an export of a feed of n npm records.
func exportTo(t *testing.T, n int, fixed string) string {
	t.Helper()
	dir := t.TempDir()
	build(t, dir, Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(n, fixed)...)})
	path := filepath.Join(t.TempDir(), "store.tar")
	if err := os.WriteFile(path, export(t, dir), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestImportKilled kills a process that imports, at random moments.
func TestImportKilled(t *testing.T) {
	if dir := os.Getenv("VULNDB_TEST_IMPORT"); dir != "" {
		fmt.Println("ready")
		for {
			for _, name := range []string{"VULNDB_TEST_A", "VULNDB_TEST_B"} {
				if err := importFile(dir, os.Getenv(name), AdoptOptions{}); err != nil {
					fmt.Println(err)
					os.Exit(3)
				}
			}
		}
	}
	a, b, dir := exportTo(t, 400, "2.0.0"), exportTo(t, 400, "1.0.0"), t.TempDir()
	if err := importFile(dir, a, AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestImportKilled$")
		cmd.Env = append(os.Environ(), "VULNDB_TEST_IMPORT="+dir, "VULNDB_TEST_A="+a, "VULNDB_TEST_B="+b)
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
			t.Fatalf("the import failed: %s (%v)", rest, err)
		}
		if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
			t.Fatal(damages, err)
		}
	}
	if err := importFile(dir, a, AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	if files := storeFiles(t, dir); len(files) != 3 {
		t.Errorf("left behind: %v", files)
	}
}

// TestImportFullDisk imports what does not fit.
func TestImportFullDisk(t *testing.T) {
	if dir := os.Getenv("VULNDB_TEST_IMPORT_FULL"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 30_000, Max: 30_000}); err != nil {
			t.Fatal(err)
		}
		if err := importFile(dir, os.Getenv("VULNDB_TEST_A"), AdoptOptions{}); !errors.Is(err, syscall.EFBIG) {
			t.Fatalf("the disk was full, and the import says: %v", err)
		}
		return
	}
	dir := t.TempDir()
	if err := importFile(dir, exportTo(t, 4, "2.0.0"), AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	before := storeFiles(t, dir)
	cmd := exec.Command(os.Args[0], "-test.run=^TestImportFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "VULNDB_TEST_IMPORT_FULL="+dir, "VULNDB_TEST_A="+exportTo(t, 2000, "1.0.0"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after := storeFiles(t, dir); !slices.Equal(before, after) {
		t.Errorf("%v, then %v", before, after)
	}
	wantIDs(t, open(t, dir), Package{Ecosystem: "npm", Name: "package-0", Version: "1.5.0"}, "GHSA-0000", "GHSA-0001")
}
