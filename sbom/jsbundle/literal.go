package jsbundle

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

//go:embed literals.txt
var literalsText string

// anchorBytes is the least length of a text of the table: what is looked at in
// one step.
const anchorBytes = 8

// Bounds of the reader of literals, and how far a version may lie from the text
// that vouches for it, in bytes: unminified code has its comments in between.
const (
	anchorHits    = 32     // places that are kept of one text
	maxVersions   = 20_000 // strings that are versions, of one bundle
	keyBytes      = 40
	versionNear   = 2_500
	versionBefore = 1_000
)

// literalRule is one line of the table, or one of the AWS SDK's packages.
type literalRule struct {
	name     string
	all      []int // texts that must be there, by index
	none     []int // texts that must not
	versions []versionRule
}

// versionRule says where a version stands.
type versionRule struct {
	kind byte   // '=', '<', '>', '^'
	key  string // of '='
	text int    // index, -1 for '=' without a place
}

// literalTable holds the rules and what finds their texts.
type literalTable struct {
	rules []literalRule
	kit   []kitRule
	texts []string
	index map[string]int
	heads map[uint64][]int // first eight bytes of a text -> texts
	sieve [1 << 9]uint64   // of the heads, one bit each

	anchors *anchors
}

// literals is the table, read once.
var literals = sync.OnceValue(func() *literalTable {
	t := &literalTable{index: map[string]int{}, heads: map[uint64][]int{}}
	for line := range strings.SplitSeq(literalsText, "\n") {
		if line != "" && line[0] != '#' {
			t.rules = append(t.rules, t.rule(line))
		}
	}
	t.kit = kitRules(t)
	t.anchors = newAnchors(t)
	return t
})

// rule reads one line.
func (t *literalTable) rule(line string) literalRule {
	parts := strings.Split(line, " | ")
	r := literalRule{name: parts[0]}
	for _, p := range parts[1:] {
		switch {
		case p[0] == '!':
			r.none = append(r.none, t.text(p[1:]))
		case p[0] == '=' && p[1] != '=':
			key, text, near := strings.Cut(p[1:], "@")
			v := versionRule{kind: '=', key: key, text: -1}
			if near {
				v.text = t.text(text)
			}
			r.versions = append(r.versions, v)
		case p[0] == '<' || p[0] == '>' || p[0] == '^':
			v := versionRule{kind: p[0], key: p[1:]}
			if p[0] != '^' {
				v.text = t.text(p[1:])
			}
			r.versions = append(r.versions, v)
		default:
			r.all = append(r.all, t.text(p))
		}
	}
	return r
}

// text returns the index of a text, which is at least anchorBytes long.
func (t *literalTable) text(s string) int {
	if i, ok := t.index[s]; ok {
		return i
	}
	i := len(t.texts)
	t.texts = append(t.texts, s)
	t.index[s] = i
	head := binary.LittleEndian.Uint64([]byte(s))
	t.heads[head] = append(t.heads[head], i)
	bit := sieveBit(head)
	t.sieve[bit>>6] |= 1 << (bit & 63)
	return i
}

// sieveBit maps a head to one of the sieve's bits.
func sieveBit(head uint64) uint64 { return head * 0x9e3779b97f4a7c15 >> (64 - 15) }

// literalReader finds the texts of the table in a bundle, and the strings that
// are versions.
type literalReader struct {
	table    *literalTable
	hits     [][]int64 // of each text: offsets, in order
	versions []versionLiteral
	services serviceReader
	word     []byte // the last name or string, if it could be a key
	assigned bool   // it is followed by "=" or ":"
}

// versionLiteral is a string that is a version.
type versionLiteral struct {
	offset  int64
	key     string // what it is the value of; "" when it is not
	prefix  string // what stands before it in the string: "axios/"
	version string
}

// token looks at one token of the bundle.
func (r *literalReader) token(t *Token) {
	if t.Kind == Comment {
		return
	}
	if r.table == nil {
		r.table = literals()
		r.hits = make([][]int64, len(r.table.texts))
	}
	r.services.token(t)
	if t.Kind != Punct && len(t.Text) >= anchorBytes {
		r.search(t)
	}
	switch t.Kind {
	case String:
		if r.version(t) {
			return
		}
		fallthrough
	case Name:
		r.word, r.assigned = r.word[:0], false
		if len(t.Text) <= keyBytes {
			r.word = append(r.word, t.Text...)
		}
	case Punct:
		r.assigned = len(r.word) > 0 && len(t.Text) == 1 && (t.Text[0] == '=' || t.Text[0] == ':')
		if !r.assigned {
			r.word = r.word[:0]
		}
	default:
		r.word, r.assigned = r.word[:0], false
	}
}

