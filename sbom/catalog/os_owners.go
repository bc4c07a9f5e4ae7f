package catalog

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// system says which files the packages of a distribution own.
type system struct {
	of      []int32           // index of a file -> index of the package in found, plus 1; 0 for none
	others  map[int32]bool    // those of them that are not the distribution's own
	folders map[string]string // folder as a database has it -> where it really is; "" for nowhere
	tree    *bundle.Tree
	hashed  int64 // bytes that were read to see whether a file is still the package's
}

// maxHashed is how many bytes of files are compared with their package's
// digests: only those that lie in a later layer than their package.
const maxHashed = 512 << 20

// claim gives a package its files, and returns the layer that the package came
// with, counted from 1; 0 when the artifact is no image.
//
// A file in a later layer than the package was changed, if only its owner, or
// replaced. It stays the package's when its content is still what the package
// says. So a program that somebody copies over one of the distribution's does
// not become part of the distribution.
func (o *owners) claim(a *artifact, root string, pkg int, p *osPackage) int {
	if o.system.of == nil {
		o.system.of = make([]int32, len(a.files))
		o.system.others = map[int32]bool{}
		o.system.folders = map[string]string{}
		o.system.tree = a.tree
		o.index = a.byPath
	}
	if p.others {
		o.system.others[int32(pkg+1)] = true
	}
	at := make([]int, 0, len(p.files))
	digests := make([]string, 0, len(p.files))
	for _, f := range p.files {
		if i, ok := o.system.locate(a, root, f.path); ok {
			at, digests = append(at, i), append(digests, f.digest)
		}
	}
	layer := a.osLayer(p, at)
	for j, i := range at {
		if o.system.of[i] != 0 || a.vol.ImageLayer(i) > layer && !o.system.same(a, i, digests[j]) {
			continue
		}
		o.system.of[i] = int32(pkg + 1)
	}
	return layer + 1
}

// osLayer is the layer that a package came with: of its own list of files, else
// the one that most of its files lie in, else that of the database. It is -1
// when the artifact is no image.
func (a *artifact) osLayer(p *osPackage, files []int) int {
	if !a.image() {
		return -1
	}
	if p.list != "" {
		return a.layerOf(p.list)
	}
	count := map[int]int{}
	best := a.layerOf(p.path)
	for _, i := range files {
		l := a.vol.ImageLayer(i)
		count[l]++
		if count[l] > count[best] || count[l] == count[best] && l < best {
			best = l
		}
	}
	return best
}

func (a *artifact) image() bool { return a.vol.Image() != nil }

// layerOf is the layer of a path; -1 when there is none.
func (a *artifact) layerOf(p string) int {
	if i, ok := a.byPath[p]; ok {
		return a.vol.ImageLayer(i)
	}
	return -1
}

// locate finds a file of a database in the artifact. Databases name files
// before /lib became a link to /usr/lib.
func (s *system) locate(a *artifact, root, p string) (int, bool) {
	if root != "" {
		p = path.Join(root, p)
	}
	if i, ok := a.byPath[p]; ok {
		return i, true
	}
	p = clean(p)
	dir := dirOf(p)
	real, known := s.folders[dir]
	if !known {
		real = a.realFolder(dir)
		s.folders[dir] = real
	}
	if real == "" {
		return 0, false
	}
	i, ok := a.byPath[real+"/"+path.Base(p)]
	return i, ok
}

// realFolder follows the links in a folder's path, "" when a file is in the
// way. Of links it follows one after another, as /lib to /usr/lib is one.
func (a *artifact) realFolder(dir string) string {
	if dir == "" || !fs.ValidPath(dir) {
		return ""
	}
	real := ""
	for rest := dir; rest != ""; {
		var element string
		element, rest, _ = cutPath(rest)
		next := path.Join(real, element)
		i, isFile := a.byPath[next]
		if !isFile {
			real = next
			continue
		}
		link := a.files[i].Link
		if link == "" {
			return "" // a file, no folder
		}
		if path.IsAbs(link) {
			real = clean(link)
		} else {
			real = clean(path.Join(dirOf(next), link))
		}
		if _, again := a.byPath[real]; again {
			return "" // a link to a link: no distribution has folders of that kind
		}
	}
	return real
}

func cutPath(p string) (element, rest string, more bool) {
	for i := range len(p) {
		if p[i] == '/' {
			return p[:i], p[i+1:], true
		}
	}
	return p, "", false
}

// same reports whether a file's content has the digest that its package says.
func (s *system) same(a *artifact, i int, digest string) bool {
	var h hash.Hash
	switch len(digest) {
	case 2 * md5.Size:
		h = md5.New() // dpkg has nothing better
	case 2 * sha1.Size:
		h = sha1.New()
	case 2 * sha256.Size:
		h = sha256.New()
	default:
		return false
	}
	f := &a.files[i]
	if f.Link != "" || s.hashed+f.Size > maxHashed {
		return false
	}
	s.hashed += f.Size
	in, err := a.tree.Open(f.Path)
	if err != nil {
		return false
	}
	defer in.Close()
	if _, err := io.Copy(h, io.LimitReader(in, f.Size+1)); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	want, err := hex.DecodeString(digest)
	return err == nil && bytes.Equal(h.Sum(nil), want)
}

// owner returns the index in found of the distribution's package that owns a
// path, and whether it does.
func (o *owners) owner(p string) (pkg int, ok bool) {
	if o.system.of == nil {
		return 0, false
	}
	i, there := o.index[p]
	if !there { // a path through a link, as of Debian's usr/share/node_modules
		t, err := o.system.tree.Resolve(p)
		if err != nil {
			return 0, false
		}
		i, there = o.index[t.Path]
	}
	if !there || o.system.of[i] == 0 {
		return 0, false
	}
	return int(o.system.of[i]) - 1, true
}

// vouched reports whether a path belongs to a package of the distribution
// itself. Its advisories are about whatever such a package holds; fixes are
// taken back into old versions, so that a version read from the file would only
// mislead. A package that somebody else made has no advisories: what it holds
// counts.
func (o *owners) vouched(p string) bool {
	pkg, ok := o.owner(p)
	return ok && (!o.system.others[int32(pkg+1)] || distributionFolder(p))
}

// maxFolded is how many pieces of evidence about its content one package of a
// distribution keeps.
const maxFolded = 100

// fold makes what was found in a file of a distribution's package evidence of
// that package, and reports whether it did. What a version string in a program
// says is the package's own version, whoever made it.
func (a *artifact) fold(f *found) bool {
	pkg, ok := a.owners.owner(f.path)
	if !ok || f.method != sbom.MethodBinary && !a.owners.vouched(f.path) {
		return false
	}
	if to := &a.found[pkg]; !f.declared && len(to.also) < maxFolded {
		detail := "holds " + f.typ + " " + clip(f.name)
		if f.version != "" {
			detail += " " + clip(f.version)
		}
		to.also = append(to.also, sbom.Evidence{Method: f.method, Confidence: f.confidence, Path: f.path, Detail: detail})
	}
	return true
}
