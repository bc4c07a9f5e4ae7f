package pystrip

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// Input is the files of one artifact.
type Input struct {
	Files []bundle.File // sorted by path
	Read  func(p string, limit int64) ([]byte, error)
	Owned func(p string) bool // whether a package with metadata accounts for a file

	// Claims returns the distributions whose metadata accounts for a file. None:
	// what owns it is not Python's metadata. nil: there are none for any file.
	Claims    func(p string) []Distribution
	Installed []Distribution // those whose metadata was read, of any folder
}

// Distribution is a project that is installed, by its metadata.
type Distribution struct {
	Name, Version string
	Root          string // folder that the metadata lies in; "" is the top
	Metadata      string // path of the file that names it
}

// files is one module in its forms: the source, compiled code that Python
// imports in its place, compiled code in __pycache__, an extension module.
type files struct{ source, compiled, cached, native string }

// any returns the file that shows the module best.
func (f *files) any() string { return cmp.Or(f.source, f.native, f.compiled, f.cached) }

// folder is a folder that holds Python code, or a folder with some.
type folder struct {
	modules map[string]*files
	subs    []string // names of the folders in it that hold code, sorted
}

func (f *folder) isPackage() bool { return f != nil && f.modules["__init__"] != nil }

// index finds the Python code of an artifact.
type index struct {
	in      Input
	folders map[string]*folder
	infos   map[string]map[string]bool   // folder -> normal names of the projects whose metadata lies there
	bare    map[string][]bareInfo        // folder -> metadata folders there of which only remains are left
	libs    map[string]map[string]string // folder -> normal name of a project -> the folder NAME.libs there
}

// newIndex goes over the names of the files. Code that Node packages bring
// along to be built is not looked at.
func newIndex(ctx context.Context, in Input) *index {
	x := &index{in: in, folders: map[string]*folder{}, infos: map[string]map[string]bool{}, bare: map[string][]bareInfo{}, libs: map[string]map[string]string{}}
	for i := range in.Files {
		if i%4096 == 0 && ctx.Err() != nil {
			return x
		}
		f := &in.Files[i]
		ext := path.Ext(f.Path)
		switch ext {
		case ".py", ".pyc", ".so", ".pyd":
			if f.Link == "" && !strings.Contains("/"+f.Path, "/node_modules/") {
				x.code(f.Path, ext)
			}
		default:
			x.metadata(f.Path)
		}
	}
	for _, f := range x.folders {
		slices.Sort(f.subs)
	}
	return x
}

// code notes one file of code.
func (x *index) code(p, ext string) {
	dir, base := dirOf(p), path.Base(p)
	name, _, _ := strings.Cut(base, ".")
	if name == "" {
		return
	}
	cached := path.Base(dir) == "__pycache__"
	if cached {
		dir = dirOf(dir)
	}
	if strings.HasSuffix(dir, ".libs") {
		up := dirOf(dir)
		if x.libs[up] == nil {
			x.libs[up] = map[string]string{}
		}
		x.libs[up][normalName(strings.TrimSuffix(path.Base(dir), ".libs"))] = dir
		return
	}
	f := x.folder(dir)
	m := f.modules[name]
	if m == nil {
		m = &files{}
		f.modules[name] = m
	}
	switch {
	case ext == ".py" && base == name+ext:
		m.source = p
	case ext == ".pyc" && cached:
		if m.cached == "" || len(p) < len(m.cached) { // without ".opt-1": with its documentation
			m.cached = p
		}
	case ext == ".pyc" && base == name+ext:
		m.compiled = p
	case (ext == ".so" || ext == ".pyd") && !cached:
		m.native = p
	}
	if m.any() == "" {
		delete(f.modules, name)
	}
}

// folder returns a folder, after noting it in those around it.
func (x *index) folder(dir string) *folder {
	if f := x.folders[dir]; f != nil {
		return f
	}
	f := &folder{modules: map[string]*files{}}
	x.folders[dir] = f
	if dir != "" {
		up := x.folder(dirOf(dir))
		up.subs = append(up.subs, path.Base(dir))
	}
	return f
}

// metadata notes the folders and files that say by their name which project
// has its metadata there: NAME-VERSION.dist-info, NAME.egg-info.
func (x *index) metadata(p string) {
	at := p
	if !strings.HasSuffix(p, ".egg-info") {
		at = dirOf(p)
		switch path.Base(p) {
		case "METADATA", "PKG-INFO", "RECORD", "WHEEL", "INSTALLER", "top_level.txt", "direct_url.json":
		default:
			return
		}
	}
	ext := path.Ext(at)
	if ext != ".dist-info" && ext != ".egg-info" {
		return
	}
	stem := strings.TrimSuffix(path.Base(at), ext)
	name, version, _ := strings.Cut(stem, "-")
	switch path.Base(p) {
	case "METADATA", "PKG-INFO", path.Base(at):
	default:
		if version == "" { // the catalog cannot report it, but the code beside it may be what it names
			x.remains(at, name, p)
			return
		}
	}
	up := dirOf(at)
	if x.infos[up] == nil {
		x.infos[up] = map[string]bool{}
	}
	x.infos[up][normalName(name)] = true
}

// bareInfo is a metadata folder without the metadata: NAME.egg-info.
type bareInfo struct{ at, name, topLevel string }

// maxBare is how many such folders are kept side by side.
const maxBare = 1000

// remains notes one file of such a folder.
func (x *index) remains(at, name, p string) {
	up := dirOf(at)
	list := x.bare[up]
	if n := len(list); n == 0 || list[n-1].at != at { // files are sorted
		if n >= maxBare {
			return
		}
		list = append(list, bareInfo{at: at, name: name})
		x.bare[up] = list
	}
	if path.Base(p) == "top_level.txt" {
		list[len(list)-1].topLevel = p
	}
}

// bareNames returns the projects that such folders name, by import name: their
// own, and those that their top_level.txt lists.
func (x *index) bareNames(root string) map[string]string {
	out := map[string]string{}
	for _, b := range x.bare[root] {
		out[normalName(b.name)] = b.name
		if b.topLevel == "" {
			continue
		}
		if data, err := x.in.Read(b.topLevel, 64<<10); err == nil {
			for _, name := range strings.Fields(string(data)) {
				out[name] = b.name
			}
		}
	}
	return out
}

// has reports whether the artifact has a file at p.
func (x *index) has(p string) bool {
	_, ok := slices.BinarySearchFunc(x.in.Files, p, func(f bundle.File, p string) int { return cmp.Compare(f.Path, p) })
	return ok
}

// dirOf is path.Dir with "" for the top.
func dirOf(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

// join is path.Join for clean paths.
func joinPath(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
