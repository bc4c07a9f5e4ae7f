package descriptor

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of resolving one template.
const (
	maxSteps    = 300_000  // values looked at; aliases can make a small document a huge tree
	maxText     = 64 << 10 // bytes of one text that is put together
	maxAllTexts = 16 << 20 // bytes of all of them
)

// unresolved is a value that is not known before deployment. Text is the value
// as far as it is known, with "${Name}" for the rest; missing names a parameter
// whose value would help.
type unresolved struct {
	text    string
	missing string
}

// resource is what Ref or Fn::GetAtt of a resource of the template stand for.
type resource struct {
	id        string
	attribute string // "" for Ref
}

func (r resource) String() string {
	if r.attribute == "" {
		return "${" + r.id + "}"
	}
	return "${" + r.id + "." + r.attribute + "}"
}

// noValue is AWS::NoValue: the property is absent.
type noValue struct{}

// resolver resolves the intrinsic functions of one template
// (docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
// What only the deployment can know stays unresolved.
type resolver struct {
	parameters map[string]any // by name: text, list or unresolved
	mappings   *mapping
	conditions *mapping
	resources  *mapping

	steps int
	bytes int
	busy  map[string]bool // conditions that are being evaluated
}

// intrinsics are the keys that make a mapping of one key a function and not data.
func isIntrinsic(key string) bool {
	return key == "Ref" || strings.HasPrefix(key, "Fn::")
}

// resolve returns v with every function replaced by its value: nil, string,
// []any, *mapping, resource, noValue or unresolved.
func (r *resolver) resolve(v any) any { return r.value(v, 0) }

// property resolves one property of a resource; nil when it is absent, which
// AWS::NoValue makes it too.
func (r *resolver) property(props *mapping, key string) any {
	v := r.resolve(props.get(key))
	if _, none := v.(noValue); none {
		return nil
	}
	return v
}

func (r *resolver) value(v any, depth int) any {
	if r.steps++; r.steps > maxSteps || depth > maxDepth {
		return unresolved{text: "(a limit was reached)"}
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, min(len(v), 64))
		for _, e := range v {
			e = r.value(e, depth+1)
			if _, none := e.(noValue); !none {
				out = append(out, e)
			}
		}
		return out
	case *mapping:
		if key, arg, ok := v.single(); ok && isIntrinsic(key) {
			return r.function(key, arg, depth)
		}
		out := newMapping()
		for _, k := range v.keys {
			e := r.value(v.values[k], depth+1)
			if _, none := e.(noValue); !none {
				out.put(k, e)
			}
		}
		return out
	case string:
		if dynamic(v) {
			return unresolved{text: v}
		}
	}
	return v
}

// dynamic says whether a text has a dynamic reference: the deployment puts a
// parameter or a secret in its place
// (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
func dynamic(s string) bool { return strings.Contains(s, "{{resolve:") }

func (r *resolver) function(name string, arg any, depth int) any {
	switch name {
	case "Ref":
		if s, ok := arg.(string); ok {
			return r.ref(s)
		}
	case "Fn::Sub":
		return r.sub(arg, depth)
	case "Fn::Join":
		return r.join(arg, depth)
	case "Fn::Select":
		return r.pick(arg, depth)
	case "Fn::Split":
		return r.split(arg, depth)
	case "Fn::If":
		if a, ok := arg.([]any); ok && len(a) == 3 {
			if cond, ok := a[0].(string); ok {
				switch holds, known := r.condition(cond, depth); {
				case !known:
					return unresolved{text: "${If " + cond + "}"}
				case holds:
					return r.value(a[1], depth+1)
				default:
					return r.value(a[2], depth+1)
				}
			}
		}
	case "Fn::FindInMap":
		return r.find(arg, depth)
	case "Fn::GetAtt":
		if a, ok := arg.([]any); ok && len(a) == 2 {
			id, _ := a[0].(string)
			attribute, ok := r.value(a[1], depth+1).(string)
			if ok && r.resources.has(id) {
				return resource{id, attribute}
			}
		}
		if s, ok := arg.(string); ok { // the YAML form with a dot
			id, attribute, _ := strings.Cut(s, ".")
			if r.resources.has(id) {
				return resource{id, attribute}
			}
		}
	}
	return unresolved{text: "${" + name + "}"} // Fn::ImportValue, Fn::Transform, Fn::GetAZs, a function that is not known
}

