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
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// system says which files the packages of a distribution own.
type system struct {
	of      []int32           // index of a file -> index of the package in found, plus 1; 0 for none
	others  map[int32]bool    // those of them that are not the distribution's own
	folders map[string]string // folder as a database has it -> where it really is, or nowhere
	named   int               // bytes of the folders' names
	tree    *bundle.Tree
	hashed  int64 // bytes that were read to see whether a file is still the package's
}

// maxHashed is how many bytes of files are compared with their package's
// digests: only those that lie in a later layer than their package.
const maxHashed = 512 << 20

// openCost is what opening a file counts for beside its bytes.
const openCost = 1 << 10

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
		if i, ok := o.system.locate(a, root, f.path); ok && !outsideDistribution(strings.TrimPrefix(a.files[i].Path, root+"/")) && !isOSDatabase(a.files[i].Path) {
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

// outsideDistribution reports whether a distribution's packages put nothing
// there: the folders of the function, and those that are the administrator's by
// the Filesystem Hierarchy Standard 3.0 (section 3) and Debian's policy (9.1.2).
// What an entry of the database claims there is looked at as if it did not.
func outsideDistribution(p string) bool {
	for _, dir := range []string{"var/task/", "app/", "workspace/", "home/", "srv/", "usr/local/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}

// isOSDatabase reports whether a file lists packages. It is nobody's: what it
// names is found in it, and would else be taken for a part of the package that
// claims the file.
func isOSDatabase(p string) bool {
	_, _, ok := osDatabase(p)
	return ok
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

// nowhere is the place of a folder that is not there.
const nowhere = "\x00"

// maxFolders is how many bytes of folder names are remembered. Those of a
// database with 400,000 files have 3 MB.
const maxFolders = 32 << 20

// locate finds a file of a database in the artifact. Databases name files as
// they did before /lib became a link to /usr/lib.
func (s *system) locate(a *artifact, root, p string) (int, bool) {
	if root != "" {
		p = path.Join(root, p)
	}
	if i, ok := a.byPath[p]; ok {
		return i, true
	}
	p = clean(p)
	real := s.folder(a, dirOf(p))
	if real == nowhere {
		return 0, false
	}
	i, ok := a.byPath[path.Join(real, path.Base(p))]
	return i, ok
}

// folder follows the links in a folder's path, which is clean. It remembers the
// folders above, so that the work grows as the database does.
func (s *system) folder(a *artifact, dir string) string {
	if dir == "" {
		return ""
	}
	if real, ok := s.folders[dir]; ok {
		return real
	}
	if s.named += len(dir); s.named > maxFolders || !fs.ValidPath(dir) {
		return nowhere // what nobody is found to own is reported
	}
	real := s.folder(a, dirOf(dir))
	if real != nowhere {
		real = a.follow(path.Join(real, path.Base(dir)))
	}
	s.folders[strings.Clone(dir)] = real
	return real
}

// follow returns where a folder is that may be a link. A link to a link is not
// followed: no distribution has folders of that kind.
func (a *artifact) follow(dir string) string {
	i, ok := a.byPath[dir]
	if !ok {
		return dir
	}
	link := a.files[i].Link
	if link == "" {
		return nowhere // a file
	}
	if !path.IsAbs(link) {
		link = path.Join(dirOf(dir), link)
	}
	link = clean(link)
	if _, again := a.byPath[link]; again {
		return nowhere
	}
	return link
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
	if s.hashed += f.Size + openCost; f.Link != "" || s.hashed > maxHashed {
		return false
	}
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
