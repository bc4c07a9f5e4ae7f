package attest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// npmManifest is the metadata of one version of an npm package, as far as the
// registry's signature is about it.
type npmManifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Dist    struct {
		Integrity  string `json:"integrity"`
		Signatures []struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
		} `json:"signatures"`
	} `json:"dist"`

	published time.Time // zero: not said
}

// maxNPMSignatures bounds how many signatures of one version are looked at.
const maxNPMSignatures = 32

// embeddedNPM is the list of the public registry's keys from the TUF repository
// sigstore/root-signing at commit 60cf2ce8, unchanged; sha256
// 160677eb6e1c7083c89b166b20f8fe4e837fb71181506aff1991b80b89184f7d. It is used
// when no root and no key was given.
const embeddedNPM = "roots/npm-keys.json"

// npmKey is one key of a registry.
type npmKey struct {
	id         string
	pub        crypto.PublicKey
	start, end time.Time // zero: no bound
}

// verifyPackument checks the registry's signature of one version of an npm
// package: over "NAME@VERSION:INTEGRITY", and with the archive at hand over its
// bytes. The packument is the subject when no other is given.
func verifyPackument(_ context.Context, req *Request, ev Evidence) []Result {
	m, bad := npmVersion(req, ev.Data)
	if bad != nil {
		return []Result{*bad}
	}
	own := pkg{typ: "npm", name: m.Name, version: m.Version}
	purl := own.String()
	r := Result{Kind: KindNPMSignature, Claims: Claims{Package: purl}}
	fail := func(status Status, step Step, reason string) []Result {
		r.Status, r.Step, r.Reason = status, step, reason
		return []Result{r}
	}
	if d := req.Demand.Package; d != "" && !npmSame(d, own) {
		r.Expected, r.Found = d, purl
		return fail(Rejected, StepPackage, "the metadata is of another package or version")
	}
	digest, err := npmIntegrity(m.Dist.Integrity)
	if err != nil {
		return fail(Rejected, StepDigest, err.Error())
	}
	r.Covers = "sha512:" + digest
	switch n := len(m.Dist.Signatures); {
	case n == 0:
		return fail(Missing, StepFind, "the metadata of "+purl+" has no signature of the registry: mirrors leave it out")
	case n > maxNPMSignatures:
		return fail(Unverifiable, StepParse, fmt.Sprintf("%d signatures, more than %d", n, maxNPMSignatures))
	}
	if bad := npmBytes(req.Subject, r, digest); bad != nil {
		return []Result{*bad}
	}
	return []Result{npmSignatures(req, r, m)}
}

// npmSignatures asks each signature: one that holds is enough, and one that is
// broken under a key that is known is not made good by another.
func npmSignatures(req *Request, r Result, m npmManifest) Result {
	fail := func(status Status, step Step, reason string) Result {
		r.Status, r.Step, r.Reason = status, step, reason
		return r
	}
	keys, err := npmKeys(&req.Demand)
	if err != nil {
		return fail(Unverifiable, StepTrust, err.Error())
	}
	if d := &req.Demand; d.Root.Empty() && len(d.Keys) == 0 {
		r.Notes = append(r.Notes, "keys of the public registry, embedded on "+embeddedOn)
	}
	message := []byte(m.Name + "@" + m.Version + ":" + m.Dist.Integrity)
	var unknown []string
	for _, s := range m.Dist.Signatures {
		held, known := false, false
		sig, err := base64.StdEncoding.DecodeString(s.Sig)
		for _, k := range keys {
			if k.id != s.KeyID && k.id != "" {
				continue
			}
			known = true
			if err != nil || (scheme{crypto.SHA256, "ecdsa"}).verify(k.pub, message, sig) != nil {
				continue
			}
			held, r.KeyID = true, s.KeyID
			if bad := k.judge(m, &r); bad != "" {
				return fail(Rejected, StepExpiry, bad)
			}
		}
		switch {
		case !known:
			unknown = append(unknown, s.KeyID)
		case !held:
			r.KeyID = s.KeyID
			return fail(Rejected, StepSignature, "the registry's key did not sign this name, version and integrity together")
		}
	}
	if r.KeyID == "" {
		r.Found = strings.Join(firstOf(unknown, 3), ", ")
		return fail(Unverifiable, StepTrust, "the signature names a key that is not among the given ones of the registry")
	}
	if d := req.Demand.KeyID; d != "" && d != r.KeyID {
		r.Expected, r.Found = d, r.KeyID
		return fail(Rejected, StepIdentity, "the signature holds, but by another key than the one with the demanded id")
	}
	r.Status, r.Reason = Verified, "the registry signed "+r.Claims.Package+" with this integrity"
	r.Notes = append(r.Notes, "the registry vouches for what it serves, not for who built it; only name, version and integrity are signed")
	return r
}