// ref resolves the name of a parameter, a pseudo parameter or a resource.
func (r *resolver) ref(name string) any {
	if v, ok := r.parameters[name]; ok {
		return v
	}
	switch {
	case name == "AWS::NoValue":
		return noValue{}
	case strings.HasPrefix(name, "AWS::"):
		return unresolved{text: "${" + name + "}", missing: name}
	case r.resources.has(name):
		return resource{id: name}
	}
	return unresolved{text: "${" + name + "}"}
}

// concat is a text that is put together of parts.
type concat struct {
	r       *resolver
	b       strings.Builder
	open    bool // a part is not known
	missing string
	long    bool
}

func (c *concat) add(v any) {
	s := ""
	switch v := v.(type) {
	case string:
		s = v
	case unresolved:
		s, c.open = v.text, true
		if c.missing == "" {
			c.missing = v.missing
		}
	case resource:
		s, c.open = v.String(), true
	default:
		s, c.open = "${?}", true
	}
	c.r.bytes += len(s)
	if c.b.Len()+len(s) > maxText || c.r.bytes > maxAllTexts {
		c.long = true
		return
	}
	c.b.WriteString(s)
}

func (c *concat) value() any {
	switch {
	case c.long:
		return unresolved{text: "(a limit was reached)"}
	case c.open, dynamic(c.b.String()):
		return unresolved{c.b.String(), c.missing}
	}
	return c.b.String()
}

// sub resolves Fn::Sub: a text, or a list of a text and a mapping of its own names.
func (r *resolver) sub(arg any, depth int) any {
	var own *mapping
	text, ok := arg.(string)
	if a, list := arg.([]any); list && len(a) == 2 {
		text, ok = a[0].(string)
		own, _ = a[1].(*mapping)
	}
	if !ok {
		return unresolved{text: "${Fn::Sub}"}
	}
	out := &concat{r: r}
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			out.add(text)
			return out.value()
		}
		out.add(text[:i])
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			out.add(text[i:])
			return out.value()
		}
		name := strings.TrimSpace(text[i+2 : i+end])
		text = text[i+end+1:]
		switch {
		case strings.HasPrefix(name, "!"): // "${!Literal}" is "${Literal}"
			out.add("${" + name[1:] + "}")
		case own.has(name):
			out.add(r.value(own.get(name), depth+1))
		case strings.Contains(name, ".") && r.parameters[name] == nil:
			id, attribute, _ := strings.Cut(name, ".")
			out.add(resource{id, attribute})
		default:
			out.add(r.ref(name))
		}
		if r.steps++; r.steps > maxSteps || out.long {
			return unresolved{text: "(a limit was reached)"}
		}
	}
}

func (r *resolver) join(arg any, depth int) any {
	a, ok := arg.([]any)
	if !ok || len(a) != 2 {
		return unresolved{text: "${Fn::Join}"}
	}
	list, ok := r.value(a[1], depth+1).([]any)
	if !ok {
		return unresolved{text: "${Fn::Join}"}
	}
	out := &concat{r: r}
	for i, e := range list {
		if i > 0 {
			out.add(a[0])
		}
		if out.add(e); out.long {
			break
		}
	}
	return out.value()
}

func (r *resolver) pick(arg any, depth int) any {
	a, ok := arg.([]any)
	if !ok || len(a) != 2 {
		return unresolved{text: "${Fn::Select}"}
	}
	index, _ := r.value(a[0], depth+1).(string)
	i, err := strconv.Atoi(index)
	list, ok := r.value(a[1], depth+1).([]any)
	if err != nil || !ok || i < 0 || i >= len(list) {
		return unresolved{text: "${Fn::Select}"}
	}
	return list[i]
}

func (r *resolver) split(arg any, depth int) any {
	a, ok := arg.([]any)
	if !ok || len(a) != 2 {
		return unresolved{text: "${Fn::Split}"}
	}
	sep, _ := a[0].(string)
	text, ok := r.value(a[1], depth+1).(string)
	if !ok || sep == "" {
		return unresolved{text: "${Fn::Split}"}
	}
	var out []any
	for part := range strings.SplitSeq(text, sep) {
		if r.steps++; r.steps > maxSteps {
			return unresolved{text: "(a limit was reached)"}
		}
		out = append(out, part)
	}
	return out
}

