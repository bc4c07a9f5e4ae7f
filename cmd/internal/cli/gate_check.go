package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/gate"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/catalog"
	"github.com/fnaudit/fnaudit/sbom/codec"
	"github.com/fnaudit/fnaudit/vulndb"
)

// gateCheckOptions are the flags of gate check.
type gateCheckOptions struct {
	scanOptions
	trust        verifyOptions
	summary      string
	policyDigest string
	maxAge       string
}

func gateCheckCommand(env *Env) *cobra.Command {
	var o gateCheckOptions
	cmd := &cobra.Command{
		Use:   "check TARGET --summary FILE",
		Short: "Before a deployment: does a passing summary answer for exactly these bytes",
		Long: `Check verifies a verification summary against TARGET: that it is about exactly these
bytes, that its signer is the one who is trusted to speak for the verifier, that
it was made under today's policy and is fresh enough, and that it passed. Then
it judges TARGET anew with today's advisories, so that what became known since fails.

Name the signer with --key or with --identity and --issuer, the verifier with
--verifier-id, and the policy with --policy FILE, or by its digest alone. Where there
is no advisory store, or only the digest of the policy or of the artifact, the
last step is left out, and that is said. A store that is older than the one of the
summary is not used: it would forget what was known. The layers of a function are
named with --layer, as they were for gate: with others, or none, it may not be deployed.

Exit status: 0 it may be deployed, 1 not, 3 what is needed to say so could not be
checked, 2 usage or environment error.`,
		Example: `  fnaudit gate check orders.zip --summary orders.zip.vsa.sigstore.json --key gate.pub \
      --verifier-id https://acme.example/fnaudit --policy release.yaml --max-age 7d`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.network(cmd); err != nil {
				return err
			}
			return gateCheck(cmd.Context(), env, o, args)
		},
	}
	f := cmd.Flags()
	targetFlagsOf(cmd, &o.targetFlags)
	t := &o.trust
	f.StringVar(&o.summary, "summary", "", "verification summary `FILE` (default TARGET"+gate.SummarySuffix+")")
	signerFlagsOf(cmd, t, "signer")
	f.StringVar(&t.demand.VerifierID, "verifier-id", "", "`URI` of who must have judged (default the policy's gate.emit.verifier_id)")
	f.StringVar(&t.demand.ResourceURI, "resource-uri", "", "`URI` that the summary must name the function by")
	f.StringArrayVar(&t.demand.Levels, "level", nil, "level that the summary must state, repeatable")
	f.StringVar(&o.policy, "policy", "", "policy `FILE` or built-in policy that the summary must be made under")
	f.StringVar(&o.policyDigest, "policy-digest", "", "`DIGEST` of that policy, when the file is not at hand")
	f.StringVar(&o.failOn, "fail-on", "", "as it was given to gate")
	f.StringVar(&o.dbMaxAge, "db-max-age", "", "as it was given to gate")
	f.StringArrayVar(&o.vexFiles, "vex", nil, "`FILE`, repeatable, as it was given to gate")
	f.StringArrayVar(&o.baselines, "baseline", nil, "`FILE`, repeatable, as it was given to gate")
	f.StringVar(&o.maxAge, "max-age", "", "how old the summary may be, as `DURATION` (7d, 36h; default the policy's gate.max_age, else any age)")
	f.StringVar(&o.db, "db", "", "folder of the advisory store (default $FNAUDIT_DB, else the user's cache)")
	f.StringVar(&o.at, "at", "", "the clock that judges: RFC 3339 `TIME` or date (default now)")
	f.StringVar(&o.attested, "attestations", "", "folder `DIR` with attestations, for what the policy demands")
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: table, json")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing; the exit code says it")
	return cmd
}

// signerFlagsOf adds the flags that say who must have signed a summary; whose is
// what the help calls that: "signer".
func signerFlagsOf(cmd *cobra.Command, t *verifyOptions, whose string) {
	f := cmd.Flags()
	t.builderLevel = 1
	f.StringArrayVar(&t.keys, "key", nil, "public key `FILE` of the "+whose+", repeatable")
	f.StringVar(&t.demand.Identity, "identity", "", "the "+whose+"'s identity, exact")
	f.StringVar(&t.demand.IdentityRegexp, "identity-regexp", "", "the "+whose+"'s identity as a `PATTERN`, anchored at both ends")
	f.StringVar(&t.demand.Issuer, "issuer", "", "who vouches for the identity, exact")
	f.StringVar(&t.root, "trusted-root", "", "trust root `FILE`: Sigstore trusted_root.json (default: the embedded public-good root)")
	f.StringVar(&t.require, "require", "", "how many proofs there must be, as in tlog=1,sct=1,timestamps=1,signed-timestamps=0")
}

