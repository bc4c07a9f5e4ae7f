package resolve

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pyVersion is a version of a Python project, as the "version specifiers"
// specification has them
// (https://packaging.python.org/en/latest/specifications/version-specifiers/,
// PEP 440). Numbers that were not written are -1, but for the epoch.
type pyVersion struct {
	epoch     int
	release   []int
	pre       int // 'a', 'b' or 'c'; 0: none
	preNumber int
	post, dev int
	local     []string
}

// maxPyVersion bounds a version in bytes, and maxPyDigits one of its numbers.
const (
	maxPyVersion = 200
	maxPyDigits  = 18 // it fits an int
)

// parsePyVersion reads a version in any of the spellings that are to be taken
// for the normal one (appendix B of the specification); ok is false for what is
// none.
func parsePyVersion(s string) (v pyVersion, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > maxPyVersion {
		return v, false
	}
	s = strings.TrimPrefix(s, "v")
	v.post, v.dev = -1, -1
	public, local, hasLocal := strings.Cut(s, "+")
	if hasLocal {
		if v.local, ok = pyLocal(local); !ok {
			return v, false
		}
	}
	in := &pyText{rest: public}
	first, ok := in.number()
	if !ok {
		return v, false
	}
	if in.take("!") {
		v.epoch = first
		if first, ok = in.number(); !ok {
			return v, false
		}
	}
	v.release = []int{first}
	for len(in.rest) > 1 && in.rest[0] == '.' && isDigit(in.rest[1]) {
		in.rest = in.rest[1:]
		n, ok := in.number()
		if !ok {
			return v, false
		}
		v.release = append(v.release, n)
	}
	if kind, n, ok := in.labelled("alpha", "a", "beta", "b", "preview", "pre", "c", "rc"); ok {
		v.pre, v.preNumber = map[byte]int{'a': 'a', 'b': 'b', 'p': 'c', 'c': 'c', 'r': 'c'}[kind], n
	}
	if len(in.rest) > 1 && in.rest[0] == '-' && isDigit(in.rest[1]) {
		in.rest = in.rest[1:]
		if v.post, ok = in.number(); !ok {
			return v, false
		}
	} else if _, n, ok := in.labelled("post", "rev", "r"); ok {
		v.post = n
	}
	if _, n, ok := in.labelled("dev"); ok {
		v.dev = n
	}
	return v, in.rest == "" && !in.bad
}

// pyLocal reads the part behind the "+".
func pyLocal(s string) (out []string, ok bool) {
	out = strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '-' || r == '_' })
	for _, part := range out {
		if strings.ContainsFunc(part, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			return nil, false
		}
	}
	return out, len(out) > 0
}

