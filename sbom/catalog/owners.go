package catalog

import "strings"

// owners says which files belong to a package that was found, so that native
// code inside it is not reported as code of nobody.
type owners struct {
	dirs  map[string]bool // folder of a package
	files map[string]bool // listed by a package, outside its folder
	names map[string]bool // folder and module name: owns the extension modules folder/name.TAG.so

	index  map[string]int // path -> index of the file, for system
	system system
}

func (o *owners) addDir(dir string) {
	if dir == "" {
		return
	}
	if o.dirs == nil {
		o.dirs = map[string]bool{}
	}
	o.dirs[dir] = true
}

func (o *owners) addFile(p string) {
	if o.files == nil {
		o.files = map[string]bool{}
	}
	o.files[p] = true
}

// addModule says that folder/name.so and folder/name.TAG.so belong to a package.
func (o *owners) addModule(p string) {
	if o.names == nil {
		o.names = map[string]bool{}
	}
	o.names[p] = true
}

func (o *owners) owns(p string) bool {
	if o.files[p] {
		return true
	}
	if _, ok := o.owner(p); ok {
		return true
	}
	if strings.HasSuffix(p, ".so") || strings.HasSuffix(p, ".pyd") {
		slash := strings.LastIndexByte(p, '/') + 1
		stem, _, _ := strings.Cut(p[slash:], ".")
		if o.names[p[:slash]+stem] {
			return true
		}
	}
	if len(o.dirs) == 0 {
		return false
	}
	for i := strings.LastIndexByte(p, '/'); i > 0; i = strings.LastIndexByte(p[:i], '/') {
		if o.dirs[p[:i]] {
			return true
		}
	}
	return false
}
