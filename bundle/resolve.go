package bundle

import (
	"io/fs"
	"slices"
	"strings"
)

// node is what a name leads to: a file of the tree, or a folder.
type node struct {
	path string
	file int // index into files; -1 for a folder
}

// find looks a path up as it stands.
func (t *Tree) find(path string) (node, bool) {
	i, ok := slices.BinarySearchFunc(t.files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if ok {
		return node{path, i}, true
	}
	if path == "." || t.hasBelow(path, i) {
		return node{path, -1}, true
	}
	return node{}, false
}

// hasBelow reports whether path is a folder. Files below it sort after i.
func (t *Tree) hasBelow(path string, i int) bool {
	for _, m := range t.mounts {
		if m.Path == path || strings.HasPrefix(m.Path, path) && m.Path[len(path)] == '/' {
			return true
		}
	}
	if i >= len(t.files) || !strings.HasPrefix(t.files[i].Path, path) {
		return false
	}
	if t.files[i].Path[len(path)] == '/' {
		return true
	}
	below := path + "/" // others such as "a.js" stand between "a" and "a/b"
	j, _ := slices.BinarySearchFunc(t.files[i:], below, func(f File, p string) int { return strings.Compare(f.Path, p) })
	return i+j < len(t.files) && strings.HasPrefix(t.files[i+j].Path, below)
}

// maxSteps bounds the path elements that one resolution looks at.
const maxSteps = 4096

func (t *Tree) walk(name string, follow bool) (node, error) {
	steps := maxSteps
	return t.walkSteps(name, follow, &steps)
}

// walkSteps resolves a valid name; the last element too if follow is set. It
// goes element by element as a kernel does, so that ".." in a link is taken
// from where the link really stands. It takes what it does off steps.
func (t *Tree) walkSteps(name string, follow bool, steps *int) (node, error) {
	stop := *steps - maxSteps
	if !t.links || name == "." {
		if n, ok := t.find(name); ok {
			return n, nil
		}
		return node{}, fs.ErrNotExist
	}
	if n, ok := t.find(name); ok && n.file >= 0 && (!follow || t.files[n.file].Mode == 0) {
		return n, nil // a listed file stands below no link: see namer
	}
	at, rest, hops := "", name, 0
	for rest != "" {
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		if *steps--; *steps < 0 || *steps < stop {
			return node{}, &unreadable{kind: NoticeLinkLoop, detail: "links lead over too many folders"}
		}
		switch elem {
		case "", ".":
			continue
		case "..":
			if at == "" && t.image {
				continue
			}
			if at == "" {
				return node{}, &unreadable{kind: NoticeLinkEscape, detail: "the link leads out of the tree"}
			}
			at = parent(at)
			continue
		}
		next := elem
		if at != "" {
			next = at + "/" + elem
		}
		n, ok := t.find(next)
		if !ok {
			return node{}, fs.ErrNotExist
		}
		if n.file < 0 {
			at = next
			continue
		}
		f := &t.files[n.file]
		if f.Mode&fs.ModeSymlink == 0 {
			if rest != "" {
				return node{}, fs.ErrNotExist
			}
			return n, nil
		}
		if rest == "" && !follow {
			return n, nil
		}
		if hops++; hops > t.depth {
			return node{}, &unreadable{kind: NoticeLinkLoop, detail: "too many links"}
		}
		link := f.Link
		switch {
		case link == "":
			return node{}, &unreadable{kind: NoticeCorrupt, detail: "the link's target could not be read"}
		case link[0] == '/' && !t.rooted, !t.image && (drive(link) || strings.ContainsAny(link, "\x00\\")):
			return node{}, &unreadable{kind: NoticeLinkEscape, detail: "the link leads out of the tree"}
		case link[0] == '/':
			at = ""
		}
		if rest != "" {
			link += "/" + rest
		}
		if len(link) > 1<<16 { // links that double the name on every hop
			return node{}, &unreadable{kind: NoticeLinkLoop, detail: "the name grows without end"}
		}
		rest = link
	}
	if at == "" {
		at = "."
	}
	n, ok := t.find(at)
	if !ok {
		return node{}, fs.ErrNotExist
	}
	return n, nil
}

// lookup is walk with the checks and the error that fs wants.
func (t *Tree) lookup(op, name string, follow bool) (node, error) {
	if !fs.ValidPath(name) {
		return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := t.walk(name, follow)
	if err != nil {
		return node{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

// Resolve follows the links of name, also those of its folders, inside the
// tree, and returns the file it leads to. The error wraps fs.ErrNotExist when
// nothing is there, ErrUnreadable when a link leads out of the tree or in
// circles, and fs.ErrInvalid when name is a folder or not a valid name.
func (t *Tree) Resolve(name string) (File, error) {
	n, err := t.lookup("resolve", name, true)
	if err != nil {
		return File{}, err
	}
	if n.file < 0 {
		return File{}, &fs.PathError{Op: "resolve", Path: name, Err: errFolder}
	}
	return t.files[n.file], nil
}