// gateAnswer is what gate check found. Its zero value is no pass.
type gateAnswer struct {
	Target   string            `json:"target"`
	Digest   string            `json:"digest"`
	Decision finding.Decision  `json:"decision"`
	Step     attest.Step       `json:"step,omitempty"` // that decided
	Reasons  []string          `json:"reasons"`
	Notes    []string          `json:"notes,omitempty"` // what was not asked
	Checks   []verifyCheck     `json:"checks"`
	Summary  *gateSummary      `json:"summary,omitempty"` // of a verified summary
	Rejudged *finding.Verdict  `json:"rejudged,omitempty"`
	Database *finding.Database `json:"database,omitempty"` // that was judged anew with
	layers   []finding.Artifact
}

type gateSummary struct {
	Verifier     string        `json:"verifier"`
	Signer       string        `json:"signer"`
	TimeVerified time.Time     `json:"timeVerified"`
	Resource     string        `json:"resource"`
	Policy       string        `json:"policy"`
	Levels       []string      `json:"levels"`
	Database     gate.Database `json:"database"`
}

// no decides against it.
func (a *gateAnswer) no(d finding.Decision, step attest.Step, reasons ...string) {
	a.Decision, a.Step = d, step
	a.Reasons = append(a.Reasons, reasons...)
}

// gateCheck answers for one target.
func gateCheck(ctx context.Context, env *Env, o gateCheckOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, []string{"table", "json"}, "table")
	if err != nil {
		return err
	}
	if len(args) != 1 {
		return usage("", "gate check takes one TARGET, not %d", len(args))
	}
	if o.now, err = o.clock(env); err != nil {
		return err
	}
	pol, err := o.demand(env)
	if err != nil {
		return err
	}
	a := &gateAnswer{Target: args[0], Reasons: []string{}, Checks: []verifyCheck{}}
	spec, err := o.subject(ctx, env, a, args[0])
	if err != nil {
		return err
	}
	if err := o.verifySummary(ctx, a); err != nil {
		return err
	}
	if a.Decision == finding.Pass {
		if err := o.again(ctx, env, a, spec, pol); err != nil {
			return err
		}
	}
	if err := writeEach(env, outputs, o.quiet, a.write); err != nil {
		return err
	}
	switch a.Decision {
	case finding.Pass:
		return nil
	case finding.Fail:
		return &exit{code: ExitFail}
	}
	return &exit{code: ExitIncomplete}
}

// demand reads whom and what the flags trust. The policy is nil when only its
// digest was given.
func (o *gateCheckOptions) demand(env *Env) (*policy.Policy, error) {
	d := &o.trust.demand
	var pol *policy.Policy
	switch {
	case o.policy != "" && o.policyDigest != "":
		return nil, usage("", "--policy and --policy-digest: one of them names the policy")
	case o.policy == "" && o.policyDigest == "":
		return nil, usage("--policy release.yaml", "gate check: no policy was named, so a summary under any policy would do")
	case o.policyDigest != "" && len(o.vexFiles)+len(o.baselines) > 0:
		return nil, usage("", "--vex or --baseline, and --policy-digest: the digest that gate signed says which files were used; name the policy with --policy")
	case o.policyDigest != "":
		d.PolicyDigest = o.policyDigest
	default:
		var err error
		if pol, err = o.loadPolicy(env, nil); err != nil {
			return nil, err
		}
		if d.PolicyDigest, err = pol.Identity(o.overrides()...); err != nil {
			return nil, usage("", "%w", err)
		}
		if d.VerifierID == "" {
			d.VerifierID = pol.Gate.VerifierID
		}
		d.MaxAge = pol.Gate.MaxAge
	}
	if o.maxAge != "" {
		age, err := policy.ParseDuration(o.maxAge)
		if err != nil {
			return nil, usage("", "--max-age: %w", err)
		}
		d.MaxAge = age
	}
	switch {
	case d.VerifierID == "":
		return nil, usage("--verifier-id https://acme.example/fnaudit, or gate.emit.verifier_id in the policy", "gate check: nothing says who must have judged")
	case len(o.trust.keys) == 0 && d.Identity == "" && d.IdentityRegexp == "":
		return nil, usage("--key gate.pub, or --identity and --issuer of the CI job", "gate check: nothing says whose signature is trusted")
	case len(o.trust.keys) > 0 && (d.Identity != "" || d.IdentityRegexp != "" || d.Issuer != ""):
		return nil, usage("", "--key and --identity: a summary is signed by a key, or by an identity with a certificate: name the one that is trusted")
	}
	return pol, o.trust.trust()
}

