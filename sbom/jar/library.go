package jar

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// librariesText is the table of known libraries. Its head says how it is
// written, where it comes from and as of when.
//
//go:embed libraries.txt
var librariesText string

// library is one artifact of the table.
type library struct {
	name     string   // group:artifact
	root     string   // package folder that its classes lie in
	markers  []string // paths of classes below root, without ".class"; at most maxMarkers
	required uint32   // bit set of the markers without which it is not this artifact
	absent   []string // full paths of classes that this artifact never has
	same     []string // group:artifact of others that have these classes
	versions []versionSource
}

// maxMarkers is how many classes one line of the table may name: they are
// counted in a bit set.
const maxMarkers = 32

// versionSource says where the bytes carry the version.
type versionSource struct {
	path   string // of a class (without ".class") or of a properties file
	key    string // in the properties file; "" for a class
	prefix string // of the class's text, in front of the version
}

// marker is a class by which libraries are recognised.
type marker struct {
	lib  int
	bit  uint32
	full string // root and rest
	rest string
}

// table is the parsed text.
type table struct {
	libraries []library
	markers   map[string][]marker // simple name of the class -> markers
	absent    map[string][]string // simple name of a class -> full paths that some line forbids
	versions  map[string][]int    // base name of a version file -> libraries
	groups    map[string][]string // artifact id -> groups, in the order of the table
	roots     map[string]string   // group:artifact -> root, where a line has one
	packages  map[string][]string // group -> roots of all of its artifacts
}

// libraries parses the table at the first use, since most functions hold no Java.
var libraries = sync.OnceValue(func() *table {
	t, err := parseTable(librariesText)
	if err != nil {
		panic(err) // a test parses it
	}
	return t
})

// parseTable reads lines of
//
//	GROUP:ARTIFACT [ROOT CLASS... [!CLASS...] [@NAME...] [=VERSION...]]
//
// where CLASS is a path below ROOT, "+CLASS" one that must be there, "!PATH" one
// that must not, "@NAME" another artifact of the same classes, and "=PATH:KEY" or "=PATH[:TEXT]" says where the version stands:
// under KEY of a .properties file, or as a text of a class, behind TEXT. A line
// of a name alone gives the group of an artifact.
func parseTable(text string) (*table, error) {
	t := &table{markers: map[string][]marker{}, absent: map[string][]string{}, versions: map[string][]int{}, groups: map[string][]string{}, roots: map[string]string{}, packages: map[string][]string{}}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if line == "" || line[0] == '#' {
			continue
		}
		if err := t.line(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("parse table of libraries: line %d: %w", n, err)
		}
	}
	return t, nil
}

func (t *table) line(fields []string) error {
	group, artifact, ok := strings.Cut(fields[0], ":")
	if !ok || !plausibleGroup(group) || !plausibleArtifact(artifact) {
		return fmt.Errorf("%q is no GROUP:ARTIFACT", fields[0])
	}
	if !contains(t.groups[artifact], group) {
		t.groups[artifact] = append(t.groups[artifact], group)
	}
	if len(fields) == 1 {
		return nil
	}
	lib := library{name: fields[0], root: fields[1]}
	t.roots[lib.name] = lib.root
	t.packages[group] = append(t.packages[group], lib.root)
	at := len(t.libraries)
	for _, f := range fields[2:] {
		switch f[0] {
		case '!':
			lib.absent = append(lib.absent, f[1:])
			t.absent[simple(f[1:])] = append(t.absent[simple(f[1:])], f[1:])
		case '@':
			lib.same = append(lib.same, f[1:])
		case '=':
			p, rest, _ := strings.Cut(f[1:], ":")
			v := versionSource{path: p, prefix: rest}
			if strings.HasSuffix(p, ".properties") {
				v.key, v.prefix = rest, ""
				t.versions[simple(p)] = append(t.versions[simple(p)], at)
			} else {
				t.versions[simple(p)+".class"] = append(t.versions[simple(p)+".class"], at)
			}
			lib.versions = append(lib.versions, v)
		default:
			c := strings.TrimPrefix(f, "+")
			if len(lib.markers) == maxMarkers {
				return fmt.Errorf("more than %d classes", maxMarkers)
			}
			bit := uint32(1) << len(lib.markers)
			if c != f {
				lib.required |= bit
			}
			lib.markers = append(lib.markers, c)
			t.markers[simple(c)] = append(t.markers[simple(c)], marker{at, bit, lib.root + "/" + c, c})
		}
	}
	if len(lib.markers) == 0 {
		return fmt.Errorf("%s has a root and no class", lib.name)
	}
	t.libraries = append(t.libraries, lib)
	return nil
}

// simple returns what stands behind the last slash.
func simple(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
