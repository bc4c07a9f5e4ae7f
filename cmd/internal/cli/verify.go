package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// maxEvidence bounds in bytes one file of evidence, of trust or of keys.
const maxEvidence = 128 << 20

type verifyOptions struct {
	bundles, signatures, certificates, packuments []string
	root                                          string
	keys                                          []string
	require, at, digest, descriptor               string
	attestations, entryDigests                    string
	outputs                                       []string
	quiet, offline                                bool
	demand                                        attest.Demand
	builders, inputs                              []string
	builderLevel                                  int
}

func verifyCommand(env *Env) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify TARGET",
		Short: "Check who signed an artifact, who built it and from what",
		Long: `Verify checks signatures and provenance against the bytes of TARGET, offline: what
lies inside it and beside it, or what --bundle, --signature and --packument name.
TARGET is a file, an OCI image layout or archive (behind a # or with --digest which
image of it), image:REFERENCE in a registry, or digest:ALGORITHM:VALUE.

A signature is verified only when it holds and the signer is the demanded one:
name it with --identity and --issuer, or give its --key. It exits 0 when verified, 1 when
rejected or missing, 3 when it cannot be verified here, 2 on a usage error.`,
		Example: `  fnaudit verify orders.zip --key release.pub
  fnaudit verify orders.zip --bundle orders.sigstore.json --issuer https://token.actions.githubusercontent.com \
      --identity https://github.com/acme/orders/.github/workflows/release.yml@refs/tags/v1.2.3`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.offline, err = cmd.Flags().GetBool("offline"); err != nil {
				return err
			}
			if err := o.emptyFlags(cmd); err != nil {
				return err
			}
			return verify(cmd.Context(), env, o, args)
		},
	}
	f := cmd.Flags()
	d := &o.demand
	f.StringArrayVar(&o.bundles, "bundle", nil, "Sigstore bundle, DSSE envelope or attestation `FILE`, repeatable; the format is found from the content")
	f.StringArrayVar(&o.signatures, "signature", nil, "detached signature `FILE`, repeatable")
	f.StringArrayVar(&o.certificates, "certificate", nil, "certificate `FILE` of the signature at the same place")
	f.StringArrayVar(&o.packuments, "packument", nil, "npm metadata `FILE` with registry signatures")
	f.StringVar(&o.attestations, "attestations", "", "folder `DIR` with attestations, found by the digest that they are about")
	f.StringVar(&o.root, "trusted-root", "", "trust root `FILE`: Sigstore trusted_root.json, npm keys.json, or certificates in PEM; or embedded:public-good (default), embedded:github")
	f.StringArrayVar(&o.keys, "key", nil, "public key `FILE`, repeatable")
	f.BoolVar(&d.AllowExpiredKeys, "allow-expired-keys", false, "accept a good OpenPGP signature of a key that has expired since; only the signer says when it was made")
	f.StringVar(&d.KeyID, "key-id", "", "key `ID` that the envelope must name")
	f.StringVar(&d.Identity, "identity", "", "the signer's identity, exact")
	f.StringVar(&d.IdentityRegexp, "identity-regexp", "", "the signer's identity as a `PATTERN`, anchored at both ends")
	f.StringVar(&d.Issuer, "issuer", "", "who vouches for the identity, exact")
	f.StringVar(&d.IssuerRegexp, "issuer-regexp", "", "who vouches for the identity, as a `PATTERN` anchored at both ends")
	f.StringVar(&d.Runner, "runner", "", "where the build ran: github-hosted or self-hosted")
	f.StringArrayVar(&o.builders, "builder-id", nil, "trusted builder `ID`, exact, repeatable")
	f.IntVar(&o.builderLevel, "builder-level", 1, "SLSA build `LEVEL` that the trusted builders are trusted for, 1 to 4")
	f.IntVar(&d.MinLevel, "min-level", 0, "SLSA build `LEVEL` that there must be at least, 0 to 4; more than 1 takes --builder-id and --builder-level")
	f.StringVar(&d.Source, "source-uri", "", "source repository `URI`, exact")
	f.StringVar(&d.Tag, "source-tag", "", "tag of the source, exact, or semver:v1 for its releases")
	f.StringVar(&d.Branch, "source-branch", "", "branch of the source, exact")
	f.StringVar(&d.Workflow, "workflow", "", "`PATH` of the workflow in the source, exact")
	f.StringArrayVar(&o.inputs, "input", nil, "input that the build must have had, as `NAME=VALUE`, repeatable")
	f.StringVar(&d.Package, "purl", "", "package that the statement must name")
	f.StringArrayVar(&d.Predicate, "predicate-type", nil, "`URI` of a predicate type; a statement of one of them must be there, repeatable")
	f.StringVar(&o.require, "require", "", "how many proofs there must be, as in tlog=1,sct=1,timestamps=1,signed-timestamps=0")
	f.StringArrayVar(&d.Profiles, "signing-profile", nil, "allowed AWS Signer profile version `ARN`, repeatable")
	f.StringVar(&o.entryDigests, "entry-digests", "", "`FILE` with the digest of each entry of the zip, as the gate wrote it: the signature of AWS Signer does not bind where a name ends and a content begins")
	f.StringVar(&d.VerifierID, "verifier-id", "", "who must have made the verification summary")
	f.StringVar(&d.ResourceURI, "resource-uri", "", "resource that the verification summary must name")
	f.StringArrayVar(&d.Levels, "level", nil, "level that the verification summary must state, repeatable")
	f.StringVar(&d.PolicyDigest, "policy-digest", "", "`DIGEST` of the policy that the verification summary must be made under, ALGORITHM:VALUE")
	f.DurationVar(&d.MaxAge, "max-age", 0, "how old a verification summary or a vulnerability attestation may be, as in 24h (default: any age)")
	f.StringVar(&d.NotationPolicy, "notation-policy", "", "Notary Project trust policy `FILE`")
	f.StringVar(&d.NotationStore, "notation-store", "", "Notary Project trust store `DIR` (default: truststore beside the policy)")
	f.StringVar(&d.NotationScope, "notation-scope", "", "`REPOSITORY` by which the statement of the trust policy is chosen (default: that of an image: target)")
	f.StringVar(&o.descriptor, "descriptor", "", "OCI descriptor `FILE` that names the subject")
	f.StringVar(&o.digest, "digest", "", "digest of the image inside a layout")
	f.StringVar(&o.at, "at", "", "the clock that judges, RFC 3339 (default now)")
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: table, json")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing; the exit code says it")
	return cmd
}

