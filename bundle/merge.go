package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// maxSameBytes bounds the contents that are compared to tell whether copies of
// one path in one layer are alike.
const maxSameBytes = 64 << 20

// merger applies the layers of an image from the bottom up: OCI image
// specification 1.1, layer.md.
//
// Paths are resolved as containerd and podman do it when they unpack into the
// tree of the layers below: a parent that is a link leads on, from the root of
// the image and never out of it, which is how an entry lib/x comes to lie in
// usr/lib. An overlay file system shows a folder of its own there instead. So
// where the two differ in what a file is, because the way through a link leads
// to a file of a lower layer, both are kept, as two copies of one path. For the
// same reason a whiteout does not act through a link.
type merger struct {
	ls       *layers
	lim      Limits
	log      *noticeLog
	root     *branch
	odd      map[string]record // by escaped path
	older    []record          // what a later entry replaced that must not get lost
	order    int
	count    int // branches
	steps    int
	compared int64 // bytes
}

// branch is a path of the merged tree.
type branch struct {
	name  string
	up    *branch
	kids  map[string]*branch
	kind  layerKind // layerDir, layerFile or layerSymlink
	layer int       // that wrote it
	ref   int64     // of its content; see layers.entry
	depth int
	bytes int // of the path
}

var (
	errBranch     = errors.New("a parent of it is a file")
	errBranchLoop = errors.New("the links of its folder lead to one another")
	errBranchName = errors.New("a link of its folder names one that would have to be escaped")
)

// merge returns the files of the image, and those that must be kept beside
// them.
func (m *merger) merge() []record {
	m.root, m.odd = &branch{kind: layerDir}, map[string]record{}
	for i, l := range m.ls.list {
		for j := range l.entries {
			switch e := &l.entries[j]; e.kind {
			case layerWhiteout:
				m.whiteout(e, i)
			case layerOpaque:
				m.opaque(e, i)
			}
		}
		// whiteouts concern lower layers only, wherever in the tar they stand
		for j := range l.entries {
			if k := l.entries[j].kind; k != layerWhiteout && k != layerOpaque {
				m.put(&l.entries[j], i, layerRef(i, j))
			}
		}
	}
	recs := m.older
	m.walk(m.root, "", &recs)
	for _, r := range m.odd {
		recs = append(recs, r)
	}
	return recs
}

func (m *merger) whiteout(e *layerEntry, layer int) {
	b, through := m.find(e.path)
	switch {
	case b == nil || b == m.root:
	case through:
		m.keptThrough(e.path)
	default:
		delete(b.up.kids, b.name)
	}
}

func (m *merger) opaque(e *layerEntry, layer int) {
	b, through := m.find(e.path)
	switch {
	case b == nil || b.kind != layerDir:
	case through:
		m.keptThrough(e.path)
	default:
		b.kids = nil
	}
}

func (m *merger) keptThrough(path string) {
	m.log.add(Notice{Path: path, Kind: NoticeThroughLink, Detail: "a later layer removes it by a way that leads through a link; it is kept, since runtimes differ"})
}

// find looks a path up. Links of its folders are followed, its own is not.
func (m *merger) find(path string) (b *branch, through bool) {
	dir, through, err := m.folder(parent(path), -1)
	if err != nil || path == "" {
		return dir, through
	}
	return dir.kids[base(path)], through
}