// subject opens the target for its digest. The spec is empty when only a
// digest was given.
func (o *gateCheckOptions) subject(ctx context.Context, env *Env, a *gateAnswer, ref string) (bundle.Spec, error) {
	if strings.HasPrefix(ref, digestPrefix) {
		if o.summary == "" {
			return bundle.Spec{}, usage("--summary FILE", "gate check %s: beside a digest lies no summary", ref)
		}
		return bundle.Spec{}, o.digests(a, ref)
	}
	specs, err := o.specs([]string{ref})
	if err != nil {
		return bundle.Spec{}, err
	}
	if err := oneFunction(specs); err != nil {
		return bundle.Spec{}, err
	}
	spec := specs[0]
	if len(specs) != 1 {
		return spec, usage("name it with --function", "gate check %s: there are %d functions", ref, len(specs))
	}
	kind, path, _ := bundle.SplitRef(spec.Ref)
	if path == "-" {
		return spec, usage("save it as a file", "gate check -: the target is read more than once")
	}
	if o.summary == "" {
		if st, err := os.Stat(path); kind == "image" || err == nil && st.IsDir() {
			return spec, usage("--summary FILE", "gate check %s: no summary was named", ref)
		}
		o.summary = path + gate.SummarySuffix
	}
	im, err := imagesOf(ctx, env, specs, o.offline, true)
	if err != nil {
		return spec, err
	}
	open := o.refuse(watch(im.open((&bundle.Opener{Wanted: catalog.Wanted}).Open), nil), true)
	f, err := open(ctx, spec)
	if err != nil {
		return spec, openError(err)
	}
	defer f.Close()
	for i, l := range f.Layers {
		if l.Digest == "" {
			return spec, &exit{code: ExitIncomplete, err: fmt.Errorf("gate check %s: not everything of it could be read, so there is no digest", l.Ref)}
		}
		if i > 0 {
			a.layers = append(a.layers, finding.Artifact{Ref: l.Ref, Digest: string(l.Digest)})
		}
	}
	a.Digest = string(f.Code.Digest)
	return spec, nil
}

// digestPrefix marks a target, or a layer of one, of which only the digest is at hand.
const digestPrefix = "digest:"

// digests takes the digests of a target that is named by its own, and of its
// layers, which have to be named so too: there is nothing to open.
func (o *gateCheckOptions) digests(a *gateAnswer, ref string) (err error) {
	if a.Digest, err = sha256Of(ref); err != nil {
		return usage("", "%w", err)
	}
	for _, l := range o.layers {
		if !strings.HasPrefix(l, digestPrefix) {
			return usage("--layer digest:sha256:..., or the artifact itself as the target", "gate check %s: --layer %s: of a target that is named by its digest, layers are named by theirs", ref, l)
		}
		d, err := sha256Of(l)
		if err != nil {
			return usage("", "--layer: %w", err)
		}
		a.layers = append(a.layers, finding.Artifact{Ref: l, Digest: d})
	}
	return nil
}

// sha256Of reads "digest:sha256:VALUE" and returns it without the prefix.
func sha256Of(ref string) (string, error) {
	text := strings.TrimPrefix(ref, digestPrefix)
	alg, value, err := attest.ParseDigest(text)
	if err == nil && alg != "sha256" {
		err = fmt.Errorf("%q: a summary is about a sha256 digest", text)
	}
	return alg + ":" + value, err
}

