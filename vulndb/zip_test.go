package vulndb

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
)

// readZip reads all members as a build does. members is nil on an error.
func readZip(b []byte) (members []file, err error) {
	z, err := newZipReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	a := &archive{zip: z, size: int64(len(b))}
	in := inflater{arch: a}
	files := make([]archived, 3)
	for {
		n, err := a.next(files)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return members, nil
		}
		for i := range files[:n] {
			content, err := in.read(&files[i])
			if err != nil {
				return nil, err
			}
			members = append(members, file{files[i].name, string(content)})
		}
	}
}

// FuzzZip compares with archive/zip: whatever is read here means the same
// there. The other way round it may not: this reader is stricter.
func FuzzZip(f *testing.F) {
	path := writeZip(f, filepath.Join(f.TempDir(), "all.zip"), file{"a.json", "{}"}, file{"b/", ""}, file{"c.json", string(bytes.Repeat([]byte("text"), 100))})
	f.Add(readFile(f, path))
	f.Add(readFile(f, writeZip(f, path)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readZip(b)
		if err != nil {
			return
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			t.Skip("stricter for once:", err)
		}
		i := 0
		for _, m := range z.File {
			if len(m.Name) > 0 && m.Name[len(m.Name)-1] == '/' {
				continue
			}
			r, err := m.Open()
			if err != nil {
				t.Skip(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Skip(err)
			}
			if i >= len(got) || got[i] != (file{m.Name, string(content)}) {
				t.Fatalf("member %d: %q", i, m.Name)
			}
			i++
		}
		if i != len(got) {
			t.Fatalf("%d members, archive/zip has %d", len(got), i)
		}
	})
}

// TestZip64 reads a zip of more members than 16 bits count, which has the
// directory's size in a second record.
func TestZip64(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	const n = 66_000
	for i := range n {
		m, err := w.CreateHeader(&zip.FileHeader{Name: itoa(i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(m, i)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readZip(b.Bytes())
	if err != nil || len(got) != n || got[n-1] != (file{itoa(n - 1), fmt.Sprint(n - 1)}) {
		t.Error(len(got), err)
	}
}

// TestZipDamage changes and cuts a zip: what comes out is an error or the
// same names and contents. Names are in both of a zip's headers, so that one
// that was changed is noticed, too.
func TestZipDamage(t *testing.T) {
	path := writeZip(t, filepath.Join(t.TempDir(), "all.zip"), npmFeed(3, "1.0.0")...)
	whole := readFile(t, path)
	want, err := readZip(whole)
	if err != nil || len(want) != 3 {
		t.Fatal(want, err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		got, err := readZip(b)
		if err != nil {
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("byte %d: %v", i, got)
		}
	}
	for n := range whole {
		if got, err := readZip(whole[:n]); err == nil {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), got)
		}
	}
}
