package vulndb

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestHostileRecords has records that no honest export has. Each is in the
// store or is counted and named; none takes another with it.
func TestHostileRecords(t *testing.T) {
	record := func(id, more string) string {
		return fmt.Sprintf(`{"id":%s,"modified":"2026-01-02T03:04:05Z",%s"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`, id, more)
	}
	list := func(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	unread := map[string]string{
		"a million affected entries":    `{"id":"U1","affected":[` + list("{}", 1_000_000) + `]}`,
		"more entries than the limit":   `{"id":"U2","affected":[` + list(`{"package":{"ecosystem":"npm","name":"p"}}`, maxAffected+1) + `]}`,
		"millions of versions":          `{"id":"U3","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":[` + list(`"1"`, 2_000_000) + `]}]}`,
		"millions of items not read":    `{"id":"U4","x":[` + list(`1`, 2_000_000) + `]}`,
		"deep":                          `{"id":"U5","x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
		"deep objects":                  `{"id":"U6","x":` + strings.Repeat(`{"x":`, 100_000) + `1` + strings.Repeat("}", 100_000) + `}`,
		"never closed":                  `{"id":"U7","x":` + strings.Repeat("[", 100_000),
		"larger than a record may be":   record(`"U8"`, `"details":"`+strings.Repeat("x", MaxRecord)+`",`),
		"an id that is not UTF-8":       record("\"U9\xff\"", ""),
		"an id with a control letter":   record(`"U10\u0000"`, ""),
		"an id of a megabyte":           record(`"`+strings.Repeat("x", 1<<20)+`"`, ""),
		"a name of a megabyte":          recordJSON("U11", "npm", strings.Repeat("x", 1<<20), "0", "1"),
		"a range of an unknown kind":    `{"id":"U12","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[` + list(`{"type":"X"}`, 100_000) + `]}]}`,
		"a number for an id":            record("1", ""),
		"two records in one":            record(`"U13"`, "") + record(`"U14"`, ""),
		"an array":                      `[` + record(`"U15"`, "") + `]`,
		"nothing":                       ``,
		"a string that does not end":    `{"id":"U16`,
		"an escape that does not exist": record(`"U17\x"`, ""),
	}
	read := map[string]string{
		"../../../etc/passwd":      record(`"../../../etc/passwd"`, ""), // an id is never part of a path
		`..\..\windows`:            record(`"..\\..\\windows"`, ""),
		"many-aliases":             record(`"many-aliases"`, `"aliases":[`+list(`"CVE-1"`, 500_000)+`],`),
		"long-summary":             record(`"long-summary"`, `"summary":"`+strings.Repeat("x", 4<<20)+`",`),
		"many-references":          record(`"many-references"`, `"references":[`+list(`{"type":"WEB","url":"u"}`, 100_000)+`],`),
		"broken-utf8-in-a-summary": record(`"broken-utf8-in-a-summary"`, "\"summary\":\"\xff\xfe\","),
		"twice":                    record(`"twice"`, `"summary":"first",`),
	}
	var files []file
	var names []string
	for name, content := range unread {
		files = append(files, file{name + ".json", content})
		names = append(names, name+".json")
	}
	for id, content := range read {
		files = append(files, file{strings.NewReplacer("/", "_", `\`, "_").Replace(id) + ".json", content})
	}
	files = append(files, file{"../../outside.json", record(`"outside"`, "")}, file{"again.json", strings.Replace(record(`"twice"`, `"summary":"second",`), "2026-01", "2026-02", 1)})
	for i := range 200 {
		files = append(files, file{itoa(i) + ".json", record(`"OK-`+itoa(i)+`"`, "")})
	}
	dir := filepath.Join(t.TempDir(), "store")
	s, err := Build(context.Background(), dir, []Input{{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)}}, Options{Now: testNow()})
	if !errors.Is(err, ErrUnread) {
		t.Fatal(err)
	}
	src := s.Sources[0]
	if src.Unread != len(unread) || src.Records != 200+len(read)+1 {
		t.Errorf("%d unread of %d, %d records", src.Unread, len(unread), src.Records)
	}
	for _, n := range names {
		if !slices.Contains(src.UnreadIDs, n) {
			t.Errorf("not counted: %s", n)
		}
	}
	db := open(t, dir)
	if n := len(matchIDs(t, db, Package{Ecosystem: "npm", Name: "p", Version: "1.0.0"})); n != src.Records {
		t.Errorf("%d matches, want %d", n, src.Records)
	}
	for id := range read {
		found, err := db.Lookup(context.Background(), id)
		if err != nil || len(found) != 1 || len(found[0].Summary) > maxSummary+3 || len(found[0].References) > MaxReferences {
			t.Errorf("%s: %v, %v", id, found, err)
		}
		if id == "twice" && found[0].Summary != "second" {
			t.Error("of two records with one id, the older one stays")
		}
	}
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Error(damages, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Error("something left the store's folder", entries, err)
	}
}

// TestZipBomb has an export of 1 MB that inflates to 1 GB.
func TestZipBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	content := bytes.Repeat([]byte{' '}, MaxRecord)
	for i := range 64 {
		w, err := z.Create(itoa(i) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Build(context.Background(), t.TempDir(), []Input{{Ecosystem: "npm", Archive: path}}, Options{Now: testNow()})
	if !errors.Is(err, errInflated) {
		t.Error(err)
	}
	// A member that inflates to more than it says is not read on.
	b := readFile(t, path)
	b = bytes.ReplaceAll(b, []byte{0, 0, 0, 1}, []byte{16, 0, 0, 0}) // the sizes, in the directory and behind the content
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Build(context.Background(), t.TempDir(), []Input{{Ecosystem: "npm", Archive: path}}, Options{Now: testNow()})
	if !errors.Is(err, errMember) {
		t.Error(err)
	}
}

// TestDetermined builds one feed in several ways: the same bytes come out.
func TestDetermined(t *testing.T) {
	files := npmFeed(3000, "2.0.0")
	for i := range 100 { // doubles, which differ in content
		d := files[i]
		d.name, d.content = "again-"+d.name, strings.Replace(d.content, "flaw of", "FLAW of", 1)
		files = append(files, d)
	}
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	want := ""
	for i, jobs := range []int{1, 2, 7, 32} {
		runtime.GOMAXPROCS(1 + i)
		slices.Reverse(files)
		in := Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...)}
		s, err := Build(context.Background(), t.TempDir(), []Input{in}, Options{Now: testNow(), Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = s.ID
		}
		if s.ID != want {
			t.Errorf("%d jobs: another file", jobs)
		}
	}
}
