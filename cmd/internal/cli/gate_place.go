package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/gate"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// gateRun is one run of the gate.
type gateRun struct {
	o      *gateOptions
	specs  []bundle.Spec
	run    gate.Run
	places []gatePlace
	signed [][]gate.Attestation // of each function

	mu      sync.Mutex
	entries map[string]entryList // by specKey
}

// entryList is the list of a zip's entries, or why there is none.
type entryList struct {
	text []byte
	err  error
}

// entriesSuffix is that of the list of a zip's entries.
const entriesSuffix = ".entries.json"

func specKey(s bundle.Spec) string { return s.Name + "\x00" + s.Ref }

// watch looks at each function while its bytes are at hand: those that are
// judged, and no others.
func (g *gateRun) watch(next opener) opener {
	if !g.o.entries {
		return watch(next, nil)
	}
	return watch(next, func(ctx context.Context, s bundle.Spec, f *bundle.Function) {
		var l entryList
		if r, size := f.Volumes[0].Raw(); r == nil {
			l.err = fmt.Errorf("%s is no zip: only a zip has entries to list", s.Ref)
		} else if list, err := attest.EntryDigests(ctx, r, size); err != nil {
			l.err = fmt.Errorf("list the entries of %s: %w", s.Ref, err)
		} else {
			l.text, l.err = list.Marshal()
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.entries[specKey(s)] = l
	})
}

// gatePlace is where the statements about one function go. One of the three is set.
type gatePlace struct {
	base   string // path without the suffix
	layout string // folder of an OCI layout
	image  string // reference in a registry
}

// newGateRun checks everything that can be checked before anything is judged.
func newGateRun(env *Env, o *gateOptions, specs []bundle.Spec, pol *policy.Policy) (*gateRun, error) {
	g := &gateRun{o: o, specs: specs, entries: map[string]entryList{}}
	if o.verifierID == "" {
		return nil, usage("a URI of your own, as in --verifier-id https://acme.example/fnaudit, or gate.emit.verifier_id in the policy", "gate: the summary has to say who judges, and nothing names it")
	}
	for _, u := range []struct{ flag, text string }{{"--verifier-id", o.verifierID}, {"--resource-uri", strings.ReplaceAll(o.resource, "{name}", "name")}} {
		if err := policy.IsURI(u.flag, u.text); err != nil {
			return nil, usage("", "%w", err)
		}
	}
	if len(specs) > 1 && o.resource != "" && !strings.Contains(o.resource, "{name}") {
		return nil, usage("--resource-uri https://acme.example/functions/{name}", "--resource-uri with more than one function: each needs its own")
	}
	identity, err := pol.Identity(o.overrides()...)
	if err != nil {
		return nil, usage("", "%w", err)
	}
	g.run.VerifierID, g.run.Policy = o.verifierID, gate.Policy{URI: pol.URI(o.overrides()...), Digest: identity}
	if err := g.where(specs); err != nil {
		return nil, err
	}
	g.run.Signer, err = o.local(env, o.offline)
	return g, err
}

// where decides where the statements about each function go.
func (g *gateRun) where(specs []bundle.Spec) error {
	seen := map[string]string{}
	for _, s := range specs {
		p, err := g.o.placeOf(s)
		if err != nil {
			return err
		}
		if p.base != "" {
			file, err := filepath.Abs(p.base) // one file has many spellings
			if err != nil {
				return usage("", "gate %s: %w", s.Ref, err)
			}
			if before, dup := seen[file]; dup {
				return usage("give them their own folder with --out, in runs of their own", "%s and %s: the statements about both would have the same files", before, s.Ref)
			}
			seen[file] = s.Ref
		}
		g.places = append(g.places, p)
	}
	return nil
}

func (o *gateOptions) placeOf(s bundle.Spec) (gatePlace, error) {
	kind, path, image := bundle.SplitRef(s.Ref)
	st, err := os.Stat(path)
	folder := kind != "image" && err == nil && st.IsDir()
	switch {
	case kind == "sbom":
		return gatePlace{}, usage("give the artifact itself", "gate %s: a bill of materials holds no bytes of the function, so there is no digest to sign", s.Ref)
	case kind == "image" && o.attach:
		return gatePlace{image: path}, nil
	case folder && o.out == "":
		return gatePlace{layout: path}, nil
	case (path == "-" || kind == "image") && o.out == "":
		path = s.Name
	case path == "-":
		path = filepath.Join(o.out, s.Name)
	case kind == "image":
		path = filepath.Join(o.out, s.Name)
	case o.out != "":
		path = filepath.Join(o.out, filepath.Base(path))
	}
	if image != "" {
		path += "." + strings.NewReplacer("/", "_", ":", "_", `\`, "_").Replace(image)
	}
	return gatePlace{base: path}, nil
}

// judged takes over what the run judged with.
func (g *gateRun) judged(env *Env, doc *finding.Document) {
	g.run.Finished, g.run.Judged = env.Now(), g.o.now
	if g.o.at != "" {
		g.run.Started, g.run.Finished = g.o.now, g.o.now
	}
	g.run.Tool, g.run.Database, g.run.Lockfiles = doc.Tool, doc.Database, g.o.locked
}

// sign signs the statements about every function. Nothing is written yet.
func (g *gateRun) sign(ctx context.Context, env *Env, doc *finding.Document) error {
	if g.run.Signer == nil {
		var err error
		if g.run.Signer, err = g.o.withToken(ctx, env); err != nil {
			return err
		}
	}
	for i, r := range doc.Functions {
		if l := g.entries[specKey(g.specs[i])]; l.err != nil {
			return usage("", "gate --entry-digests: %w", l.err)
		}
		f, err := g.function(env, doc, r)
		if err != nil {
			return err
		}
		list, err := g.run.Attest(ctx, f)
		if err != nil {
			return usage("nothing was signed or written", "gate: %w", err)
		}
		g.signed = append(g.signed, list)
	}
	return nil
}

// function is what is to be said about one function.
func (g *gateRun) function(env *Env, doc *finding.Document, r *finding.Report) (gate.Function, error) {
	f := gate.Function{Report: r}
	if len(r.Artifacts) == 0 || r.Artifacts[0].Kind == string(bundle.KindSBOM) {
		return f, usage("give the artifact itself", "gate %s: a bill of materials holds no bytes of the function, so there is no digest to sign", r.Target)
	}
	one := *doc
	one.Functions = []*finding.Report{r}
	one.Summary = finding.Summarize(one.Functions)
	var bom bytes.Buffer
	if err := report.Write(&bom, "cyclonedx-json", &one, report.Options{Created: created(env), Now: g.o.now}); err != nil {
		return f, fmt.Errorf("gate %s: %w", r.Name, err)
	}
	f.SBOM = bom.Bytes()
	kind, path, _ := bundle.SplitRef(r.Artifacts[0].Ref)
	switch {
	case kind == "image":
		repo := repositoryOf(path)
		f.Name, f.Resource = repo, "oci://"+repo
	case path == "-":
		f.Name, f.Resource = r.Name, "file:"+r.Name
	default:
		if abs, err := filepath.Abs(path); err == nil { // "." has a name too
			path = abs
		}
		f.Name = filepath.Base(path)
		f.Resource = policy.FileURI(path)
	}
	if g.o.resource != "" {
		f.Resource = strings.ReplaceAll(g.o.resource, "{name}", r.Name)
	}
	seen := map[string]bool{}
	for _, a := range r.Attestations {
		if a.Status != attest.Verified.String() || a.Artifact != 0 {
			continue
		}
		if a.Kind == string(attest.KindProvenance) {
			f.BuildLevel = max(f.BuildLevel, a.Level)
		}
		if hex, ok := strings.CutPrefix(a.Digest, "sha256:"); ok && !seen[hex] {
			seen[hex] = true
			f.Evidence = append(f.Evidence, attest.Descriptor{URI: policy.FileURI(a.Source), Digest: map[string]string{"sha256": hex}})
		}
	}
	return f, nil
}

// repositoryOf is a reference without tag and digest.
func repositoryOf(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref = ref[:i]
	}
	return ref
}

// place writes what was signed: layouts and files, and then what goes to
// registries. Files that are written are taken back when a registry refuses.
func (g *gateRun) place(ctx context.Context, env *Env, doc *finding.Document) error {
	var files []gate.File
	for i, p := range g.places {
		if p.base != "" {
			files = append(files, gate.Files(p.base, g.signed[i])...)
			if g.o.entries {
				files = append(files, gate.File{Path: p.base + entriesSuffix, Data: g.entries[specKey(g.specs[i])].text})
			}
		}
	}
	for i, p := range g.places {
		if p.layout != "" {
			if err := gate.Layout(p.layout, doc.Functions[i].Artifacts[0].Digest, g.signed[i]); err != nil {
				return unsigned(err)
			}
		}
	}
	if len(files) > 0 {
		if g.o.out != "" {
			if err := os.MkdirAll(g.o.out, 0o755); err != nil {
				return unsigned(err)
			}
		}
		if err := gate.Write(files); err != nil {
			return unsigned(err)
		}
	}
	for i, p := range g.places {
		if p.image == "" {
			continue
		}
		if err := g.attach(ctx, env, p.image, doc.Functions[i].Artifacts[0].Digest, g.signed[i]); err != nil {
			for _, f := range files {
				os.Remove(f.Path)
			}
			return unsigned(err)
		}
	}
	g.say(env, doc)
	return nil
}

func unsigned(err error) error {
	if pull.Denied(err) {
		return usage(loginHint, "the verdict is pass, but its statements could not be put in place, and none may be relied on: %w", err)
	}
	return usage("", "the verdict is pass, but its statements could not be put in place, and none may be relied on: %w", err)
}

func (g *gateRun) attach(ctx context.Context, env *Env, image, digest string, list []gate.Attestation) error {
	bar := newProgress(env, g.o.quiet || g.o.noProgress)
	defer bar.Done()
	repo, err := repository(env, image, false, g.o.quiet, bar)
	if err != nil {
		return err
	}
	return gate.Attach(ctx, repo, digest, list)
}

// refuse says that nothing was signed. Where a summary of an earlier run lies
// at the place of the one that was not written and is about the same bytes, it
// could be mistaken for this run's, so it is removed when they fail now; one that is
// about other bytes says nothing about these.
func (g *gateRun) refuse(env *Env, doc *finding.Document) {
	var not []string
	for i, r := range doc.Functions {
		if r.Verdict.Decision == finding.Pass {
			continue
		}
		not = append(not, r.Name)
		if say := leftBehind(g.places[i].base, r); say != "" {
			fmt.Fprintf(env.Stderr, "fnaudit: %s\n", report.Escape(say))
		}
	}
	if !g.o.quiet {
		fmt.Fprintf(env.Stderr, "fnaudit: nothing was signed: %s of %d did not pass: %s\n", finding.Count(len(not), "function", "functions"), len(doc.Functions), report.Escape(firstNames(not)))
	}
}

func firstNames(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// leftBehind looks at a summary that lies where a pass would have put its own, and
// returns what is to be said about it.
func leftBehind(base string, r *finding.Report) string {
	path := base + gate.SummarySuffix
	about := gate.About(path)
	if base == "" || about == "" {
		return ""
	}
	same := len(r.Artifacts) > 0 && r.Artifacts[0].Digest == about
	switch {
	case same && r.Verdict.Decision == finding.Fail:
		if err := os.Remove(path); err != nil {
			return fmt.Sprintf("remove %s: it says that these bytes passed, and now they fail: %v", path, err)
		}
		return fmt.Sprintf("removed %s: it says that these bytes passed, and now they fail", path)
	case same:
		return fmt.Sprintf("%s is of an earlier run, in which these bytes passed; this run could not judge them", path)
	}
	return fmt.Sprintf("%s is of an earlier run, about other bytes", path)
}

// say lists what was written, and who signed.
func (g *gateRun) say(env *Env, doc *finding.Document) {
	if g.o.quiet {
		return
	}
	for i, p := range g.places {
		where := p.base + ".{vsa,vulns,cdx}.sigstore.json"
		if p.base == "" {
			where = "3 statements in " + p.layout + p.image
		}
		fmt.Fprintf(env.Stderr, "fnaudit: signed %s, %s\n", doc.Functions[i].Artifacts[0].Digest, report.Escape(where))
	}
	fmt.Fprintf(env.Stderr, "fnaudit: signed by %s as %s, under the policy %s\n", report.Escape(g.signed[0][0].Identity), report.Escape(g.run.VerifierID), g.run.Policy.Digest)
}