// openError turns what kept the target from being opened into an exit code.
func openError(err error) error {
	if refused := (audit.Refused{}); errors.As(err, &refused) || errors.Is(err, fs.ErrNotExist) {
		return usage("", "%w", err)
	}
	return &exit{code: ExitIncomplete, err: err}
}

// verifySummary verifies the summary. The decision is Pass when it answers for the target.
func (o *gateCheckOptions) verifySummary(ctx context.Context, a *gateAnswer) error {
	data, err := readSmall(o.summary, maxEvidence)
	if err != nil {
		return usage("gate writes it as ARTIFACT"+gate.SummarySuffix, "read the summary: %w", err)
	}
	ask := func(digest string) (attest.Outcome, error) {
		return attest.Verify(ctx, attest.Request{
			Subject:  &attest.Subject{Name: a.Target, Digests: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}},
			Evidence: []attest.Evidence{{Source: o.summary, Data: data}}, Demand: o.trust.demand, Now: o.now,
		})
	}
	out, err := ask(a.Digest)
	if err != nil {
		return usage("", "gate check %s: %w", a.Target, err)
	}
	for _, r := range out.Results {
		a.Checks = append(a.Checks, checkOf(r))
	}
	if out.Status != attest.Verified {
		return o.explain(a, out, ask)
	}
	signed, _, _ := gate.SummaryOf(out)
	s, err := gate.ReadSummary(signed.Statement)
	if err != nil {
		a.no(finding.Fail, attest.StepPredicate, err.Error())
		return nil
	}
	a.Summary = &gateSummary{Verifier: s.Verifier, Signer: signed.Identity, TimeVerified: s.TimeVerified, Resource: s.ResourceURI,
		Policy: o.trust.demand.PolicyDigest, Levels: s.Levels, Database: s.Extension.Database}
	a.Decision = finding.Pass
	switch {
	case len(a.layers) > 0:
		if other := s.Extension.OtherLayers(a.layers); other != "" {
			a.no(finding.Fail, attest.StepDigest, "the function has other layers: "+other)
		}
	case len(s.Extension.Layers) > 0:
		n := len(s.Extension.Layers)
		a.no(finding.Incomplete, attest.StepDigest, fmt.Sprintf("it was judged with %s, and none %s named here: name what is deployed with --layer", finding.Count(n, "layer", "layers"), plural(n, "is", "are")))
	}
	return nil
}

// explain says why a summary does not answer for the target.
func (o *gateCheckOptions) explain(a *gateAnswer, out attest.Outcome, ask func(string) (attest.Outcome, error)) error {
	decision := finding.Fail
	if out.Status == attest.Unverifiable {
		decision = finding.Incomplete
	}
	why := deciding(out)
	reason := why.Reason
	if why.Step == attest.StepDigest && why.Found != "" {
		reason = "the summary is about other bytes"
	}
	if why.Expected != "" || why.Found != "" {
		reason += fmt.Sprintf(" (expected %s, found %s)", orNothing(why.Expected), orNothing(why.Found))
	}
	if why.Step == attest.StepDigest {
		layer, err := o.layerReason(a, ask)
		if err != nil {
			return usage("", "gate check %s: %w", a.Target, err)
		}
		if layer != "" {
			reason = layer
		}
	}
	a.no(decision, why.Step, reason)
	return nil
}

// layerReason says how a layer and a function were taken for one another; "" when
// they were not.
func (o *gateCheckOptions) layerReason(a *gateAnswer, ask func(string) (attest.Outcome, error)) (string, error) {
	for _, l := range a.layers {
		out, err := ask(l.Digest)
		if err != nil {
			return "", err
		}
		if out.Status == attest.Verified {
			return fmt.Sprintf("the summary is about the layer %s, and not about the function: a layer that passed says nothing about what runs on it", l.Ref), nil
		}
	}
	about := gate.About(o.summary)
	if about == "" {
		return "", nil
	}
	out, err := ask(about)
	if err != nil {
		return "", err
	}
	signed, _, _ := gate.SummaryOf(out)
	if s, err := gate.ReadSummary(signed.Statement); err == nil && s.Extension.LayerOf(a.Digest) {
		return fmt.Sprintf("the summary is about the function %s, of which this is a layer: it says nothing about other functions that use it", s.Extension.Function.Name), nil
	}
	return "", nil
}