// judge compares the validity of a key with the time of publication, and not
// with now: the signature stays while keys come and go. "" when nothing speaks
// against it.
func (k npmKey) judge(m npmManifest, r *Result) string {
	if m.published.IsZero() {
		r.Notes = append(r.Notes, "the metadata does not say when the version was published, so the validity of the key was not compared with it")
		return ""
	}
	bounds := Key{NotBefore: k.start, NotAfter: k.end}
	if k.id == "" && !bounds.covers(m.published) || k.ended(m.published) {
		r.Expected, r.Found = bounds.bounds(), day(m.published)
		return "the signature holds, but the key was not valid when the version was published"
	}
	if m.published.Before(k.start) {
		r.Notes = append(r.Notes, "the key is valid from "+day(k.start)+", after the version was published: the registry signed it again")
	}
	r.Times = []Time{{At: m.published, Clock: "registry (not signed)"}}
	return ""
}

// ended says whether a key of the registry's list was over at a time. When it
// began says nothing of an older version: registries sign again with a new key
// what was published before, and npm's own client looks at the end alone, which
// is outside of the validity (npm 11, pacote/lib/registry.js). What an operator
// says of a key of his own is meant as he says it.
func (k npmKey) ended(at time.Time) bool {
	return k.id != "" && !k.end.IsZero() && !at.Before(k.end)
}

// npmBytes compares the archive with the integrity; nil when they agree or when
// the packument itself is the subject.
func npmBytes(s *Subject, r Result, digest string) *Result {
	if s.Bytes == nil && len(s.Digests) == 0 {
		r.Notes = append(r.Notes, "no archive was given")
		return nil
	}
	got, err := s.Digest("sha512")
	switch {
	case err != nil:
		r.Status, r.Step, r.Reason = Unverifiable, StepDigest, "the integrity is a sha512 digest: "+err.Error()
		return &r
	case got != digest:
		r.Status, r.Step, r.Expected, r.Found = Rejected, StepDigest, "sha512:"+digest, "sha512:"+got
		r.Reason = "the archive is not the one that the metadata is about"
		return &r
	}
	return nil
}