// pyText is what is left of a version while it is read.
type pyText struct {
	rest string
	bad  bool
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func (t *pyText) take(s string) bool {
	rest, ok := strings.CutPrefix(t.rest, s)
	t.rest = rest
	return ok
}

func (t *pyText) number() (int, bool) {
	end := 0
	for end < len(t.rest) && isDigit(t.rest[end]) {
		end++
	}
	if end == 0 || end > maxPyDigits {
		t.bad = true
		return 0, false
	}
	n, err := strconv.Atoi(t.rest[:end])
	t.rest = t.rest[end:]
	return n, err == nil
}

// labelled reads one of some words with its number, 0 if none is written, and
// the separators that may stand before each. kind is the word's first letter.
func (t *pyText) labelled(words ...string) (kind byte, n int, ok bool) {
	rest := t.rest
	if rest != "" && strings.IndexByte(".-_", rest[0]) >= 0 {
		rest = rest[1:]
	}
	for _, w := range words {
		after, has := strings.CutPrefix(rest, w)
		if !has {
			continue
		}
		t.rest = after
		if len(after) > 1 && strings.IndexByte(".-_", after[0]) >= 0 && isDigit(after[1]) {
			t.rest = after[1:]
		}
		if t.rest != "" && isDigit(t.rest[0]) {
			n, _ = t.number()
		}
		return w[0], n, true
	}
	return 0, 0, false
}

// early says whether it comes before a final release: nobody gets one unasked.
func (v pyVersion) early() bool { return v.pre != 0 || v.dev >= 0 }

// compare orders versions, local ones behind the public one that they belong to.
func (v pyVersion) compare(w pyVersion) int {
	return cmp.Or(v.comparePublic(w), compareLocal(v.local, w.local))
}

// comparePublic orders versions without what is behind the "+".
func (v pyVersion) comparePublic(w pyVersion) int {
	pv, nv := v.preKey()
	pw, nw := w.preKey()
	return cmp.Or(cmp.Compare(v.epoch, w.epoch), compareRelease(v.release, w.release), cmp.Compare(pv, pw), cmp.Compare(nv, nw),
		cmp.Compare(v.post, w.post), cmp.Compare(v.devKey(), w.devKey()))
}

// preKey orders what stands between the release and ".post": 1.0.dev1 comes
// before 1.0a1, and that before 1.0.
func (v pyVersion) preKey() (kind, number int) {
	switch {
	case v.pre != 0:
		return v.pre, v.preNumber
	case v.post < 0 && v.dev >= 0:
		return 0, 0
	}
	return 'z', 0
}

func (v pyVersion) devKey() int {
	if v.dev < 0 {
		return 1<<62 - 1
	}
	return v.dev
}

// compareRelease compares numbers; what is not written is zero.
func compareRelease(a, b []int) int {
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(at(a, i), at(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

func at(list []int, i int) int {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// compareLocal compares part by part: numbers come behind words.
func compareLocal(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		nx, ex := strconv.Atoi(x)
		ny, ey := strconv.Atoi(y)
		switch {
		case ex == nil && ey == nil:
			return cmp.Compare(nx, ny)
		case ex == nil:
			return 1
		case ey == nil:
			return -1
		}
		return cmp.Compare(x, y)
	})
}

// pyClause is one comparison with a version.
type pyClause struct {
	op      string // "==", "!=", "<=", ">=", "<", ">", "~=", "==="
	version pyVersion
	text    string // as it is written; what "===" compares
	prefix  bool   // "==1.2.*"
}

// pySpec is what is asked of a version: all of its clauses. The zero value is
// satisfied by every version.
type pySpec []pyClause

// pyOperators are the operators, none before one that it begins with.
var pyOperators = []string{"===", "~=", "==", "!=", "<=", ">=", "<", ">"}

// maxPyClauses bounds what is asked of one version.
const maxPyClauses = 100

// parsePySpec reads version specifiers: ">=1,<2". As pip's forerunners wrote
// them a clause may be empty, and ">=" may have a prefix ("2.*").
func parsePySpec(text string) (pySpec, error) {
	var out pySpec
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if len(out) >= maxPyClauses {
			return nil, fmt.Errorf("it has over %d parts", maxPyClauses)
		}
		c, err := parsePyClause(part)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func parsePyClause(part string) (c pyClause, err error) {
	i := slices.IndexFunc(pyOperators, func(op string) bool { return strings.HasPrefix(part, op) })
	if i < 0 {
		return c, errors.New("it has no operator")
	}
	c.op = pyOperators[i]
	c.text = strings.TrimSpace(part[len(c.op):])
	if c.op == "===" {
		if c.text == "" || len(c.text) > maxPyVersion {
			return c, errors.New("it has no version")
		}
		c.version, _ = parsePyVersion(c.text)
		return c, nil
	}
	text, prefix := strings.CutSuffix(c.text, ".*")
	var ok bool
	c.version, ok = parsePyVersion(text)
	switch {
	case !ok:
		return c, errors.New("it has no version that can be compared")
	case prefix && (c.version.early() || c.version.post >= 0):
		return c, errors.New("a prefix is of the release numbers")
	case prefix && (c.op == "==" || c.op == "!="):
		c.prefix = true
	case c.op == "~=" && len(c.version.release) < 2:
		return c, errors.New("~= needs a version of two numbers")
	}
	return c, nil
}

// has says whether a version satisfies all clauses, whether it is early or not.
func (s pySpec) has(text string, v pyVersion) bool {
	return !slices.ContainsFunc(s, func(c pyClause) bool { return !c.has(text, v) })
}

// early says whether it asks for a version before a final release.
func (s pySpec) early() bool {
	return slices.ContainsFunc(s, func(c pyClause) bool { return c.op != "!=" && c.version.early() })
}

// pins says whether it asks for one version and no other.
func (s pySpec) pins() bool {
	return slices.ContainsFunc(s, func(c pyClause) bool { return c.op == "===" || c.op == "==" && !c.prefix })
}

func (c pyClause) has(text string, v pyVersion) bool {
	w := c.version
	switch c.op {
	case "===":
		return strings.EqualFold(text, c.text)
	case "==":
		return c.equal(v)
	case "!=":
		return !c.equal(v)
	case "<=":
		return v.comparePublic(w) <= 0
	case ">=":
		return v.comparePublic(w) >= 0
	case "<": // not what comes before a final release of that version, unless it says so
		return v.compare(w) < 0 && (!v.early() || w.early() || !v.sameRelease(w))
	case ">": // not what comes after that version's release, likewise, nor a local version of it
		return v.comparePublic(w) > 0 && (v.post < 0 && len(v.local) == 0 || w.post >= 0 && len(v.local) == 0 || !v.sameRelease(w))
	case "~=":
		return v.comparePublic(w) >= 0 && v.begins(w, len(w.release)-1)
	}
	return false
}

func (c pyClause) equal(v pyVersion) bool {
	switch {
	case c.prefix:
		return v.begins(c.version, len(c.version.release))
	case len(c.version.local) > 0:
		return v.compare(c.version) == 0
	}
	return v.comparePublic(c.version) == 0
}

// begins says whether the first n numbers are those of another version.
func (v pyVersion) begins(w pyVersion, n int) bool {
	for i := range n {
		if at(v.release, i) != at(w.release, i) {
			return false
		}
	}
	return v.epoch == w.epoch
}

func (v pyVersion) sameRelease(w pyVersion) bool {
	return v.epoch == w.epoch && compareRelease(v.release, w.release) == 0
}
