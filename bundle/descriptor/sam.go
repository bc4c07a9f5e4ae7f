package descriptor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// Limits of one application.
const (
	maxFunctions = 2000     // of all templates: a stack holds 500 resources
	maxNested    = 8        // stacks inside of stacks
	maxTemplates = 200      // templates read
	maxBytes     = 32 << 20 // of all templates
)

// readSAM reads an AWS SAM or CloudFormation template and the nested stacks
// that lie beside it.
func readSAM(ctx context.Context, file string, opt Options) ([]bundle.Spec, error) {
	dir := opt.Root
	if dir == "" {
		dir = projectRoot(filepath.Dir(file))
	}
	r, err := newRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: root %s: %w", ErrOptions, dir, short(err))
	}
	if in, err := newRoot(filepath.Dir(file)); err != nil || !r.holds(in.real) {
		return nil, fmt.Errorf("%w: the template does not lie in the root %s", ErrOptions, dir)
	}
	app := &application{ctx: ctx, root: r}
	given := map[string]any{}
	for k, v := range opt.Parameters {
		given[k] = v
	}
	unused, err := app.template(file, "", given, nil)
	if err != nil {
		return nil, err
	}
	if len(unused) > 0 {
		return nil, fmt.Errorf("%w: the template has no parameter %s", ErrOptions, strings.Join(unused, ", "))
	}
	slices.SortStableFunc(app.specs, func(a, b bundle.Spec) int { return strings.Compare(a.Name, b.Name) })
	return app.specs, nil
}

// application is what one run over a template and its nested stacks gathers.
type application struct {
	ctx   context.Context
	root  root
	specs []bundle.Spec
	files int
	bytes int64
}

// template is one template of an application.
type template struct {
	app     *application
	file    string
	dir     string
	built   bool   // "sam build" wrote it
	prefix  string // logical ids of the stacks around it, each with a slash
	chain   []string
	doc     *mapping
	res     *mapping // the section Resources
	r       *resolver
	globals *mapping
	facts   map[string]*facts // by logical id of the function
}

// template reads one template and adds its functions. It returns the given
// parameters that the template does not have.
func (a *application) template(file, prefix string, given map[string]any, chain []string) (unused []string, err error) {
	if err := a.ctx.Err(); err != nil {
		return nil, err
	}
	data, err := a.load(file)
	if err != nil {
		return nil, err
	}
	doc, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("not a template that can be read: %w", err)
	}
	resources, ok := doc.get("Resources").(*mapping)
	if !ok {
		return nil, errors.New("not a template: it has no mapping \"Resources\"")
	}
	if err := sections(doc); err != nil {
		return nil, err
	}
	t := &template{
		app: a, file: file, dir: filepath.Dir(file), built: samBuilt(filepath.Dir(file)), prefix: prefix, chain: append(slices.Clone(chain), file),
		doc: doc, res: resources, globals: doc.sub("Globals").sub("Function"), facts: map[string]*facts{},
		r: &resolver{parameters: parameters(doc.sub("Parameters"), given), mappings: doc.sub("Mappings"), conditions: doc.sub("Conditions"), resources: resources},
	}
	for name := range given {
		if !doc.sub("Parameters").has(name) && !strings.HasPrefix(name, "AWS::") {
			unused = append(unused, name)
		}
	}
	slices.Sort(unused)
	t.transforms()
	t.related()
	for _, id := range resources.keys {
		if err := a.ctx.Err(); err != nil {
			return nil, err
		}
		if err := t.resource(id); err != nil {
			return nil, err
		}
	}
	return unused, nil
}

