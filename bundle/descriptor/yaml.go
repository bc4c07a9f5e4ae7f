package descriptor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads one YAML document. The library's syntax tree is used and not
// its decoder, because the short forms of intrinsic functions are tags, and
// because the decoder would expand aliases. The library bounds its own
// recursion (10,000 levels).
//
// It is not the library that policies are read with: that one refuses 22 of the
// 1,047 templates in AWS SAM's own tests ("{Fn::Join: [~1, [a, b]]}",
// "{Fn::Sub: \"'${A}'\"}").
func parseYAML(data []byte) (any, error) {
	body, err := documentOf(data)
	if err != nil {
		return nil, err
	}
	c := &yamlReader{anchors: map[*yaml.Node]any{}}
	return c.value(body, 0)
}

// documentOf calls the parser, guarded: a panic on a text that nobody foresaw
// is an error like any other.
func documentOf(data []byte) (body *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			body, err = nil, fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the document is empty")
	case err != nil:
		return nil, err
	}
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, err
	default:
		return nil, errors.New("more than one YAML document; only the first would be deployed")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("the document is empty")
	}
	return doc.Content[0], nil
}

// yamlReader converts the syntax tree. A node with an anchor is converted once.
type yamlReader struct {
	anchors map[*yaml.Node]any
	nodes   int
	keys    int
}

func (c *yamlReader) value(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if c.nodes++; c.nodes > maxNodes {
		return nil, errNodes
	}
	if n.Kind == yaml.AliasNode {
		v, ok := c.anchors[n.Alias]
		if !ok { // inside of its own anchor, which would have no end
			return nil, fmt.Errorf("line %d: the alias *%s is inside of what it names", n.Line, n.Value)
		}
		return v, nil
	}
	v, err := c.plain(n, depth)
	if err != nil {
		return nil, err
	}
	v = tagged(n.Tag, v)
	if n.Anchor != "" {
		c.anchors[n] = v
	}
	return v, nil
}

// plain converts a node without regard to a tag of the application.
func (c *yamlReader) plain(n *yaml.Node, depth int) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return nil, nil
		}
		return n.Value, nil // a number, a boolean: as it is written
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, e := range n.Content {
			v, err := c.value(e, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	}
	return nil, fmt.Errorf("line %d: not expected here", n.Line)
}

// mapping converts a mapping. Merge keys ("<<", yaml.org/type/merge.html) add
// what the mapping does not have itself.
func (c *yamlReader) mapping(n *yaml.Node, depth int) (any, error) {
	m := newMapping()
	var merged []*mapping
	for i := 0; i+1 < len(n.Content); i += 2 {
		if c.keys++; c.keys > maxAllKeys || len(m.keys) >= maxKeys {
			return nil, errKeys
		}
		k := n.Content[i]
		v, err := c.value(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if k.Tag == "!!merge" {
			more, err := mergees(v)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", k.Line, err)
			}
			merged = append(merged, more...)
			continue
		}
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key that is not a scalar", k.Line)
		}
		if k.Anchor != "" {
			c.anchors[k] = k.Value
		}
		if !m.put(k.Value, v) {
			return nil, fmt.Errorf("line %d: the key %q comes twice in one mapping", n.Content[i].Line, k.Value)
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

// tagged gives a short form its long one: "!Sub x" is {"Fn::Sub": x}
// (docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
// Every other tag of an application is kept as an intrinsic function that
// nobody knows: what it would make of its value is not known.
func tagged(tag string, v any) any {
	if !strings.HasPrefix(tag, "!") || strings.HasPrefix(tag, "!!") || tag == "!" {
		return v
	}
	name := tag[1:]
	switch name {
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
	return m
}
