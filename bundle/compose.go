package bundle

import (
	"cmp"
	"slices"
	"strings"
)

// Mount is a volume and the folder at which the platform shows it.
type Mount struct {
	Volume *Volume
	Path   string // "var/task", "opt"; "" is the root
}

// Tree is the files of one or more volumes, merged as the platform merges them:
// read-only, without duplicates, safe for concurrent use. It implements
// [fs.FS], [fs.ReadLinkFS], [fs.ReadDirFS], [fs.StatFS] and [fs.ReadFileFS].
// Names are those of fs.ValidPath. Symbolic links are followed inside the tree
// only. An absolute link leads from the root of the tree if something is
// mounted below the root or is a container image, because the tree is then the
// platform's file system; in a tree that is one archive alone it leads outside.
type Tree struct {
	mounts []Mount
	files  []File
	refs   []ref  // where files[i] lies; nil: file i of the only volume
	hidden []File // replaced by a later mount
	rooted bool   // something is mounted below the root, or it is an image
	image  bool   // it is an image: above its root is its root
	links  bool   // there is a symbolic link
	depth  int    // MaxLinkDepth
}

// ref is a file of a volume.
type ref struct{ mount, file int32 }

// Compose merges volumes. A later mount wins where two have the same path, or
// where one has a file and the other a folder. File.Layer is the index into
// mounts. A nil Volume is an empty one.
func Compose(mounts []Mount) *Tree {
	t := &Tree{mounts: slices.Clone(mounts), depth: Limits{}.withDefaults().MaxLinkDepth}
	for i := range t.mounts {
		m := &t.mounts[i]
		m.Path = mountPath(m.Path)
		t.rooted = t.rooted || m.Path != ""
		if m.Volume != nil {
			t.depth = m.Volume.pack.lim.MaxLinkDepth
			t.image = t.image || m.Volume.pack.image != nil
		}
	}
	t.rooted = t.rooted || t.image
	if len(t.mounts) == 1 && t.mounts[0].Path == "" {
		if v := t.mounts[0].Volume; v != nil {
			t.files = v.Files()
		}
	} else {
		t.merge()
	}
	t.links = slices.ContainsFunc(t.files, func(f File) bool { return f.Mode != 0 })
	return t
}

func mountPath(p string) string {
	p = strings.Trim(p, "/")
	if p == "" || p == "." {
		return ""
	}
	p, _ = CleanPath(p)
	return p
}

// mounted is a file of a volume on its way into the tree.
type mounted struct {
	File
	ref
}

func (t *Tree) merge() {
	var all []mounted
	for i, m := range t.mounts {
		if m.Volume == nil {
			continue
		}
		files := m.Volume.Files()
		all = slices.Grow(all, len(files))
		paths := joinAll(m.Path, files)
		for j, f := range files {
			f.Path, f.Layer = paths(j), i
			all = append(all, mounted{f, ref{int32(i), int32(j)}})
		}
	}
	order := func(a, b mounted) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.mount, b.mount))
	}
	if !slices.IsSortedFunc(all, order) {
		slices.SortFunc(all, order)
	}
	kept := all[:0]
	for i, f := range all {
		if i+1 < len(all) && all[i+1].Path == f.Path {
			t.hidden = append(t.hidden, f.File)
			continue
		}
		kept = append(kept, f)
	}
	kept = t.hideNested(kept)
	t.files, t.refs = make([]File, len(kept)), make([]ref, len(kept))
	for i, f := range kept {
		t.files[i], t.refs[i] = f.File, f.ref
	}
	slices.SortFunc(t.hidden, func(a, b File) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
}

// joinAll puts the mount in front of every path, in one allocation.
func joinAll(mount string, files []File) func(int) string {
	if mount == "" {
		return func(i int) string { return files[i].Path }
	}
	n := 0
	for _, f := range files {
		n += len(mount) + 1 + len(f.Path)
	}
	var b strings.Builder
	b.Grow(n)
	ends := make([]int, len(files)+1)
	for i, f := range files {
		b.WriteString(mount)
		b.WriteByte('/')
		b.WriteString(f.Path)
		ends[i+1] = b.Len()
	}
	s := b.String()
	return func(i int) string { return s[ends[i]:ends[i+1]] }
}

// hideNested settles paths that are a file in one mount and a folder in
// another: the later mount wins.
func (t *Tree) hideNested(files []mounted) []mounted {
	drop := map[int]bool{}
	last := ""
	for i := range files {
		dir := parent(files[i].Path)
		if dir == last || len(t.mounts) == 1 {
			continue
		}
		for p := dir; p != "" && p != last && !strings.HasPrefix(last, p+"/"); p = parent(p) {
			at, ok := slices.BinarySearchFunc(files, p, func(f mounted, p string) int { return strings.Compare(f.Path, p) })
			if !ok {
				continue
			}
			below, _ := slices.BinarySearchFunc(files, p+"/", func(f mounted, p string) int { return strings.Compare(f.Path, p) })
			for ; below < len(files) && strings.HasPrefix(files[below].Path, p+"/"); below++ {
				if files[below].mount > files[at].mount {
					drop[at] = true
				} else {
					drop[below] = true
				}
			}
		}
		last = dir
	}
	if len(drop) == 0 {
		return files
	}
	kept := make([]mounted, 0, len(files))
	for i, f := range files {
		if drop[i] {
			t.hidden = append(t.hidden, f.File)
		} else {
			kept = append(kept, f)
		}
	}
	return kept
}

// Files returns the files and links of the tree, sorted by Path. Do not modify
// the result.
func (t *Tree) Files() []File { return t.files }

// Hidden returns the files of lower mounts that a later mount replaced, sorted
// by Path and Layer. Their bytes are in the artifact and are read through
// [Tree.Below].
func (t *Tree) Hidden() []File { return t.hidden }

// Mounts returns what the tree was composed of. Do not modify the result.
func (t *Tree) Mounts() []Mount { return t.mounts }

// Below returns the tree of one mount alone, at its place: the way to read what
// other mounts hide.
func (t *Tree) Below(layer int) *Tree {
	if layer < 0 || layer >= len(t.mounts) {
		return &Tree{}
	}
	return Compose(t.mounts[layer : layer+1])
}

// at gives volume and index of file i.
func (t *Tree) at(i int) (*Volume, int) {
	if t.refs == nil {
		return t.mounts[0].Volume, i
	}
	r := t.refs[i]
	return t.mounts[r.mount].Volume, int(r.file)
}
