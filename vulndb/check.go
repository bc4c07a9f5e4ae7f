package vulndb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Damage is one thing that is wrong with a store.
type Damage struct {
	Ecosystem string // "" for the store as a whole
	File      string // inside the store's folder
	Reason    string
}

func (d Damage) String() string {
	if d.File == "" {
		return d.Reason
	}
	return d.File + ": " + d.Reason
}

// maxDamages bounds what Check reports of one file; more of the same helps nobody.
const maxDamages = 20

// Check reads a whole store: every digest, checksum and record, and that each
// record is found under each of its names and ids. It returns what is wrong,
// those of the advisories first; nothing is wrong when that is empty and the error is nil.
// The error is for what kept it from checking, such as no store (ErrNoStore).
func Check(ctx context.Context, dir string) ([]Damage, error) {
	s, err := ReadSnapshot(dir)
	if errors.Is(err, ErrDamaged) {
		return []Damage{{File: snapshotName, Reason: err.Error()}}, nil
	}
	if err != nil {
		return nil, advise(err)
	}
	var all []Damage
	for i := range s.Sources {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		src := &s.Sources[i]
		c := checker{src: src}
		if err := c.run(ctx, dir); err != nil {
			return all, err
		}
		all = append(all, c.found...)
	}
	for i := range s.Feeds {
		found, err := checkFeed(ctx, dir, &s.Feeds[i])
		if err != nil {
			return all, err
		}
		all = append(all, found...)
	}
	return all, nil
}

type checker struct {
	src   *Source
	found []Damage
}

func (c *checker) add(format string, args ...any) {
	if len(c.found) < maxDamages {
		c.found = append(c.found, Damage{c.src.Ecosystem, filepath.ToSlash(filepath.Join(ecoDir, c.src.File)), fmt.Sprintf(format, args...)})
	}
}

func (c *checker) run(ctx context.Context, dir string) error {
	path := filepath.Join(dir, ecoDir, c.src.File)
	sum, err := digestFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		c.add("the file is missing")
		return nil
	case err != nil:
		return fmt.Errorf("check store: %w", err)
	case sum != c.src.Digest:
		c.add("its digest is %s", sum)
	}
	// Also when the digest is right: then the writer would be at fault.
	b, err := openBlob(path)
	if err != nil {
		c.add("%v", err)
		return nil
	}
	defer b.close()
	if err := c.content(ctx, b); err != nil {
		if ctx.Err() != nil {
			return err
		}
		c.add("%v", err)
	}
	return nil
}

// content checks one file from inside.
func (c *checker) content(ctx context.Context, b blob) (err error) {
	defer faults(&err)()
	f, err := openFdb(b)
	if err != nil {
		return err
	}
	if f.h.ecosystem != c.src.Ecosystem || int(f.h.records) != c.src.Records || int(f.h.packages) != c.src.Packages {
		c.add("it holds %d records of %s in %d packages, the snapshot says %d of %s in %d",
			f.h.records, f.h.ecosystem, f.h.packages, c.src.Records, c.src.Ecosystem, c.src.Packages)
	}
	records, packages, last := 0, 0, ""
	names, releases := map[string]int{}, map[string]int{}
	for n := range f.h.blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		recs, err := f.block(n)
		if err != nil {
			c.add("%v", err)
			continue
		}
		for slot, r := range recs {
			a, err := decodeAdvisory(r)
			if err != nil {
				c.add("record %d of block %d: %v", slot, n, err)
				continue
			}
			records++
			var p prepared
			p.index(f.h.ecosystem, a)
			for _, r := range p.releases {
				releases[r]++
			}
			first := ""
			if len(p.names) > 0 {
				first = p.names[0]
			}
			if key := first + "\x00" + a.ID; key <= last {
				c.add("record %s is out of order", a.ID)
			} else {
				last = key
			}
			at := ref{n, uint32(slot)}
			for _, name := range slices.Concat(p.names, p.parts) {
				if names[name]++; names[name] == 1 && !strings.HasPrefix(name, partMark) {
					packages++
				}
				if refs, err := f.packageRefs(name); err != nil || !slices.Contains(refs, at) {
					c.add("record %s is not found under %s (%v)", a.ID, name, err)
				}
			}
			for _, id := range a.Names() {
				if refs, err := f.idRefs(id); err != nil || !slices.Contains(refs, at) {
					c.add("record %s is not found under %s (%v)", a.ID, id, err)
				}
			}
		}
	}
	if records != int(f.h.records) || packages != int(f.h.packages) {
		c.add("%d records in %d packages can be read, the header says %d in %d", records, packages, f.h.records, f.h.packages)
	}
	if counts, err := f.releaseCounts(); err != nil {
		c.add("%v", err)
	} else if !maps.Equal(counts, releases) {
		c.add("its list of releases is not that of its records")
	}
	return c.index(f, names)
}

// index checks every bucket, also those that no record leads to, and that no
// name has more records than there are.
func (c *checker) index(f *fdb, names map[string]int) error {
	for k := range f.h.pkgBuckets {
		b, err := f.bucket(secPkgs, domainPkg, k)
		if err != nil {
			c.add("%v", err)
			continue
		}
		for r := (bytesReader{b: b}); len(r.b) > 0; {
			name := string(r.take(r.uint()))
			n := r.uint()
			for i := uint64(0); i < n && !r.bad; i++ {
				r.uint()
				r.uint()
			}
			if r.bad || uint64(names[name]) != n {
				c.add("index entry %q", clip(name, 80))
			}
		}
	}
	for k := range f.h.idBuckets {
		b, err := f.bucket(secIDs, domainID, k)
		if err != nil {
			c.add("%v", err)
			continue
		}
		for r := (bytesReader{b: b}); len(r.b) > 0; {
			key := r.take(8)
			r.uint()
			r.uint()
			if r.bad {
				c.add("id index bucket %d", k)
			} else if binary.LittleEndian.Uint64(key)%uint64(f.h.idBuckets) != uint64(k) {
				c.add("id index bucket %d holds another bucket's id", k)
			}
		}
	}
	return nil
}