// folder resolves the folder at path. With layer >= 0 what is missing is made:
// a file of a lower layer that is in the way goes. through says whether a link
// led there.
func (m *merger) folder(path string, layer int) (at *branch, through bool, err error) {
	at = m.root
	for hops, rest := 0, path; rest != ""; {
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		if m.steps++; m.steps > 64*m.lim.MaxEntries {
			return nil, through, fmt.Errorf("links of an image lead over too many folders: %w", errLimit)
		}
		switch elem {
		case "", ".":
			continue
		case "..":
			if at.up != nil {
				at = at.up
			}
			continue
		}
		kid := at.kids[elem]
		if kid != nil && kid.kind == layerSymlink {
			through = true
			_, e := m.ls.entry(kid.ref)
			if hops++; hops > m.lim.MaxLinkDepth || e.link == "" || len(rest) > 1<<16 {
				return nil, through, errBranchLoop
			}
			if e.link[0] == '/' {
				at = m.root
			}
			rest = e.link + "/" + rest
			continue
		}
		switch {
		case kid != nil && kid.kind == layerDir:
			at = kid
			continue
		case layer < 0:
			return nil, through, fs.ErrNotExist
		case kid != nil && kid.layer == layer:
			return nil, through, errBranch
		}
		if clean, odd := cleanPath(elem, m.lim); odd != "" || clean != elem { // out of a link's target, which nobody has cleaned
			return nil, through, errBranchName
		}
		if at, err = m.grow(at, elem); err != nil {
			return nil, through, err
		}
		at.kind, at.layer = layerDir, layer
	}
	return at, through, nil
}

// grow makes a new branch in the place of whatever is there.
func (m *merger) grow(dir *branch, name string) (*branch, error) {
	b := &branch{name: strings.Clone(name), up: dir, depth: dir.depth + 1, bytes: dir.bytes + 1 + len(name)}
	switch m.count++; {
	case m.count > m.lim.MaxEntries/2*3:
		return nil, fmt.Errorf("more folders than MaxEntries allows, %d: %w", m.lim.MaxEntries, errLimit)
	case b.depth > m.lim.MaxPathDepth, b.bytes > m.lim.MaxNameBytes+1:
		return nil, fmt.Errorf("its folder lies too deep: %w", errLimit)
	}
	if dir.kids == nil {
		dir.kids = map[string]*branch{}
	}
	dir.kids[name] = b
	return b, nil
}

// put applies an entry that is no whiteout.
func (m *merger) put(e *layerEntry, layer int, ref int64) {
	if e.odd {
		if e.kind != layerDir {
			m.aside(e, layer, ref)
		}
		return
	}
	kind, ref, ok := m.resolved(e, ref)
	if !ok {
		return
	}
	dir, through, err := m.folder(parent(e.path), layer)
	if err != nil {
		n := Notice{Path: e.path, Kind: NoticeThroughLink, Unread: true, Detail: err.Error()}
		if errors.Is(err, errLimit) {
			n.Kind = NoticeLimit
		}
		m.log.add(n)
		if kind != layerDir {
			e2 := *e
			e2.kind = kind
			m.aside(&e2, layer, ref)
		}
		return
	}
	name := base(e.path)
	old := dir.kids[name]
	if old != nil && old.kind == layerDir && kind == layerDir {
		return
	}
	if through && m.linkOf(e.path, layer) {
		m.log.add(Notice{Path: m.path(dir) + name, Kind: NoticeThroughLink, Detail: "written as " + quoted(e.path) + ", through a link of the same layer"})
	}
	if old != nil {
		m.replace(old, layer, through)
	}
	b, err := m.grow(dir, name)
	if err != nil {
		m.log.add(Notice{Path: e.path, Kind: NoticeLimit, Unread: true, Detail: err.Error()})
		return
	}
	b.kind, b.layer, b.ref = kind, layer, ref
}

// linkOf reports whether a link on the way to path is of the given layer. A
// layer is the difference between two trees, and no tree has a file below a
// link; a link of a lower layer is what usr-merged systems have.
func (m *merger) linkOf(path string, layer int) bool {
	at := m.root
	for elem := range strings.SplitSeq(parent(path), "/") {
		if at = at.kids[elem]; at == nil {
			return false
		}
		if at.kind == layerSymlink {
			return at.layer == layer
		}
	}
	return false
}

// replace takes note of what an entry replaces. What lower layers had is gone,
// as it should be; what the same layer had, or what is reached through a link
// only, another reader may see.
func (m *merger) replace(old *branch, layer int, through bool) {
	if old.kind == layerDir {
		for _, k := range old.kids {
			m.replace(k, layer, through)
		}
		return
	}
	if old.layer == layer || through {
		m.order++
		m.older = append(m.older, m.record(old.kind, m.path(old.up)+old.name, old.layer, old.ref, m.order))
	}
}

