package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// gateOptions are the flags of gate.
type gateOptions struct {
	scanOptions
	signFlags
	verifierID, resource string
	out                  string
	attach               bool
}

func gateCommand(env *Env) *cobra.Command {
	var o gateOptions
	cmd := &cobra.Command{
		Use:   "gate TARGET... --policy FILE",
		Short: "Judge functions for release, and sign the verdict of those that pass",
		Long: `Gate audits functions as scan does, under a policy that is always named. When all
pass, it writes three signed statements about the digest of each, as Sigstore
bundles that cosign verifies too:

  ARTIFACT.vsa.sigstore.json     SLSA verification summary: that it passed, under which policy
  ARTIFACT.vulns.sigstore.json   in-toto vulnerability attestation: what is known against it
  ARTIFACT.cdx.sigstore.json     its CycloneDX bill of materials

They lie beside the artifact or in --out, of an image layout as referrers in it;
with --attach those of an image: target go to its registry. When one function does
not pass, nothing is signed, and the summary of an earlier pass of the same bytes
that lies beside an artifact is removed.

What has no stable digest is refused: a folder, and a docker archive. Signing
with --key asks nobody; --keyless asks the services that are named. "fnaudit gate
check" is the other half, before a deployment.`,
		Example: `  fnaudit gate orders.zip --policy release.yaml --key gate.pem
  fnaudit gate oci:image/ --policy builtin:release --key gate.pem --verifier-id https://acme.example/fnaudit
  fnaudit gate check orders.zip --summary orders.zip.vsa.sigstore.json --key gate.pub --policy release.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.network(cmd); err != nil {
				return err
			}
			return runGate(cmd.Context(), env, o, args)
		},
	}
	judgeFlagsOf(cmd, &o.scanOptions)
	signFlagsOf(cmd, &o.signFlags)
	f := cmd.Flags()
	f.Lookup("policy").Usage = "policy `FILE` or built-in policy; it must be named"
	f.StringVar(&o.verifierID, "verifier-id", "", "`URI` that names who judges (default the policy's gate.emit.verifier_id)")
	f.StringVar(&o.resource, "resource-uri", "", "`URI` that those who deploy know the function by; {name} stands for its name (default the policy's, else file:NAME or oci://REPOSITORY)")
	f.StringVar(&o.out, "out", "", "write the statements into `DIR`")
	f.BoolVar(&o.attach, "attach", false, "attach the statements of image: targets to the image in its registry")
	cmd.AddCommand(gateCheckCommand(env))
	return cmd
}

// runGate judges, and signs what passed.
func runGate(ctx context.Context, env *Env, o gateOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, report.Formats(), "table")
	if err != nil {
		return err
	}
	if o.policy == "" {
		return usage("--policy release.yaml, or --policy builtin:release", "gate: no policy was named: what is signed is that a function passes it, so it is never a default")
	}
	specs, err := o.specs(args)
	if err != nil {
		return err
	}
	pol, err := o.loadPolicy(env, specs)
	if err != nil {
		return err
	}
	o.named(pol.Gate)
	g, err := o.prepare(ctx, env, specs, pol)
	if err != nil {
		return err
	}
	o.opened = g.watch
	started := env.Now()
	doc, _, err := o.judge(ctx, env, specs, pol, nil)
	if err != nil {
		return err
	}
	g.run.Started, g.run.Finished, g.run.Judged = started, env.Now(), o.now
	if o.at != "" {
		g.run.Started, g.run.Finished = o.now, o.now
	}
	g.run.Tool, g.run.Database = doc.Tool, doc.Database
	if doc.Summary.Pass < len(specs) {
		if err := o.write(env, doc, outputs, nil); err != nil {
			return err
		}
		g.refuse(env, doc)
		return verdict(doc)
	}
	if err := g.emit(ctx, doc); err != nil { // before the verdict is printed: a pass that was not signed is none
		return err
	}
	if err := o.write(env, doc, outputs, nil); err != nil {
		return err
	}
	g.say(env)
	return verdict(doc)
}

// named fills in from the policy what no flag says.
func (o *gateOptions) named(g policy.Gate) {
	if o.verifierID == "" {
		o.verifierID = g.VerifierID
	}
	if o.resource == "" {
		o.resource = g.Resource
	}
	o.signFlags.named(g)
}

// overrides lists the flags that change a policy, as its identity states them.
func (o *scanOptions) overrides() []string {
	var out []string
	if o.failOn != "" {
		out = append(out, "fail-on="+o.failOn)
	}
	if o.dbMaxAge != "" {
		out = append(out, "db-max-age="+o.dbMaxAge)
	}
	return out
}

// opened is what the gate has to know of a function and a report does not say.
type openedFunction struct {
	layout    string // folder of the OCI layout that the image lies in; "" for what is none
	mediaType string
}

// watcher remembers what was opened, and refuses what has no digest that a
// statement could be about.
type watcher struct {
	mu   sync.Mutex
	seen map[string]openedFunction
}

func specKey(s bundle.Spec) string { return s.Name + "\x00" + s.Ref }

// watch wraps an opener.
func (w *watcher) watch(next opener) opener {
	return func(ctx context.Context, s bundle.Spec) (*bundle.Function, error) {
		f, err := next(ctx, s)
		if err != nil {
			return nil, err
		}
		for i := range f.Volumes {
			if why := noDigest(f, i); why != "" {
				ref := f.Layers[i].Ref
				f.Close()
				return nil, audit.Refused{Err: fmt.Errorf("gate %s: %s", ref, why)}
			}
		}
		var o openedFunction
		if kind, path, _ := bundle.SplitRef(s.Ref); f.Volumes[0].Image() != nil && kind != "image" && isFolder(path) {
			o.layout = path
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen[specKey(s)] = o
		return f, nil
	}
}

// noDigest says why an artifact has no digest that others can compute of what
// they deploy; "" when it has one.
func noDigest(f *bundle.Function, i int) string {
	const only = "a signed statement is about a digest, and "
	switch img := f.Volumes[i].Image(); {
	case f.Layers[i].Kind == bundle.KindDirectory:
		return only + "a folder has none that stays: build the zip that is deployed, and give that"
	case f.Layers[i].Kind == bundle.KindInline:
		return only + "source text in a template has none: put it into a zip"
	case img != nil && img.Manifest == "":
		return only + "a docker archive has only that of its configuration, which names no image in a registry: save it as an OCI layout or archive (docker buildx build -o type=oci, skopeo copy ... oci:DIR)"
	}
	return ""
}

// gateRun is one run of the gate.
type gateRun struct {
	watcher
	o       *gateOptions
	specs   []bundle.Spec
	places  []place
	run     gateRunner
	written []string // for people
	signer  string
}

// refuse says that nothing was signed, and takes away what could be mistaken for a pass.
func (g *gateRun) refuse(env *Env, doc *finding.Document) {
	var not []string
	for i, r := range doc.Functions {
		if r.Verdict.Decision != finding.Pass {
			not = append(not, r.Name)
		}
		g.stale(env, g.places[i], r)
	}
	if !g.o.quiet {
		fmt.Fprintf(env.Stderr, "fnaudit: nothing was signed: %s %s not pass\n", report.Escape(listed(not, 3)), plural(len(not), "does", "do"))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func listed(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// say lists what was written.
func (g *gateRun) say(env *Env) {
	if g.o.quiet {
		return
	}
	for _, w := range g.written {
		fmt.Fprintf(env.Stderr, "fnaudit: signed %s\n", report.Escape(w))
	}
	fmt.Fprintf(env.Stderr, "fnaudit: signed by %s\n", report.Escape(g.signer))
}

// buildLevel is the SLSA build level that the report's provenance was verified at.
func buildLevel(*finding.Report) int { return 0 }

// evidence lists the verified attestations that a report rests on.
func evidence(*finding.Report) []attest.Descriptor { return nil }
