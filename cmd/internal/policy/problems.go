package policy

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/spelling"
)

// Problem is one thing that is wrong in a policy file, or with it.
type Problem struct {
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1
	Text   string `json:"text"`
}

// maxProblems is how many problems of a file are listed.
const maxProblems = 100

// Problems lists everything that is wrong with a policy file, by line; none
// exactly when Parse reads it. Where the YAML itself is broken that is the only one.
func Problems(data []byte) []Problem {
	_, err := Parse(data, "")
	if err == nil {
		return nil
	}
	out, more := problems(data)
	if len(out) == 0 {
		out = []Problem{placed(strings.TrimPrefix(err.Error(), "read policy : "))}
	}
	SortProblems(out)
	out = slices.Compact(out)
	if n := len(out); n > maxProblems {
		out = append(out[:maxProblems:maxProblems], Problem{out[maxProblems].Line, out[maxProblems].Column, "and " + finding.Thousands(n-maxProblems+more) + " more"})
	}
	return out
}

// SortProblems puts problems in the order of the file.
func SortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
}

// At places what is wrong with a policy that can be read, such as a file that it
// names: text starts with the key.
func At(data []byte, text string) Problem {
	line, column := 1, 1
	if root := mapping(data); root != nil {
		line, column = locate(root, text)
	}
	return Problem{line, column, text}
}

// problems are those that can be told one by one, and how many more there are
// once there are more than anybody reads.
func problems(data []byte) (out []Problem, more int) {
	if len(data) > MaxBytes || refuse(data) != nil {
		return nil, 0
	}
	root := mapping(data)
	if root == nil {
		return nil, 0
	}
	w := &walk{}
	sound := *root
	sound.Values = nil
	for _, v := range root.Values {
		before := w.mistyped
		w.entry(v, reflect.TypeFor[file](), "")
		if w.mistyped == before {
			sound.Values = append(sound.Values, v)
		}
	}
	var f file
	dec := yaml.NewDecoder(strings.NewReader(""))
	if decodeNode(dec, &sound, &f) != nil {
		return w.found, w.more
	}
	complaints := f.complaints()
	told := min(len(complaints), 2*maxProblems) // to place one takes a walk
	for _, text := range complaints[:told] {
		line, column := locate(root, text)
		w.found = append(w.found, Problem{line, column, text})
	}
	return w.found, w.more + len(complaints) - told
}

// mapping is the mapping that a file consists of; nil when it is none, when
// the YAML is broken, and when there are several documents.
func mapping(data []byte) (root *ast.MappingNode) {
	defer func() {
		if recover() != nil { // as in decode
			root = nil
		}
	}()
	tree, err := parser.ParseBytes(data, 0)
	if err != nil || len(tree.Docs) != 1 {
		return nil
	}
	root, _ = tree.Docs[0].Body.(*ast.MappingNode)
	return root
}

func decodeNode(dec *yaml.Decoder, n ast.Node, f *file) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not valid YAML: %v", r)
		}
	}()
	return dec.DecodeFromNode(n, f)
}

// complaints is what a file that could be decoded says wrongly, each with its
// key in front.
func (f file) complaints() []string {
	var out []string
	if f.Version != 1 {
		out = append(out, fmt.Sprintf("version: it is %d, this program knows version 1: write \"version: 1\"", f.Version))
	}
	p, ok := Builtin(cmp.Or(f.Extends, CI))
	if !ok {
		out = append(out, fmt.Sprintf("extends: %q is not a built-in policy (%s)", clip(f.Extends), strings.Join(Names(), ", ")))
		p, _ = Builtin(CI)
	}
	overrides := f.Functions
	f.Functions = nil
	out = append(out, flat(f.apply(p))...)
	base, _ := Builtin(CI)
	for i, o := range overrides {
		if _, err := o.parse(*base); err != nil {
			out = append(out, flat(fmt.Errorf("functions[%d]%w", i, err))...)
		}
	}
	return out
}

// flat are the single errors of a joined one, each with what is said in front of
// all of them.
func flat(err error) []string {
	if err == nil {
		return nil
	}
	var out []string
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			out = append(out, flat(e)...)
		}
		return out
	}
	inner := errors.Unwrap(err)
	if inner == nil {
		return []string{err.Error()}
	}
	before, after, ok := strings.Cut(err.Error(), inner.Error())
	if !ok || after != "" {
		return []string{err.Error()}
	}
	for _, text := range flat(inner) {
		out = append(out, before+text)
	}
	return out
}

