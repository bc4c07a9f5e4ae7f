package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk updates a store on disks of every size from too small to large
// enough: real file systems that become full at every step of an update. It
// needs the right to mount one.
func TestFullDisk(t *testing.T) {
	long(t)
	fnaudit, srv := program(t), newExportServer(t)
	old := feedState{records: 200, at: 1}
	next := feedState{records: 4000, at: 2, fixed: map[int]change{}}
	for i := range next.records {
		next.fixed[i] = change{"1.0.0", 2}
	}
	small := t.TempDir()
	srv.publish(t, old, false)
	if out, code := run(t, fnaudit, "db", "update", "--quiet", "--from", srv.URL, "--ecosystem", "npm", "--db", small); code != 0 {
		t.Fatal(out)
	}
	srv.publish(t, next, false)
	failed, worked := 0, 0
	for kb := 64; kb <= 4096; kb += kb / 8 {
		dir := t.TempDir()
		if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kb)); err != nil {
			t.Skip("cannot mount a file system:", err)
		}
		func() {
			defer syscall.Unmount(dir, 0)
			if err := exec.Command("cp", "-r", small+"/.", dir).Run(); err != nil {
				return // not even the old store fits: nothing to keep
			}
			out, code := run(t, fnaudit, "db", "update", "--quiet", "--from", srv.URL, "--ecosystem", "npm", "--db", dir)
			if code == 0 {
				worked++
				holds(t, fnaudit, dir, next)
				return
			}
			failed++
			if code != 2 || !strings.Contains(out, "no space") {
				t.Errorf("%d KB: %d, %s", kb, code, out)
			}
			holds(t, fnaudit, dir, old)
			if left, _ := filepath.Glob(filepath.Join(dir, "*", "*.tmp")); len(left) > 0 {
				t.Errorf("%d KB: left behind: %v", kb, left)
			}
		}()
	}
	if failed < 3 || worked == 0 {
		t.Errorf("%d updates failed, %d worked", failed, worked)
	}
	t.Logf("%d disks were too small, %d large enough", failed, worked)
}

// TestGateOnFullDisk writes statements to disks of every size from too small to
// large enough: on those that are too small, nothing is left.
func TestGateOnFullDisk(t *testing.T) {
	long(t)
	w := newGateWorks(t, 3)
	failed, worked := 0, 0
	for kb := 4; kb <= 96; kb += 4 {
		dir := t.TempDir()
		if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kb)); err != nil {
			t.Skip("cannot mount a file system:", err)
		}
		func() {
			defer syscall.Unmount(dir, 0)
			out, code := run(t, w.fnaudit, w.gate(dir)...)
			n, names := w.summaries(t, dir)
			if code == 0 && n == 3 && len(names) == 9 {
				worked++
				return
			}
			failed++
			if code != 2 || !strings.Contains(out, "no space") || len(names) > 0 {
				t.Errorf("%d KB: %d, %s: left %v", kb, code, out, names)
			}
		}()
	}
	if failed < 3 || worked == 0 {
		t.Errorf("%d runs failed, %d worked", failed, worked)
	}
	t.Logf("%d disks were too small, %d large enough", failed, worked)
}

// TestRescanOnFullDisk replaces a set of reports on disks of every size from too
// small to large enough: on those that are too small, the earlier one stays.
func TestRescanOnFullDisk(t *testing.T) {
	long(t)
	w := newRescanWorks(t, 40)
	old := filepath.Join(t.TempDir(), "set")
	if out, code := run(t, w.fnaudit, w.rescan(0, w.at("reports"), old)...); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	failed, worked := 0, 0
	for kb := 64; kb <= 1024; kb += 16 {
		dir := t.TempDir()
		if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kb)); err != nil {
			t.Skip("cannot mount a file system:", err)
		}
		func() {
			defer syscall.Unmount(dir, 0)
			set := filepath.Join(dir, "set")
			if err := exec.Command("cp", "-r", old, set).Run(); err != nil {
				return // not even the earlier set fits
			}
			out, code := run(t, w.fnaudit, w.rescan(1, set, set)...)
			id, err := w.state(set)
			if err != nil || len(beside(t, set)) > 0 {
				t.Errorf("%d KB: %v; beside it %v", kb, err, beside(t, set))
			}
			switch {
			case code == 0 && id == w.ids[1]:
				worked++
			case code == 2 && id == w.ids[0] && strings.Contains(out, "no space"):
				failed++
			default:
				t.Errorf("%d KB: %d, %s: %s", kb, code, id, out)
			}
		}()
	}
	if failed < 3 || worked == 0 {
		t.Errorf("%d runs failed, %d worked", failed, worked)
	}
	t.Logf("%d disks were too small, %d large enough", failed, worked)
}

// TestStreamsOnFullDisk writes the outputs of a rescan to disks of every size: an
// output for which there is no room is the earlier one.
func TestStreamsOnFullDisk(t *testing.T) {
	long(t)
	w := newRescanWorks(t, 40)
	for _, format := range []string{"json", "sarif", "html", "junit", "jsonl", "openvex", "osv-json", "cyclonedx-json", "spdx-json"} {
		failed, worked := 0, 0
		for kb := 8; kb <= 512; kb += 8 {
			dir := t.TempDir()
			if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kb)); err != nil {
				t.Skip("cannot mount a file system:", err)
			}
			func() {
				defer syscall.Unmount(dir, 0)
				file := filepath.Join(dir, "out")
				if err := os.WriteFile(file, []byte("earlier"), 0o644); err != nil {
					t.Fatal(err)
				}
				out, code := run(t, w.fnaudit, "rescan", w.at("reports"), "-q", "--db", w.stores[1], "--at", "2026-11-21", "--fail-on", "none", "-o", format+"="+file)
				text, err := os.ReadFile(file)
				names, _ := filepath.Glob(filepath.Join(dir, ".*"))
				switch {
				case err != nil || len(names) > 0:
					t.Errorf("%s, %d KB: %v; left behind: %v", format, kb, err, names)
				case code == 0 && string(text) != "earlier":
					worked++
				case code == 2 && string(text) == "earlier" && strings.Contains(out, "no space"):
					failed++
				default:
					t.Errorf("%s, %d KB: %d, %s", format, kb, code, out)
				}
			}()
		}
		if failed == 0 || worked == 0 {
			t.Errorf("%s: %d runs failed, %d worked", format, failed, worked)
		}
		t.Logf("%s: %d disks were too small, %d large enough", format, failed, worked)
	}
}