// emptyFlags refuses a flag that is given and empty, as an unset variable leaves
// it: it would demand nothing. An empty key id is a demand, for none.
func (o *verifyOptions) emptyFlags(cmd *cobra.Command) error {
	for _, name := range []string{"attestations", "trusted-root", "identity", "identity-regexp", "issuer", "issuer-regexp", "runner", "source-uri", "source-tag",
		"source-branch", "workflow", "purl", "require", "entry-digests", "verifier-id", "resource-uri", "policy-digest",
		"notation-policy", "notation-store", "notation-scope", "descriptor", "digest", "at"} {
		if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
			return usage("leave the flag out to demand nothing", "--%s is empty", name)
		}
	}
	for name, list := range map[string][]string{"predicate-type": o.demand.Predicate, "signing-profile": o.demand.Profiles, "level": o.demand.Levels, "builder-id": o.builders} {
		if slices.Contains(list, "") {
			return usage("leave the flag out to demand nothing", "--%s is empty", name)
		}
	}
	o.demand.NoKeyID = cmd.Flags().Changed("key-id") && o.demand.KeyID == ""
	return nil
}

// verify answers one question and turns its status into an exit code.
func verify(ctx context.Context, env *Env, o verifyOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, []string{"table", "json"}, "table")
	if err != nil {
		return err
	}
	req, target, err := o.request(ctx, env, args)
	if err != nil {
		return err
	}
	if target.close != nil {
		defer target.close()
	}
	out, err := attest.Verify(ctx, req)
	if err != nil {
		return usage("", "verify %s: %w", target.ref, err)
	}
	err = writeEach(env, outputs, o.quiet, func(w io.Writer, format string) error {
		if format == "json" {
			return writeVerifyJSON(w, target.ref, out)
		}
		return writeVerifyTable(w, target.ref, out)
	})
	if err != nil {
		return err
	}
	switch out.Status {
	case attest.Verified:
		return nil
	case attest.Unverifiable:
		return &exit{code: ExitIncomplete}
	}
	return &exit{code: ExitFail}
}

// verifyTarget is what is verified, opened.
type verifyTarget struct {
	ref      string
	close    func() error
	attached []attest.Evidence // what is attached to an image
}

// request opens the target and reads what the flags name.
func (o *verifyOptions) request(ctx context.Context, env *Env, args []string) (attest.Request, verifyTarget, error) {
	var req attest.Request
	req.Now = env.Now()
	req.Embedded = attest.InArtifact("")
	if o.at != "" {
		at, err := time.Parse(time.RFC3339, o.at)
		if err != nil {
			return req, verifyTarget{}, usage("as in 2026-11-28T00:00:00Z", "--at: %w", err)
		}
		req.Now = at
	}
	if err := o.trust(); err != nil {
		return req, verifyTarget{}, err
	}
	req.Demand = o.demand
	if err := o.evidence(&req); err != nil {
		return req, verifyTarget{}, err
	}
	target, err := o.open(ctx, env, &req, args)
	if err == nil {
		err = o.discover(ctx, &req, target)
		req.Evidence = append(target.attached, req.Evidence...)
	}
	return req, target, err
}