// search finds the texts in one token.
func (r *literalReader) search(t *Token) {
	table, text := r.table, t.Text
	for i := 0; i+anchorBytes <= len(text); i++ {
		head := binary.LittleEndian.Uint64(text[i:])
		bit := sieveBit(head)
		if table.sieve[bit>>6]&(1<<(bit&63)) == 0 {
			continue
		}
		for _, n := range table.heads[head] {
			if len(r.hits[n]) < anchorHits && bytes.HasPrefix(text[i:], []byte(table.texts[n])) {
				r.hits[n] = append(r.hits[n], t.Offset)
			}
		}
	}
}

// version notes a string that is a version, alone or behind a product's name.
func (r *literalReader) version(t *Token) bool {
	if len(t.Text) < 7 || len(t.Text) > 80 || len(r.versions) >= maxVersions {
		return false
	}
	text := string(t.Text[1 : len(t.Text)-1])
	prefix := ""
	if i := strings.LastIndexAny(text, "/ @"); i > 0 {
		prefix, text = text[:i+1], text[i+1:]
	}
	if text == "" || !digit(text[0]) || exact(text) == "" {
		return false
	}
	v := versionLiteral{offset: t.Offset, prefix: prefix, version: text}
	if r.assigned {
		v.key, _, _ = strings.Cut(strings.Trim(string(r.word), "\"'`"), "$")
	}
	r.versions = append(r.versions, v)
	r.word, r.assigned = r.word[:0], false
	return true
}

// claims returns what the literals prove.
func (r *literalReader) claims() []Claim {
	if r.table == nil {
		return nil
	}
	var out []Claim
	for i := range r.table.rules {
		rule := &r.table.rules[i]
		if !r.holds(rule.all, rule.none) {
			continue
		}
		c := Claim{Name: rule.name, Method: MethodLiteral, Confidence: 0.8, Offset: r.hits[rule.all[0]][0], Detail: "texts that only this package has"}
		if v := r.find(rule.versions); v.version != "" {
			c.Version, c.Offset, c.Detail = v.version, v.offset, "its version, beside texts that only this package has"
		}
		out = append(out, c)
	}
	return unique(out)
}

// holds reports whether all texts are there and none of the others.
func (r *literalReader) holds(all, none []int) bool {
	has := func(n int) bool { return len(r.hits[n]) > 0 }
	return len(all) > 0 && !slices.ContainsFunc(all, func(n int) bool { return !has(n) }) && !slices.ContainsFunc(none, has)
}

// find returns the version by the first rule that finds one.
func (r *literalReader) find(rules []versionRule) versionLiteral {
	for _, rule := range rules {
		var fit versionLiteral
		switch rule.kind {
		case '=':
			fit = r.keyed(rule)
		case '^':
			fit = r.only(func(v versionLiteral) bool { return v.prefix == rule.key })
		default:
			fit = r.beside(rule)
		}
		if fit.version != "" {
			return fit
		}
	}
	return versionLiteral{}
}

// keyed finds the value of a key: the nearest to the text, or the only one.
func (r *literalReader) keyed(rule versionRule) versionLiteral {
	if rule.text < 0 {
		return r.only(func(v versionLiteral) bool { return v.key == rule.key && v.prefix == "" })
	}
	var best versionLiteral
	nearest := int64(versionNear) + 1
	for _, v := range r.versions {
		if v.key != rule.key || v.prefix != "" {
			continue
		}
		for _, at := range r.hits[rule.text] {
			if d := max(at-v.offset, v.offset-at); d < nearest {
				best, nearest = v, d
			}
		}
	}
	return best
}

// beside finds the version that stands shortly before or after a text.
func (r *literalReader) beside(rule versionRule) versionLiteral {
	var best versionLiteral
	for _, at := range r.hits[rule.text] {
		i, _ := slices.BinarySearchFunc(r.versions, at, func(v versionLiteral, at int64) int { return int(v.offset - at) })
		if rule.kind == '<' {
			i--
		}
		if i < 0 || i >= len(r.versions) || r.versions[i].prefix != "" {
			continue
		}
		if v := r.versions[i]; max(at-v.offset, v.offset-at) <= versionBefore {
			best = v
		}
	}
	return best
}

// only returns the one version that all literals with a property agree on.
func (r *literalReader) only(has func(versionLiteral) bool) versionLiteral {
	var one versionLiteral
	for _, v := range r.versions {
		switch {
		case !has(v):
		case one.version == "":
			one = v
		case one.version != v.version:
			return versionLiteral{}
		}
	}
	return one
}
