package night

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func stored(name, day, digest string) string {
	return fmt.Sprintf(`{"name":%q,"target":"t","artifacts":[{"digest":%q}],"components":[],"unknowns":[],"findings":[],"checks":[]}`, name, digest)
}

func whole(day string, functions ...string) string {
	return fmt.Sprintf(`{"schemaVersion":"1","tool":{"name":"fnaudit"},"database":{"id":"sha256:x"},"policy":{"name":"p"},"judgedAt":%q,"functions":[%s],"summary":{}}`, day+"T00:00:00Z", strings.Join(functions, ","))
}

func put(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFindHostile: what is no report is said, and the reports beside it are read.
func TestFindHostile(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.json"), whole("2026-11-01", stored("a", "", "d1"), stored("b \\n\"", "", "d2")))
	line := strings.TrimSuffix(whole("2026-11-01"), `,"functions":[],"summary":{}}`) + "," + stored("c", "", "d3")[1:] + "\n"
	put(t, filepath.Join(dir, "sub", "b.jsonl"), line+line)
	for name, text := range map[string]string{
		"empty.json": "", "garbage.bin": "\x00\x01", "sarif.json": `{"version":"2.1.0","runs":[]}`, "list.json": "[]", "newer.json": strings.Replace(whole("2026-11-01", stored("n", "", "")), `"schemaVersion":"1"`, `"schemaVersion":"2"`, 1),
		"twice.json": `{"schemaVersion":"1","schemaVersion":"1","functions":[]}`, "deep.json": `{"schemaVersion":"1","x":` + strings.Repeat("[", 2*maxDepth), "null.json": whole("2026-11-01", "null"), "nameless.json": whole("2026-11-01", `{"target":"x"}`), "unnamed.json": whole("2026-11-01", stored("", "", "")),
	} {
		put(t, filepath.Join(dir, name), text)
	}
	put(t, filepath.Join(dir, "cut.json"), whole("2026-11-01", stored("z", "", "d"))[:150])
	put(t, filepath.Join(dir, ".x.1.tmp"), "a file that is being written")
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Skip(err)
	}
	found, err := Find([]string{dir, filepath.Join(dir, "a.json")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	bad, good := map[string]bool{}, 0
	for _, s := range found {
		if s.Err != nil {
			bad[filepath.Base(s.File)] = true
			continue
		}
		good++
		if rep, err := s.Load(); err != nil || rep.Name != s.Name {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	for _, name := range []string{"empty.json", "garbage.bin", "sarif.json", "list.json", "newer.json", "twice.json", "deep.json", "null.json", "nameless.json", "unnamed.json", "cut.json", "loop"} {
		if !bad[name] {
			t.Errorf("%s is passed over", name)
		}
	}
	if good != 4 || len(bad) != 12 {
		t.Errorf("%d functions and %d files that cannot be read: %v", good, len(bad), bad)
	}
	if _, err := Find([]string{filepath.Join(dir, "none")}, nil); err == nil {
		t.Error("a name that does not exist is no error")
	}
}

// TestFindCut: the functions before what cannot be read are judged, with what
// the report says of its run, wherever the text ends.
func TestFindCut(t *testing.T) {
	text := whole("2026-11-01", stored("a", "", "d"), stored("b", "", "e"))
	for n := range len(text) - 1 {
		found, err := Find([]string{"-"}, strings.NewReader(text[:n]))
		if err != nil || len(found) == 0 || found[len(found)-1].Err == nil {
			t.Fatalf("%d bytes: %v, %v", n, found, err)
		}
		for _, s := range found {
			if s.Err == nil && (s.Head == nil || s.Head.JudgedAt.IsZero()) {
				t.Fatalf("%d bytes: %s without a head", n, s.Name)
			}
		}
		Group(found)
	}
	if found, _ := Find([]string{"-"}, strings.NewReader(`{"functions":[`+stored("a", "", "d")+`],"x":`+strings.Repeat("[", 2*maxDepth))); len(found) != 1 || found[0].Err == nil {
		t.Errorf("functions of no run: %v", found)
	}
}

// TestLoadIncomplete: a list that is missing, or whose key is in another
// spelling, is not an empty one.
func TestLoadIncomplete(t *testing.T) {
	for _, key := range []string{"artifacts", "components", "unknowns", "findings", "checks"} {
		text := strings.Replace(whole("2026-11-01", stored("a", "", "d")), `"`+key, `"`+strings.ToUpper(key), 1)
		found, err := Find([]string{"-"}, strings.NewReader(text))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		if _, err := found[0].Load(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestFindStandardInput: a report on standard input is read as a file is.
func TestFindStandardInput(t *testing.T) {
	found, err := Find([]string{"-"}, strings.NewReader(whole("2026-11-01", stored("a", "", "d"))))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if rep, err := found[0].Load(); err != nil || rep.Name != "a" {
		t.Error(rep, err)
	}
}

// TestGroup: names are not unique within a folder, and what is in two sets is
// one function.
func TestGroup(t *testing.T) {
	dir := t.TempDir()
	for _, set := range []string{"old", "new"} {
		day := map[string]string{"old": "2026-11-01", "new": "2026-11-02"}[set]
		put(t, filepath.Join(dir, set, "orders.json"), whole(day, stored("orders", "", set)))
		put(t, filepath.Join(dir, set, "a", "f.json"), whole(day, stored("function", "", set+"a")))
		put(t, filepath.Join(dir, set, "b", "f.json"), whole(day, stored("function", "", set+"b")))
	}
	one, err := Find([]string{filepath.Join(dir, "old")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if list, notes := Group(one); len(list) != 3 || len(notes) != 0 {
		t.Errorf("one folder: %d functions, %v", len(list), notes)
	}
	both, err := Find([]string{filepath.Join(dir, "new"), filepath.Join(dir, "old")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, notes := Group(both)
	if len(list) != 3 || len(notes) != 3 {
		t.Fatalf("two folders: %d functions, %v", len(list), notes)
	}
	for _, s := range list {
		if s.Before == nil || !strings.HasPrefix(s.Newest.Digest, "new") || s.Before.Digest != "old"+strings.TrimPrefix(s.Newest.Digest, "new") {
			t.Errorf("%s: %s compared with %+v", s.Name(), s.Newest.Digest, s.Before)
		}
	}
	gone, _ := Since(list[:1], one)
	if len(gone) != 2 {
		t.Errorf("gone: %d", len(gone))
	}
}

// TestSet: a set replaces the folder as a whole, and nothing that is no report.
func TestSet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	claim := func() *Claim {
		t.Helper()
		c, err := ClaimSet(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Release)
		return c
	}
	write := func(names ...string) *Set {
		t.Helper()
		c := claim()
		defer c.Release()
		s, err := OpenSet(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if err := s.Write(s.Name(n), text(n)); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	list := func() string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return strings.Join(out, " ")
	}
	if err := write("a", "A", "../../etc/x", "con", "", strings.Repeat("n", 300)).Place(); err != nil {
		t.Fatal(err)
	}
	names := list()
	if !strings.Contains(names, "a.json") || strings.Count(names, ".json") != 7 || strings.Contains(names, "/") || strings.Contains(names, " con.json") {
		t.Error(names)
	}
	s := write("b")
	if err := s.Write(s.Name("full"), func(io.Writer) error { return errors.New("no space left on device") }); err == nil {
		t.Error("a disk that is full is no error")
	}
	s.Drop()
	if list() != names {
		t.Errorf("what was dropped changed the set: %s", list())
	}
	write("half") // as after a kill: neither placed nor dropped
	if list() != names {
		t.Errorf("what was not placed changed the set: %s", list())
	}
	if err := write("b").Place(); err != nil {
		t.Fatal(err)
	}
	if list() != ".fnaudit-set.json b.json" {
		t.Error(list())
	}
	put(t, filepath.Join(dir, "notes.txt"), "mine")
	c := claim()
	if _, err := OpenSet(c, nil); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("a foreign file would be replaced: %v", err)
	}
	c.Release()
	if err := os.Rename(dir, asideOf(dir)); err != nil {
		t.Fatal(err)
	}
	claim().Release()
	if !strings.Contains(list(), "b.json") {
		t.Errorf("the earlier set was not put back: %s", list())
	}
}

// A report from a clock that is wrong never stands before those to come.
func TestRefuseFuture(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	list := []Stored{{Head: &Head{JudgedAt: now.Add(23 * time.Hour)}}, {Head: &Head{JudgedAt: now.AddDate(8000, 0, 0)}}, {}}
	RefuseFuture(list, now)
	if list[0].Err != nil || list[1].Err == nil || list[2].Err != nil {
		t.Errorf("%v, %v, %v", list[0].Err, list[1].Err, list[2].Err)
	}
}
