package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
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
	entries              bool
}

func gateCommand(env *Env) *cobra.Command {
	var o gateOptions
	cmd := &cobra.Command{
		Use:   "gate TARGET... --policy FILE",
		Short: "Judge functions for release, and sign the verdict of those that pass",
		Long: `Gate audits functions as scan does, under a policy that is always named: one that
lies in the current folder is not found by itself, and none is taken from inside a
target, a layer or the folder of --each. What is named is yours, so name one that
whoever builds cannot change, and not the .fnaudit.yaml of a checkout that may be a
fork's. When all pass, it writes three signed statements about the digest of each, as Sigstore
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
			o.deep = true // what is signed was read to its last byte
			return runGate(cmd.Context(), env, o, args)
		},
	}
	judgeFlagsOf(cmd, &o.scanOptions)
	signFlagsOf(cmd, &o.signFlags)
	f := cmd.Flags()
	f.Lookup("policy").Usage = "policy `FILE` or built-in policy; it must be named"
	f.StringVar(&o.verifierID, "verifier-id", "", "`URI` that names who judges (default the policy's gate.emit.verifier_id)")
	f.StringVar(&o.resource, "resource-uri", "", "`URI` that those who deploy know the function by; {name} stands for its name (default the policy's, else file:NAME or oci://REPOSITORY)")
	f.StringVar(&o.out, "out", "", "write the statements into `DIR`, which is made if need be")
	f.BoolVar(&o.attach, "attach", false, "attach the statements of image: targets to the image in its registry")
	f.BoolVar(&o.entries, "entry-digests", false, "write ARTIFACT.entries.json too, the digests of a zip's entries: after AWS Signer signed the zip, verify --entry-digests holds it against them")
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
	pol.Wary = true // what is signed must not rest on what the signed says of itself
	audited := o.audited(specs)
	if inside := targetAround(o.policy, audited); pol.Digest != "" && inside != "" {
		return usage("keep it outside of what is audited", "gate: the policy %s lies inside the target %s, so it may have come with what is audited", o.policy, inside)
	}
	for _, name := range o.baselines {
		if inside := targetAround(name, audited); inside != "" {
			return usage("keep it where those who decide keep the policy", "gate: the baseline %s lies inside the target %s, so it may have come with what is audited", name, inside)
		}
	}
	if err := o.gateVEX(audited); err != nil {
		return err
	}
	o.sayVEX(env)
	o.named(pol)
	g, err := newGateRun(env, &o, specs, pol)
	if err != nil {
		return err
	}
	o.opened = g.watch
	g.run.Started = env.Now()
	doc, _, err := o.judge(ctx, env, specs, pol, nil)
	if err != nil {
		return err
	}
	g.judged(env, doc)
	if doc.Summary.Pass < len(specs) {
		if err := o.write(env, doc, outputs, nil); err != nil {
			return err
		}
		g.refuse(env, doc)
		return verdict(doc)
	}
	if err := g.sign(ctx, env, doc); err != nil {
		return err
	}
	if err := o.write(env, doc, outputs, nil); err != nil {
		return err
	}
	return g.place(ctx, env, doc)
}

// named fills in from the policy what no flag says.
func (o *gateOptions) named(p *policy.Policy) {
	g := p.Gate
	if o.verifierID == "" {
		o.verifierID = g.VerifierID
	}
	if o.resource == "" {
		o.resource = g.Resource
	}
	o.signFlags.named(g, p.Name)
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
	based := slices.Clone(o.based)
	slices.Sort(based)
	for _, digest := range slices.Compact(based) {
		out = append(out, "baseline="+digest)
	}
	return append(out, o.vex.Overrides()...)
}

// watch wraps an opener: what has no digest that a statement could be about is
// refused before it is judged. seen, when it is not nil, is shown the rest.
func watch(next opener, seen func(context.Context, bundle.Spec, *bundle.Function)) opener {
	return func(ctx context.Context, s bundle.Spec) (*bundle.Function, error) {
		f, err := next(ctx, s)
		if err != nil {
			return nil, err
		}
		for i := range f.Volumes {
			if why := noDigest(f, i); why != "" {
				f.Close()
				return nil, audit.Refused{Err: fmt.Errorf("gate %s: %s", f.Layers[i].Ref, why)}
			}
		}
		if seen != nil {
			seen(ctx, s, f)
		}
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
