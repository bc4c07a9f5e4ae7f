package policy

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxNesting is how deep a policy file may nest lists and mappings in brackets,
// and how many list entries may open on one line. A policy needs six of the one
// and two of the other.
const maxNesting = 32

// maxTokens is how many words, marks and comments a policy file may have. A
// waiver has about fifteen. The reader of YAML takes time by the square of some of
// them.
const maxTokens = 50_000

// maxKeys is how many keys one mapping of a policy file may have. The reader of
// YAML takes time by the square of them: 16,000 took 7 s. The largest mapping
// of a policy is that of its trust roots.
const maxKeys = 1000

// refuse returns an error for what no policy needs and a hostile one uses. The
// reader of YAML takes time by the square of the depth, and a name for a part
// (&a, *a) makes a small file a large one: 1 MB of them can stand for 10^15
// signers. A name would also hide from who reads an override what it says, and
// a tag can change what a value is.
func refuse(data []byte) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("[%d:1] the text is not valid UTF-8", lineOf(data, invalidAt(data)))
	}
	for i, b := range data {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' || b == 0x7f {
			return fmt.Errorf("[%d:1] control character %#02x in the text", lineOf(data, i), b)
		}
	}
	depth, entries, line := 0, 0, 0
	var open mappings
	for i, t := range lexer.Tokenize(string(data)) {
		if t.Position.Line != line {
			entries, line = 0, t.Position.Line
		}
		what := ""
		if open.keys(t) > maxKeys {
			t, what = t.Prev, fmt.Sprintf("more than %s keys in one mapping: leave out those that no policy has", finding.Thousands(maxKeys))
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(depth-1, 0)
		case token.SequenceEntryType, token.MappingKeyType:
			entries++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			what = "names for parts (&name, *name, <<) are not read in a policy: write the part out where it holds"
		case token.TagType:
			what = "tags (!name) are not read in a policy: leave it out, or quote the text"
		case token.DirectiveType:
			what = "directives (%NAME) are not read in a policy: leave it out"
		}
		if depth > maxNesting || entries > maxNesting {
			what = fmt.Sprintf("more than %d levels of lists and mappings", maxNesting)
		}
		if i == maxTokens {
			what = fmt.Sprintf("more than %s words and marks: leave out what is not needed, or put functions that have nothing in common under policies of their own", finding.Thousands(maxTokens))
		}
		if what != "" {
			return fmt.Errorf("[%d:%d] %s", t.Position.Line, t.Position.Column, what)
		}
	}
	return nil
}

// mappings are the mappings that are open while a file is read, by the column of
// their keys, and how many keys each has so far.
type mappings []struct{ column, keys int }

// keys takes in a token and says how many keys the mapping has that it is a
// key's colon of; 0 for another token. What begins or ends further left ends
// the mappings to its right.
func (m *mappings) keys(t *token.Token) int {
	at := t
	switch t.Type {
	case token.SequenceEntryType, token.MappingStartType, token.MappingEndType, token.SequenceStartType, token.SequenceEndType:
	case token.MappingValueType:
		if t.Prev == nil {
			return 0
		}
		at = t.Prev
	default:
		return 0
	}
	open := *m
	for len(open) > 0 && open[len(open)-1].column > at.Position.Column {
		open = open[:len(open)-1]
	}
	*m = open
	if at == t {
		return 0
	}
	if n := len(open); n == 0 || open[n-1].column < at.Position.Column {
		*m = append(open, struct{ column, keys int }{at.Position.Column, 0})
	}
	last := &(*m)[len(*m)-1]
	last.keys++
	return last.keys
}

// lineOf is the line, from 1, of a byte.
func lineOf(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }

// invalidAt is the first byte that is no UTF-8.
func invalidAt(data []byte) int {
	at := 0
	for at < len(data) {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}