// npmVersion reads the metadata of one version: the whole document, or of a
// packument the version that is demanded or the only one.
func npmVersion(req *Request, data []byte) (m npmManifest, bad *Result) {
	fail := func(status Status, step Step, format string, args ...any) *Result {
		return &Result{Kind: KindNPMSignature, Status: status, Step: step, Reason: fmt.Sprintf(format, args...)}
	}
	var doc struct {
		npmManifest
		Versions map[string]npmManifest `json:"versions"`
		Time     map[string]any         `json:"time"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return m, fail(Rejected, StepParse, "not npm metadata: %v", err)
	}
	m = doc.npmManifest
	if len(doc.Versions) > 0 {
		version := npmWanted(req.Demand.Package, doc.Versions)
		if version == "" {
			return m, fail(Unverifiable, StepPackage, "the metadata lists %d versions: name the one that is meant with --purl", len(doc.Versions))
		}
		one, ok := doc.Versions[version]
		switch {
		case !ok:
			return m, fail(Rejected, StepPackage, "the metadata does not list the version %q", version)
		case one.Version != version, one.Name != doc.Name:
			return m, fail(Rejected, StepParse, "listed as %s@%s, but called %s@%s", doc.Name, version, one.Name, one.Version)
		}
		m = one
	}
	if !npmName(m.Name) || m.Version == "" || strings.ContainsAny(m.Version, "@: ") {
		return m, fail(Rejected, StepParse, "%q in version %q is no npm package", m.Name, m.Version)
	}
	if text, ok := doc.Time[m.Version].(string); ok {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return m, fail(Rejected, StepParse, "the time of publication %q is none", text)
		}
		m.published = at
	}
	return m, nil
}

// npmWanted is the version that a purl names, or the only one; "" for neither.
func npmWanted(purl string, versions map[string]npmManifest) string {
	if p, err := parsePURL(purl); err == nil && p.version != "" {
		return p.version
	}
	if len(versions) == 1 {
		return slices.Collect(maps.Keys(versions))[0]
	}
	return ""
}

// npmName checks a name as far as the signed message needs it: NAME@VERSION must
// be read in one way only.
func npmName(name string) bool {
	scope, rest, scoped := strings.Cut(strings.TrimPrefix(name, "@"), "/")
	if strings.HasPrefix(name, "@") != scoped {
		return false
	}
	if !scoped {
		rest = "x"
	}
	return scope != "" && rest != "" && !strings.ContainsAny(scope+rest, "@:/ ")
}

// npmIntegrity is the sha512 digest of an integrity (Subresource Integrity), in
// hexadecimal.
func npmIntegrity(text string) (string, error) {
	value, ok := strings.CutPrefix(text, "sha512-")
	if !ok {
		return "", fmt.Errorf("the integrity %q is no sha512 digest, so it does not bind the archive", text)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) != sha512.Size {
		return "", fmt.Errorf("the integrity %q is no sha512 digest in base64", text)
	}
	return hex.EncodeToString(raw), nil
}

// npmKeys reads the keys for signatures of the root, in the form of the
// Sigstore root or of the registry, and the operator's own.
func npmKeys(d *Demand) ([]npmKey, error) {
	var keys []npmKey
	for _, k := range d.Keys {
		if pub, ok := k.Public(); ok {
			keys = append(keys, npmKey{pub: pub, start: k.NotBefore, end: k.NotAfter})
		}
	}
	list := d.Root.NPMKeys
	switch {
	case list == nil && len(keys) > 0:
		return keys, nil
	case list == nil && !d.Root.Empty():
		return nil, fmt.Errorf("the trust root %s has no keys of the registry: give its list of keys with --trusted-root", d.Root.Source)
	case list == nil:
		var err error
		if list, err = embeddedRoots.ReadFile(embeddedNPM); err != nil {
			return nil, err
		}
	}
	listed, err := readNPMKeys(list, d.Root.Source, npmForSignatures)
	return append(keys, listed...), err
}

// The uses of a key of a registry, as the Sigstore root writes them.
const (
	npmForSignatures   = "npm:signatures"
	npmForAttestations = "npm:attestations"
)

// readNPMKeys reads the keys of a list that are for a use, or that name none.
func readNPMKeys(list []byte, source, use string) ([]npmKey, error) {
	var keys []npmKey
	var doc struct {
		Keys []struct {
			ID     string `json:"keyId"` // keyid in the registry's own list: names have no case here
			Usage  string `json:"keyUsage"`
			Public struct {
				Raw      []byte `json:"rawBytes"`
				ValidFor struct{ Start, End *time.Time }
			} `json:"publicKey"`
			Key     []byte     `json:"key"`
			Expires *time.Time `json:"expires"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(list, &doc); err != nil {
		return nil, fmt.Errorf("the list of keys %s cannot be read: %w", source, err)
	}
	for _, k := range doc.Keys {
		if k.Usage != "" && k.Usage != use || k.ID == "" {
			continue
		}
		der, end := k.Public.Raw, k.Public.ValidFor.End
		if der == nil {
			der, end = k.Key, k.Expires
		}
		pub, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("the key %s of %s cannot be read: %w", k.ID, source, err)
		}
		if _, ok := pub.(*ecdsa.PublicKey); !ok {
			continue // of a kind that this format has not
		}
		one := npmKey{id: k.ID, pub: pub}
		if s := k.Public.ValidFor.Start; s != nil {
			one.start = *s
		}
		if end != nil {
			one.end = *end
		}
		keys = append(keys, one)
	}
	return keys, nil
}

// npmSame compares a package with the demanded one, exactly.
func npmSame(demand string, own pkg) bool {
	d, err := parsePURL(demand)
	return err == nil && own.is(d)
}
