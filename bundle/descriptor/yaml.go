package descriptor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads one YAML document. The library's syntax tree is used and not
// its decoder, because the short forms of intrinsic functions are tags, and
// because the decoder would expand aliases.
func parseYAML(data []byte) (any, error) {
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parseTokens(tokens)
	if err != nil {
		return nil, err
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if body != nil {
			return nil, errors.New("more than one YAML document; only the first would be deployed")
		}
		body = doc.Body
	}
	if body == nil {
		return nil, errors.New("the document is empty")
	}
	c := &yamlReader{anchors: map[string]any{}}
	return c.value(body, 0)
}

// parseTokens calls the parser, which panics on some malformed input
// (goccy/go-yaml v1.19.2).
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	file, err = parser.Parse(tokens, 0)
	if err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	return file, nil
}

// checkTokens bounds what the parser will be asked to do. It recurses once per
// nested value and once per key of a mapping, so that a megabyte of "[" or of
// "- - -" would end the process: a full stack cannot be recovered from.
func checkTokens(tokens token.Tokens) error {
	const maxColumn = 2 * maxDepth // of a key or an entry outside of flow style: each level needs a column
	flow, props, all := 0, 0, 0
	keys := make([]int, maxColumn+2) // by column: keys since one further left
	for i, t := range tokens {
		if i > maxNodes*3 {
			return errNodes
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > maxDepth {
				return errDepth
			}
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType:
			if flow > 0 { // what this means in flow style is the parser's business, but not without end
				if props++; props > maxDepth {
					return errDepth
				}
				continue
			}
			if t.Position.Column > maxColumn {
				return errDepth
			}
		case token.MappingValueType:
			if all++; all > maxAllKeys {
				return errKeys
			}
			column := t.Position.Column
			if i > 0 {
				column = min(column, tokens[i-1].Position.Column)
			}
			if flow > 0 {
				break
			}
			if column > maxColumn {
				return errDepth
			}
			column = max(column, 0)
			if keys[column]++; keys[column] > maxKeys {
				return errKeys
			}
			clear(keys[column+1:])
		case token.TagType, token.AnchorType:
			if props++; props > maxDepth {
				return errDepth
			}
			continue
		}
		props = 0
	}
	return nil
}

// yamlReader converts the syntax tree.
type yamlReader struct {
	anchors map[string]any
	nodes   int
	keys    int
}

func (c *yamlReader) value(n ast.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if c.nodes++; c.nodes > maxNodes {
		return nil, errNodes
	}
	switch n := n.(type) {
	case nil:
		return nil, nil
	case *ast.NullNode:
		return nil, nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.MappingNode:
		return c.mapping(n.Values, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, e := range n.Values {
			v, err := c.value(e, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case *ast.AnchorNode:
		v, err := c.value(n.Value, depth+1)
		if err == nil {
			c.anchors[n.Name.GetToken().Value] = v
		}
		return v, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		v, ok := c.anchors[name]
		if !ok { // also one inside of its own anchor, which would have no end
			return nil, fmt.Errorf("%s: the alias *%s names no anchor before it", at(n), name)
		}
		return v, nil
	case *ast.TagNode:
		return c.tag(n, depth)
	case ast.ScalarNode:
		return n.GetToken().Value, nil // a number, a boolean: as it is written
	}
	return nil, fmt.Errorf("%s: %s is not expected here", at(n), n.Type())
}

// mapping converts a mapping. Merge keys ("<<", yaml.org/type/merge.html) add
// what the mapping does not have itself.
func (c *yamlReader) mapping(pairs []*ast.MappingValueNode, depth int) (any, error) {
	m := newMapping()
	var merged []*mapping
	for _, p := range pairs {
		if c.keys++; c.keys > maxAllKeys || len(m.keys) >= maxKeys {
			return nil, errKeys
		}
		v, err := c.value(p.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if p.Key.Type() == ast.MergeKeyType {
			more, err := mergees(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at(p), err)
			}
			merged = append(merged, more...)
			continue
		}
		k, err := c.value(p.Key, depth+1)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok && k != nil {
			return nil, fmt.Errorf("%s: a key that is not a scalar", at(p))
		}
		if !m.put(key, v) {
			return nil, fmt.Errorf("%s: the key %q comes twice in one mapping", at(p), key)
		}
	}
	for _, from := range merged {
		for _, k := range from.keys {
			if c.keys++; c.keys > maxAllKeys || len(m.keys) >= maxKeys {
				return nil, errKeys
			}
			m.put(k, from.values[k])
		}
	}
	return m, nil
}

func mergees(v any) ([]*mapping, error) {
	switch v := v.(type) {
	case *mapping:
		return []*mapping{v}, nil
	case []any:
		var out []*mapping
		for _, e := range v {
			m, ok := e.(*mapping)
			if !ok {
				return nil, errors.New("a merge key (<<) takes mappings")
			}
			out = append(out, m)
		}
		return out, nil
	}
	return nil, errors.New("a merge key (<<) takes mappings")
}

// tag gives a short form its long one: "!Sub x" is {"Fn::Sub": x}
// (docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
// Every other tag of an application is kept as an intrinsic function that
// nobody knows: what it would make of its value is not known.
func (c *yamlReader) tag(n *ast.TagNode, depth int) (any, error) {
	v, err := c.value(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	name := n.Start.Value
	if strings.HasPrefix(name, "!!") {
		return v, nil // a type of YAML's own
	}
	name = strings.TrimPrefix(name, "!")
	switch name {
	case "": // "!" alone: plain text
		return v, nil
	case "Ref", "Condition":
	case "GetAtt":
		if s, ok := v.(string); ok { // "!GetAtt A.B" is [A, B]; the attribute may have dots
			resource, attribute, _ := strings.Cut(s, ".")
			v = []any{resource, attribute}
		}
		name = "Fn::GetAtt"
	default:
		name = "Fn::" + name
	}
	m := newMapping()
	m.put(name, v)
	return m, nil
}

// at is the place of a node.
func at(n ast.Node) string {
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return "somewhere"
	}
	return fmt.Sprintf("line %d", t.Position.Line)
}