// deciding is the result that decided an outcome that is not verified: about
// the summary itself if it got that far, else about its signature.
func deciding(out attest.Outcome) attest.Result {
	for _, kind := range []func(attest.Kind) bool{func(k attest.Kind) bool { return k == attest.KindSummary }, attest.Signatures} {
		for _, status := range []attest.Status{attest.Rejected, attest.Unverifiable} {
			for _, r := range out.Results {
				if kind(r.Kind) && r.Status == status {
					return r
				}
			}
		}
	}
	for _, r := range out.Results {
		if r.Status != attest.Verified {
			return r
		}
	}
	return attest.Result{Reason: "the summary does not hold"}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// again judges the target with today's store.
func (o *gateCheckOptions) again(ctx context.Context, env *Env, a *gateAnswer, spec bundle.Spec, pol *policy.Policy) error {
	note := func(why string) { a.Notes = append(a.Notes, "not judged with today's advisories: "+why) }
	named := o.db != "" || env.Getenv("FNAUDIT_DB") != ""
	switch {
	case spec.Ref == "":
		note("only the digest of the artifact was given")
		return nil
	case pol == nil:
		note("only the digest of the policy was given")
		return nil
	case !named && !o.storeThere(env):
		note("there is no advisory store here (" + updateCommandLine + " gets one)")
		return nil
	}
	pol.Wary = true // as the gate was
	if err := o.gateVEX([]bundle.Spec{spec}); err != nil {
		return err
	}
	o.opened, o.noProgress = func(next opener) opener { return watch(next, nil) }, true
	doc, _, err := o.judge(ctx, env, []bundle.Spec{spec}, pol, nil)
	if err != nil {
		return err
	}
	r := doc.Functions[0]
	a.Rejudged, a.Database = &r.Verdict, &doc.Database
	older := a.Summary.Database.Older(doc.Database)
	switch {
	case len(r.Artifacts) > 0 && r.Artifacts[0].Digest != a.Digest:
		a.no(finding.Fail, attest.StepDigest, "the artifact changed while it was checked")
	case r.Verdict.Decision == finding.Fail:
		a.no(finding.Fail, attest.StepResult, prefixed("judged with today's advisories it fails: ", r.Verdict.Reasons)...)
	case older != "":
		a.no(finding.Incomplete, attest.StepAge, "the advisory store here is older than the one that the summary was made with, so it cannot say more: "+older)
	case r.Verdict.Decision == finding.Pass:
	default:
		a.no(finding.Incomplete, attest.StepResult, prefixed("it cannot be judged with today's advisories: ", r.Verdict.Reasons)...)
	}
	return nil
}

func prefixed(prefix string, list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = prefix + out[i]
	}
	if len(out) == 0 {
		return []string{strings.TrimSuffix(prefix, ": ")}
	}
	return out
}

// storeThere says whether the store that nobody named is there.
func (o *gateCheckOptions) storeThere(env *Env) bool {
	dir, err := storeDir(env, "")
	if err != nil {
		return false
	}
	_, err = vulndb.ReadSnapshot(dir)
	return !errors.Is(err, vulndb.ErrNoStore)
}

func (a *gateAnswer) write(w io.Writer, format string) error {
	if format == "json" {
		return codec.WriteJSON(w, a)
	}
	var b strings.Builder
	word := map[finding.Decision]string{finding.Pass: "PASS", finding.Fail: "FAIL"}[a.Decision]
	if word == "" {
		word = "INCOMPLETE"
	}
	fmt.Fprintf(&b, "%s  %s  %s\n", word, report.Escape(a.Target), a.Digest)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", name, report.Escape(value))
		}
	}
	for _, r := range a.Reasons {
		row("why", r)
	}
	row("step", string(a.Step))
	if s := a.Summary; s != nil {
		row("verifier", s.Verifier)
		row("signer", s.Signer)
		row("judged", s.TimeVerified.UTC().Format(time.RFC3339))
		row("policy", s.Policy)
		row("resource", s.Resource)
		row("levels", strings.Join(s.Levels, ", "))
	}
	if a.Rejudged != nil {
		row("today", fmt.Sprintf("%s, with the advisories of %s", a.Rejudged.Decision, a.Database.BuiltAt.UTC().Format(time.DateOnly)))
	}
	for _, n := range a.Notes {
		row("note", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