// trust reads what the operator trusts.
func (o *verifyOptions) trust() error {
	o.demand.Require = attest.DefaultThresholds()
	for flag, pattern := range map[string]string{"identity-regexp": o.demand.IdentityRegexp, "issuer-regexp": o.demand.IssuerRegexp} {
		if _, err := regexp.Compile(pattern); err != nil {
			return usage("a regular expression of RE2", "--%s: %w", flag, err)
		}
	}
	if o.require != "" {
		t, err := attest.ParseThresholds(o.require)
		if err != nil {
			return usage("", "--require: %w", err)
		}
		o.demand.Require = t
	}
	if name, ok := strings.CutPrefix(o.root, "embedded:"); ok {
		var err error
		if o.demand.Root, err = attest.EmbeddedRoot(name); err != nil {
			return usage("", "--trusted-root: %w", err)
		}
	} else if o.root != "" {
		data, err := readSmall(o.root, maxEvidence)
		if err != nil {
			return usage("", "read trust root: %w", err)
		}
		if o.demand.Root, err = attest.ParseRoot(o.root, data); err != nil {
			return usage("", "--trusted-root: %w", err)
		}
	}
	for _, name := range o.keys {
		data, err := readSmall(name, maxEvidence)
		if err != nil {
			return usage("", "read key: %w", err)
		}
		k, err := attest.ParseKey(name, data)
		if err != nil {
			return usage("", "--key: %w", err)
		}
		o.demand.Keys = append(o.demand.Keys, k)
	}
	if o.entryDigests != "" {
		data, err := readSmall(o.entryDigests, maxEvidence)
		if err != nil {
			return usage("", "read entry digests: %w", err)
		}
		list, err := attest.ParseEntryList(data)
		if err != nil {
			return usage("", "--entry-digests %s: %w", o.entryDigests, err)
		}
		o.demand.EntryDigests = list.Map()
	}
	return o.expectations()
}

// expectations checks the flags that say what a statement must say.
func (o *verifyOptions) expectations() error {
	d := &o.demand
	for _, flag := range []struct {
		name  string
		level int
		least int
	}{{"min-level", d.MinLevel, 0}, {"builder-level", o.builderLevel, 1}} {
		if flag.level < flag.least || flag.level > 4 {
			return usage("", "--%s %d: SLSA build levels are %d to 4", flag.name, flag.level, flag.least)
		}
	}
	for _, id := range o.builders {
		d.Builders = append(d.Builders, attest.Builder{ID: id, MaxLevel: o.builderLevel})
	}
	for _, text := range o.inputs {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return usage("write it as NAME=VALUE", "--input %q", text)
		}
		if d.Inputs == nil {
			d.Inputs = map[string]string{}
		}
		if _, twice := d.Inputs[name]; twice {
			return usage("an input has one value", "--input %s is given twice", name)
		}
		d.Inputs[name] = value
	}
	if d.Tag != "" && d.Branch != "" {
		return usage("one build is made from one of them", "--source-tag with --source-branch")
	}
	if d.PolicyDigest != "" {
		if _, _, err := attest.ParseDigest(d.PolicyDigest); err != nil {
			return usage("", "--policy-digest: %w", err)
		}
	}
	if d.MaxAge < 0 {
		return usage("as in 24h", "--max-age %s: an age is not negative", d.MaxAge)
	}
	return nil
}

// evidence reads what the flags name.
func (o *verifyOptions) evidence(req *attest.Request) error {
	if len(o.certificates) > len(o.signatures) {
		return usage("give --signature with it", "--certificate without a signature")
	}
	read := func(flag, name string) ([]byte, error) {
		data, err := readSmall(name, maxEvidence)
		if err != nil {
			return nil, usage("", "--%s: %w", flag, err)
		}
		return data, nil
	}
	for _, list := range []struct {
		flag  string
		names []string
	}{{"bundle", o.bundles}, {"signature", o.signatures}, {"packument", o.packuments}} {
		for i, name := range list.names {
			data, err := read(list.flag, name)
			if err != nil {
				return err
			}
			ev := attest.Evidence{Source: name, Data: data}
			if list.flag == "signature" && i < len(o.certificates) {
				if ev.Certificate, err = read("certificate", o.certificates[i]); err != nil {
					return err
				}
			}
			req.Evidence = append(req.Evidence, ev)
		}
	}
	return nil
}

