package trust

import (
	_ "embed"
	"strings"
	"sync"
	"time"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// The lists of names that are worth imitating, one a line: the most downloaded
// packages of a system, most downloaded first; then, after a line
// "# siblings", names that look like one of those and are widely used
// themselves ("preact" beside "react"). Lines before that begin with "#" and
// say as of when ("# as_of: 2026-11-01") and from where. TestRefreshPopular
// says how to make them anew.
var (
	//go:embed popular/npm.txt
	popularNPM string
	//go:embed popular/pypi.txt
	popularPyPI string
)

// popularNames are the lists, made ready when the first package of their
// system is looked at.
var popularNames = map[registry.System]func() *nameList{
	registry.NPM:  sync.OnceValue(func() *nameList { return newNameList(registry.NPM, popularNPM) }),
	registry.PyPI: sync.OnceValue(func() *nameList { return newNameList(registry.PyPI, popularPyPI) }),
}

// nameList is a list of names that are worth imitating, with what finds those
// that look like one of them. It is not changed once it is made.
type nameList struct {
	system   registry.System
	asOf     time.Time
	source   string
	known    map[string]bool   // name -> it is worth imitating; false: a sibling
	lengths  [][]listedName    // by length in bytes
	skeleton map[uint64]string // skeletonSum of a name -> the most downloaded one
	words    map[uint64]string // wordsSum of a name with several words -> likewise
}

type listedName struct {
	name    string
	letters uint64 // which letters it has, as letterSet says
}

// maxListed is how long a name of a list may be, in bytes: longer names are not
// looked for, and none of the lists is as long.
const maxListed = 100

func newNameList(system registry.System, text string) *nameList {
	n := strings.Count(text, "\n")
	l := &nameList{system: system, known: make(map[string]bool, n), lengths: make([][]listedName, maxListed+1), skeleton: make(map[uint64]string, n), words: make(map[uint64]string, n)}
	siblings := false
	for line := range strings.Lines(text) {
		name := strings.TrimSuffix(line, "\n")
		if head, ok := strings.CutPrefix(name, "# "); ok {
			key, value, _ := strings.Cut(head, ": ")
			switch key {
			case "as_of":
				l.asOf, _ = time.Parse(time.DateOnly, value) // a test holds that it is one
			case "source":
				l.source = value
			case "siblings":
				siblings = true
			}
			continue
		}
		if l.known[name] = !siblings; siblings {
			continue
		}
		l.lengths[len(name)] = append(l.lengths[len(name)], listedName{name, letterSet(name)})
		if s := skeletonSum(name); l.skeleton[s] == "" {
			l.skeleton[s] = name
		}
		if w, several := wordsSum(name); several && l.words[w] == "" {
			l.words[w] = name
		}
	}
	return l
}

// letterSet says which characters a name has, each by a bit that few others
// share: names of which the sets differ in more than two bits are more than one
// edit apart.
func letterSet(name string) uint64 {
	var set uint64
	for i := range len(name) {
		set |= 1 << (name[i] & 63)
	}
	return set
}
