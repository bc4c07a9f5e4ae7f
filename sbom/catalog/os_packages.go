package catalog

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// osPackage is one installed package of a distribution.
type osPackage struct {
	typ           string // "deb", "apk" or "rpm"
	name          string
	version       string // with rpm's epoch
	release       string // version as the package URL has it: without rpm's epoch
	epoch         string
	arch          string
	source        string // source package; "" when it is called like the package
	sourceVersion string // "" when it is the package's
	upstream      string // of the package URL
	licence       string
	others        bool   // made by somebody else than the distribution
	path          string // of the file that shows it
	list          string // of the file that lists its files, when the package has one of its own
	files         []osFile
	paths         int  // bytes of the files' paths
	cut           bool // there are more files
}

// osFile is a file that a package put down.
type osFile struct {
	path   string // as the database has it
	digest string // MD5, SHA-1 or SHA-256 by its length, in hexadecimal; "" when not known
}

// The bounds of one package, and of the paths of all packages of an artifact.
// A path is as long as Linux allows; the package with the most files in any
// distribution has some 100,000; a system with 400,000 files has 30 MB of paths.
const (
	maxOSField = 1024
	maxOSPath  = 4096
	maxOSFiles = 500_000
	maxOSText  = 128 << 20 // bytes of paths: a database may name a folder once for many files
)

// addFile adds a file that the package put down. Paths that cannot be are left
// out: nothing in the artifact is called so.
func (p *osPackage) addFile(dir, name, digest string) {
	if len(dir)+len(name) >= maxOSPath || p.cut {
		return
	}
	if p.paths += len(dir) + len(name); len(p.files) == maxOSFiles || p.paths > maxOSText {
		p.cut = true
		return
	}
	if dir != "" {
		name = dir + "/" + name
	}
	p.files = append(p.files, osFile{name, digest})
}

// overlong reports whether a field is longer than any distribution's.
func (p *osPackage) overlong() bool {
	return max(len(p.name), len(p.version), len(p.arch), len(p.source), len(p.sourceVersion), len(p.upstream)) > maxOSField
}

// osReader reads one kind of database and hands over each package.
type osReader func(ctx context.Context, a *artifact, root, p string, each func(*osPackage)) error

// maxOSDatabase is how many bytes of one text database are read. A Debian with
// 3,000 packages has 4 MB.
const maxOSDatabase = 64 << 20

// osPackages finds what a distribution's package managers installed, and which
// files are theirs. It runs first: what a package of the distribution owns is
// that package's, whatever else it looks like.
func osPackages(ctx context.Context, a *artifact) {
	releases := map[string]*osRelease{}
	var read databases
	for i := range a.files {
		p := a.files[i].Path
		root, reader, ok := osDatabase(p)
		if !ok || underTestFolder(root) || lastNodeModules(p) >= 0 {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		r := releases[root]
		if r == nil {
			found := a.osReleaseAt(root)
			r = &found
			releases[root] = r
		}
		read.add(root, p, a.osDatabase(ctx, root, p, r, reader))
	}
	read.report(a, releases)
	if releases[""] == nil {
		a.osWithoutDatabase()
	}
}

// osDatabase reports whether p is a package database, of which root file system
// ("" is the artifact's), and what reads it.
func osDatabase(p string) (root string, read osReader, ok bool) {
	at := func(suffix string) bool {
		rest, found := strings.CutSuffix(p, suffix)
		if !found || rest != "" && !strings.HasSuffix(rest, "/") {
			return false
		}
		root = strings.TrimSuffix(rest, "/")
		return true
	}
	switch base := path.Base(p); base {
	case "status":
		if at("var/lib/dpkg/status") {
			return root, readDpkg, true
		}
	case "installed":
		if at("usr/lib/apk/db/installed") || at("lib/apk/db/installed") {
			return root, readAPK, true
		}
	case "Packages", "Packages.db", "rpmdb.sqlite":
		for _, dir := range []string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"} {
			if at(dir + base) {
				return root, readRPM, true
			}
		}
	case "manifest.wall":
		if at("var/lib/chisel/manifest.wall") {
			return root, readChisel, true
		}
	case "container-manifest-2":
		if at("var/lib/rpmmanifest/container-manifest-2") {
			return root, readRPMManifest, true
		}
	default:
		if dir, name := path.Split(p); strings.HasSuffix(dir, "var/lib/dpkg/status.d/") && !strings.HasSuffix(name, ".md5sums") {
			if at("var/lib/dpkg/status.d/" + name) {
				return root, readDpkg, true
			}
		}
	}
	return "", nil, false
}

// osDatabase reads one database. What it does not get out of it is unknown:
// a database that is there and cannot be read must not look like an empty one.
// It returns how many packages the database names.
func (a *artifact) osDatabase(ctx context.Context, root, p string, r *osRelease, read osReader) (named int) {
	defer func() {
		if v := recover(); v != nil {
			a.unknown(p, sbom.Unreadable, fmt.Sprintf("package database that cannot be read: %v", v), true)
		}
	}()
	var overlong error
	err := read(ctx, a, root, p, func(pkg *osPackage) {
		named++
		if pkg.overlong() {
			overlong = fmt.Errorf("a package with a field of more than %d bytes: %q", maxOSField, clip(pkg.name))
			return
		}
		a.osPackage(root, r, pkg)
	})
	if err == nil {
		err = overlong
	}
	if err != nil && ctx.Err() == nil {
		a.unread(p, err)
	}
	return named
}

// osPackage records one package and what it owns.
func (a *artifact) osPackage(root string, r *osRelease, p *osPackage) {
	name := p.name
	if space := r.namespace(p.typ); space != "" {
		name = space + "/" + name
	}
	f := found{
		typ: p.typ, name: p.name, version: p.version, path: p.path, method: sbom.MethodInstalled, confidence: 0.99,
		source: p.source, sourceVersion: p.sourceVersion, distro: r.distro(), licenses: a.spdx(clipLicence(p.licence)),
		url: sbom.QualifiedPURL(p.typ, name, p.release, map[string]string{
			"arch": p.arch, "distro": r.distro(), "epoch": p.epoch, "upstream": p.upstream,
		}),
	}
	if a.osPaths += p.paths; a.osPaths > maxOSText {
		p.files, p.cut = nil, true
	}
	if p.cut {
		a.unread(p.path, &limitError{"files of package " + clip(p.name), maxOSFiles})
	}
	before := len(a.found)
	a.add(f)
	if len(a.found) == before {
		return // too many, which is recorded
	}
	a.found[before].layer = a.owners.claim(a, root, before, p)
}

// clipLicence drops what is no licence by its length; those of the largest
// packages have 3,000 bytes.
func clipLicence(s string) string {
	if len(s) > maxOSPath {
		return ""
	}
	return s
}

// osWithoutDatabase reports a distribution whose list of packages was deleted,
// as is done to make images smaller: its packages are there and have no names.
func (a *artifact) osWithoutDatabase() {
	r := a.osReleaseAt("")
	if r.id == "" {
		return
	}
	for i := range a.files {
		p := a.files[i].Path
		if (strings.HasPrefix(p, "lib") || strings.HasPrefix(p, "usr/lib")) && strings.Contains(path.Base(p), ".so") {
			a.unknown(r.path, sbom.Opaque, fmt.Sprintf("%s without a package database: what is installed is not known", clip(r.name)), true)
			return
		}
	}
}
