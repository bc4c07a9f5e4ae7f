package vulndb

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// twoEcosystems returns the folder of a store with two ecosystems.
func twoEcosystems(tb testing.TB, fixed string, at time.Time) string {
	tb.Helper()
	dir := tb.TempDir()
	build(tb, dir,
		Input{Ecosystem: "npm", Archive: writeZip(tb, filepath.Join(tb.TempDir(), "all.zip"), npmFeed(20, fixed)...), AsOf: at},
		Input{Ecosystem: "PyPI", Archive: writeZip(tb, filepath.Join(tb.TempDir(), "all.zip"), file{"P.json", recordJSON("P", "PyPI", "p", "0", fixed)}), AsOf: at})
	return dir
}

func export(tb testing.TB, dir string, ecosystems ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	if _, err := Export(context.Background(), dir, ecosystems, &b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func importInto(dir string, b []byte, o AdoptOptions) (Snapshot, error) {
	if o.Now.IsZero() {
		o.Now = testNow()
	}
	return ImportFrom(context.Background(), dir, bytes.NewReader(b), "", o)
}

func day(n int) time.Time { return time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC) }

func TestExportImport(t *testing.T) {
	from := twoEcosystems(t, "2.0.0", day(1))
	whole := export(t, from)
	if !bytes.Equal(whole, export(t, from)) {
		t.Error("two exports of one store differ")
	}
	dir := t.TempDir()
	s, err := importInto(dir, whole, AdoptOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := ReadSnapshot(from)
	if s.ID != want.ID || !bytes.Equal(export(t, dir), whole) {
		t.Errorf("imported %s, exported %s", s.ID, want.ID)
	}
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 {
		t.Error(damage, err)
	}
	wantIDs(t, open(t, dir), Package{Ecosystem: "PyPI", Name: "p", Version: "1.0"}, "P")

	// The same once more changes nothing, and fetches nothing.
	before := storeFiles(t, dir)
	if _, err := importInto(dir, whole, AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	if after := storeFiles(t, dir); !slices.Equal(before, after) {
		t.Errorf("%v, then %v", before, after)
	}
}

// TestExportUnpacks shows that tar alone makes a store of an export.
func TestExportUnpacks(t *testing.T) {
	from := twoEcosystems(t, "2.0.0", day(1))
	dir := t.TempDir()
	r := tar.NewReader(bytes.NewReader(export(t, from)))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, h.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 {
		t.Error(damage, err)
	}
}

func TestSubset(t *testing.T) {
	from := twoEcosystems(t, "2.0.0", day(1))
	dir := t.TempDir()
	s, err := importInto(dir, export(t, from, "pypi"), AdoptOptions{})
	if err != nil || !slices.Equal(s.Ecosystems(), []string{"PyPI"}) {
		t.Fatal(s, err)
	}
	if _, err := Export(context.Background(), from, []string{"Go"}, io.Discard); err == nil || !strings.Contains(err.Error(), "npm") {
		t.Error("an ecosystem that is not there:", err)
	}
	// A subset of a whole export; what is there already stays.
	if s, err = importInto(dir, export(t, from), AdoptOptions{Ecosystems: []string{"npm"}}); err != nil || len(s.Sources) != 2 {
		t.Fatal(s, err)
	}
	// Unless it is to be replaced.
	if s, err = importInto(dir, export(t, from), AdoptOptions{Ecosystems: []string{"npm"}, Replace: true}); err != nil || !slices.Equal(s.Ecosystems(), []string{"npm"}) {
		t.Fatal(s, err)
	}
	if files := storeFiles(t, dir); len(files) != 3 {
		t.Errorf("left behind: %v", files)
	}
	if _, err := importInto(dir, export(t, from), AdoptOptions{Ecosystems: []string{"Go"}}); err == nil {
		t.Error("imported an ecosystem that is not in the file")
	}
}

func TestOlderIsRefused(t *testing.T) {
	dir := twoEcosystems(t, "2.0.0", day(2))
	before := storeFiles(t, dir)
	old := export(t, twoEcosystems(t, "1.0.0", day(1)))
	_, err := importInto(dir, old, AdoptOptions{})
	if !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), "npm of 2026-05-01") {
		t.Fatal(err)
	}
	if after := storeFiles(t, dir); !slices.Equal(before, after) {
		t.Errorf("%v, then %v", before, after)
	}
	// Also when the older store is to replace everything.
	if _, err := importInto(dir, old, AdoptOptions{Replace: true}); !errors.Is(err, ErrOlder) {
		t.Error(err)
	}
	if _, err := importInto(dir, old, AdoptOptions{AllowOlder: true}); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, open(t, dir), Package{Ecosystem: "PyPI", Name: "p", Version: "1.5"})

	// The same bytes with an older date are not older, and keep the newer date.
	same := t.TempDir()
	if _, err := importInto(same, export(t, twoEcosystems(t, "2.0.0", day(2))), AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := importInto(same, export(t, twoEcosystems(t, "2.0.0", day(1))), AdoptOptions{})
	if err != nil || !s.OldestAsOf().Equal(day(2)) {
		t.Error(s, err)
	}
	// A store from the future would look fresh for ever.
	if _, err := importInto(t.TempDir(), export(t, twoEcosystems(t, "2.0.0", testNow().AddDate(1, 0, 0))), AdoptOptions{}); err == nil || !strings.Contains(err.Error(), "in the future") {
		t.Error(err)
	}
}

// TestHostileExport changes an export in every way that comes to mind: the
// store that is there stays, and nothing is left behind.
func TestHostileExport(t *testing.T) {
	from := twoEcosystems(t, "3.0.0", day(3))
	good := export(t, from)
	type member struct {
		h *tar.Header
		b []byte
	}
	members := func() (list []member) {
		r := tar.NewReader(bytes.NewReader(good))
		for {
			h, err := r.Next()
			if err == io.EOF {
				return list
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, member{h, b})
		}
	}
	pack := func(list []member) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, m := range list {
			m.h.Size = int64(len(m.b))
			if err := errors.Join(w.WriteHeader(m.h), func() error { _, err := w.Write(m.b); return err }()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if !bytes.Equal(pack(members()), good) {
		t.Fatal("packing again gives another file, so that the cases below prove nothing")
	}
	edit := func(change func([]member) []member) []byte { return pack(change(members())) }
	cases := map[string][]byte{
		"empty":              nil,
		"no tar":             []byte(strings.Repeat("no tar ", 200)),
		"only zeros":         make([]byte, 4096),
		"no snapshot":        edit(func(m []member) []member { return m[1:] }),
		"only the snapshot":  edit(func(m []member) []member { return m[:1] }),
		"a file is missing":  edit(func(m []member) []member { return m[:2] }),
		"another order":      edit(func(m []member) []member { m[1], m[2] = m[2], m[1]; return m }),
		"a file twice":       edit(func(m []member) []member { return append(m, m[2]) }),
		"the snapshot twice": edit(func(m []member) []member { return append(m, m[0]) }),
		"a foreign file": edit(func(m []member) []member {
			return append(m, member{&tar.Header{Name: "eco/x", Mode: 0o644}, []byte("x")})
		}),
		"traversal":       edit(func(m []member) []member { m[1].h.Name = "eco/../../x.fdb"; return m }),
		"absolute":        edit(func(m []member) []member { m[1].h.Name = "/" + m[1].h.Name; return m }),
		"dot slash":       edit(func(m []member) []member { m[0].h.Name = "./" + m[0].h.Name; return m }),
		"swapped content": edit(func(m []member) []member { m[1].b, m[2].b = m[2].b, m[1].b; return m }),
		"one byte":        edit(func(m []member) []member { m[1].b[len(m[1].b)/2] ^= 1; return m }),
		"one byte less":   edit(func(m []member) []member { m[2].b = m[2].b[:len(m[2].b)-1]; return m }),
		"one byte more":   edit(func(m []member) []member { m[2].b = append(m[2].b, 0); return m }),
		"a symbolic link": edit(func(m []member) []member {
			m[1].h.Typeflag, m[1].h.Linkname, m[1].b = tar.TypeSymlink, "/etc/passwd", nil
			return m
		}),
		"an attribute": edit(func(m []member) []member {
			m[1].h.Format, m[1].h.PAXRecords = tar.FormatPAX, map[string]string{"SCHILY.xattr.user.x": "y"}
			return m
		}),
		"a snapshot respaced": edit(func(m []member) []member { m[0].b = append(m[0].b, ' '); return m }),
		"a snapshot's file named otherwise": edit(func(m []member) []member {
			m[0].b = bytes.Replace(m[0].b, []byte(`"file": "npm-`), []byte(`"file": "../npm-`), 1)
			return m
		}),
		"a snapshot that claims more records": edit(func(m []member) []member {
			m[0].b = bytes.Replace(m[0].b, []byte(`"records": 20`), []byte(`"records": 21`), 1)
			return m
		}),
		"trailing bytes": append(slices.Clone(good), "x"...),
		"trailing zeros": append(slices.Clone(good), make([]byte, 512)...),
		"two exports":    append(slices.Clone(good), good...),
	}
	for n := 0; n < len(good); n += 311 {
		cases["cut at "+itoa(n)] = good[:n]
	}
	dir := twoEcosystems(t, "2.0.0", day(1))
	before := storeFiles(t, dir)
	snap, _ := ReadSnapshot(dir)
	for name, b := range cases {
		for _, o := range []AdoptOptions{{}, {Replace: true, AllowOlder: true, Trusted: true}, {Ecosystems: []string{"npm"}}} {
			if s, err := importInto(dir, b, o); err == nil {
				t.Errorf("%s: imported %v", name, s.Ecosystems())
			}
		}
	}
	now, err := ReadSnapshot(dir)
	if err != nil || now.ID != snap.ID || !slices.Equal(before, storeFiles(t, dir)) {
		t.Errorf("the store changed: %v, %v", storeFiles(t, dir), err)
	}
	if _, err := importInto(dir, good, AdoptOptions{}); err != nil {
		t.Error("the export that all of these were made from:", err)
	}
}

// TestImportDigest demands the digest that a signature is over.
func TestImportDigest(t *testing.T) {
	good := export(t, twoEcosystems(t, "2.0.0", day(1)))
	dir := t.TempDir()
	if _, err := ImportFrom(context.Background(), dir, bytes.NewReader(good), "sha256:"+strings.Repeat("0", 64), AdoptOptions{Now: testNow()}); err == nil {
		t.Error("imported a file with another digest")
	}
	if _, err := ReadSnapshot(dir); !errors.Is(err, ErrNoStore) {
		t.Error("and now there is a store:", err)
	}
}

// TestCraftedFile imports a file that has every digest right and lies inside:
// a name that its index does not find. Only reading it all shows that, and so
// only what nobody vouches for is read.
func TestCraftedFile(t *testing.T) {
	from := twoEcosystems(t, "2.0.0", day(1))
	s, _ := ReadSnapshot(from)
	src, _ := s.Source("npm")
	b, err := os.ReadFile(src.Path(from))
	if err != nil {
		t.Fatal(err)
	}
	h, err := decodeHeader(b[:headerSize], int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	b[h.sections[secPkgs].off] ^= 1
	digest := sha256.Sum256(b)
	sum := "sha256:" + hex.EncodeToString(digest[:])
	crafted := src
	crafted.Digest, crafted.File = sum, fileName("npm", sum)
	offered := newSnapshot([]Source{crafted}, false)
	fetch := func(_ context.Context, _ File, f *os.File) error { _, err := f.Write(b); return err }
	dir := t.TempDir()
	if _, err := Adopt(context.Background(), dir, offered, AdoptOptions{Now: testNow()}, fetch); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if files := storeFiles(t, dir); !slices.Equal(files, []string{lockName}) {
		t.Errorf("left behind: %v", files)
	}
	if _, err := Adopt(context.Background(), dir, offered, AdoptOptions{Now: testNow(), Trusted: true}, fetch); err != nil {
		t.Error(err)
	}
}

// TestMergedIsShared passes on a store that was merged from two sources: as one
// that says nothing of the places it was made from. Whoever takes it over may
// lay sources of their own over it, and a newer one leaves those where they are.
func TestMergedIsShared(t *testing.T) {
	zip := func(files ...file) string { return writeZip(t, filepath.Join(t.TempDir(), "all.zip"), files...) }
	private := func(id string) Input {
		return Input{Ecosystem: "npm", Origin: "acme", Archive: zip(file{id + ".json", recordJSON(id, "npm", "inside", "0", "5.0.0")}), AsOf: day(1)}
	}
	from := twoEcosystems(t, "2.0.0", day(1))
	build(t, from, private("ACME-1"))
	merged, _ := ReadSnapshot(from)
	whole := export(t, from)
	head, err := io.ReadAll(func() io.Reader { r := tar.NewReader(bytes.NewReader(whole)); _, _ = r.Next(); return r }())
	if err != nil || !bytes.Contains(head, []byte("npm")) || bytes.Contains(head, []byte("acme")) || bytes.Contains(head, []byte("parts")) {
		t.Errorf("the export says where it was merged from: %s %v", head, err)
	}
	dir := t.TempDir()
	s, err := importInto(dir, whole, AdoptOptions{})
	if err != nil || s.ID != merged.ID || !bytes.Equal(export(t, dir), whole) {
		t.Fatal(s.ID, merged.ID, err)
	}
	wantIDs(t, open(t, dir), Package{Ecosystem: "npm", Name: "inside", Version: "1.0.0"}, "ACME-1")

	// Sources of one's own lie over what was taken over.
	mine := private("MINE-1")
	mine.Origin = "mine"
	build(t, dir, mine)
	newer := twoEcosystems(t, "3.0.0", day(2))
	if _, err := importInto(dir, export(t, newer), AdoptOptions{}); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir)
	wantIDs(t, db, Package{Ecosystem: "npm", Name: "inside", Version: "1.0.0"}, "MINE-1")
	wantIDs(t, db, Package{Ecosystem: "npm", Name: "package-0", Version: "2.5.0"}, "GHSA-0000", "GHSA-0001")
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 {
		t.Error(damage, err)
	}
	before := storeFiles(t, dir)
	if _, err := importInto(dir, export(t, newer), AdoptOptions{}); err != nil || !slices.Equal(before, storeFiles(t, dir)) {
		t.Errorf("the same once more: %v, then %v, %v", before, storeFiles(t, dir), err)
	}
	// Or nothing stays of them, nor is their place read again.
	replaced := t.TempDir()
	if err := os.CopyFS(replaced, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s, err = importInto(replaced, export(t, newer, "npm"), AdoptOptions{Replace: true})
	if err != nil || !slices.Equal(s.Ecosystems(), []string{"npm"}) || len(s.Sources[0].Parts) > 0 || len(s.Origins) > 1 || len(storeFiles(t, replaced)) > 3 {
		t.Errorf("%+v, %v", s, err)
	}
	wantIDs(t, open(t, replaced), Package{Ecosystem: "npm", Name: "inside", Version: "1.0.0"})
	// What is older than what lies beneath is refused as ever.
	if _, err := importInto(dir, export(t, twoEcosystems(t, "1.0.0", day(1))), AdoptOptions{}); !errors.Is(err, ErrOlder) {
		t.Error(err)
	}
}

// TestAdoptResumes kills an adoption after its first file: the next one
// fetches only the second.
func TestAdoptResumes(t *testing.T) {
	from := twoEcosystems(t, "2.0.0", day(1))
	s, _ := ReadSnapshot(from)
	dir := t.TempDir()
	var asked []string
	fetch := func(_ context.Context, src File, f *os.File) error {
		asked = append(asked, src.Of)
		b, err := os.ReadFile(src.Path(from))
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return err
	}
	func() {
		defer func() { _ = recover() }() // no deferred clean-up of Adopt's may matter: what it leaves is what a kill leaves
		_, _ = Adopt(context.Background(), dir, s, AdoptOptions{Now: testNow()}, func(ctx context.Context, src File, f *os.File) error {
			if len(asked) == 1 {
				panic("killed")
			}
			return fetch(ctx, src, f)
		})
	}()
	if _, err := Adopt(context.Background(), dir, s, AdoptOptions{Now: testNow()}, fetch); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked, []string{"PyPI", "npm"}) {
		t.Errorf("fetched %v", asked)
	}
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 {
		t.Error(damage, err)
	}
}

// TestAdoptGoesOn kills an adoption in the middle of a file: the next one goes
// on with the beginning, and whatever is not of use is gone.
func TestAdoptGoesOn(t *testing.T) {
	from := twoEcosystems(t, "2.0.0", day(1))
	s, _ := ReadSnapshot(from)
	part := func(dir, ecosystem string) string {
		src, _ := s.Source(ecosystem)
		return src.Path(dir) + partSuffix
	}
	killed := func(dir string, resume bool) {
		defer func() { _ = recover() }()
		_, _ = Adopt(context.Background(), dir, s, AdoptOptions{Now: testNow(), Resume: resume}, func(_ context.Context, src File, f *os.File) error {
			b, err := os.ReadFile(src.Path(from))
			if err != nil {
				t.Error(err)
			}
			if src.Of == "PyPI" {
				f.Write(b)
				return nil
			}
			f.Write(b[:100])
			panic("killed")
		})
	}
	goOn := func(_ context.Context, src File, f *os.File) error {
		b, err := os.ReadFile(src.Path(from))
		if err != nil {
			return err
		}
		n, err := f.Seek(0, io.SeekEnd)
		if err != nil || n != 100 || src.Of != "npm" {
			t.Errorf("%s has %d bytes, %v", src.Of, n, err)
		}
		_, err = f.Write(b[n:])
		return err
	}
	dir := t.TempDir()
	killed(dir, true)
	if b, err := os.ReadFile(part(dir, "npm")); err != nil || len(b) != 100 {
		t.Fatal(len(b), err)
	}
	other := filepath.Join(dir, ecoDir, "npm-other"+fdbSuffix+partSuffix)
	if err := os.WriteFile(other, []byte("of a store that is no longer offered"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Adopt(context.Background(), dir, s, AdoptOptions{Now: testNow(), Resume: true}, goOn); err != nil {
		t.Fatal(err)
	}
	if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 || len(storeFiles(t, dir)) != 4 {
		t.Error(damage, err, storeFiles(t, dir))
	}

	// A beginning of something else is found by its digest, and removed.
	dir = t.TempDir()
	killed(dir, true)
	if err := os.WriteFile(part(dir, "npm"), bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Adopt(context.Background(), dir, s, AdoptOptions{Now: testNow(), Resume: true}, goOn); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if _, err := os.Stat(part(dir, "npm")); !errors.Is(err, os.ErrNotExist) {
		t.Error("it is still there", err)
	}
	// An update of another kind has no use for one, nor has an adoption that cannot go on.
	killed(dir, true)
	build(t, dir, Input{Ecosystem: "Go", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), file{"A.json", recordJSON("A", "Go", "p", "0", "1.0.0")})})
	if _, err := os.Stat(part(dir, "npm")); !errors.Is(err, os.ErrNotExist) {
		t.Error("it is still there", err)
	}
	killed(dir, false)
	if _, err := os.Stat(part(dir, "npm")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a part without a name for the next one", err)
	}
}

func FuzzImport(f *testing.F) {
	from := twoEcosystems(f, "2.0.0", day(1))
	good := export(f, from)
	f.Add(good)
	f.Add(good[:700])
	f.Add(good[512:])
	f.Fuzz(func(t *testing.T, b []byte) {
		// The reader alone first: a store on disk for each input would leave time for nothing else.
		in := &importer{raw: bytes.NewReader(b)}
		in.tar = tar.NewReader(in.raw)
		s, err := in.snapshot()
		if err == nil {
			in.rest = s.Files()
			err = in.end(context.Background())
		}
		if err != nil {
			return
		}
		dir := t.TempDir()
		if s, err = importInto(dir, b, AdoptOptions{}); err != nil {
			if _, none := ReadSnapshot(dir); !errors.Is(none, ErrNoStore) {
				t.Fatalf("an import failed (%v) and there is a store (%v)", err, none)
			}
			return
		}
		if damage, err := Check(context.Background(), dir); err != nil || len(damage) > 0 {
			t.Fatalf("imported %s, which is damaged: %v %v", s.ID, damage, err)
		}
	})
}