// walk looks for keys that are none and for values of another form than their key has.
type walk struct {
	found    []Problem
	more     int       // problems that are only counted
	empty    []Problem // of found: keys without a value, and texts without a letter
	mistyped int
	free     bool // a text may be empty, as an input of a build may
}

// entry looks at one key of a mapping with the keys of t.
func (w *walk) entry(v *ast.MappingValueNode, t reflect.Type, path string) {
	key, at := keyOf(v), dotted(path, keyOf(v))
	fields := fieldsOf(t)
	field, ok := fields[key]
	if !ok {
		if len(w.found) >= 2*maxProblems {
			w.more++ // what was meant takes a look at every key that there is
			return
		}
		w.add(v.Key, "%s: there is no such key%s", at, meant(key, fields))
		return
	}
	w.value(v.Value, field, at)
}

// meant is the key that was probably meant, of this section or of another.
func meant(key string, fields map[string]reflect.Type) string {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range fields {
			if !yield(name) {
				return
			}
		}
	})
	if near := spelling.Nearest(key, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	elsewhere := ""
	eachKey(reflect.TypeFor[file](), "", func(path, name string) {
		if name == key && elsewhere == "" {
			elsewhere = fmt.Sprintf("; it is a key of %s", cmp.Or(path, "the file itself"))
		}
	})
	if elsewhere == "" && len(names) <= 12 {
		return " (" + strings.Join(names, ", ") + ")"
	}
	return elsewhere
}

// value looks at a value that should have the form of t.
func (w *walk) value(n ast.Node, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n == nil {
		return
	}
	if n.Type() == ast.NullType {
		w.lacking(n, t, path)
		return
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		m, ok := n.(*ast.MappingNode)
		if !ok {
			w.mistype(n, path, "keys with values below it")
			return
		}
		for _, v := range m.Values {
			if t.Kind() == reflect.Map {
				free := w.free
				w.free = free || t.Elem().Kind() == reflect.String
				w.value(v.Value, t.Elem(), dotted(path, keyOf(v)))
				w.free = free
			} else {
				w.entry(v, t, path)
			}
		}
	case reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			w.mistype(n, path, "a list: [one, two], or one \"- entry\" a line")
			return
		}
		for i, v := range list.Values {
			w.value(v, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Interface:
	default:
		w.scalar(n, t, path)
	}
}

func (w *walk) scalar(n ast.Node, t reflect.Type, path string) {
	_, isScalar := n.(ast.ScalarNode)
	switch t.Kind() {
	case reflect.Bool:
		if n.Type() != ast.BoolType {
			w.mistype(n, path, "true or false")
		}
	case reflect.Int:
		if n.Type() != ast.IntegerType {
			w.mistype(n, path, "a whole number")
		}
	case reflect.Float64:
		if n.Type() != ast.IntegerType && n.Type() != ast.FloatType {
			w.mistype(n, path, "a number")
		}
	default:
		if !isScalar {
			w.mistype(n, path, "one word or text")
		} else if text, ok := n.(*ast.StringNode); ok && !w.free && strings.TrimSpace(text.Value) == "" {
			w.lack(n, "%s: the text is empty: write something, or leave the key out", path)
		}
	}
}

// lacking notes a key without a value. The reader of YAML takes it as left out:
// a limit that a template filled with nothing would be no limit, and who wrote
// "fixable:" to switch a line off would have left it on.
func (w *walk) lacking(n ast.Node, t reflect.Type, path string) {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		w.mistyped++ // what it lacks is not told one by one
		w.lack(n, "%s: it has no keys below it: write some, or leave it out", path)
	case reflect.Slice:
		w.lack(n, "%s: it has no value: write a list ([] is an empty one), or leave the key out", path)
	default:
		off := ""
		if strings.HasPrefix(path, "fail.") || strings.HasPrefix(path, "warn.") || strings.Contains(path, "].fail.") || strings.Contains(path, "].warn.") {
			off = " (none or false switches a line off)"
		}
		w.lack(n, "%s: it has no value: write one%s, or leave the key out", path, off)
	}
}

func (w *walk) lack(n ast.Node, format string, args ...any) {
	if w.add(n, format, args...) {
		w.empty = append(w.empty, w.found[len(w.found)-1])
	}
}

