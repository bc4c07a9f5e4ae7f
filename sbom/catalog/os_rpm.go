package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/rpmdb"
)

// How many bytes one rpm database may have, and all of an artifact together:
// hard links make many of one. That of a base image has 5 to 35 MB.
const (
	maxRPMDatabase  = 256 << 20
	maxRPMDatabases = 1 << 30
)

// journalMark starts a rollback journal that SQLite would replay
// (https://www.sqlite.org/fileformat2.html, section 3).
const journalMark = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

// readRPM reads an rpm database of any format, in place.
func readRPM(ctx context.Context, a *artifact, _, p string, each func(*osPackage)) error {
	main, err := a.database(p)
	if err != nil {
		return err
	}
	defer main.Close()
	db := rpmdb.Database{Main: main.SectionReader}
	if log := p + "-wal"; strings.HasSuffix(p, ".sqlite") && a.has(log) {
		wal, err := a.database(log)
		if err != nil {
			return err
		}
		defer wal.Close()
		db.WAL = wal.SectionReader
	}
	if journal := p + "-journal"; a.has(journal) {
		head := make([]byte, len(journalMark))
		if n, _ := a.tree.Peek(journal, head); string(head[:n]) == journalMark {
			return errors.New("an unfinished transaction lies beside the database")
		}
	}
	packages, err := rpmdb.Read(ctx, db, rpmdb.Limits{MaxPackages: a.opts.MaxComponents})
	for i := range packages {
		if q := &packages[i]; q.Name != "gpg-pubkey" { // a key that rpm keeps as if it were a package
			each(rpmPackage(q, p))
		}
	}
	if errors.Is(err, rpmdb.ErrLimit) {
		return fmt.Errorf("%w: %w", err, &limitError{"package database", maxRPMDatabase})
	}
	return err
}

// database opens a file for reading at random.
func (a *artifact) database(p string) (*native, error) {
	c, err := a.tree.Content(p)
	if err != nil {
		return nil, fmt.Errorf("open package database: %w", err)
	}
	f, err := section(c, c.Close)
	if err != nil {
		c.Close()
		return nil, err
	}
	if f.Size() > maxRPMDatabase {
		f.Close()
		return nil, &limitError{fmt.Sprintf("package database of %d bytes", f.Size()), maxRPMDatabase}
	}
	if a.rpmBytes += f.Size(); a.rpmBytes > maxRPMDatabases {
		f.Close()
		return nil, &limitError{fmt.Sprintf("%d bytes of package databases in one artifact", a.rpmBytes), maxRPMDatabases}
	}
	return f, nil
}

func rpmPackage(q *rpmdb.Package, p string) *osPackage {
	pkg := &osPackage{typ: "rpm", name: q.Name, release: q.Version, arch: q.Arch, upstream: q.SourceRPM, licence: q.License, others: !distributionVendor(q.Vendor), path: p}
	if q.Release != "" {
		pkg.release += "-" + q.Release
	}
	pkg.version = pkg.release
	if q.HasEpoch {
		pkg.epoch = strconv.Itoa(q.Epoch)
		if q.Epoch != 0 {
			pkg.version = pkg.epoch + ":" + pkg.version
		}
	}
	if pkg.source = sbom.SourceRPM(q.SourceRPM); pkg.source == pkg.name {
		pkg.source = ""
	}
	pkg.files = make([]osFile, 0, min(len(q.Files), maxOSFiles))
	for _, f := range q.Files {
		pkg.addFile("", strings.TrimLeft(f.Path, "/"), f.Digest)
	}
	return pkg
}

// distributionVendor reports whether rpm's tag "Vendor" names a distribution.
// Packages without one come from their own builds, too, but mostly from small
// distributions.
func distributionVendor(vendor string) bool {
	if vendor == "" {
		return true
	}
	vendor = strings.ToLower(vendor)
	for _, known := range []string{
		"amazon", "red hat", "centos", "fedora", "rocky", "almalinux", "cloudlinux", "oracle america", "suse", "vmware", "photon", "microsoft corporation", "mageia", "openeuler", "scientific linux", "tuxcare",
	} {
		if strings.Contains(vendor, known) {
			return true
		}
	}
	return false
}

// readRPMManifest reads the list that Azure Linux's distroless images have in
// place of a database: a line for each package with ten fields between tabs,
// name, version-release, times, vendor, epoch, size, architecture, epoch as a
// number, source package
// (https://github.com/microsoft/azurelinux, toolkit/docs/how_it_works/5_misc.md).
func readRPMManifest(ctx context.Context, a *artifact, _, p string, each func(*osPackage)) error {
	data, err := a.read(p, maxOSDatabase)
	if err != nil {
		return err
	}
	var broken error
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		f := strings.Split(string(line), "\t")
		if len(f) < 10 {
			broken = fmt.Errorf("a line of %d fields", len(f))
			continue
		}
		q := rpmdb.Package{Name: f[0], Arch: f[7], Vendor: f[4], SourceRPM: strings.TrimSpace(f[9])}
		q.Version, q.Release, _ = strings.Cut(f[1], "-")
		if q.Name == "" || q.Version == "" {
			broken = errors.New("a package without a name or a version")
			continue
		}
		if n, err := strconv.Atoi(f[8]); err == nil && f[5] != "(none)" {
			q.Epoch, q.HasEpoch = n, true
		}
		each(rpmPackage(&q, p))
	}
	return broken
}
