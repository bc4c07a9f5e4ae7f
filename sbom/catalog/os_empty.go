package catalog

import (
	"errors"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// databases counts what the package databases of an artifact name. The zero
// value has read none.
type databases struct {
	list []databaseCount
}

// databaseCount is what all databases of one package manager in one root file
// system name together: distroless images have an empty status beside the
// status.d that counts, and rpm leaves the files of a format that it no longer
// writes.
type databaseCount struct {
	root, typ string
	path      string // of the first file
	named     int
}

// errNoPackage is the reason of a database that nothing can be learned from.
var errNoPackage = errors.New("the package database names no package")

// add counts the packages that the database at p names.
func (d *databases) add(root, p string, named int) {
	typ := databaseType(p)
	i := slices.IndexFunc(d.list, func(c databaseCount) bool { return c.root == root && c.typ == typ })
	if i < 0 {
		i = len(d.list)
		d.list = append(d.list, databaseCount{root: root, typ: typ, path: p})
	}
	d.list[i].named += named
}

// report makes an unknown of each distribution whose databases name nothing
// although it has files: a list that was cut to no bytes must not pass for a
// system without packages. That of another distribution's package manager, as
// of dpkg on Alpine, may be empty as long as there are packages of another.
func (d *databases) report(a *artifact, releases map[string]*osRelease) {
	some := map[string]bool{} // by root
	for _, c := range d.list {
		some[c.root] = some[c.root] || c.named > 0
	}
	for _, c := range d.list {
		r := releases[c.root]
		if c.named > 0 || r == nil || r.id == "" || some[c.root] && r.packageType() != c.typ {
			continue
		}
		if a.filesBeside(c.root) {
			a.unread(c.path, errNoPackage)
		}
	}
}

// filesBeside reports whether a root file system has files other than those
// that say what it is.
func (a *artifact) filesBeside(root string) bool {
	return slices.ContainsFunc(a.files, func(f bundle.File) bool {
		p := f.Path
		if root != "" {
			below := false
			if p, below = strings.CutPrefix(p, root+"/"); !below {
				return false
			}
		}
		if _, _, database := osDatabase(p); database {
			return false
		}
		return p != "etc/os-release" && p != "usr/lib/os-release"
	})
}

// databaseType is the type of the packages that the database at p names.
func databaseType(p string) string {
	switch {
	case strings.HasSuffix(p, "lib/apk/db/installed"):
		return "apk"
	case strings.Contains(p, "var/lib/dpkg/"), strings.Contains(p, "var/lib/chisel/"):
		return "deb"
	}
	return "rpm"
}

// packageType is the type of the packages that a distribution is made of; ""
// when it is not known.
func (r *osRelease) packageType() string {
	switch r.id {
	case "debian", "ubuntu":
		return "deb"
	case "alpine", "wolfi", "chainguard":
		return "apk"
	case "amzn", "rhel", "centos", "fedora", "rocky", "almalinux", "ol", "azurelinux", "mariner", "photon", "sles":
		return "rpm"
	}
	if strings.HasPrefix(r.id, "opensuse") {
		return "rpm"
	}
	return ""
}
