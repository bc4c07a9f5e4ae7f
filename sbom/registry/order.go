package registry

import (
	"strings"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// ecosystems are the names under which vulndb/version orders versions.
var ecosystems = map[System]string{NPM: "npm", PyPI: "PyPI", Go: "Go", Maven: "Maven", Cargo: "crates.io", NuGet: "NuGet", RubyGems: "RubyGems"}

// order orders the versions of one package.
type order struct {
	system    System
	ecosystem string
	name      string
}

func orderOf(p Package) *order { return &order{p.System, ecosystems[p.System], p.Name} }

// maxNumbers is how many numbers of a version are compared as numbers; one with
// more goes the slow way.
const maxNumbers = 4

// number is a version that can be ordered. Nearly all versions are plain
// numbers with dots, on whose order all these ecosystems agree (a missing number
// is zero); the others are read by the ecosystem's own rules when they are
// compared.
type number struct {
	text   string
	at     [maxNumbers]uint64 // the numbers that it starts with
	plain  bool               // it has nothing else
	stable bool               // no pre-release
	ok     bool               // it is a version
	flavor string             // Maven: what it is built for ("jre", "android")
	v      *Version           // where it comes from; nil: nowhere

	tried  bool             // by its ecosystem's rules
	parsed *version.Version // nil: not read, or it cannot be
}

// number reads a version. ok is false for what has no order: an empty text, a
// branch, one that is too long, numbers beyond 2^62.
func (o *order) number(s string) (n number) {
	o.read(&n, s)
	return n
}

// read is number into a place that is there already: it is called for every
// version of every package.
func (o *order) read(n *number, s string) {
	*n = number{text: s}
	if s == "" || len(s) > version.MaxLength || o.ecosystem == "" {
		return
	}
	rest := s
	if (s[0] < '0' || s[0] > '9') && o.system != Maven && o.system != RubyGems {
		rest = strings.TrimLeft(rest, "= ")
		if rest != "" && (rest[0] == 'v' || rest[0] == 'V') {
			rest = rest[1:]
		}
	}
	if o.system == PyPI {
		if i := strings.IndexByte(rest, '!'); i >= 0 { // an epoch, before everything
			o.odd(n, rest[i+1:])
			return
		}
	}
	rest, n.ok = n.digits(rest)
	if !n.ok {
		return
	}
	if o.system == Maven {
		if word := strings.TrimLeft(rest, ".-"); isFinal(word) {
			rest = ""
		}
	}
	if rest == "" {
		n.plain, n.stable = true, true
		return
	}
	o.rest(n, rest)
}

// digits reads the numbers that a text starts with and returns what follows them.
func (n *number) digits(s string) (rest string, ok bool) {
	for i := 0; ; i++ {
		var x uint64
		k := 0
		for k < len(s) && '0' <= s[k] && s[k] <= '9' {
			if x = x*10 + uint64(s[k]-'0'); x >= 1<<62 {
				return s, false
			}
			k++
		}
		if k == 0 {
			return s, i > 0
		}
		if i < maxNumbers {
			n.at[i] = x
		}
		s = s[k:]
		if len(s) < 2 || s[0] != '.' || s[1] < '0' || s[1] > '9' {
			return s, true
		}
		if i == maxNumbers-1 {
			return s, true // what follows makes it no plain one
		}
		s = s[1:]
	}
}

// odd is a version with a PyPI epoch: ordered the slow way only.
func (o *order) odd(n *number, after string) {
	rest, ok := n.digits(after)
	if n.ok = ok; !ok {
		return
	}
	if n.stable = true; rest != "" {
		o.rest(n, rest)
	}
}

// rest reads what follows the numbers: whether it makes a pre-release of it.
func (o *order) rest(n *number, rest string) {
	switch o.system {
	case NPM, Go, Cargo, NuGet: // semver.org item 9: what follows a hyphen, up to the build data
		rest, build, _ := strings.Cut(rest, "+")
		n.stable = !strings.HasPrefix(rest, "-") && (rest == "" || rest[0] == '.')
		if o.system == Go && build == "incompatible" {
			n.flavor = build
		}
	case PyPI: // PEP 440: post-releases and local versions are no pre-releases
		rest, _, _ = strings.Cut(rest, "+")
		n.stable = !words(rest, func(word string) bool { return word != "post" && word != "rev" && word != "r" })
	case RubyGems: // Gem::Version#prerelease?: any letter, in what is no platform
		n.stable = !words(version.Clean(o.ecosystem, o.name, n.text), func(string) bool { return true })
	case Maven:
		flavor := []string{}
		n.stable = true
		words(rest, func(word string) bool {
			switch {
			case mavenUnstable(word):
				n.stable = false
			case !isFinal(word) && word != "sp" && word != "incubating": // a service pack, and Apache's mark of a young project
				flavor = append(flavor, word)
			}
			return false
		})
		n.flavor = strings.Join(flavor, "-")
	}
}

// words calls f with each run of letters of s, in lower case, until f says true.
func words(s string, f func(word string) bool) bool {
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r < 'A' || 'Z' < r && r < 'a' || r > 'z' }) {
		if f(strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// isFinal says that a word of a Maven version stands for its release. The first
// three are those of Maven's own order (ComparableVersion), in which they are
// equal to nothing at all.
func isFinal(word string) bool {
	return strings.EqualFold(word, "final") || strings.EqualFold(word, "ga") || strings.EqualFold(word, "release")
}

// mavenUnstable says that a word of a Maven version marks a pre-release: those
// that Maven's order places below the release, and what projects write besides.
func mavenUnstable(word string) bool {
	switch word {
	case "alpha", "a", "beta", "b", "milestone", "m", "rc", "cr", "snapshot", "pre", "pr", "preview", "ea", "eap", "dev", "nightly", "canary", "experimental":
		return true
	}
	return false
}

// like says whether n may take the place of own: it is of the same scheme of
// numbers (dates as numbers are another one: commons-io 20030203.000550 is older
// than 2.0) and built for the same.
func (o *order) like(own, n *number) bool {
	const date = 19_700_101
	if (own.at[0] >= date) != (n.at[0] >= date) {
		return false
	}
	switch o.system {
	case Go: // a module with go.mod does not go to versions from before modules (go.dev/ref/mod#incompatible-versions)
		return own.flavor != "" || n.flavor == ""
	case Maven: // guava had no flavour before it had two, and its own documents say that "jre" continues it
		return own.flavor == n.flavor || own.flavor == "" && n.flavor == "jre"
	}
	return true
}

// compare orders two versions that are ok. What their ecosystem cannot order
// after all counts as equal in what follows the numbers.
func (o *order) compare(a, b *number) int {
	if !a.plain || !b.plain {
		if x, y := o.parsed(a), o.parsed(b); x != nil && y != nil {
			if c, err := x.Compare(*y); err == nil {
				return c
			}
		}
	}
	return compareNumbers(a.at, b.at)
}

// parsed reads a version by its ecosystem's rules, once; nil when it cannot be.
func (o *order) parsed(n *number) *version.Version {
	if !n.tried {
		n.tried = true
		if v, err := version.Parse(o.ecosystem, o.name, n.text); err == nil {
			n.parsed = &v
		}
	}
	return n.parsed
}

func compareNumbers(a, b [maxNumbers]uint64) int {
	for i := range a {
		if a[i] != b[i] {
			if a[i] < b[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// again says whether a version was seen before: gems come once per processor.
func (o *order) again(seen map[string]bool, s string) bool {
	if o.system != RubyGems {
		return false
	}
	key := version.Clean(o.ecosystem, o.name, s)
	was := seen[key]
	seen[key] = true
	return was
}

// Stable says whether a version of a package is a release: a number that can be
// read, and no pre-release.
func Stable(p Package, version string) bool {
	n := orderOf(p).number(version)
	return n.ok && n.stable
}

// Compare orders two versions of a package: -1, 0 or +1. ok is false when a
// number cannot be read.
func Compare(p Package, a, b string) (c int, ok bool) {
	o := orderOf(p)
	x, y := o.number(a), o.number(b)
	if !x.ok || !y.ok {
		return 0, false
	}
	return o.compare(&x, &y), true
}
