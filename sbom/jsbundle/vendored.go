package jsbundle

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// A package is often published as one bundle with its own dependencies in it.
// Its manifest does not name those, and nobody updates them.

// Sizes in bytes from which a file of a package is looked at.
const (
	vendorNamed = 32 << 10  // in the package's own folder, or by its name the output of a bundler
	vendorAny   = 128 << 10 // whatever its name is
)

// VendorHead is how many of the first bytes of such a file decide: a bundler
// that names the files of packages does so soon, behind its helpers. Of seven
// such files seen in published packages (2026-11), six do within 4 KB; looking
// farther costs every scan more than it finds.
const VendorHead = 4 << 10

// VendorName reports whether a published script may by its name and its size in
// bytes hold other packages, so that its first bytes are worth a look. name is
// relative to node_modules: it starts with the package's folder.
func VendorName(name string, size int64) bool {
	if size < vendorNamed || size >= vendorAny {
		return size >= vendorAny
	}
	inside := name[strings.IndexByte(name, '/')+1:]
	if strings.HasPrefix(name, "@") {
		inside = inside[strings.IndexByte(inside, '/')+1:]
	}
	dir, base := path.Split(inside)
	if dir == "" || strings.Contains(base, "bundle") || strings.Contains(base, ".min.") {
		return true
	}
	for folder := range strings.SplitSeq(dir, "/") {
		switch folder {
		case "dist", "bundle", "bundled", "bundles", "compiled", "build", "internal", "vendor", "vendored":
			return true
		}
	}
	return false
}

// MayVendor reports whether a published script, by its first bytes, is a bundle
// that names the files of packages.
func MayVendor(head []byte) bool {
	if !bytes.Contains(head, []byte(packageFolder)) {
		return false
	}
	return namesPackageFiles(head) || slices.ContainsFunc([]string{"//#region ", "\n;// ", "!*** ./", "\"./" + packageFolder, "\"" + packageFolder, "[project]/" + packageFolder},
		func(mark string) bool { return bytes.Contains(head, []byte(mark)) })
}

// Vendored names the packages whose files a published script holds, as far as
// the bundler says so: self is the package that it belongs to. What those say
// about themselves tells only their versions.
func Vendored(self, name string, src []byte) []Claim {
	res := Inspect(name, src, Companions{})
	marked := map[string]bool{}
	for _, c := range res.Claims {
		if c.Method == MethodComment || c.Method == MethodKey {
			marked[c.Name] = c.Name != self
		}
	}
	return slices.DeleteFunc(res.Claims, func(c Claim) bool { return !marked[c.Name] })
}