// discover finds evidence where the flags name none: beside the artifact, and
// in the folder of --attestations.
func (o *verifyOptions) discover(ctx context.Context, req *attest.Request, target verifyTarget) error {
	var folder *attest.Folder
	if o.attestations != "" {
		var err error
		if folder, err = attest.OpenFolder(ctx, o.attestations); err != nil {
			return usage("", "--attestations: %w", err)
		}
	}
	if len(req.Evidence) > 0 && folder == nil {
		return nil
	}
	ref := target.ref
	if len(req.Evidence) > 0 || req.Subject.Bytes == nil {
		ref = "-" // only the folder is asked
	}
	found, err := evidenceFor(ref, req.Subject, folder)
	if err != nil {
		return &exit{code: ExitIncomplete, err: err}
	}
	req.Evidence = append(req.Evidence, found...)
	return nil
}

// open makes the subject of the request.
func (o *verifyOptions) open(ctx context.Context, env *Env, req *attest.Request, args []string) (verifyTarget, error) {
	if o.descriptor != "" {
		return o.openDescriptor(req, args)
	}
	if len(args) == 0 && len(o.packuments) == 1 { // the metadata names the package, by the digest of its archive
		req.Subject = &attest.Subject{Name: o.packuments[0]}
		return verifyTarget{ref: o.packuments[0]}, nil
	}
	if len(args) != 1 {
		return verifyTarget{}, usage("", "verify takes one TARGET, not %d", len(args))
	}
	ref := args[0]
	if rest, ok := strings.CutPrefix(ref, "digest:"); ok {
		if o.digest != "" {
			return verifyTarget{}, usage("leave --digest out", "the target %s is a digest already, and --digest names an image in a layout", ref)
		}
		alg, value, err := attest.ParseDigest(rest)
		if err != nil {
			return verifyTarget{}, usage("", "%w", err)
		}
		req.Subject = &attest.Subject{Name: ref, Digests: map[string]string{alg: value}}
		return verifyTarget{ref: ref}, nil
	}
	if target, ok, err := o.openImage(ctx, env, req, ref); ok || err != nil {
		return target, err
	}
	raw, err := bundle.OpenRaw(ctx, ref, bundle.Limits{})
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || os.IsPermission(err) {
			return verifyTarget{}, usage("", "open %s: %w", ref, err)
		}
		return verifyTarget{}, &exit{code: ExitIncomplete, err: err}
	}
	req.Subject = &attest.Subject{Name: ref, Bytes: raw, Size: raw.Size,
		Digests: map[string]string{"sha256": strings.TrimPrefix(string(raw.Digest()), "sha256:")}}
	return verifyTarget{ref: ref, close: raw.Close}, nil
}

// verifyCheck is one check of the JSON output.
type verifyCheck struct {
	Kind     attest.Kind    `json:"kind"`
	Status   attest.Status  `json:"status"`
	Step     attest.Step    `json:"step,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Expected string         `json:"expected,omitempty"`
	Found    string         `json:"found,omitempty"`
	Source   string         `json:"source,omitempty"`
	Covers   string         `json:"covers,omitempty"`
	Identity string         `json:"identity,omitempty"`
	Issuer   string         `json:"issuer,omitempty"`
	KeyID    string         `json:"keyId,omitempty"`
	Times    []verifyTime   `json:"times,omitempty"`
	Claims   *attest.Claims `json:"claims,omitempty"`
	Notes    []string       `json:"notes,omitempty"`
}

type verifyTime struct {
	At    time.Time `json:"at"`
	Clock string    `json:"clock"`
}

func writeVerifyJSON(w io.Writer, target string, out attest.Outcome) error {
	doc := struct {
		Target string        `json:"target"`
		Status attest.Status `json:"status"`
		Checks []verifyCheck `json:"checks"`
	}{target, out.Status, []verifyCheck{}}
	for _, r := range out.Results {
		doc.Checks = append(doc.Checks, checkOf(r))
	}
	return codec.WriteJSON(w, doc)
}

// checkOf is a result as it is printed.
func checkOf(r attest.Result) verifyCheck {
	c := verifyCheck{Kind: r.Kind, Status: r.Status, Step: r.Step, Reason: r.Reason, Expected: r.Expected, Found: r.Found,
		Source: r.Source, Covers: r.Covers, Identity: r.Identity, Issuer: r.Issuer, KeyID: r.KeyID, Notes: r.Notes}
	for _, t := range r.Times {
		c.Times = append(c.Times, verifyTime{t.At.UTC(), t.Clock})
	}
	if r.Status == attest.Verified && !r.Claims.Empty() {
		claims := r.Claims
		c.Claims = &claims
	}
	return c
}