// linked resolves the target of a hard link in the tree as it is so far.
func (m *merger) linked(e *layerEntry) (*branch, *Notice) {
	name := strings.TrimLeft(e.link, "/")
	path, odd := cleanPath(name, m.lim)
	if odd == NoticeName && harmlessOnLinux(name) {
		odd = ""
		path = dropDots(path)
	}
	if odd != "" {
		if r, ok := m.odd[path]; ok { // an odd name of this image
			_, t := m.ls.entry(r.offset)
			return &branch{kind: t.kind, ref: r.offset}, nil
		}
		return nil, &Notice{Path: e.path, Kind: NoticeLinkEscape, Unread: true, Detail: "hard link to " + quoted(e.link)}
	}
	if b, _ := m.find(path); b != nil && b.kind != layerDir {
		return b, nil
	}
	return nil, &Notice{Path: e.path, Kind: NoticeImage, Unread: true, Detail: "hard link to " + quoted(e.link) + ", which is not there"}
}

// resolved returns the kind and the content of an entry, of a hard link those
// of its target. Without a target it takes note and reports false.
func (m *merger) resolved(e *layerEntry, ref int64) (layerKind, int64, bool) {
	if e.kind != layerHardlink {
		return e.kind, ref, true
	}
	target, n := m.linked(e)
	if n != nil {
		m.log.add(*n)
		return e.kind, ref, false
	}
	return target.kind, target.ref, true
}

// aside keeps an entry under an escaped path, beside the tree.
func (m *merger) aside(e *layerEntry, layer int, ref int64) {
	kind, ref, ok := m.resolved(e, ref)
	if !ok {
		return
	}
	m.order++
	r := m.record(kind, e.path, layer, ref, m.order)
	r.odd = true
	if before, ok := m.odd[e.path]; ok && int(before.crc) == layer {
		m.older = append(m.older, before)
	}
	m.odd[e.path] = r
}

func (m *merger) path(b *branch) string {
	if b.up == nil {
		return ""
	}
	return m.path(b.up) + b.name + "/"
}

// walk lists the files below a branch.
func (m *merger) walk(b *branch, prefix string, recs *[]record) {
	for name, k := range b.kids {
		if k.kind == layerDir {
			m.walk(k, prefix+name+"/", recs)
			continue
		}
		*recs = append(*recs, m.record(k.kind, prefix+name, k.layer, k.ref, 1<<30))
	}
}

func (m *merger) record(kind layerKind, path string, layer int, ref int64, order int) record {
	_, e := m.ls.entry(ref)
	r := record{File: File{Path: path, Size: e.size}, order: order,
		entry: entry{offset: ref, packed: e.size, crc: uint32(layer), method: methodLayer}}
	if kind == layerSymlink {
		r.Mode, r.Link, r.Size = fs.ModeSymlink, e.link, int64(len(e.link))
	}
	return r
}

// same reports whether two files have the same content.
func (m *merger) same(a, b *entry) bool {
	if a.offset == b.offset {
		return true
	}
	_, x := m.ls.entry(a.offset)
	_, y := m.ls.entry(b.offset)
	if x.kind == layerSymlink || y.kind == layerSymlink {
		return x.kind == y.kind && x.link == y.link
	}
	if m.compared += x.size; x.size != y.size || x.size < 0 || m.compared > maxSameBytes {
		return false
	}
	r, err := m.ls.open(a.offset)
	if err != nil {
		return false
	}
	s, err := m.ls.open(b.offset)
	if err != nil {
		return false
	}
	return sameBytes(r, s)
}

// sameBytes reads two streams and reports whether they are alike.
func sameBytes(a, b io.Reader) bool {
	var p, q [4096]byte
	for {
		n, err := io.ReadFull(a, p[:])
		m, err2 := io.ReadFull(b, q[:])
		switch {
		case n != m || string(p[:n]) != string(q[:m]):
			return false
		case err == nil && err2 == nil:
			continue
		}
		atEnd := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
		return atEnd(err) && atEnd(err2)
	}
}
