// Package rpmdb reads the database of installed packages that rpm keeps, in
// the three formats that it has had: a Berkeley DB hash ("Packages", until rpm
// 4.15), ndb ("Packages.db", SUSE) and SQLite ("rpmdb.sqlite", since rpm 4.16).
//
// It reads in place through io.ReaderAt, runs no SQL, writes nothing, and
// takes every number in the file for a claim: sizes, counts and chains have
// limits. A database that cannot be read to its end is an error, beside the
// packages that were read until then.
package rpmdb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
)

// Package is what the database says about one installed package.
type Package struct {
	Name, Version, Release string
	Epoch                  int
	HasEpoch               bool // an epoch is given, if only 0
	Arch                   string
	SourceRPM              string // file name of the source package: "bash-5.2.15-1.src.rpm"
	Vendor, License        string
	Files                  []File // sorted as in the package; without those that the package only reserves
}

// File is one file or folder that a package put down.
type File struct {
	Path   string // as stored: absolute
	Digest string // of the content, lower-case hexadecimal; "" for what has no content
}

// Limits bounds the work. A zero field means its default.
type Limits struct {
	MaxPackages int   // packages of one database; 50,000
	MaxHeader   int64 // bytes of one package's header; 64 MiB
	MaxBytes    int64 // bytes of all headers; 1 GiB
	MaxFiles    int   // files of all packages; 2,000,000
	MaxText     int64 // bytes of the names, paths and other texts that are returned; 128 MiB
}

func (l Limits) withDefaults() Limits {
	l.MaxPackages = cmp.Or(l.MaxPackages, 50_000)
	l.MaxHeader = cmp.Or(l.MaxHeader, 64<<20)
	l.MaxBytes = cmp.Or(l.MaxBytes, 1<<30)
	l.MaxFiles = cmp.Or(l.MaxFiles, 2_000_000)
	l.MaxText = cmp.Or(l.MaxText, 128<<20)
	return l
}

// ErrLimit is returned, wrapped, for what is over a limit.
var ErrLimit = errors.New("over the limit")

// ErrFormat is returned, wrapped, for a file that is none of the three formats
// or contradicts itself.
var ErrFormat = errors.New("not a readable rpm database")

// Database is the file or the two files of one database.
type Database struct {
	Main *io.SectionReader
	WAL  *io.SectionReader // SQLite's write-ahead log ("rpmdb.sqlite-wal"); nil when there is none
}

// Read returns the packages of a database, in the order of the file. An empty
// file is a database that was never written.
func Read(ctx context.Context, db Database, lim Limits) ([]Package, error) {
	r := &reading{ctx: ctx, lim: lim.withDefaults(), size: db.Main.Size()}
	if db.WAL != nil {
		r.size += db.WAL.Size()
	}
	if db.Main.Size() == 0 && (db.WAL == nil || db.WAL.Size() == 0) {
		return nil, nil
	}
	head := make([]byte, 32)
	n, err := db.Main.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read rpm database: %w", err)
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte(sqliteMagic)), n == 0:
		err = r.sqlite(db)
	case bytes.HasPrefix(head, []byte(ndbMagic)):
		err = r.ndb(db.Main)
	case n >= 16 && bdbOrder(head) != nil:
		err = r.bdb(db.Main)
	default:
		err = fmt.Errorf("%w: neither Berkeley DB, ndb nor SQLite", ErrFormat)
	}
	if err != nil {
		err = fmt.Errorf("read rpm database: %w", err)
	}
	return r.packages, err
}

// reading is one run over a database.
type reading struct {
	ctx      context.Context
	lim      Limits
	packages []Package
	size     int64 // bytes of the files
	bytes    int64 // of the headers until now
	files    int
	text     int64
}

// claim checks the size of a header before anything of it is read.
func (r *reading) claim(size int64) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if size < 0 || size > r.lim.MaxHeader {
		return fmt.Errorf("a package header of %d bytes is %w of %d", size, ErrLimit, r.lim.MaxHeader)
	}
	r.bytes += size
	if r.bytes > r.size { // a small file that claims the same bytes many times
		return fmt.Errorf("%w: headers that overlap", ErrFormat)
	}
	if r.bytes > r.lim.MaxBytes {
		return fmt.Errorf("%d bytes of package headers are %w of %d", r.bytes, ErrLimit, r.lim.MaxBytes)
	}
	if len(r.packages) >= r.lim.MaxPackages {
		return fmt.Errorf("more than %d packages: %w", r.lim.MaxPackages, ErrLimit)
	}
	return nil
}

// add parses a header whose size was claimed.
func (r *reading) add(header []byte) error {
	left := room{files: r.lim.MaxFiles - r.files, text: r.lim.MaxText - r.text}
	p, err := parse(header, &left)
	if err != nil {
		return err
	}
	r.text = r.lim.MaxText - left.text
	r.files += len(p.Files)
	r.packages = append(r.packages, p)
	return nil
}

// at reads exactly size bytes.
func at(f io.ReaderAt, buf []byte, offset int64) error {
	n, err := f.ReadAt(buf, offset)
	if n == len(buf) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends inside a page", ErrFormat)
	}
	return err
}
