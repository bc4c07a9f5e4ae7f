package catalog

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Limits of one TOML document. What generators write is far below.
const (
	maxTOMLLine     = 1 << 20 // bytes; a key cannot span lines, and the library keeps each of its parts
	maxTOMLElements = 500_000 // lines and commas: statements, and elements of lists and inline tables
	maxTOMLPath     = 32      // parts of a key with those of its table, and nesting of lists
)

// tomlVisitor is what scanTOML calls. The path is valid during the call.
type tomlVisitor struct {
	header func(path []string, array bool) error // [path], or [[path]]; may be nil
	value  func(path []string, n *unstable.Node) error
}

// scanTOML calls v for each header of a document and for each value, with the
// keys that lead to it; the fields of an inline table are values of their own.
//
// It reads through the parser of go-toml and not through a decoder: decoders
// build the whole document, and what they remember to find a key that is set
// twice grows with the square of a hostile one (one long header over many
// keys). This is one pass in the memory of the longest statement.
func scanTOML(data []byte, v tomlVisitor) error {
	if bytes.Count(data, []byte(","))+bytes.Count(data, []byte("\n")) > maxTOMLElements {
		return &limitError{"more lines and elements in a TOML document", maxTOMLElements}
	}
	for line := range bytes.Lines(data) {
		if len(line) > maxTOMLLine {
			return &limitError{fmt.Sprintf("a TOML line of %d bytes", len(line)), maxTOMLLine}
		}
	}
	var p unstable.Parser
	p.Reset(data)
	var path []string
	table := 0 // length of the header in path
	for p.NextExpression() {
		e := p.Expression()
		var err error
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			if path, err = tomlPath(path[:0], e); err == nil && v.header != nil {
				err = v.header(path, e.Kind == unstable.ArrayTable)
			}
			table = len(path)
		case unstable.KeyValue:
			path, err = v.visit(path[:table], e)
		}
		if err != nil {
			return err
		}
	}
	if err := p.Error(); err != nil {
		return fmt.Errorf("parse TOML: %v", err) // not wrapped: it refers to the document
	}
	return nil
}

// visit calls v.value for a "key = value", and returns path to be used again.
func (v *tomlVisitor) visit(path []string, kv *unstable.Node) ([]string, error) {
	path, err := tomlPath(path, kv)
	if err != nil {
		return path, err
	}
	n := kv.Value()
	if n.Kind != unstable.InlineTable {
		return path, v.value(path, n)
	}
	depth := len(path)
	for it := n.Children(); it.Next(); {
		if path, err = v.visit(path[:depth], it.Node()); err != nil {
			return path, err
		}
	}
	return path, nil
}

// tomlPath appends the key of n.
func tomlPath(path []string, n *unstable.Node) ([]string, error) {
	for it := n.Key(); it.Next(); {
		if len(path) == maxTOMLPath {
			return path, &limitError{"more parts in a TOML key", maxTOMLPath}
		}
		path = append(path, string(it.Node().Data))
	}
	return path, nil
}

// tomlTable is a table by its keys. A value is a string, a []any or another
// tomlTable; numbers, dates and booleans are strings as they are written.
type tomlTable map[string]any

func (t tomlTable) text(key string) string     { s, _ := t[key].(string); return s }
func (t tomlTable) list(key string) []any      { l, _ := t[key].([]any); return l }
func (t tomlTable) table(key string) tomlTable { m, _ := t[key].(tomlTable); return m }

// holds reports whether the list at key has this string.
func (t tomlTable) holds(key, s string) bool { return slices.Contains(t.list(key), any(s)) }

// tomlPackages returns the [[package]] tables of a lockfile, of each no more
// than the keys that are wanted.
func tomlPackages(data []byte, want ...string) ([]tomlTable, error) {
	var out []tomlTable
	err := scanTOML(data, tomlVisitor{
		header: func(path []string, array bool) error {
			switch {
			case path[0] != "package":
			case array && len(path) == 1:
				out = append(out, tomlTable{})
			case array && len(out) > 0 && slices.Contains(want, path[1]):
				return out[len(out)-1].put(path[1:], tomlTable{}, true)
			}
			return nil
		},
		value: func(path []string, n *unstable.Node) error {
			switch {
			case path[0] != "package":
			case len(path) == 1: // package = [{ .. }, ..]
				list, _ := tomlValue(n, 0)
				elements, ok := list.([]any)
				for _, e := range elements {
					t, isTable := e.(tomlTable)
					out = append(out, t)
					ok = ok && isTable
				}
				if !ok {
					return fmt.Errorf("parse TOML: %q is no list of tables", path[0])
				}
			case len(out) == 0:
				return fmt.Errorf("parse TOML: %q is no list of tables", path[0])
			case slices.Contains(want, path[1]):
				value, err := tomlValue(n, 0)
				if err != nil {
					return err
				}
				return out[len(out)-1].put(path[1:], value, false)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// put sets the value that path leads to, or appends it to the list there.
func (t tomlTable) put(path []string, value any, add bool) error {
	for ; len(path) > 1; path = path[1:] {
		if l := t.list(path[0]); len(l) > 0 { // a [[list]] is spoken of by its last table
			last, ok := l[len(l)-1].(tomlTable)
			if !ok {
				return fmt.Errorf("parse TOML: %q is no table", path[0])
			}
			t = last
			continue
		}
		if t[path[0]] == nil {
			t[path[0]] = tomlTable{}
		}
		next, ok := t[path[0]].(tomlTable)
		if !ok {
			return fmt.Errorf("parse TOML: %q is no table", path[0])
		}
		t = next
	}
	was, set := t[path[0]]
	switch list, ok := was.([]any); {
	case add && (ok || !set):
		t[path[0]] = append(list, value)
	case set:
		return fmt.Errorf("parse TOML: %q is set twice", path[0])
	default:
		t[path[0]] = value
	}
	return nil
}

// tomlValue returns a value as tomlTable has it.
func tomlValue(n *unstable.Node, depth int) (any, error) {
	if depth > maxTOMLPath {
		return nil, &limitError{"TOML lists nested deeper", maxTOMLPath}
	}
	switch n.Kind {
	case unstable.Array:
		list := []any{}
		for it := n.Children(); it.Next(); {
			v, err := tomlValue(it.Node(), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case unstable.InlineTable:
		t := tomlTable{}
		for it := n.Children(); it.Next(); {
			path, err := tomlPath(nil, it.Node())
			if err != nil {
				return nil, err
			}
			v, err := tomlValue(it.Node().Value(), depth+1)
			if err != nil {
				return nil, err
			}
			if err := t.put(path, v, false); err != nil {
				return nil, err
			}
		}
		return t, nil
	}
	return string(n.Data), nil
}
