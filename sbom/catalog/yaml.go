package catalog

import (
	"errors"
	"strings"
)

var errYAMLReference = errors.New("YAML anchors and aliases are not expected in a lockfile")

// maxYAMLDepth is how deep scanYAML follows keys; lockfiles stay below it, and
// deeper lines are skipped.
const maxYAMLDepth = 16

// scanYAML calls visit for each "key: value" line of a YAML document of block
// mappings, with the keys that lead to it. The slice is valid during the call.
// Values keep flow collections as text; quotes are taken off. It is no YAML
// parser: it reads what generators of lockfiles write, in one pass and in
// memory that does not grow with the document.
func scanYAML(data []byte, visit func(keys []string, value string)) error {
	var keys []string
	var indents []int
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimRight(line, " \r")
		text := strings.TrimLeft(line, " ")
		if text == "" || text[0] == '#' || text[0] == '-' {
			continue
		}
		indent := len(line) - len(text)
		for len(indents) > 0 && indents[len(indents)-1] >= indent {
			indents, keys = indents[:len(indents)-1], keys[:len(keys)-1]
		}
		key, value, ok, err := yamlField(text)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if len(keys) == maxYAMLDepth {
			continue
		}
		keys, indents = append(keys, key), append(indents, indent)
		visit(keys, value)
	}
	return nil
}

// yamlField splits "key: value", "'key': value" and "key:".
func yamlField(text string) (key, value string, ok bool, err error) {
	if q := text[0]; q == '\'' || q == '"' {
		end := strings.IndexByte(text[1:], q)
		if end < 0 {
			return "", "", false, nil
		}
		key, text = text[1:end+1], text[end+2:]
		if !strings.HasPrefix(text, ":") {
			return "", "", false, nil
		}
		value = text[1:]
	} else if before, after, found := strings.Cut(text, ": "); found {
		key, value = before, after
	} else if strings.HasSuffix(text, ":") {
		key = strings.TrimSuffix(text, ":")
	} else {
		return "", "", false, nil
	}
	value = strings.TrimSpace(value)
	if value != "" && (value[0] == '&' || value[0] == '*') {
		return "", "", false, errYAMLReference
	}
	if len(value) >= 2 && (value[0] == '\'' || value[0] == '"') && value[len(value)-1] == value[0] {
		value = value[1 : len(value)-1]
	}
	return key, value, true, nil
}
