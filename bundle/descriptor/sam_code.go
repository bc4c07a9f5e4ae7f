package descriptor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// function adds one function with its code and layers.
func (t *template) function(id string, res, props *mapping) error {
	get := func(key string) any { return t.r.property(props, key) }
	s := bundle.Spec{Name: t.prefix + id, Ref: t.file, Runtime: literal(get("Runtime")), Handler: literal(get("Handler"))}
	s.Declared = t.declare(id, res, props)
	s.Arch = "x86_64" // the default of AWS::Lambda::Function, Architectures
	if props.has("Architectures") {
		s.Arch = ""
		if list, ok := get("Architectures").([]any); ok && len(list) == 1 {
			s.Arch = literal(list[0])
		}
	}
	if t.code(res, props, &s) { // an image has neither runtime nor layers, whatever it inherits
		s.Runtime = ""
		s.Declared.Unresolved = slices.DeleteFunc(s.Declared.Unresolved, func(u string) bool { return strings.HasPrefix(u, "Runtime: ") })
		return t.app.add(s)
	}
	t.layers(get("Layers"), &s)
	slices.SortStableFunc(s.Declared.Gaps, func(a, b bundle.Gap) int { return strings.Compare(a.What, b.What) })
	return t.app.add(s)
}

// literal is a text that is known, "" for anything else.
func literal(v any) string {
	s, _ := v.(string)
	return s
}

// code says where the code of a function lies, or why it cannot be had, and
// whether it is a container image.
func (t *template) code(res, props *mapping, s *bundle.Spec) (isImage bool) {
	get := func(key string) any { return t.r.property(props, key) }
	code, _ := get("Code").(*mapping) // of AWS::Lambda::Function
	image, inline, where := get("ImageUri"), get("InlineCode"), get("CodeUri")
	switch {
	case code != nil && code.has("ImageUri"):
		image = code.get("ImageUri")
	case code != nil && code.has("ZipFile"):
		inline = code.get("ZipFile")
	case code != nil:
		where = code
	case props.has("Code"):
		where = get("Code")
	}
	switch {
	case literal(get("PackageType")) == "Image" || image != nil:
		if image == nil {
			image = where // "sam build" of an archive
		}
		t.image(res, image, s)
		if s.Handler == "" {
			if config, ok := get("ImageConfig").(*mapping); ok {
				if command, ok := config.get("Command").([]any); ok && len(command) > 0 {
					s.Handler = literal(command[0])
				}
			}
		}
		return true
	case inline != nil:
		t.inline(inline, s)
	case where == nil:
		s.Unread = "the template names no code (CodeUri, Code, ImageUri or InlineCode)" + t.buildHint()
	default:
		what := t.place(where, "the code", s.Runtime, res)
		s.Unread = what.problem
		if what.path != "" {
			s.Ref = what.path
		}
		s.Declared.Gaps = append(s.Declared.Gaps, what.gaps...)
	}
	return false
}

// inline takes the text of a function that stands in the template. CloudFormation
// puts it into a file named index
// (docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html, ZipFile).
func (t *template) inline(v any, s *bundle.Spec) {
	ext := ""
	switch {
	case strings.HasPrefix(s.Runtime, "python"):
		ext = ".py"
	case strings.HasPrefix(s.Runtime, "nodejs"):
		ext = ".js"
	}
	text, ok := v.(string)
	switch {
	case !ok:
		if u, is := v.(unresolved); is {
			u.text = "it has values that only the deployment knows" // code holds secrets at times, and is long
			v = u
		}
		s.Unread = "the inline code is not known before deployment" + hint(v)
	case ext == "":
		s.Unread = fmt.Sprintf("inline code for the runtime %q: only Node.js and Python take it", s.Runtime)
	default:
		s.Inline = &bundle.Inline{Name: "index" + ext, Text: text}
	}
}

// image finds a container image that lies here: an archive or a layout. What
// lies in a registry or in a local engine is named with what to do.
func (t *template) image(res *mapping, v any, s *bundle.Spec) {
	meta := res.sub("Metadata")
	if uri, ok := v.(string); ok && !strings.Contains(uri, "://") {
		path, _, err := t.app.root.locate(t.dir, uri)
		if err == nil {
			s.Ref = path
			return
		}
		s.Declared.Image = uri
		if errors.Is(err, errOutside) {
			s.Unread = fmt.Sprintf("the image %s %s", uri, rootHint(err))
			return
		}
		s.Unread = fmt.Sprintf("the image %s lies in a registry: scan it with image:%s, or save it (docker save %s) and scan the archive", uri, word(uri), word(uri))
		if registryless(uri) {
			s.Unread = fmt.Sprintf("the image %s lies in a local container engine: save it (docker save %s) and scan the archive", uri, word(uri))
		}
		return
	}
	if file := literal(meta.get("Dockerfile")); file != "" {
		s.Unread = fmt.Sprintf("the image is built from %s: run sam build, save the image (docker save) and scan the archive", file)
		return
	}
	s.Unread = "the container image is not known before deployment" + hint(v)
}

