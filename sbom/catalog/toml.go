package catalog

import "strings"

// tomlTable is one [[package]] of a lockfile.
type tomlTable struct {
	fields map[string]string   // key = value, strings without their quotes; other values as text
	lists  map[string][]string // key = [..], one element per string or inline table
	tables map[string][]string // [package.NAME]: its keys

	optional map[string][]string // [package.optional-dependencies]: the elements of its lists
}

// optionalSection is where uv writes the dependencies that a package has for
// its extras.
const optionalSection = "optional-dependencies"

// scanTOML returns the [[package]] tables of a lockfile. Poetry, uv, PDM and
// Cargo write one key or list element per line; that is what it reads, in one
// pass and without recursion. It is no TOML parser.
func scanTOML(data []byte) []tomlTable {
	var out []tomlTable
	var t *tomlTable
	section, list := "", ""
	text := false // inside a """ string
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimSpace(line)
		if text {
			text = strings.Count(line, `"""`)%2 == 0
			continue
		}
		switch {
		case line == "" || line[0] == '#':
			continue
		case list != "":
			if line[0] == ']' {
				list = ""
				continue
			}
			switch {
			case t == nil:
			case section == "":
				t.lists[list] = append(t.lists[list], strings.TrimSuffix(line, ","))
			case section == optionalSection:
				t.optional[list] = append(t.optional[list], strings.TrimSuffix(line, ","))
			}
			continue
		case strings.HasPrefix(line, "[["):
			t, section = nil, "other"
			if line == "[[package]]" {
				out = append(out, tomlTable{fields: map[string]string{}, lists: map[string][]string{}, tables: map[string][]string{}, optional: map[string][]string{}})
				t, section = &out[len(out)-1], ""
			}
			continue
		case line[0] == '[':
			name, ok := strings.CutPrefix(strings.Trim(line, "[] "), "package.")
			if section = name; !ok {
				t, section = nil, "other"
			}
			continue
		}
		key, value, ok := tomlField(line)
		if !ok {
			continue
		}
		if strings.Count(value, `"""`)%2 == 1 {
			text = true
			continue
		}
		if value == "[" {
			list = key
			continue
		}
		if t == nil {
			continue
		}
		if section != "" {
			t.tables[section] = append(t.tables[section], key)
			if inner, ok := strings.CutPrefix(value, "["); ok && section == optionalSection {
				t.optional[key] = tomlElements(strings.TrimSuffix(inner, "]"))
			}
			continue
		}
		if inner, ok := strings.CutPrefix(value, "["); ok && strings.HasSuffix(inner, "]") {
			t.lists[key] = tomlElements(strings.TrimSuffix(inner, "]"))
			continue
		}
		t.fields[key] = strings.Trim(value, `"'`)
	}
	return out
}

func tomlField(line string) (key, value string, ok bool) {
	if q := line[0]; q == '"' || q == '\'' {
		end := strings.IndexByte(line[1:], q)
		if end < 0 {
			return "", "", false
		}
		key, value = line[1:end+1], line[end+2:]
		value, ok = strings.CutPrefix(strings.TrimSpace(value), "=")
		return key, strings.TrimSpace(value), ok
	}
	key, value, ok = strings.Cut(line, "=")
	return strings.TrimSpace(key), strings.TrimSpace(value), ok
}

// tomlElements splits a list on the commas outside strings and inline tables.
func tomlElements(s string) []string {
	var out []string
	depth, start := 0, 0
	quote := byte(0)
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == ',' && depth == 0 && quote == 0 {
			if e := strings.TrimSpace(s[start:i]); e != "" {
				out = append(out, e)
			}
			start = i + 1
			continue
		}
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return out
}

// tomlInline returns a string field of an inline table: { name = "x", ... }.
func tomlInline(table, name string) string {
	for e := range strings.SplitSeq(strings.Trim(strings.TrimSpace(table), "{}"), ",") {
		k, v, ok := strings.Cut(e, "=")
		if ok && strings.TrimSpace(k) == name {
			return strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return ""
}
