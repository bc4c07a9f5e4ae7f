package rpmdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(db Database, lim Limits) (string, error) {
	packages, err := Read(context.Background(), db, lim)
	var out []string
	for _, p := range packages {
		epoch := "-"
		if p.HasEpoch {
			epoch = fmt.Sprint(p.Epoch)
		}
		out = append(out, fmt.Sprintf("%s %s:%s-%s %s %s %d", p.Name, epoch, p.Version, p.Release, p.Arch, p.SourceRPM, len(p.Files)))
	}
	return strings.Join(out, "\n"), err
}

// The three packages of testdata/recipe.sh, as rpm -qa says it, with the
// number of files and folders, which leaves out the reserved one.
const (
	alpha = "alpha -:1.2.3-4.el9 x86_64 alpha-1.2.3-4.el9.src.rpm 42"
	beta  = "beta 2:0.9-1.el9 x86_64 beta-0.9-1.el9.src.rpm 42"
	gamma = "gamma 0:7-0.1.rc2.el9 x86_64 gamma-7-0.1.rc2.el9.src.rpm 42"
)

func TestSQLite(t *testing.T) {
	got, err := read(Database{Main: section(fixture(t, "rpmdb.sqlite"))}, Limits{})
	if want := strings.Join([]string{alpha, beta, gamma}, "\n"); got != want || err != nil {
		t.Errorf("got\n%s\n%v\nwant\n%s", got, err, want)
	}
	packages, err := Read(context.Background(), Database{Main: section(fixture(t, "rpmdb.sqlite"))}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := packages[0]
	if p.License != "MIT" || p.Vendor != "Example" {
		t.Errorf("license %q, vendor %q", p.License, p.Vendor)
	}
	f := p.Files[0]
	if f.Path != "/usr/bin/alpha" || len(f.Digest) != 64 {
		t.Errorf("first file %+v", f)
	}
}

// TestWAL: the last transaction is only in the log. Without it the database
// would name a package that was removed.
func TestWAL(t *testing.T) {
	main, log := fixture(t, "wal.sqlite"), fixture(t, "wal.sqlite-wal")
	if got, err := read(Database{Main: section(main)}, Limits{}); got != strings.Join([]string{alpha, beta, gamma}, "\n") || err != nil {
		t.Errorf("without its log: got\n%s\n%v", got, err)
	}
	want := strings.Join([]string{alpha, gamma, gamma}, "\n")
	if got, err := read(Database{Main: section(main), WAL: section(log)}, Limits{}); got != want || err != nil {
		t.Errorf("got\n%s\n%v\nwant\n%s", got, err, want)
	}
	torn := bytes.Clone(log)
	torn[len(torn)-1] ^= 1 // the last frame is the commit of the last transaction
	if got, err := read(Database{Main: section(main), WAL: section(torn)}, Limits{}); got == want || err != nil {
		t.Errorf("a torn commit was taken: got\n%s\n%v", got, err)
	}
}

// headers returns the headers of the SQLite fixture, to build the other formats with.
func headers(t testing.TB) [][]byte {
	t.Helper()
	s := &sqlite{main: section(fixture(t, "rpmdb.sqlite"))}
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	var root int64
	if err := s.rows(1, 0, func(c cell) error {
		b, err := s.payload(c)
		if at, ok := tableRoot(b, "Packages"); ok {
			root = at
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	if err := s.rows(root, 0, func(c cell) error {
		b, err := s.payload(c)
		if err != nil {
			return err
		}
		row, err := record(b)
		if err != nil {
			return err
		}
		out = append(out, row[1].data)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// ndbFile writes an ndb database with one free slot between the packages.
func ndbFile(blobs [][]byte) []byte {
	le := binary.LittleEndian
	out := make([]byte, ndbPage)
	copy(out, ndbMagic)
	le.PutUint32(out[12:], 1)
	for i := 2; i < ndbPage/ndbSlot; i++ {
		copy(out[i*ndbSlot:], ndbSlotMagic)
	}
	for i, b := range blobs {
		slot := out[(2+2*i)*ndbSlot:]
		le.PutUint32(slot[4:], uint32(i+1))
		le.PutUint32(slot[8:], uint32(len(out)/ndbBlock))
		head := make([]byte, ndbBlobHead)
		copy(head, ndbBlobMagic)
		le.PutUint32(head[4:], uint32(i+1))
		le.PutUint32(head[12:], uint32(len(b)))
		blob := append(head, b...)
		blob = append(blob, make([]byte, 12)...) // sum, length and end mark, which are not read
		blob = append(blob, make([]byte, (ndbBlock-len(blob)%ndbBlock)%ndbBlock)...)
		le.PutUint32(out[(2+2*i)*ndbSlot+12:], uint32(len(blob)/ndbBlock))
		out = append(out, blob...)
	}
	return out
}

// bdbFile writes a Berkeley DB hash with one bucket: the last package's number
// under key 0, the first package inline, the others in overflow pages.
func bdbFile(order binary.ByteOrder, size int, blobs [][]byte) []byte {
	meta := make([]byte, size)
	order.PutUint32(meta[12:], bdbHashMagic)
	order.PutUint32(meta[16:], 9)
	order.PutUint32(meta[20:], uint32(size))
	meta[25] = bdbHashMeta
	bucket := make([]byte, size)
	bucket[25] = bdbHash
	end, n := size, 0
	item := func(b []byte) {
		end -= len(b)
		copy(bucket[end:], b)
		order.PutUint16(bucket[bdbPageHead+2*n:], uint16(end))
		n++
		order.PutUint16(bucket[20:], uint16(n))
	}
	key := func(i int) {
		b := []byte{bdbInline, 0, 0, 0, 0}
		order.PutUint32(b[1:], uint32(i))
		item(b)
	}
	key(0)
	item([]byte{bdbInline, 3, 0, 0, 0})
	var chains [][]byte
	for i, b := range blobs {
		key(i + 1)
		if i == 0 && len(b) < size/2 {
			item(append([]byte{bdbInline}, b...))
			continue
		}
		off := make([]byte, 12)
		off[0] = bdbOffPage
		order.PutUint32(off[4:], uint32(2+len(chains)))
		order.PutUint32(off[8:], uint32(len(b)))
		item(off)
		for rest := b; len(rest) > 0; {
			page := make([]byte, size)
			m := copy(page[bdbPageHead:], rest)
			rest = rest[m:]
			page[25] = bdbOverflow
			order.PutUint16(page[22:], uint16(m))
			if len(rest) > 0 {
				order.PutUint32(page[16:], uint32(3+len(chains)))
			}
			chains = append(chains, page)
		}
	}
	order.PutUint32(meta[32:], uint32(1+len(chains)))
	return append(append(meta, bucket...), bytes.Join(chains, nil)...)
}

func TestOtherFormats(t *testing.T) {
	blobs := headers(t)
	want := strings.Join([]string{alpha, beta, gamma}, "\n")
	for name, file := range map[string][]byte{
		"ndb":                    ndbFile(blobs),
		"hash, inline":           bdbFile(binary.LittleEndian, 16<<10, blobs),
		"hash, overflow":         bdbFile(binary.LittleEndian, 4096, blobs),
		"hash, small pages":      bdbFile(binary.LittleEndian, 512, blobs),
		"hash, other byte order": bdbFile(binary.BigEndian, 4096, blobs),
	} {
		if got, err := read(Database{Main: section(file)}, Limits{}); got != want || err != nil {
			t.Errorf("%s: got\n%s\n%v", name, got, err)
		}
	}
}

// TestDamaged: nothing that is cut, turned or lies may pass for a whole database.
func TestDamaged(t *testing.T) {
	blobs := headers(t)
	patch := func(b []byte, at int, with ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[at:], with)
		return b
	}
	sq, nd, bd := fixture(t, "rpmdb.sqlite"), ndbFile(blobs), bdbFile(binary.LittleEndian, 4096, blobs)
	own := bdbFile(binary.LittleEndian, 4096, blobs)
	own[2*4096+16] = 2 // a chain whose first page follows itself
	shared := ndbFile(blobs[:1])
	for i := 3; i < ndbPage/ndbSlot; i++ { // as many packages from the same bytes
		copy(shared[i*ndbSlot:], shared[2*ndbSlot:][:ndbSlot])
	}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"ndb slots that share":    {shared, ErrFormat},
		"text":                    {[]byte("this is no database at all, is it?"), ErrFormat},
		"zeros":                   {make([]byte, 4096), ErrFormat},
		"short":                   {[]byte("RpmP"), ErrFormat},
		"sqlite cut":              {sq[:len(sq)-4096], ErrFormat},
		"sqlite header only":      {sq[:100], ErrFormat},
		"sqlite page size":        {patch(sq, 16, 0, 3), ErrFormat},
		"sqlite other table":      {bytes.Replace(sq, []byte("Packages"), []byte("Packagez"), 2), ErrFormat},
		"sqlite pages in a ring":  {patch(sq, 100, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), ErrFormat},
		"ndb cut":                 {nd[:len(nd)-2048], ErrFormat},
		"ndb pages":               {patch(nd, 12, 0xff, 0xff, 0xff), ErrLimit},
		"ndb slot mark":           {patch(nd, 48, 'x'), ErrFormat},
		"ndb size":                {patch(nd, ndbPage+12, 0xff, 0xff, 0xff, 0xff), ErrLimit},
		"hash cut":                {bd[:len(bd)-1], ErrFormat},
		"hash in itself":          {own, ErrFormat},
		"hash page size":          {patch(bd, 20, 7, 0, 0), ErrFormat},
		"hash encrypted":          {patch(bd, 24, 1), ErrFormat},
		"hash items":              {patch(bd, 4096+20, 0xfe, 0xff), ErrFormat},
		"hash item out of bounds": {patch(bd, 4096+26, 0xff, 0xff), ErrFormat},
		"hash of another kind":    {patch(bd, 25, 9), ErrFormat},
		"header longer than it":   {ndbFile([][]byte{patch(blobs[0], 0, 0, 0xff)}), ErrFormat},
		"header without a name":   {ndbFile([][]byte{bytes.Replace(blobs[0], []byte{0, 0, 3, 0xe8}, []byte{0, 0, 3, 0xe7}, -1)}), ErrFormat},
	} {
		got, err := read(Database{Main: section(c.file)}, Limits{})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v; packages\n%s", name, err, c.want, got)
		}
	}
}

func TestLimits(t *testing.T) {
	file := section(fixture(t, "rpmdb.sqlite"))
	for name, lim := range map[string]Limits{
		"packages": {MaxPackages: 2}, "header": {MaxHeader: 100}, "bytes": {MaxBytes: 5000}, "files": {MaxFiles: 50}, "text": {MaxText: 10_000},
	} {
		if got, err := read(Database{Main: file}, lim); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if got, err := read(Database{Main: section(nil)}, Limits{}); got != "" || err != nil {
		t.Errorf("an empty file: %q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Read(ctx, Database{Main: file}, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// FuzzRead: whatever the bytes are, reading ends, stays in bounds and, by the
// limits, in memory.
func FuzzRead(f *testing.F) {
	blobs := headers(f)
	f.Add(fixture(f, "rpmdb.sqlite"), []byte(nil))
	f.Add(fixture(f, "wal.sqlite"), fixture(f, "wal.sqlite-wal"))
	f.Add(ndbFile(blobs), []byte(nil))
	f.Add(bdbFile(binary.LittleEndian, 1024, blobs), []byte(nil))
	f.Add(bdbFile(binary.BigEndian, 512, blobs[:1]), []byte(nil))
	f.Fuzz(func(t *testing.T, main, log []byte) {
		db := Database{Main: section(main)}
		if len(log) > 0 {
			db.WAL = section(log)
		}
		lim := Limits{MaxPackages: 100, MaxHeader: 1 << 20, MaxBytes: 4 << 20, MaxFiles: 10_000, MaxText: 1 << 20}
		packages, err := Read(context.Background(), db, lim)
		if len(packages) > lim.MaxPackages {
			t.Errorf("%d packages", len(packages))
		}
		text := int64(0)
		for _, p := range packages {
			for _, f := range p.Files {
				text += int64(len(f.Path) + len(f.Digest))
			}
			if p.Name == "" || p.Version == "" {
				t.Errorf("a package without a name or version: %+v (%v)", p, err)
			}
		}
		if text > lim.MaxText {
			t.Errorf("%d bytes of text", text)
		}
	})
}
