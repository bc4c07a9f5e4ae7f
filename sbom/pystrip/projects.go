package pystrip

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// projectsText is the table of known projects. Its head says how it is
// written, where it comes from and as of when.
//
//go:embed projects.txt
var projectsText string

// entry is what the table says of one import name.
type entry struct {
	projects []string // the likeliest first
	weak     bool     // the name alone proves nothing
	hint     hint
	other    bool // what the code calls its version is not the project's
	remains  bool // metadata that was left beside the code names it: it is not from the table
}

// hint says where a package spells its version.
type hint struct{ file, before, after string }

// table is the parsed text.
type table struct {
	names    map[string]*entry
	patterns map[string]string // namespace with its dot -> the projects' names without their last part
	prefixes map[string]bool   // namespaces that some name starts with
	projects map[string]string // normal name of a project -> as it is spelled
	imports  map[string]int    // normal name of a project -> how many names it is imported by, without those that begin with "_"
}

// projects parses the table at the first use, since most functions hold no
// Python without metadata.
var projects = sync.OnceValue(func() *table {
	t, err := parseTable(projectsText)
	if err != nil {
		panic(err) // a test parses it
	}
	return t
})

func parseTable(text string) (*table, error) {
	t := &table{names: map[string]*entry{}, patterns: map[string]string{}, prefixes: map[string]bool{}, projects: map[string]string{}, imports: map[string]int{}}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if line == "" || line[0] == '#' {
			continue
		}
		if err := t.line(line); err != nil {
			return nil, fmt.Errorf("parse table of Python projects: line %d: %w", n, err)
		}
	}
	return t, nil
}

func (t *table) line(line string) error {
	fields := strings.Split(line, "\t")
	name, weak := strings.CutPrefix(fields[0], "?")
	if len(fields) > 3 || name == "" {
		return fmt.Errorf("%q has %d fields", name, len(fields))
	}
	project := name
	if len(fields) > 1 && fields[1] != "" {
		project = fields[1]
	}
	for i := range len(name) {
		if name[i] == '.' {
			t.prefixes[name[:i]] = true
		}
	}
	if base, ok := strings.CutSuffix(name, "*"); ok {
		stem, ok := strings.CutSuffix(project, "*")
		if !ok || !strings.HasSuffix(base, ".") {
			return fmt.Errorf("%q is no namespace", name)
		}
		t.patterns[base] = stem
		return nil
	}
	if t.names[name] != nil {
		return fmt.Errorf("%q is there twice", name)
	}
	e := &entry{projects: strings.Split(project, "|"), weak: weak}
	for _, name := range e.projects {
		t.projects[normalName(name)] = name
		if fields[0][0] != '_' {
			t.imports[normalName(name)]++
		}
	}
	switch {
	case len(fields) < 3:
	case fields[2] == "-":
		e.other = true
	default:
		parts := strings.Split(fields[2], "|")
		if len(parts) != 3 || parts[1] == "" && parts[2] == "" {
			return fmt.Errorf("%q is no FILE|BEFORE|AFTER", fields[2])
		}
		e.hint = hint{parts[0], parts[1], parts[2]}
	}
	t.names[name] = e
	return nil
}

// find returns what is known of an import name, nil when nothing is. A name of
// a namespace follows its pattern, with dashes for underscores.
func (t *table) find(name string) *entry {
	if e := t.names[name]; e != nil {
		return e
	}
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return nil
	}
	stem, ok := t.patterns[name[:i+1]]
	if !ok || strings.HasPrefix(name[i+1:], "_") || t.prefixes[name] {
		return nil
	}
	return &entry{projects: []string{stem + strings.ReplaceAll(name[i+1:], "_", "-")}, weak: true}
}

// namespace reports whether packages lie in a package of that name rather than
// being it.
func (t *table) namespace(name string) bool { return t.prefixes[name] }
