package attest

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Published asks whether versions that a package registry publishes were built
// by whom their attestations name, and whether the registry signed them. Its
// fields are set once; it is then safe for concurrent use, and reads the trust
// root only once. It must not be copied.
//
// Nobody names in advance who may have built each of hundreds of dependencies,
// so unlike [Verify] it demands no signer: any whose certificate names the source
// repository of a build counts, and is returned. Whether that repository is the package's
// own is the caller's question. A person's certificate proves no build.
//
// A proof by an authority, a log or a key that the trust root does not know is
// unverifiable and not rejected: such roots grow by a key a year, and an embedded one
// is of one day.
type Published struct {
	Root Root      // of the Sigstore instance; zero: the embedded one of the public-good instance
	Now  time.Time // the clock that judges what has no trusted time of its own

	once  sync.Once
	trust *sigstoreRoot
	keys  []Key // of the public registry, for attestations; Source is the id
}

// Release is one published version, as its registry tells it.
type Release struct {
	Type, Name, Version string            // as in a package URL; a scope belongs to the name
	File                string            // name of the archive, where a version has several
	Digests             map[string]string // of the archive: algorithm -> lower-case hexadecimal
	At                  time.Time         // when it was published, says the registry; zero: not told
	Keys                []byte            // the registry's own list of keys, for ids that are not embedded; nil: none
}

// Verdict is what became of the proofs of one kind. Its zero value is unverifiable.
type Verdict struct {
	Status   Status
	Kind     Kind   // of the proof that decided
	Step     Step   // that decided; "" when verified
	Reason   string // in plain words
	Identity string // who signed
	Issuer   string
	KeyID    string
	Claims   Claims // what a verified one says of where the archive comes from
}

// Attestations verifies what a registry hands out about a version: npm's list
// of attestations, or PyPI's provenance object of a file. One that is rejected
// decides, for the registry hands out only what its publisher gave it; else one that
// names its build; one of the registry's own, that it published the version, is no
// word of a builder, and missing. Only a cancelled context is an error.
func (p *Published) Attestations(ctx context.Context, rel Release, doc []byte) (Verdict, error) {
	p.once.Do(p.prepare)
	format := Sniff(doc)
	if format != FormatNPM && format != FormatPEP740 {
		return Verdict{Step: StepParse, Reason: "the registry's answer is no list of attestations"}, ctx.Err()
	}
	if len(rel.Digests) == 0 {
		return Verdict{Step: StepDigest, Reason: "the registry tells no digest of the archive, so what an attestation is about cannot be compared"}, ctx.Err()
	}
	best := Verdict{Status: Missing, Step: StepFind, Reason: "the registry says that it published the version, and nobody says how it was built"}
	for i, ev := range unlist(Evidence{Source: "registry", Format: format, Data: doc}) {
		if err := ctx.Err(); err != nil {
			return Verdict{}, err
		}
		if i >= maxAttestations {
			return Verdict{Step: StepParse, Reason: fmt.Sprintf("more than %d attestations of one version", maxAttestations)}, nil
		}
		v := p.one(ctx, &rel, ev)
		switch {
		case v.Status == Rejected:
			return v, nil
		case v.Status == Verified && (best.Status != Verified || v.Kind == KindProvenance && best.Kind != KindProvenance):
			best = v
		case v.Status == Unverifiable && best.Status == Missing:
			best = v
		}
	}
	return best, nil
}

// maxAttestations bounds the attestations of one version that are looked at:
// registries have two or three.
const maxAttestations = 32

// prepare reads what is trusted.
func (p *Published) prepare() {
	p.trust = (&Request{Demand: Demand{Root: p.Root}}).sigstoreRoot()
	list, err := embeddedRoots.ReadFile(embeddedNPM)
	if err == nil {
		p.keys = attestationKeys(list)
	}
}

// attestationKeys are the keys of a list that a registry signs attestations with.
func attestationKeys(list []byte) []Key {
	listed, err := readNPMKeys(list, "registry", npmForAttestations)
	if err != nil {
		return nil
	}
	var out []Key
	for _, k := range listed {
		if der, err := x509.MarshalPKIXPublicKey(k.pub); err == nil {
			out = append(out, Key{Source: k.id, Data: der, NotBefore: k.start, NotAfter: k.end})
		}
	}
	return out
}

