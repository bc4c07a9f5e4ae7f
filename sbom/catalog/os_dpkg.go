package catalog

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"path"
	"strings"
)

// readDpkg reads dpkg's status file, or one file of the status.d that
// distroless images have in its place. Both hold paragraphs of fields
// (deb-control(5); dpkg(1), "Package states").
func readDpkg(ctx context.Context, a *artifact, root, p string, each func(*osPackage)) error {
	data, err := a.read(p, maxOSDatabase)
	if err != nil {
		return err
	}
	var broken error
	named := 0
	whole := path.Base(dirOf(p)) == "dpkg" // status, not status.d
	for len(data) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		var paragraph []byte
		paragraph, data = cutParagraph(data)
		f, err := dpkgFields(paragraph)
		if err != nil {
			broken = err
		}
		if len(f) == 0 || whole && !dpkgUnpacked(f["status"]) {
			continue
		}
		if f["package"] == "" || f["version"] == "" {
			broken = fmt.Errorf("a package without a name or a version: %q", clip(f["package"]))
			continue
		}
		pkg := dpkgPackage(f, p)
		a.dpkgFiles(root, p, whole, pkg)
		each(pkg)
		named++
	}
	if broken == nil && named == 0 && !whole {
		return errNoPackage // each file of status.d is there for one
	}
	return broken
}

// cutParagraph cuts at the first empty line.
func cutParagraph(data []byte) (paragraph, rest []byte) {
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return data, nil
		}
		if len(bytes.TrimRight(data[at:at+i], " \t\r")) == 0 {
			return data[:at], data[at+i+1:]
		}
		at += i + 1
	}
}

// dpkgFields returns the fields that are needed, by their names in lower case.
// The error tells of a line that is none of a field, which dpkg does not take
// either; the fields beside it are returned.
func dpkgFields(paragraph []byte) (f map[string]string, err error) {
	f = map[string]string{}
	for line := range bytes.SplitSeq(paragraph, []byte("\n")) {
		if line = bytes.TrimRight(line, "\r"); len(line) == 0 || line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
			continue // the rest of a field, or a comment
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			err = fmt.Errorf("a line without a field: %q", clip(string(line[:min(len(line), maxOSField)])))
			continue
		}
		switch key := strings.ToLower(string(name)); key {
		case "package", "status", "version", "architecture", "source", "maintainer", "multi-arch":
			f[key] = strings.TrimSpace(string(value))
		}
	}
	return f, err
}

// dpkgUnpacked reports whether a package's files are on the disk: the third
// word of "install ok installed". Of a package that was removed the
// configuration may be left ("config-files").
func dpkgUnpacked(status string) bool {
	words := strings.Fields(status)
	if len(words) != 3 {
		return status != "" // not as documented: rather one too many than one too few
	}
	return words[2] != "config-files" && words[2] != "not-installed"
}

func dpkgPackage(f map[string]string, p string) *osPackage {
	pkg := &osPackage{typ: "deb", name: f["package"], version: f["version"], release: f["version"], arch: f["architecture"], path: p}
	pkg.source, pkg.sourceVersion = dpkgSource(f["source"], pkg.version)
	pkg.upstream = pkg.source
	if pkg.sourceVersion != "" {
		if pkg.source == "" {
			pkg.source = pkg.name
		}
		pkg.upstream = pkg.source + "@" + pkg.sourceVersion
	}
	maintainer := strings.ToLower(f["maintainer"])
	pkg.others = maintainer != "" && !strings.Contains(maintainer, "debian") && !strings.Contains(maintainer, "ubuntu") && !strings.Contains(maintainer, "canonical")
	return pkg
}

// dpkgSource returns the source package and its version where they differ from
// the package's own (deb-control(5), "Source": NAME or NAME (VERSION)). A
// package that was only built again has "+b1" behind the version of its source,
// by which advisories go.
func dpkgSource(field, version string) (name, of string) {
	name, of, _ = strings.Cut(field, "(")
	name = strings.TrimSpace(name)
	of = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(of), ")"))
	if of == "" {
		if i := strings.LastIndex(version, "+b"); i > 0 && i+2 < len(version) && strings.Trim(version[i+2:], "0123456789") == "" {
			of = version[:i]
		}
	}
	if of == version {
		of = ""
	}
	return name, of
}

// dpkgFiles reads the list of a package's files, and the digests beside it.
func (a *artifact) dpkgFiles(root, p string, whole bool, pkg *osPackage) {
	if !whole { // NAME beside NAME.md5sums
		pkg.list = p
		pkg.files = a.md5sums(p + ".md5sums")
		return
	}
	info := path.Join(root, "var/lib/dpkg/info", pkg.name)
	if !a.has(info+".list") && a.has(info+":"+pkg.arch+".list") {
		info += ":" + pkg.arch // of "Multi-Arch: same" each architecture has its own
	}
	if !a.has(info + ".list") {
		pkg.files = a.md5sums(info + ".md5sums")
		return
	}
	data, err := a.read(info+".list", maxOSDatabase)
	if err != nil {
		a.unread(info+".list", err)
		return
	}
	pkg.list = info + ".list"
	digests := map[string]string{}
	if a.image() { // they are needed only where a layer may have replaced a file
		for _, f := range a.md5sums(info + ".md5sums") {
			digests[f.path] = f.digest
		}
	}
	pkg.files = make([]osFile, 0, min(bytes.Count(data, []byte("\n")), maxOSFiles))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if s := strings.TrimLeft(string(line), "/"); s != "" && s != "." {
			pkg.addFile("", s, digests[s])
		}
	}
}

// md5sums reads lines of a digest, two spaces, and a path without a leading slash.
func (a *artifact) md5sums(p string) []osFile {
	if !a.has(p) {
		return nil
	}
	data, err := a.read(p, maxOSDatabase)
	if err != nil {
		a.unread(p, err)
		return nil
	}
	var out []osFile
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if digest, file, ok := strings.Cut(string(line), "  "); ok && len(digest) == 2*md5.Size && len(file) < maxOSPath {
			if len(out) == maxOSFiles {
				a.unread(p, &limitError{"digests of one package", maxOSFiles})
				break
			}
			out = append(out, osFile{strings.TrimLeft(strings.TrimPrefix(file, "./"), "/"), digest})
		}
	}
	return out
}

// distributionFolder reports whether a distribution's packaging tools put
// modules there, so that even a package by a private maintainer is the
// distribution's.
func distributionFolder(p string) bool {
	for _, dir := range []string{
		"usr/lib/python3/dist-packages/", "usr/share/nodejs/", "usr/lib/ruby/vendor_ruby/", "usr/share/rubygems-integration/", "usr/share/php/", "usr/share/java/", "usr/share/maven-repo/",
	} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}
