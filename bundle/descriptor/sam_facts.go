package descriptor

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// facts are what other resources say about a function.
type facts struct {
	triggers []bundle.Trigger
	url      string
}

// related gathers the resources that point at a function: its URL, its event
// sources and who may invoke it.
func (t *template) related() {
	for _, id := range t.res.keys {
		res := t.res.sub(id)
		props := res.sub("Properties")
		target := "FunctionName"
		typ := res.text("Type")
		switch typ {
		case "AWS::Lambda::Url":
			target = "TargetFunctionArn"
		case "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission":
		default:
			continue
		}
		of, ok := t.r.resolve(props.get(target)).(resource)
		if !ok {
			continue
		}
		f := t.facts[of.id]
		if f == nil {
			f = &facts{}
			t.facts[of.id] = f
		}
		get := func(key string) string { return textOf(t.r.resolve(props.get(key))) }
		switch typ {
		case "AWS::Lambda::Url":
			f.url = cmp.Or(get("AuthType"), "unknown")
		case "AWS::Lambda::EventSourceMapping":
			f.triggers = append(f.triggers, bundle.Trigger{Name: id, Type: "EventSourceMapping", Detail: get("EventSourceArn")})
		default:
			f.triggers = append(f.triggers, bundle.Trigger{Name: id, Type: "Permission", Detail: strings.TrimSpace(get("Principal") + " " + get("SourceArn")), Auth: get("FunctionUrlAuthType")})
		}
	}
}

// signing reads the code signing configuration that a function refers to, when
// the template has it. Without a policy it warns only
// (AWS::Lambda::CodeSigningConfig in the CloudFormation reference).
func (t *template) signing(v any) (mode string, profiles []string) {
	ref, ok := v.(resource)
	if !ok || t.res.sub(ref.id).text("Type") != "AWS::Lambda::CodeSigningConfig" {
		return "", nil
	}
	props := t.res.sub(ref.id).sub("Properties")
	policy, stated := t.r.property(props.sub("CodeSigningPolicies"), "UntrustedArtifactOnDeployment").(string)
	switch {
	case policy == "Enforce", policy == "Warn":
		mode = policy
	case !stated && props.sub("CodeSigningPolicies").get("UntrustedArtifactOnDeployment") == nil:
		mode = "Warn"
	}
	list, _ := t.r.property(props.sub("AllowedPublishers"), "SigningProfileVersionArns").([]any)
	for _, arn := range list {
		profiles = append(profiles, textOf(arn))
	}
	slices.Sort(profiles)
	return mode, profiles
}

// declare records the facts of one function. Values of environment variables
// stay in the template: they are secrets at times.
func (t *template) declare(id string, res, props *mapping) bundle.Declared {
	get := func(key string) any { return t.r.property(props, key) }
	d := bundle.Declared{
		Descriptor: t.file, Resource: t.prefix + id, FunctionName: literal(get("FunctionName")),
		Role: textOf(get("Role")), CodeSigning: textOf(get("CodeSigningConfigArn")), Condition: res.text("Condition"),
		Policies: policies(get("Policies")),
	}
	d.SigningMode, d.Profiles = t.signing(get("CodeSigningConfigArn"))
	if env, ok := props.sub("Environment").get("Variables").(*mapping); ok && !intrinsic(env) {
		d.Environment = slices.Sorted(slices.Values(env.keys))
	}
	if url, ok := get("FunctionUrlConfig").(*mapping); ok {
		d.URLAuth = cmp.Or(textOf(url.get("AuthType")), "unknown")
	}
	if f := t.facts[id]; f != nil {
		d.Triggers = append(d.Triggers, f.triggers...)
		d.URLAuth = cmp.Or(d.URLAuth, f.url)
	}
	if events, ok := get("Events").(*mapping); ok {
		for _, name := range events.keys {
			d.Triggers = append(d.Triggers, trigger(name, events.sub(name)))
		}
	}
	slices.SortFunc(d.Triggers, func(a, b bundle.Trigger) int { return cmp.Compare(a.Name, b.Name) })
	for _, key := range []string{"Architectures", "Handler", "Runtime"} {
		v := get(key)
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		if text, known := v.(string); v != nil && (!known || text == "") {
			d.Unresolved = append(d.Unresolved, key+": "+cmp.Or(textOf(v), "?"))
		}
	}
	return d
}

// trigger reads one event source of AWS SAM
// (docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html).
func trigger(name string, event *mapping) bundle.Trigger {
	out := bundle.Trigger{Name: name, Type: event.text("Type")}
	p := event.sub("Properties")
	switch out.Type {
	case "Api", "HttpApi":
		method, path := textOf(p.get("Method")), textOf(p.get("Path"))
		out.Detail = strings.TrimSpace(strings.ToUpper(method) + " " + path)
		if auth := p.sub("Auth"); auth != nil {
			out.Auth = textOf(auth.get("Authorizer"))
			if out.Auth == "" && auth.text("ApiKeyRequired") == "true" {
				out.Auth = "API key"
			}
		}
	default:
		for _, key := range []string{"Queue", "Stream", "Topic", "Bucket", "Schedule", "ScheduleExpression", "Cluster", "Broker", "UserPool", "LogGroupName", "RuleName"} {
			if s := textOf(p.get(key)); s != "" {
				out.Detail = s
				break
			}
		}
	}
	return out
}

// inlinePolicy names a policy that is written out, and what it allows on every
// resource with a wildcard: "inline policy (s3:* on *)".
func inlinePolicy(m *mapping) string {
	const name, most = "inline policy", 3
	list, ok := m.get("Statement").([]any)
	if !ok {
		list = []any{m.get("Statement")}
	}
	var wide []string
	for _, e := range list {
		st, ok := e.(*mapping)
		if !ok || st.text("Effect") != "Allow" || !slices.Contains(texts(st.get("Resource")), "*") {
			continue
		}
		for _, action := range texts(st.get("Action")) {
			if len(wide) <= most && strings.HasSuffix(action, "*") && !slices.Contains(wide, action) {
				wide = append(wide, action)
			}
		}
	}
	if len(wide) == 0 {
		return name
	}
	slices.Sort(wide)
	text := strings.Join(wide[:min(len(wide), most)], ", ")
	if len(wide) > most {
		text += ", ..."
	}
	return name + " (" + text + " on *)"
}

// texts are a text, or the texts of a list.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		if s := textOf(e); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// policies names the policies of a function's role: managed policies by name or
// ARN, AWS SAM's policy templates by their key.
func policies(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		m, ok := e.(*mapping)
		switch {
		case !ok:
			if s := textOf(e); s != "" {
				out = append(out, s)
			}
		case m.has("Statement"):
			out = append(out, inlinePolicy(m))
		default:
			out = append(out, m.keys...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