// load reads a template file within the limits.
func (a *application) load(file string) ([]byte, error) {
	if a.files++; a.files > maxTemplates {
		return nil, fmt.Errorf("more than %d templates", maxTemplates)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, short(err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, short(err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("over the limit of %d bytes, which is CloudFormation's", maxDocument)
	}
	if a.bytes += int64(len(data)); a.bytes > maxBytes {
		return nil, fmt.Errorf("the templates hold more than %d bytes", maxBytes)
	}
	return data, nil
}

// add adds a function, in the order of the template.
func (a *application) add(s bundle.Spec) error {
	if len(a.specs) >= maxFunctions {
		return fmt.Errorf("more than %d functions", maxFunctions)
	}
	s.Platform = bundle.PlatformAWS
	a.specs = append(a.specs, s)
	return nil
}

// unread adds something that is or may hold a function and cannot be read here.
func (t *template) unread(id, format string, args ...any) error {
	return t.app.add(bundle.Spec{
		Name: t.prefix + id, Ref: t.file, Unread: fmt.Sprintf(format, args...),
		Declared: bundle.Declared{Descriptor: t.file, Resource: t.prefix + id},
	})
}

// knownTransforms are the macros that add no function behind the template's
// back: AWS SAM, which is read here, and AWS's own that rewrite within a
// resource (docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html).
func knownTransform(name string) bool {
	return strings.HasPrefix(name, "AWS::Serverless-") || strings.HasPrefix(name, "AWS::CodeDeployBlueGreen") ||
		strings.HasPrefix(name, "AWS::SecretsManager-") || name == "AWS::LanguageExtensions" || name == "AWS::ServiceCatalog"
}

// transforms reports macros: they can rewrite the template as a whole.
func (t *template) transforms() {
	list, ok := t.doc.get("Transform").([]any)
	if !ok {
		list = []any{t.doc.get("Transform")}
	}
	for _, e := range list {
		name := textOf(t.r.resolve(e))
		if m, ok := e.(*mapping); ok {
			name = m.text("Name")
		}
		if name != "" && !knownTransform(name) {
			// The limit of functions is checked by the next one that is added.
			_ = t.unread("Transform:"+name, "the macro %s rewrites the template when it is deployed, so what it declares is not known: scan the processed template (aws cloudformation get-template --template-stage Processed)", name)
		}
	}
}

// sections refuses a template with a section that is no mapping: functions take
// their code, their layers and their values from there.
func sections(doc *mapping) error {
	check := func(m *mapping, name, key string) error {
		if v := m.get(key); v != nil {
			if _, ok := v.(*mapping); !ok {
				return fmt.Errorf("not a template that can be read: its section %q is not a mapping", name)
			}
		}
		return nil
	}
	for _, name := range []string{"Globals", "Parameters", "Mappings", "Conditions"} {
		if err := check(doc, name, name); err != nil {
			return err
		}
	}
	return check(doc.sub("Globals"), "Globals.Function", "Function")
}

// resource adds what one resource declares. One that is not written as a
// resource is may have been meant as a function: it is reported.
func (t *template) resource(id string) error {
	if strings.HasPrefix(id, "Fn::ForEach::") || strings.HasPrefix(id, "Fn::") {
		return t.unread(id, "%s makes resources when it is deployed and is not expanded by this version: scan the processed template (aws cloudformation get-template --template-stage Processed)", id)
	}
	res, ok := t.res.get(id).(*mapping)
	if !ok {
		return t.unread(id, "the resource is not a mapping with Type and Properties, so it may be a function that is not deployed as meant: correct the template")
	}
	typ, ok := res.get("Type").(string)
	switch {
	case res.has("Fn::Transform"):
		return t.unread(id, "Fn::Transform makes this resource when it is deployed: scan the processed template (aws cloudformation get-template --template-stage Processed)")
	case !ok || typ == "":
		return t.unread(id, "the resource has no Type, or one that is not a text, so it may be a function: correct the template")
	}
	props, ok := res.get("Properties").(*mapping)
	if !ok && res.get("Properties") != nil && mayHoldCode(typ) {
		return t.unread(id, "the Properties of this %s are not a mapping, so its code is not known: correct the template", typ)
	}
	switch typ {
	case "AWS::Serverless::Function":
		props = t.r.inherit(t.globals, props, res.get("IgnoreGlobals"))
		return t.function(id, res, props)
	case "AWS::Lambda::Function":
		return t.function(id, res, props)
	case "AWS::Serverless::Application", "AWS::CloudFormation::Stack":
		return t.nested(id, typ, props)
	case "AWS::CloudFormation::StackSet":
		return t.unread(id, "the template of this stack set may declare functions and is not read by this version: scan it by name")
	case "AWS::Serverless::WebFunction", "AWS::Lambda::WebFunctionRevision", "AWS::Serverless::MicrovmImage":
		return t.unread(id, "%s is a kind of function that this version does not read: scan its package by name", typ)
	}
	if why := oddType(typ, props); why != "" {
		return t.unread(id, "%s", why)
	}
	return nil
}

// nested reads a stack inside of the application when its template lies here.
func (t *template) nested(id, typ string, props *mapping) error {
	property := "Location"
	if typ == "AWS::CloudFormation::Stack" {
		property = "TemplateURL"
	}
	v := t.r.property(props, property)
	where, ok := v.(string)
	switch {
	case !ok:
		if m, is := v.(*mapping); is && m.has("ApplicationId") {
			return t.unread(id, "an application of the AWS Serverless Application Repository (%s): its functions are not here", textOf(m.get("ApplicationId")))
		}
		return t.unread(id, "the template of this nested stack is not known before deployment%s", hint(v))
	case strings.Contains(where, "://"):
		return t.unread(id, "the template of this nested stack lies at %s: scan a local copy", where)
	}
	file, info, err := t.app.root.locate(t.dir, where)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.unread(id, "the template of this nested stack, %s, is not there%s", where, t.buildHint())
	case err != nil:
		return t.unread(id, "the template of this nested stack, %s, %s", where, rootHint(err))
	case !info.Mode().IsRegular():
		return t.unread(id, "the template of this nested stack, %s, is not a file", where)
	case len(t.chain) > maxNested, slices.ContainsFunc(t.chain, func(f string) bool { return sameFile(f, info) }):
		return t.unread(id, "nested stacks go in a circle, or deeper than %d", maxNested)
	}
	given := map[string]any{}
	if p, ok := t.r.resolve(props.get("Parameters")).(*mapping); ok {
		for _, k := range p.keys {
			switch v := p.values[k].(type) {
			case string:
				given[k] = v
			default:
				given[k] = unresolved{text: textOf(v)}
			}
		}
	}
	if _, err := t.app.template(file, t.prefix+id+"/", given, t.chain); err != nil {
		if t.app.ctx.Err() != nil {
			return err
		}
		return t.unread(id, "nested stack %s: %s", where, err)
	}
	return nil
}

func sameFile(name string, info fs.FileInfo) bool {
	st, err := os.Stat(name)
	return err == nil && os.SameFile(st, info)
}

// hint says which parameter would help to resolve a value.
func hint(v any) string {
	switch v := v.(type) {
	case unresolved:
		if v.missing != "" {
			return fmt.Sprintf(" (%s): give it with --parameter %s=VALUE", clip(v.text), word(v.missing))
		}
		if v.text != "" {
			return fmt.Sprintf(" (%s)", clip(v.text))
		}
	case resource:
		return fmt.Sprintf(" (%s)", v)
	}
	return ""
}

// clip shortens a text for a sentence.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// buildHint says what makes a missing artifact.
func (t *template) buildHint() string {
	if t.built {
		return ": run sam build again"
	}
	return ": run sam build, then scan .aws-sam/build"
}

// rootHint says what to do about a path that cannot be used.
func rootHint(err error) string {
	if errors.Is(err, errOutside) {
		return err.Error() + ": if that is meant, name the folder around both with --root"
	}
	return "cannot be read: " + err.Error()
}