// word is a text that goes into a command which a person may copy: only as it
// is when a shell takes it as one plain word, since a template may hold others.
func word(s string) string {
	if s == "" || s[0] == '-' || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-@+=") != "" {
		return "NAME"
	}
	return s
}

// registryless reports whether an image name has no host in front, as the
// names have that "sam build" gives ("ordersfunction:latest").
func registryless(uri string) bool {
	host, _, path := strings.Cut(uri, "/")
	return !path || !strings.ContainsAny(host, ".:") && host != "localhost"
}

// placed is where an artifact lies.
type placed struct {
	path    string
	problem string // why it cannot be read here
	gaps    []bundle.Gap
}

// place finds the zip or folder that a template names: a path, or a place in S3.
func (t *template) place(v any, what, runtime string, res *mapping) placed {
	var where string
	switch v := v.(type) {
	case string:
		where = v
	case *mapping:
		bucket, key := first(v, "Bucket", "S3Bucket"), first(v, "Key", "S3Key")
		return placed{problem: fmt.Sprintf("%s lies in S3 (s3://%s/%s), and a descriptor causes no network access: fetch it (aws s3 cp) and scan the file, or scan the output of sam build", what, textOf(bucket), textOf(key))}
	default:
		return placed{problem: what + " is not known before deployment" + hint(v)}
	}
	if strings.Contains(where, "://") {
		return placed{problem: fmt.Sprintf("%s lies at %s, and a descriptor causes no network access: fetch it (aws s3 cp) and scan the file, or scan the output of sam build", what, where)}
	}
	path, info, err := t.app.root.locate(t.dir, where)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return placed{problem: fmt.Sprintf("%s, %s, is not there%s", what, where, t.buildHint())}
	case err != nil:
		return placed{problem: fmt.Sprintf("%s, %s, %s", what, where, rootHint(err))}
	}
	p := placed{path: path}
	if info.IsDir() {
		method := ""
		if !t.built {
			method = literal(t.r.resolve(res.sub("Metadata").get("BuildMethod")))
		}
		p.gaps = unbuilt(path, runtime, method, t.buildHint())
	}
	return p
}

func first(m *mapping, keys ...string) any {
	for _, k := range keys {
		if m.has(k) {
			return m.get(k)
		}
	}
	return nil
}

// layers finds the layers of a function in the platform's merge order. A layer
// that is not a resource of the template lies in somebody's account.
func (t *template) layers(v any, s *bundle.Spec) {
	if v == nil {
		return
	}
	list, ok := v.([]any)
	if !ok {
		s.Declared.Gaps = append(s.Declared.Gaps, bundle.Gap{What: "Layers", Layer: true, Reason: "the layers are not known before deployment" + hint(v)})
		return
	}
	for _, e := range list {
		gap := bundle.Gap{What: textOf(e), Layer: true}
		switch e := e.(type) {
		case resource:
			res := t.res.sub(e.id)
			content := "Content"
			if res.text("Type") == "AWS::Serverless::LayerVersion" {
				content = "ContentUri"
			} else if res.text("Type") != "AWS::Lambda::LayerVersion" {
				gap.Reason = "the layer comes from another stack: fetch it (aws lambda get-layer-version-by-arn) and name all layers with --function and --layer"
				break
			}
			p := t.place(t.r.property(res.sub("Properties"), content), "the layer", s.Runtime, res)
			if gap.What, gap.Reason = t.prefix+e.id, p.problem; p.problem == "" {
				s.Layers = append(s.Layers, p.path)
				for _, g := range p.gaps {
					g.Layer = true
					s.Declared.Gaps = append(s.Declared.Gaps, g)
				}
				continue
			}
		case string:
			s.Declared.Layers = append(s.Declared.Layers, e)
			gap.Reason = "a layer of another account or stack is not here: fetch it (aws lambda get-layer-version-by-arn --arn " + word(e) + ") and name all layers with --function and --layer"
		default:
			gap.Reason = "the layer is not known before deployment" + hint(e)
			if gap.What == "" {
				gap.What = "Layers"
			}
		}
		s.Declared.Gaps = append(s.Declared.Gaps, gap)
	}
}