// one verifies one attestation.
func (p *Published) one(ctx context.Context, rel *Release, ev Evidence) Verdict {
	d := Demand{Root: p.Root, Require: DefaultThresholds(), Package: rel.purl()}
	hint, keyed := keyHint(ev.Data)
	if keyed {
		d.Keys = p.keysOf(rel, hint)
	} else {
		d.IdentityRegexp, d.IssuerRegexp = ".+", ".+"
	}
	req := &Request{Subject: &Subject{Name: rel.purl(), Digests: rel.Digests}, Demand: d, Now: p.Now, trusted: p.trust}
	results := guard(func() []Result { return verifyOne(ctx, req, ev) }, ev.Source)
	signed := results[0]
	v := Verdict{Status: signed.Status, Kind: signed.Kind, Step: signed.Step, Reason: signed.Reason, Identity: signed.Identity, Issuer: signed.Issuer, KeyID: signed.KeyID}
	if signed.Status != Verified {
		v.Reason = withSides(signed)
		if signed.Status == Rejected && p.strange(signed, ev.Data) {
			v.Status = Unverifiable
		}
		return v
	}
	for _, r := range results[1:] {
		if r.Status != Verified {
			return Verdict{Status: r.Status, Kind: r.Kind, Step: r.Step, Reason: withSides(r), Identity: r.Identity, Issuer: r.Issuer, KeyID: r.KeyID}
		}
		v.Kind, v.Claims = r.Kind, r.Claims
	}
	v.Reason = "the signature holds, and it is about this archive"
	switch {
	case v.Kind != KindProvenance && v.Kind != KindPublish:
		v.Status, v.Step, v.Reason = Unverifiable, StepPredicate, "the signature holds, but it says nothing of a build or of a publication"
	case keyed:
		v.Status, v.Step = Missing, StepBuilder
	case signed.Claims.Source == "":
		v.Status, v.Step, v.Reason = Unverifiable, StepBuilder, "the signature holds, but the certificate of its signer names no build of a source repository"
	}
	if !keyed { // the authority that issued the certificate saw the build; a statement only says so
		c := signed.Claims
		v.Claims.Source = c.Source
		v.Claims.Commit, v.Claims.Ref, v.Claims.Workflow = cmp.Or(v.Claims.Commit, c.Commit), cmp.Or(v.Claims.Ref, c.Ref), cmp.Or(v.Claims.Workflow, c.Workflow)
		v.Claims.Invocation, v.Claims.Runner = cmp.Or(v.Claims.Invocation, c.Invocation), cmp.Or(v.Claims.Runner, c.Runner)
	}
	return v
}

// purl is the package that a statement must name. Of PyPI it follows from the
// name of the file, since statements name files, and spell versions as those do.
func (r *Release) purl() string {
	if r.Type == "pypi" {
		if p, ok := pythonFile(r.File); ok {
			return p.String()
		}
		return pkg{typ: r.Type, name: pythonName(r.Name)}.String()
	}
	return pkg{typ: r.Type, name: r.Name, version: r.Version}.String()
}

// keyHint says whether a bundle is signed by a managed key, and which it names.
func keyHint(bundle []byte) (hint string, keyed bool) {
	var doc struct {
		Material struct {
			Key *struct {
				Hint string `json:"hint"`
			} `json:"publicKey"`
		} `json:"verificationMaterial"`
	}
	if json.Unmarshal(bundle, &doc) != nil || doc.Material.Key == nil {
		return "", false
	}
	return doc.Material.Key.Hint, true
}

// keysOf are the keys with an id: the embedded ones, and only for an id that is
// not among them the registry's own. A registry must not replace a key of the public one.
func (p *Published) keysOf(rel *Release, id string) []Key {
	pick := func(list []Key) []Key {
		return slices.DeleteFunc(slices.Clone(list), func(k Key) bool { return k.Source != id })
	}
	if known := pick(p.keys); len(known) > 0 || rel.Keys == nil {
		return known
	}
	return pick(attestationKeys(rel.Keys))
}

