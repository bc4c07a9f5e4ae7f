package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// rescanWorks is what a night needs: stores of two days, which say other things
// of one package, and reports of functions that have it.
type rescanWorks struct {
	fnaudit, dir string
	functions    int
	stores       []string // folders
	ids          []string // of their snapshots
}

func newRescanWorks(t *testing.T, functions int) *rescanWorks {
	t.Helper()
	fnaudit, err := exec.LookPath("fnaudit") // this test's own binary, which testscript puts there
	if err != nil {
		t.Fatal(err)
	}
	w := &rescanWorks{fnaudit: fnaudit, dir: t.TempDir(), functions: functions}
	write := func(name, text string) {
		t.Helper()
		path := w.at(name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("src/index.js", "exports.handler = async () => 1\n")
	write("src/node_modules/x/package.json", `{"name":"x","version":"1.0.0"}`)
	for n, fixed := range []string{"1.0.0", "2.0.0"} {
		name := fmt.Sprintf("%d", n)
		write("feed"+name+"/npm/GHSA-aaaa-bbbb-cccc.json", `{"schema_version":"1.7.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2026-11-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"`+fixed+`"}]}]}]}`)
		all := w.at("feed" + name + "/npm/all.zip")
		if err := errors.Join(zipDir(all+".tmp", w.at("feed"+name+"/npm")), os.Rename(all+".tmp", all)); err != nil {
			t.Fatal(err)
		}
		w.stores = append(w.stores, w.at("db"+name))
		if out, code := run(t, fnaudit, "db", "update", "-q", "--from", w.at("feed"+name), "--db", w.stores[n]); code != 0 {
			t.Fatal(out)
		}
	}
	if out, code := run(t, fnaudit, "scan", w.at("src"), "-q", "--db", w.stores[0], "--at", "2026-11-20", "--fail-on", "none", "-o", "json="+w.at("one.json")); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	w.spread(t)
	for n := range w.stores {
		if out, code := run(t, fnaudit, w.rescan(n, w.at("reports"), w.at("probe"))...); code != 0 {
			t.Fatalf("%d, %s", code, out)
		}
		id, err := w.state(w.at("probe"))
		if err != nil {
			t.Fatal(err)
		}
		w.ids = append(w.ids, id)
	}
	if w.ids[0] == w.ids[1] {
		t.Fatal("two stores that are one")
	}
	return w
}

func (w *rescanWorks) at(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// spread makes many reports of one.
func (w *rescanWorks) spread(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(w.at("one.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := errors.Join(json.Unmarshal(text, &doc), os.Mkdir(w.at("reports"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for i := range w.functions {
		name := fmt.Sprintf("f%03d", i)
		doc["functions"].([]any)[0].(map[string]any)["name"] = name
		text, err := json.MarshalIndent(doc, "", "  ")
		if err := errors.Join(err, os.WriteFile(w.at("reports/"+name+".json"), text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// rescan is the command line that judges reports by a store, into a set.
func (w *rescanWorks) rescan(store int, from, set string) []string {
	return []string{"rescan", from, "-q", "--db", w.stores[store], "--at", "2026-11-21", "--fail-on", "none", "--write", set, "--no-progress"}
}

// state reads a set, which must be whole: it returns the store that all of it was
// judged by.
func (w *rescanWorks) state(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var names []string
	ids := map[string]bool{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		names = append(names, e.Name())
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		var doc struct {
			Database  struct{ ID string }
			Functions []struct{ Name string }
		}
		if err := errors.Join(err, json.Unmarshal(text, &doc)); err != nil {
			return "", fmt.Errorf("%s: %w", e.Name(), err)
		}
		if len(doc.Functions) != 1 || doc.Functions[0].Name+".json" != e.Name() {
			return "", fmt.Errorf("%s is of %v", e.Name(), doc.Functions)
		}
		ids[doc.Database.ID] = true
	}
	var manifest struct{ Files []string }
	text, err := os.ReadFile(filepath.Join(dir, ".fnaudit-set.json"))
	if err := errors.Join(err, json.Unmarshal(text, &manifest)); err != nil {
		return "", err
	}
	if len(names) != w.functions || len(ids) != 1 || !slices.Equal(names, manifest.Files) {
		return "", fmt.Errorf("%d files by %d stores, %d in the manifest", len(names), len(ids), len(manifest.Files))
	}
	for id := range ids {
		return id, nil
	}
	return "", nil
}

// beside lists what lies in the folder of a set, but for the set itself.
func beside(t *testing.T, set string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(set))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(set) {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestKilledRescan ends the program at random moments of a night that replaces
// its reports: each time the set is the earlier one or the new one, whole. What
// is ended by a signal that it sees leaves nothing beside it, and what a kill left
// the next run removes.
func TestKilledRescan(t *testing.T) {
	kills := 10
	if os.Getenv("FNAUDIT_LONG") != "" {
		kills = 120
	}
	w := newRescanWorks(t, 60)
	set := filepath.Join(t.TempDir(), "set")
	start := time.Now()
	if out, code := run(t, w.fnaudit, w.rescan(0, w.at("reports"), set)...); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	lasted := time.Since(start)
	now, hit, changed, left := 0, 0, 0, 0
	for try := 0; hit < kills; try++ {
		if try == 20*kills {
			t.Fatalf("only %d of %d kills came before the end", hit, try)
		}
		polite := try%4 == 3 && runtime.GOOS != "windows"
		signal := os.Kill
		if polite {
			signal = os.Interrupt
		}
		var out bytes.Buffer
		cmd := exec.Command(w.fnaudit, w.rescan(1-now, set, set)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(lasted))
		if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		err := cmd.Wait()
		switch {
		case err == nil:
		case !cmd.ProcessState.Exited():
			hit++
		case polite && cmd.ProcessState.ExitCode() == 2:
			hit++
			if names := beside(t, set); len(names) > 0 {
				t.Fatalf("an interrupt left %v", names)
			}
		default:
			t.Fatalf("it failed: %v, %s", err, out.String())
		}
		if len(beside(t, set)) > 0 {
			left++
		}
		id, err := w.state(set)
		if err != nil {
			t.Fatalf("the set is not whole: %v", err)
		}
		if id == w.ids[1-now] {
			now = 1 - now
			changed++
		} else if id != w.ids[now] {
			t.Fatalf("the set is neither as before nor as after: %s", id)
		}
	}
	t.Logf("%d kills, %d runs replaced the set, %d left something behind", hit, changed, left)
	if out, code := run(t, w.fnaudit, w.rescan(1-now, set, set)...); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	if id, err := w.state(set); err != nil || id != w.ids[1-now] {
		t.Errorf("%s, %v", id, err)
	}
	if names := beside(t, set); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestKilledFirstRescan: a first set is there as a whole or not at all.
func TestKilledFirstRescan(t *testing.T) {
	long(t)
	w := newRescanWorks(t, 60)
	start := time.Now()
	if out, code := run(t, w.fnaudit, w.rescan(0, w.at("reports"), filepath.Join(t.TempDir(), "set"))...); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	lasted := time.Since(start)
	set := filepath.Join(t.TempDir(), "set")
	for range 60 {
		cmd := exec.Command(w.fnaudit, w.rescan(0, w.at("reports"), set)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(lasted))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := w.state(set); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.RemoveAll(set); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := run(t, w.fnaudit, w.rescan(1, w.at("reports"), set)...); code != 0 {
		t.Fatalf("%d, %s", code, out)
	}
	if id, err := w.state(set); err != nil || id != w.ids[1] || len(beside(t, set)) > 0 {
		t.Errorf("%s, %v; beside it %v", id, err, beside(t, set))
	}
}

// TestRescansAtOnce: of several runs that write one set, each replaces it as a
// whole or says that another one does.
func TestRescansAtOnce(t *testing.T) {
	w := newRescanWorks(t, 20)
	set := filepath.Join(t.TempDir(), "set")
	won, refused := 0, 0
	for range 4 {
		var runs [3]*exec.Cmd
		var outs [3]bytes.Buffer
		for i := range runs {
			runs[i] = exec.Command(w.fnaudit, w.rescan(i%2, w.at("reports"), set)...)
			runs[i].Stdout, runs[i].Stderr = &outs[i], &outs[i]
			if err := runs[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		for i, cmd := range runs {
			_ = cmd.Wait()
			switch code := cmd.ProcessState.ExitCode(); {
			case code == 0:
				won++
			case code == 2 && strings.Contains(outs[i].String(), "another run writes there"):
				refused++
			default:
				t.Errorf("%d, %s", code, outs[i].String())
			}
		}
		if _, err := w.state(set); err != nil {
			t.Fatal(err)
		}
		if names := beside(t, set); len(names) > 0 {
			t.Errorf("left behind: %v", names)
		}
	}
	if won == 0 {
		t.Error("no run wrote its set")
	}
	t.Logf("%d runs wrote the set, %d were refused", won, refused)
}
