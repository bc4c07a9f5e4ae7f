package attest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The versions of SLSA provenance that are read.
const (
	provenanceV01 = "https://slsa.dev/provenance/v0.1"
	provenanceV02 = "https://slsa.dev/provenance/v0.2"
	provenanceV1  = "https://slsa.dev/provenance/v1"
)

// build is what a provenance says of a build, in one shape for all versions.
// Empty fields were not said.
type build struct {
	builder, buildType, invocation, workflow string

	// What was built from. More than one place may say it; then they must agree.
	sources, refs, commits []said

	// listed says that the sources of the build are listed (materials,
	// resolvedDependencies) and the one that is built is among them. Only v0.2
	// demands that list.
	listed, mustList bool

	candidates []dependency // of which one may be the source
	listedIn   string       // the field that has them
	problem    string       // why no source can be told

	inputs []any // objects that hold inputs of the build
	at     time.Time
}

// said is a value, and the field that says it.
type said struct{ where, value string }

// dependency is a material, or a resolved dependency.
type dependency struct {
	uri    string
	digest map[string]string
}

// parseBuild reads the predicate of a provenance. It errs when the predicate is
// no object, and with errUnread when its version is not known.
func parseBuild(predicateType string, predicate json.RawMessage) (*build, error) {
	doc, err := decode(predicate)
	if err != nil {
		return nil, fmt.Errorf("read the predicate: %w", err)
	}
	if _, ok := doc.(map[string]any); !ok {
		return nil, errors.New("read the predicate: it is no object")
	}
	switch predicateType {
	case provenanceV01:
		return buildV01(doc), nil
	case provenanceV02:
		return buildV02(doc), nil
	case provenanceV1:
		return buildV1(doc), nil
	}
	return nil, fmt.Errorf("%w: the version %s of provenance", errUnread, predicateType)
}

// buildV01 reads SLSA provenance v0.1 (https://slsa.dev/provenance/v0.1), of
// which Google Cloud Build is the maker that is still met: the source is the
// material that defines the recipe, the ref a substitution.
func buildV01(doc any) *build {
	b := &build{
		builder:    textAt(doc, "builder", "id"),
		buildType:  textAt(doc, "recipe", "type"),
		workflow:   textAt(doc, "recipe", "entryPoint"),
		invocation: textAt(doc, "metadata", "buildInvocationId"),
		at:         timeAt(doc, "metadata", "buildFinishedOn", "buildStartedOn"),
	}
	b.findSource("materials", dependencies(listAt(doc, "materials")))
	substitutions := at(doc, "recipe", "arguments", "substitutions")
	b.inputs = []any{substitutions}
	b.cloudBuildRef("recipe.arguments.substitutions", substitutions)
	return b
}

// buildV02 reads SLSA provenance v0.2 (https://slsa.dev/provenance/v0.2), as
// slsa-github-generator v1, the npm client, BuildKit and GitLab's runner write it.
func buildV02(doc any) *build {
	b := &build{
		builder:    textAt(doc, "builder", "id"),
		buildType:  textAt(doc, "buildType"),
		workflow:   textAt(doc, "invocation", "configSource", "entryPoint"),
		invocation: cmp.Or(textAt(doc, "metadata", "buildInvocationId"), textAt(doc, "metadata", "buildInvocationID")), // slsa-github-generator's spelling
		at:         timeAt(doc, "metadata", "buildFinishedOn", "buildStartedOn"),
		mustList:   true,
	}
	b.says("invocation.configSource", textAt(doc, "invocation", "configSource", "uri"), digestAt(doc, "invocation", "configSource", "digest"))
	b.findSource("materials", dependencies(listAt(doc, "materials")))
	env := at(doc, "invocation", "environment")
	if len(b.refs) == 0 {
		for _, name := range []string{"GITHUB_REF", "github_ref"} {
			b.ref("invocation.environment."+name, textAt(env, name))
		}
	}
	b.inputs = []any{
		at(env, "github_event_payload", "inputs"), at(env, "GITHUB_EVENT_PAYLOAD", "inputs"),
		at(doc, "invocation", "parameters", "inputs"), at(doc, "invocation", "parameters"),
	}
	return b
}

