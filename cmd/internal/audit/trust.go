package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// Trust is the trust section of a policy with the files that it names, read
// once for a run, and the way to the evidence. It is safe for concurrent use.
type Trust struct {
	// Evidence finds what speaks for an artifact: what lies beside it, in its
	// layout or registry, in a folder of attestations. img is nil for what is no
	// image; of one the subject has only the digest of the manifest that was
	// judged, and may be completed. nil: only what is inside an artifact.
	Evidence func(ctx context.Context, a bundle.Artifact, img *bundle.Image, s *attest.Subject) ([]attest.Evidence, error)

	roots map[string]attest.Root
	keys  map[string]attest.Key
	notat map[string][2]string // policy file, store folder
}

// LoadTrust reads the files that a policy names. Their paths are relative to
// dir, the folder of the policy. An error names the root; nothing is judged then.
func LoadTrust(t policy.Trust, dir string, read func(name string) ([]byte, error)) (*Trust, error) {
	out := &Trust{roots: map[string]attest.Root{}, keys: map[string]attest.Key{}, notat: map[string][2]string{}}
	for name, r := range t.Roots {
		if err := out.load(name, r, dir, read); err != nil {
			return nil, fmt.Errorf("trust_roots.%s: %w", name, err)
		}
	}
	return out, nil
}

func (t *Trust) load(name string, r policy.TrustRoot, dir string, read func(string) ([]byte, error)) error {
	if r.Embedded != "" {
		root, err := attest.EmbeddedRoot(r.Embedded)
		t.roots[name] = root
		return err
	}
	at := func(file string) string {
		if file == "" || filepath.IsAbs(file) {
			return file
		}
		return filepath.Join(dir, filepath.FromSlash(file))
	}
	file := at(r.File + r.PublicKey + r.X509 + r.NotationPolicy) // exactly one is set
	data, err := read(file)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); r.SHA256 != "" && hex.EncodeToString(sum[:]) != r.SHA256 {
		return fmt.Errorf("%s has the sha256 %x, the policy pins %s", file, sum, r.SHA256)
	}
	switch {
	case r.PublicKey != "":
		k, err := attest.ParseKey(file, data)
		if err != nil {
			return err
		}
		k.NotBefore, k.NotAfter = r.NotBefore, r.NotAfter
		t.keys[name] = k
	case r.NotationPolicy != "":
		t.notat[name] = [2]string{file, at(r.NotationStore)}
	default:
		root, err := attest.ParseRoot(file, data)
		if err != nil {
			return err
		}
		if r.X509 != "" != (len(root.X509) > 0) {
			return fmt.Errorf("%s is a trust root of another form: certificates belong under x509, a Sigstore root under file", file)
		}
		t.roots[name] = root
	}
	return nil
}

// demand turns a trusted signer of the policy into a question.
func (t *Trust) demand(s policy.Signer) attest.Demand {
	d := attest.Demand{OfArtifact: true, Runner: s.Runner, KeyID: s.KeyID, Profiles: s.Profiles, CertificateSource: s.Source,
		Require: attest.Thresholds{Log: s.Log, SCT: s.SCT, Timestamps: s.Timestamps, SignedTimestamps: s.SignedTimestamps}}
	d.Identity, d.IdentityRegexp = exactOrPattern(s.Identity)
	d.Issuer, d.IssuerRegexp = exactOrPattern(s.Issuer)
	if k, ok := t.keys[s.Root]; ok {
		d.Keys = []attest.Key{k}
	}
	if r, ok := t.roots[s.Root]; ok {
		d.Root = r
	}
	if n, ok := t.notat[s.Root]; ok {
		d.NotationPolicy, d.NotationStore = n[0], n[1]
	}
	d.Kinds = map[string][]attest.Kind{
		"sigstore":   {attest.KindSigstore, attest.KindCosignImage},
		"key":        nil, // whatever the key verifies
		"aws_signer": {attest.KindAWSSigner},
		"notation":   {attest.KindNotation},
		"jar":        {attest.KindJar},
	}[s.Format]
	return d
}

// provenanceDemand is demand for a provenance.
func (t *Trust) provenanceDemand(p *policy.Provenance) attest.Demand {
	d := t.demand(p.Signer)
	d.Kinds = nil
	d.WantProvenance = true
	d.Predicate, d.Source, d.Tag, d.Branch, d.Workflow, d.Inputs, d.MinLevel = p.Predicates, p.Source, p.Tag, p.Branch, p.Workflow, p.Inputs, p.MinLevel
	for _, b := range p.Builders {
		d.Builders = append(d.Builders, attest.Builder{ID: b.ID, MaxLevel: b.MaxLevel})
	}
	return d
}

func exactOrPattern(s string) (exact, pattern string) {
	if strings.HasPrefix(s, "^") {
		return "", s
	}
	return s, ""
}
