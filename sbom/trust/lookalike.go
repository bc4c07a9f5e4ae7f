package trust

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// RuleLookalike: the name is hardly to be told from that of a widely used
// package. Who mistypes gets the other one ("typosquatting"), but honest names
// lie as near: on its own it is low and probable. Judge raises it where
// something else speaks against the package: see combine.
//
// Names are compared for npm and PyPI, of which the most downloaded packages
// are listed. A name that is listed itself, or in wide use, is never one.
const RuleLookalike Rule = "look-alike"

// minImitated is how long a name, or the part that differs, must be at least to
// be taken for an imitation on its own: of shorter names everything is near.
const minImitated = 5

// resemblance is a name that a package could be taken for.
type resemblance struct {
	name string
	how  string // in plain words
}

// lookalike judges whether a package's name is to be taken for another.
func lookalike(c *sbom.Component, p registry.Package) []Signal {
	load := popularNames[p.System]
	if load == nil || c.Origin == sbom.OriginBase || c.Origin == sbom.OriginRuntime || c.State == sbom.Provided {
		return nil // what a platform brings was not chosen by a name somebody typed
	}
	list := load()
	like, ok := list.resembles(spelling(p.System, p.Name))
	if !ok {
		return nil
	}
	return []Signal{{Rule: RuleLookalike, Weight: Low, Component: c.PURL, Probable: true,
		Title:    fmt.Sprintf("bears a name that looks like %s, a widely used package (%s)", like.name, like.how),
		Evidence: []Evidence{{Source: "table", Locator: list.source, Detail: like.name, At: list.asOf}}}}
}

// resembles returns the listed name that a name looks like. ok is false when
// there is none, and when the name is known itself.
func (l *nameList) resembles(name string) (like resemblance, ok bool) {
	if _, known := l.known[name]; known || len(name) > maxListed {
		return like, false
	}
	scope, base := splitScope(name)
	if len(base) >= minImitated || len(scope) >= minImitated {
		if to := l.oneEdit(name); to != "" {
			return resemblance{to, "one letter differs"}, true
		}
	}
	if to := l.skeleton[skeletonSum(name)]; len(to) >= minImitated {
		return resemblance{to, "only separators or letters that look alike differ"}, true
	}
	if w, several := wordsSum(name); several && l.words[w] != "" {
		return resemblance{l.words[w], "the same words in another order"}, true
	}
	if to := l.affixed(name); to != "" {
		return resemblance{to, "with something added"}, true
	}
	if first, rest, two := strings.Cut(name, "-"); two && scope == "" {
		if to := "@" + first + "/" + rest; l.known[to] {
			return resemblance{to, "the scope is written as part of the name"}, true
		}
	}
	return like, false
}

// oneEdit returns the first listed name that becomes name by one edit: a
// letter added, left out or exchanged, or two neighbours swapped.
func (l *nameList) oneEdit(name string) string {
	set := letterSet(name)
	for n := max(len(name)-1, 0); n <= min(len(name)+1, maxListed); n++ {
		for _, to := range l.lengths[n] {
			if bits.OnesCount64(set^to.letters) <= 2 && oneEdit(name, to.name) && samePart(name, to.name) {
				return to.name
			}
		}
	}
	return ""
}

// oneEdit says whether a and b are one edit apart (Damerau and Levenshtein,
// restricted to one). A digit in another's place is none: versions and key
// lengths differ so ("sha256", "sha512").
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 1:
		return a[i:] == b[i+1:]
	case 0:
		if i == len(a) {
			return false
		}
		if a[i+1:] == b[i+1:] {
			return !digit(a[i]) || !digit(b[i])
		}
		return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	}
	return false
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// samePart says whether two names differ in one part only, scope or name, and
// in one that is long enough to say anything. Both names being scoped, and
// neither, are the same there; one of them is another question.
func samePart(a, b string) bool {
	scopeA, baseA := splitScope(a)
	scopeB, baseB := splitScope(b)
	if scopeA == scopeB {
		return min(len(baseA), len(baseB)) >= minImitated
	}
	return baseA == baseB && min(len(scopeA), len(scopeB)) >= minImitated
}

// splitScope takes an npm name apart; scope is "" without one, else with its "@".
func splitScope(name string) (scope, base string) {
	if i := strings.IndexByte(name, '/'); i > 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// The sums below are FNV-1a (RFC 9923), 64 bits. They stand for the texts, so
// that the lists are ready without copying a name; what has the same sum is
// taken for the same, which no accident makes of a few thousand names.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

func fnv(sum uint64, c byte) uint64 { return (sum ^ uint64(c)) * fnvPrime }

func separator(c byte) bool { return c == '-' || c == '_' || c == '.' }

// skeletonSum stands for a name without its separators, in which letters that
// are taken for one another at a glance are written as one: 0 as o, 1 as l, rn
// as m, vv as w.
func skeletonSum(name string) uint64 {
	sum := uint64(fnvBasis)
	for i := 0; i < len(name); i++ {
		c, next := name[i], byte(0)
		if i+1 < len(name) {
			next = name[i+1]
		}
		switch {
		case separator(c):
			continue
		case c == '0':
			c = 'o'
		case c == '1':
			c = 'l'
		case c == 'r' && next == 'n':
			c, i = 'm', i+1
		case c == 'v' && next == 'v':
			c, i = 'w', i+1
		}
		sum = fnv(sum, c)
	}
	return sum
}

// wordsSum stands for the words of a name, in whatever order. several is false
// for a single word.
func wordsSum(name string) (sum uint64, several bool) {
	word, words := uint64(fnvBasis), 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && !separator(name[i]) {
			word = fnv(word, name[i])
		} else if word != fnvBasis {
			sum, word, words = sum+word, fnvBasis, words+1
		}
	}
	return sum, words > 1
}

// affixes are what is put before or behind a name to make another of it that
// sounds like the same thing for this language.
var affixes = map[registry.System]struct{ before, behind []string }{
	registry.NPM:  {[]string{"node-", "js-"}, []string{"js", "-js", ".js", "-node", "-nodejs", "-npm"}},
	registry.PyPI: {[]string{"python-", "python3-", "py-", "py"}, []string{"-python", "-py", "py"}},
}

// affixed returns the listed name that name is with an affix; "" if none.
func (l *nameList) affixed(name string) string {
	a := affixes[l.system]
	for _, text := range a.before {
		if rest, ok := strings.CutPrefix(name, text); ok && len(rest) >= minImitated && l.known[rest] {
			return rest
		}
	}
	for _, text := range a.behind {
		if rest, ok := strings.CutSuffix(name, text); ok && len(rest) >= minImitated && l.known[rest] {
			return rest
		}
	}
	return ""
}
