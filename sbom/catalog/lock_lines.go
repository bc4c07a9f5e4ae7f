package catalog

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// LockLines tells on which line a lockfile names each package that it pins: by
// package URL, from 1. It reads what [Locked] reads and is for showing a person
// where to change something, so a form that it does not know has no lines and is
// no error. A package on several lines has the first.
func LockLines(name string, data []byte) map[string]int {
	parser, ok := lockParsers()[path.Base(name)]
	if !ok {
		parser, ok = sniffLock(data)
	}
	switch {
	case !ok && strings.HasSuffix(name, ".txt"):
		parser = lockParser{typ: "pypi"}
	case !ok:
		return nil
	}
	l := lockLines{typ: parser.typ, out: map[string]int{}}
	if parser.json {
		if parser.typ == "npm" {
			data = withoutTrailingCommas(data) // of bun; it keeps the lines
		}
		l.json(data)
	} else {
		l.text(data)
	}
	return l.out
}

// lockLines gathers the lines of one lockfile.
type lockLines struct {
	typ string
	out map[string]int
}

func (l *lockLines) add(name, version string, line int) {
	version = strings.TrimPrefix(version, "==")
	if l.typ == "composer" {
		version = strings.TrimPrefix(version, "v")
	}
	if name == "" || version == "" {
		return
	}
	for _, v := range []string{version, strings.TrimPrefix(version, "v")} {
		key := sbom.PURL(l.typ, name, v)
		if _, ok := l.out[key]; !ok {
			l.out[key] = line
		}
	}
}

// lockObject is a JSON object or list that is being read.
type lockObject struct {
	key           string // under which it lies
	line          int    // of that key
	list          bool
	name, version string // that it says itself
	nameLine      int
	field         string // whose value comes next
	fieldLine     int
	count         int // of the values of a list so far
}

// json looks for objects that say a version, or in a list say it with their name
// as bun does: {"node_modules/a": {"version": "1"}}, {"a": ["a@1", ...]},
// [{"name": "a", "version": "1"}].
func (l *lockLines) json(data []byte) {
	dec := json.NewDecoder(bytes.NewReader(data))
	line, at := 1, 0
	var open []lockObject
	for {
		tok, err := dec.Token()
		if err != nil {
			return
		}
		end := int(dec.InputOffset())
		line += bytes.Count(data[at:end], []byte("\n"))
		at = end
		top := (*lockObject)(nil)
		if len(open) > 0 {
			top = &open[len(open)-1]
		}
		switch t := tok.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				next := lockObject{list: t == '[', line: line}
				if top != nil {
					next.key, next.line = top.field, top.fieldLine
					if top.list {
						next.line = line
					}
					top.value()
				}
				open = append(open, next)
			default:
				if len(open) > 1 && (top.key != "" || open[len(open)-2].list) { // else it is the project itself
					l.object(top)
				}
				open = open[:len(open)-1]
			}
			continue
		case string:
			if top == nil {
				continue
			}
			if !top.list && top.field == "" {
				top.field, top.fieldLine = t, line
				continue
			}
			l.field(top, t, line)
		}
		if top != nil {
			top.value()
		}
	}
}

// value says that a value was read.
func (o *lockObject) value() {
	o.field = ""
	o.count++
}

// field reads a value that is text.
func (l *lockLines) field(o *lockObject, value string, line int) {
	switch {
	case o.list && o.count == 0:
		if name, version, ok := npmDescriptor(value); ok {
			l.add(name, version, o.line)
		}
	case o.field == "version", o.field == "resolved" && l.typ == "nuget":
		o.version = value
	case o.field == "name":
		o.name, o.nameLine = value, line
	}
}

// object adds what an object said when it ends.
func (l *lockLines) object(o *lockObject) {
	if o.version == "" {
		return
	}
	name, line := o.name, o.nameLine
	if o.key != "" {
		line = o.line
		if name == "" {
			name = o.key[max(lastNodeModules(o.key), 0):]
		}
	}
	if real, version, ok := npmAlias(o.version); ok && l.typ == "npm" {
		name, o.version = real, version
	}
	l.add(name, o.version, line)
}

// text looks line by line: the formats that are no JSON have one package, or
// one fact of it, a line.
func (l *lockLines) text(data []byte) {
	var names []string // of the entry that is being read
	at, n := 0, 0
	for raw := range bytes.Lines(data) {
		n++
		line := strings.TrimRight(string(raw[:min(len(raw), 4096)]), "\r\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case l.typ == "golang":
			fields := strings.Fields(strings.TrimPrefix(trimmed, "require "))
			if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
				l.add(fields[0], fields[1], n)
			}
		case l.typ == "gem":
			if name, version, ok := strings.Cut(trimmed, " ("); ok && strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "     ") {
				l.add(name, strings.TrimSuffix(version, ")"), n)
			}
		case trimmed == "[[package]]":
			names = nil
		case strings.HasPrefix(line, "name = "):
			names, at = []string{strings.Trim(line[len("name = "):], `"'`)}, n
		case strings.HasPrefix(line, "version = ") && len(names) == 1:
			l.add(names[0], strings.Trim(line[len("version = "):], `"'`), at)
		case l.typ == "pypi":
			if r, ok := parseRequirement(strings.TrimSpace(strings.TrimSuffix(trimmed, `\`))); ok {
				l.add(r.name, r.version, n)
			}
		case l.typ == "npm":
			names, at = l.npm(line, trimmed, n, names, at)
		}
	}
}

// npm reads a line of Yarn's or pnpm's lockfile.
func (l *lockLines) npm(line, trimmed string, n int, names []string, at int) ([]string, int) {
	if id, ok := strings.CutSuffix(trimmed, ":"); ok {
		id = strings.Trim(id, `'"`)
		if !strings.HasPrefix(line, " ") { // Yarn: "a@^1, a@^1.2":
			var out []string
			for d := range strings.SplitSeq(strings.ReplaceAll(id, `"`, ""), ", ") {
				if name, _, ok := npmDescriptor(d); ok {
					out = append(out, name)
				}
			}
			return out, n
		}
		if e := pnpmEntry(strings.TrimPrefix(id, "/")); e.version != "" { // pnpm: /a@1.0.0: or a@1.0.0(peer):
			l.add(e.name, e.version, n)
		}
		return names, at
	}
	for _, prefix := range []string{"version ", "version: "} {
		if v, ok := strings.CutPrefix(trimmed, prefix); ok && strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
			for _, name := range names {
				l.add(name, strings.Trim(v, `"`), at)
			}
			return nil, at
		}
	}
	return names, at
}