// find resolves Fn::FindInMap, with the default value of AWS::LanguageExtensions.
func (r *resolver) find(arg any, depth int) any {
	a, ok := arg.([]any)
	if !ok || len(a) < 3 || len(a) > 4 {
		return unresolved{text: "${Fn::FindInMap}"}
	}
	var names []string
	missing := ""
	for _, e := range a[:3] {
		switch v := r.value(e, depth+1).(type) {
		case string:
			names = append(names, v)
		case unresolved:
			missing = v.missing
		}
	}
	if len(names) == 3 {
		if m := r.mappings.sub(names[0]).sub(names[1]); m.has(names[2]) {
			return r.value(m.get(names[2]), depth+1)
		}
		if len(a) == 4 {
			if m, ok := a[3].(*mapping); ok && m.has("DefaultValue") {
				return r.value(m.get("DefaultValue"), depth+1)
			}
		}
	}
	return unresolved{text: "${Fn::FindInMap}", missing: missing}
}

// condition evaluates a named condition with the parameters that are known.
func (r *resolver) condition(name string, depth int) (holds, known bool) {
	if !r.conditions.has(name) || r.busy[name] {
		return false, false
	}
	if r.busy == nil {
		r.busy = map[string]bool{}
	}
	r.busy[name] = true
	defer delete(r.busy, name)
	return r.holds(r.conditions.get(name), depth+1)
}

// holds evaluates a condition function. What is known may decide although the
// rest is not: one false makes Fn::And false.
func (r *resolver) holds(v any, depth int) (holds, known bool) {
	if r.steps++; r.steps > maxSteps || depth > maxDepth {
		return false, false
	}
	m, _ := v.(*mapping)
	name, arg, ok := m.single()
	if !ok {
		return false, false
	}
	list, _ := arg.([]any)
	switch name {
	case "Condition":
		if s, ok := arg.(string); ok {
			return r.condition(s, depth)
		}
	case "Fn::Equals":
		if len(list) == 2 {
			a, okA := r.value(list[0], depth+1).(string)
			b, okB := r.value(list[1], depth+1).(string)
			return a == b, okA && okB
		}
	case "Fn::Not":
		if len(list) == 1 {
			h, k := r.holds(list[0], depth+1)
			return !h, k
		}
	case "Fn::And", "Fn::Or":
		decides := name == "Fn::Or"
		known = len(list) > 0
		for _, e := range list {
			h, k := r.holds(e, depth+1)
			if k && h == decides {
				return decides, true
			}
			known = known && k
		}
		return !decides, known
	}
	return false, false
}

// parameters reads the Parameters section: what was given wins over a default.
// The default of a parameter that the deployment reads from a store
// ("AWS::SSM::Parameter::Value<...>") is the name of the entry and not its value.
func parameters(section *mapping, given map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range given {
		if section.has(name) || strings.HasPrefix(name, "AWS::") {
			out[name] = v
		}
	}
	if section == nil {
		return out
	}
	for _, name := range section.keys {
		if _, done := out[name]; done {
			if s, ok := out[name].(string); ok {
				out[name] = parameterValue(section.sub(name).text("Type"), s)
			}
			continue
		}
		p := section.sub(name)
		def, ok := p.get("Default").(string)
		if !ok || strings.HasPrefix(p.text("Type"), "AWS::SSM::") {
			out[name] = unresolved{text: "${" + name + "}", missing: name}
			continue
		}
		out[name] = parameterValue(p.text("Type"), def)
	}
	return out
}

// parameterValue splits the value of a parameter of a list type.
func parameterValue(typ, s string) any {
	if typ != "CommaDelimitedList" && !strings.HasPrefix(typ, "List<") {
		return s
	}
	var list []any
	for e := range strings.SplitSeq(s, ",") {
		list = append(list, strings.TrimSpace(e))
	}
	return list
}

// Parameter reads a parameter as a person gives it: NAME=VALUE.
func Parameter(s string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return "", "", fmt.Errorf("%q is not NAME=VALUE", s)
	}
	return name, value, nil
}

// textOf shows a resolved value for a person and for facts: text as it is,
// what is not known as "${Name}".
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case unresolved:
		return v.text
	case resource:
		return v.String()
	}
	return ""
}
