package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"
)

// TestRescanStreams: what a rescan of many reports writes while it goes on is what
// the whole document gives.
func TestRescanStreams(t *testing.T) {
	w := newRescanWorks(t, 60)
	dir := t.TempDir()
	formats := []string{"jsonl", "junit", "sarif", "html", "markdown", "github", "ics", "openvex", "osv-json", "cyclonedx-json", "spdx-json"}
	args := []string{"rescan", w.at("reports"), "-q", "--db", w.stores[1], "--at", "2026-11-21", "--fail-on", "none", "-o", "json=" + filepath.Join(dir, "json")}
	for _, f := range formats {
		args = append(args, "-o", f+"="+filepath.Join(dir, f))
	}
	if out, code := run(t, w.fnaudit, args...); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Functions []struct{ Name string }
		Summary   struct{ Functions int }
	}
	if err := json.Unmarshal(whole, &doc); err != nil || len(doc.Functions) != w.functions || doc.Summary.Functions != w.functions {
		t.Fatalf("%v; %d functions, the summary has %d", err, len(doc.Functions), doc.Summary.Functions)
	}
	for _, f := range append(formats, "json") {
		want := filepath.Join(dir, "converted")
		if out, code := run(t, w.fnaudit, "convert", filepath.Join(dir, "json"), "-o", f+"="+want); code != 0 {
			t.Fatalf("%d, %s", code, out)
		}
		if f == "sarif" { // a saved report says in its delta what is new, and not of each finding
			withoutStates(t, filepath.Join(dir, f))
		}
		same(t, f, filepath.Join(dir, f), want)
	}
	out, err := exec.Command(w.fnaudit, append(args[:9:9], "-o", "json")...).Output() // to standard output, through a file of its own
	if err != nil || !bytes.Equal(out, whole) {
		t.Errorf("%v: %d bytes to standard output, %d to a file", err, len(out), len(whole))
	}
	cmd := exec.Command(w.fnaudit, append(args[:9:9], "-o", "github")...) // which writes the summary of the job beside its log
	cmd.Env = append(os.Environ(), "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"))
	if out, err = cmd.Output(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "commands"), out, 0o644); err != nil {
		t.Fatal(err)
	}
	same(t, "the log of a job", filepath.Join(dir, "commands"), filepath.Join(dir, "github"))
	same(t, "the summary of a job", filepath.Join(dir, "summary"), filepath.Join(dir, "markdown"))
	names, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// withoutStates takes out of a SARIF file what its results are against the earlier
// reports. Every result must say that.
func withoutStates(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	state := regexp.MustCompile(`\n +"baselineState": "(new|updated|unchanged)",`)
	if n := len(state.FindAll(data, -1)); n == 0 || n != bytes.Count(data, []byte(`"ruleId"`)) {
		t.Errorf("%d results of %d say whether they are new", n, bytes.Count(data, []byte(`"ruleId"`)))
	}
	if err := os.WriteFile(file, state.ReplaceAll(data, nil), 0o644); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what, a, b string) {
	t.Helper()
	one, err := os.ReadFile(a)
	two, err2 := os.ReadFile(b)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		i := 0
		for i < min(len(one), len(two)) && one[i] == two[i] {
			i++
		}
		t.Errorf("%s: at byte %d: %.120q, want %.120q", what, i, one[max(i-40, 0):], two[max(i-40, 0):])
	}
}

// TestInterruptedStreams interrupts a rescan at random moments: the earlier outputs
// stay, and nothing is left beside them or in the folder for temporary files.
func TestInterruptedStreams(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be interrupted there")
	}
	w := newRescanWorks(t, 60)
	dir, temp := t.TempDir(), t.TempDir()
	files := []string{"a.json", "a.sarif", "a.html", "a.cdx.json", "a.spdx.json", "a.vex.json", "a.osv.json"}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("earlier"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"rescan", w.at("reports"), "-q", "--db", w.stores[1], "--at", "2026-11-21", "--fail-on", "none", "--no-progress", "-o", "junit",
		"-o", "json=" + filepath.Join(dir, "a.json"), "-o", "sarif=" + filepath.Join(dir, "a.sarif"), "-o", "html=" + filepath.Join(dir, "a.html"),
		"-o", "cyclonedx-json=" + filepath.Join(dir, "a.cdx.json"), "-o", "spdx-json=" + filepath.Join(dir, "a.spdx.json"),
		"-o", "openvex=" + filepath.Join(dir, "a.vex.json"), "-o", "osv-json=" + filepath.Join(dir, "a.osv.json")}
	hit := 0
	for range 12 {
		cmd := exec.Command(w.fnaudit, args...)
		cmd.Env = append(os.Environ(), "TMPDIR="+temp)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(300 * time.Millisecond))
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		switch code := cmd.ProcessState.ExitCode(); {
		case code == 0: // it was over: begin again
			for _, f := range files {
				if err := os.WriteFile(filepath.Join(dir, f), []byte("earlier"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		case code == 2:
			hit++
			for _, f := range files { // each is the earlier one or the new one, whole
				text, err := os.ReadFile(filepath.Join(dir, f))
				if err != nil || string(text) != "earlier" && !bytes.HasSuffix(text, []byte("}\n")) && !bytes.HasSuffix(text, []byte("</html>\n")) {
					t.Errorf("%s: %v, %d bytes", f, err, len(text))
				}
			}
		case !cmd.ProcessState.Exited(): // before it listened to signals
		default:
			t.Errorf("exit status %d", code)
		}
		for _, d := range []string{dir, temp} {
			left, err := os.ReadDir(d)
			if err != nil || d == dir && len(left) != len(files) || d == temp && len(left) != 0 {
				t.Fatalf("%s has %v, %v", d, left, err)
			}
		}
	}
	t.Logf("%d runs were interrupted", hit)
}