// buildV1 reads SLSA provenance v1 (https://slsa.dev/provenance/v1). Where the
// source stands follows from the build type; the known ones are GitHub's
// workflow (externalParameters.workflow), Cloud Build (buildConfigSource,
// sourceToBuild), GitLab and the container-based builder (source), BuildKit
// (configSource), and slsa-github-generator's delegator, which has it in
// resolvedDependencies alone. All places are looked at, whatever the type, and
// must agree: a build type that means something else by such a name is then
// refused and not misread.
func buildV1(doc any) *build {
	def, run := at(doc, "buildDefinition"), at(doc, "runDetails")
	ext, internal := at(def, "externalParameters"), at(def, "internalParameters")
	b := &build{
		builder:    textAt(run, "builder", "id"),
		buildType:  textAt(def, "buildType"),
		invocation: textAt(run, "metadata", "invocationId"),
		at:         timeAt(run, "metadata", "finishedOn", "startedOn"),
	}
	const in = "externalParameters."
	for _, name := range []string{"workflow", "buildConfigSource", "sourceToBuild"} {
		if uri := textAt(ext, name, "repository"); uri != "" {
			b.says(in+name+".repository", uri, nil)
			b.ref(in+name+".ref", textAt(ext, name, "ref"))
		}
	}
	b.says(in+"source", textAt(ext, "source"), nil)
	for _, name := range []string{"source", "configSource"} {
		b.says(in+name+".uri", textAt(ext, name, "uri"), digestAt(ext, name, "digest"))
	}
	b.findSource("resolvedDependencies", dependencies(listAt(def, "resolvedDependencies")))
	if len(b.refs) == 0 {
		b.ref("internalParameters.GITHUB_REF", textAt(internal, "GITHUB_REF"))
	}
	b.workflow = cmp.Or(textAt(ext, "workflow", "path"), textAt(ext, "buildConfigSource", "path"),
		workflowPath(textAt(internal, "GITHUB_WORKFLOW_REF")), textAt(ext, "entryPoint"), textAt(ext, "configSource", "path"))
	b.inputs = []any{at(ext, "inputs"), at(ext, "workflow", "inputs"), at(ext, "substitutions"), at(ext, "variables"),
		at(internal, "GITHUB_EVENT_PAYLOAD", "inputs")}
	return b
}

// says notes what a URI says of the source.
func (b *build) says(where, uri string, digest map[string]string) {
	if uri == "" {
		return
	}
	o := parseOrigin(uri)
	b.sources = append(b.sources, said{where, o.repository})
	b.ref(where, o.ref)
	b.commit(where, o.commit)
	b.commit(where, commitOf(digest))
}

func (b *build) ref(where, ref string) {
	if ref != "" {
		b.refs = append(b.refs, said{where, ref})
	}
}

func (b *build) commit(where, commit string) {
	if commit != "" {
		b.commits = append(b.commits, said{where, commit})
	}
}

// findSource looks for the source in the list of what the build took in. When
// another field named the source, it must be in the list, if there is one. When
// none did, it is the first git repository where the maker is known to put it
// there; else every git repository is a candidate (see settle).
func (b *build) findSource(where string, list []dependency) {
	var git []dependency
	for _, d := range list {
		o := parseOrigin(d.uri)
		if len(b.sources) > 0 && o.repository == b.sources[0].value {
			git = []dependency{d}
			break
		}
		if strings.HasPrefix(d.uri, "git+") || d.digest["gitCommit"] != "" || d.digest["sha1"] != "" || o.commit != "" {
			git = append(git, d)
		}
	}
	switch {
	case len(git) == 0:
	case len(b.sources) > 0, strings.HasPrefix(b.buildType, "https://github.com/slsa-framework/slsa-github-generator/"):
		b.listed = true
		b.says(where, git[0].uri, git[0].digest)
	default:
		b.candidates, b.listedIn = git, where
	}
}

// settle takes the source from the candidates: the one that the certificate of
// the signer names too, or the only one when there is no certificate. A build
// takes in other repositories than its own (a base image's, a module's), so one that
// the certificate does not name is no contradiction, and no source.
func (b *build) settle(certified string) {
	for _, c := range b.candidates {
		if certified == "" && len(b.candidates) == 1 || certified != "" && parseOrigin(c.uri).repository == certified {
			b.listed = true
			b.says(b.listedIn, c.uri, c.digest)
			return
		}
	}
	if n := len(b.candidates); n > 0 {
		b.problem = fmt.Sprintf("it took in git repositories (%d, in its %s), and nothing says which of them was built", n, b.listedIn)
	}
}

// cloudBuildRef reads the ref of a Cloud Build trigger.
func (b *build) cloudBuildRef(where string, substitutions any) {
	if tag := textAt(substitutions, "TAG_NAME"); tag != "" {
		b.ref(where+".TAG_NAME", "refs/tags/"+tag)
	}
	if branch := textAt(substitutions, "BRANCH_NAME"); branch != "" {
		b.ref(where+".BRANCH_NAME", "refs/heads/"+branch)
	}
}

// input lists the values that an input was given, as text: what was written for
// a string, true, false or the number. There is more than one when the builder
// and what started it both have an input of that name.
func (b *build) input(name string) []string {
	var out []string
	for _, object := range b.inputs {
		switch v := at(object, name).(type) {
		case string:
			out = append(out, v)
		case bool:
			out = append(out, strconv.FormatBool(v))
		case json.Number:
			out = append(out, v.String())
		}
	}
	return out
}

// dependencies reads materials or resolvedDependencies.
func dependencies(list []any) []dependency {
	var out []dependency
	for _, one := range list {
		out = append(out, dependency{textAt(one, "uri"), digestAt(one, "digest")})
	}
	return out
}

// workflowPath takes the path out of GITHUB_WORKFLOW_REF: "owner/name/PATH@REF".
func workflowPath(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	parts := strings.SplitN(ref, "/", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

// timeAt is the first of some times in an object that is one; zero for none.
func timeAt(doc any, object string, names ...string) time.Time {
	for _, n := range names {
		if t, err := time.Parse(time.RFC3339, textAt(doc, object, n)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