// strange says whether a signature was rejected only because it cannot be read
// here, or because the trust root does not know who vouches for it.
func (p *Published) strange(r Result, doc []byte) bool {
	switch r.Step {
	case StepParse:
		return true // what cannot be read was not checked: a newer form may have fields that are not known here
	case StepLog:
		return strings.HasPrefix(r.Reason, unknownLogReason)
	case StepSCT:
		return true // a certificate log that the root does not know looks the same as none
	case StepTime:
		return !strings.Contains(r.Reason, "at which the signer's certificate or key was not valid")
	case StepChain:
		return !p.issued(doc)
	}
	return false
}

// issued says whether a certificate names as its issuer's key one of an authority of the root.
func (p *Published) issued(doc []byte) bool {
	var b struct {
		Material struct {
			Certificate struct {
				Raw []byte `json:"rawBytes"`
			} `json:"certificate"`
			Chain struct {
				Certificates []struct {
					Raw []byte `json:"rawBytes"`
				} `json:"certificates"`
			} `json:"x509CertificateChain"`
		} `json:"verificationMaterial"`
	}
	if json.Unmarshal(doc, &b) != nil || p.trust.err != nil {
		return false
	}
	raw := b.Material.Certificate.Raw
	if raw == nil && len(b.Material.Chain.Certificates) > 0 {
		raw = b.Material.Chain.Certificates[0].Raw
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return true // no certificate at all: no newer root would help
	}
	return p.trust.hasAuthority(cert.AuthorityKeyId)
}

// withSides is the reason of a result with the two sides of its comparison.
func withSides(r Result) string {
	if r.Expected == "" || r.Found == "" {
		return r.Reason
	}
	return fmt.Sprintf("%s (%s instead of %s)", r.Reason, r.Found, r.Expected)
}

// RegistrySignature is an npm registry's signature over a version.
type RegistrySignature struct{ KeyID, Signature string }

// Signature verifies what an npm registry signed: "NAME@VERSION:INTEGRITY". The
// keys of the public registry are embedded; another registry's own list of keys
// counts for ids that are not among them. A key that was not valid at the time of
// publication leaves it open, for that time is not signed.
func (p *Published) Signature(rel Release, list []RegistrySignature) Verdict {
	r := Result{Kind: KindNPMSignature}
	raw, err := hex.DecodeString(rel.Digests["sha512"])
	switch {
	case len(list) == 0:
		return Verdict{Status: Missing, Kind: r.Kind, Step: StepFind, Reason: "the registry tells no signature of it"}
	case len(list) > maxNPMSignatures:
		return Verdict{Kind: r.Kind, Step: StepParse, Reason: fmt.Sprintf("%d signatures, more than %d", len(list), maxNPMSignatures)}
	case err != nil || len(raw) != 64:
		return Verdict{Kind: r.Kind, Step: StepDigest, Reason: "the registry tells no sha512 digest of the archive, which is what it signs"}
	case !npmName(rel.Name) || rel.Version == "" || strings.ContainsAny(rel.Version, "@: "):
		return Verdict{Kind: r.Kind, Step: StepParse, Reason: "its name or version cannot be signed in one way only"}
	}
	m := npmManifest{Name: rel.Name, Version: rel.Version, published: rel.At}
	m.Dist.Integrity = "sha512-" + base64.StdEncoding.EncodeToString(raw)
	for _, s := range list {
		m.Dist.Signatures = append(m.Dist.Signatures, struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
		}{s.KeyID, s.Signature})
	}
	r.Claims.Package = rel.purl()
	got := npmSignatures(&Request{Now: p.Now}, r, m)
	if got.Status == Unverifiable && got.Step == StepTrust && rel.Keys != nil {
		if own := npmSignatures(&Request{Demand: Demand{Root: Root{Source: "the registry's own keys", NPMKeys: rel.Keys}}, Now: p.Now}, r, m); own.Step != StepTrust {
			got = own
		}
	}
	v := Verdict{Status: got.Status, Kind: got.Kind, Step: got.Step, Reason: withSides(got), KeyID: got.KeyID}
	if got.Status == Rejected && got.Step == StepExpiry {
		v.Status = Unverifiable
	}
	return v
}