// emptyValue is the first key of a file that has no value, and where texts says
// so an empty text; "" when there is none. t is the struct that the file is decoded into.
func emptyValue(data []byte, t reflect.Type, texts bool) string {
	root := mapping(data)
	if root == nil {
		return ""
	}
	w := &walk{free: !texts}
	for _, v := range root.Values {
		w.entry(v, t, "")
		if len(w.empty) > 0 {
			return fmt.Sprintf("[%d:%d] %s", w.empty[0].Line, w.empty[0].Column, w.empty[0].Text)
		}
	}
	return ""
}

func (w *walk) mistype(n ast.Node, path, want string) {
	w.mistyped++
	w.add(n, "%s: want %s", path, want)
}

// add notes a problem, and says whether it is one of those that are told.
func (w *walk) add(n ast.Node, format string, args ...any) bool {
	if len(w.found) >= 2*maxProblems {
		w.more++
		return false
	}
	at := n.GetToken().Position
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		at = m.Values[0].Key.GetToken().Position // its own is that of the first colon
	}
	w.found = append(w.found, Problem{at.Line, at.Column, fmt.Sprintf(format, args...)})
	return true
}

func keyOf(v *ast.MappingValueNode) string { return v.Key.GetToken().Value }

// dotted is a key below a path; what is long is cut.
func dotted(path, key string) string {
	if path == "" {
		return clip(key)
	}
	return path + "." + clip(key)
}

// fieldsOf are the keys of a section, and what form each has. t is one of the
// structs that a file is decoded into.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			for k, v := range fieldsOf(f.Type) {
				out[k] = v
			}
		case name != "":
			out[name] = f.Type
		}
	}
	return out
}

// eachKey calls do for every key below t, with the path of its section: lists
// have "[]" in it, and mappings with free names "*".
func eachKey(t reflect.Type, path string, do func(section, key string)) {
	switch t.Kind() {
	case reflect.Pointer:
		eachKey(t.Elem(), path, do)
	case reflect.Slice:
		eachKey(t.Elem(), path+"[]", do)
	case reflect.Map:
		eachKey(t.Elem(), strings.TrimPrefix(path+".*", "."), do)
	case reflect.Struct:
		fields := fieldsOf(t)
		names := make([]string, 0, len(fields))
		for name := range fields {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			do(path, name)
		}
		for _, name := range names {
			eachKey(fields[name], strings.TrimPrefix(path+"."+name, "."), do)
		}
	}
}

// locate finds the line and column of what a complaint is about: its text
// starts with the way there, as in `waivers[2]: component: "x" is ...`. What is
// not found is placed at the last step that is.
func locate(root ast.Node, text string) (line, column int) {
	line, column = 1, 1
	node := root
	for node != nil {
		text = strings.TrimLeft(text, ".: ")
		next, rest := step(node, text)
		if rest == text {
			break
		}
		at := next.GetToken().Position
		node, text = next, rest
		if v, ok := next.(*ast.MappingValueNode); ok {
			at, node = v.Key.GetToken().Position, v.Value
		} else if m, ok := next.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
			at = m.Values[0].Key.GetToken().Position
		}
		line, column = at.Line, at.Column
	}
	return line, column
}

// step goes one step down; rest is text when there is none.
func step(node ast.Node, text string) (next ast.Node, rest string) {
	switch n := node.(type) {
	case *ast.MappingNode:
		rest = text
		for _, v := range n.Values {
			after, ok := strings.CutPrefix(text, keyOf(v))
			if ok && len(after) < len(rest) && strings.IndexAny(after+".", ".:[ ") == 0 { // a name can have dots in it
				next, rest = v, after
			}
		}
		return next, rest
	case *ast.SequenceNode:
		number, after, ok := strings.Cut(strings.TrimPrefix(text, "["), "]")
		i, err := strconv.Atoi(number)
		if ok && err == nil && strings.HasPrefix(text, "[") && i >= 0 && i < len(n.Values) {
			return n.Values[i], after
		}
	}
	return nil, text
}

// placed reads the place in front of an error of the YAML reader.
func placed(text string) Problem {
	m := regexp.MustCompile(`(?s)^\[(\d+):(\d+)\] (.*)$`).FindStringSubmatch(text)
	if m == nil {
		return Problem{1, 1, text}
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	return Problem{line, column, m[3]}
}
