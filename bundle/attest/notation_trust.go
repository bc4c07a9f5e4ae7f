package attest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/notaryproject/notation-core-go/revocation"
	"github.com/notaryproject/notation-core-go/revocation/result"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
)

const (
	// maxNotationPolicy bounds in bytes a trust policy.
	maxNotationPolicy = 4 << 20
	// noScope stands for the repository of an image of which none is known. The
	// domain is reserved (RFC 2606), so that no statement is about it.
	noScope = "image.invalid/unknown"
)

// notationPolicy is a trust policy, and the statement of it that applies.
type notationPolicy struct {
	source    string
	doc       trustpolicy.Document
	statement *trustpolicy.TrustPolicy
	level     *trustpolicy.VerificationLevel // as the operator wrote it
	scope     string                         // repository that the statement was chosen for
}

// readNotationPolicy reads a trust policy, which is the operator's. What it
// says that is not known here is an error, since it could be a restriction.
func readNotationPolicy(name string) (*notationPolicy, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the trust policy: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxNotationPolicy+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the trust policy: %w", err)
	case len(data) > maxNotationPolicy:
		return nil, fmt.Errorf("read the trust policy: %s has over %d bytes", name, maxNotationPolicy)
	}
	p := &notationPolicy{source: name}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p.doc); err != nil {
		return nil, fmt.Errorf("read the trust policy: %s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the trust policy: %s: more than one JSON value", name)
	}
	if err := p.doc.Validate(); err != nil {
		return nil, fmt.Errorf("read the trust policy: %s: %w", name, err)
	}
	return p, nil
}

// choose finds the statement for the repository that the operator named, or that
// the image was pulled from; else the one for every repository. What an image
// says of its own name chooses nothing.
func (p *notationPolicy) choose(named, pulled string) error {
	p.scope = noScope
	if pulled != "" {
		p.scope = pulled
	}
	if named != "" {
		p.scope = named
	}
	st, err := p.doc.GetApplicableTrustPolicy(p.scope + "@sha256:" + strings.Repeat("0", 64))
	switch {
	case err != nil && p.scope == noScope:
		return fmt.Errorf("%s has no statement for every repository (\"*\"): say with --notation-scope which repository the image is of", p.source)
	case err != nil:
		return fmt.Errorf("%s has no statement for the repository %s", p.source, p.scope)
	}
	p.statement = st
	p.level, err = st.SignatureVerification.GetVerificationLevel()
	return err
}

// document is the policy as the library gets it: the one statement, for this
// repository, with the signer's authenticity always enforced, and with the steps
// only logged that depend on the clock, which are judged here.
func (p *notationPolicy) document(stamped bool) *trustpolicy.Document {
	st := *p.statement
	st.RegistryScopes = []string{p.scope}
	st.SignatureVerification = trustpolicy.SignatureVerification{
		VerificationLevel: trustpolicy.LevelStrict.Name,
		Override: map[trustpolicy.ValidationType]trustpolicy.ValidationAction{
			trustpolicy.TypeExpiry:             trustpolicy.ActionLog,
			trustpolicy.TypeAuthenticTimestamp: trustpolicy.ActionLog,
			trustpolicy.TypeRevocation:         trustpolicy.ActionLog,
		},
		VerifyTimestamp: trustpolicy.OptionAlways,
	}
	if !stamped { // then no authority is asked about
		st.TrustStores = slices.DeleteFunc(slices.Clone(st.TrustStores), isTSA)
	}
	return &trustpolicy.Document{Version: p.doc.Version, TrustPolicies: []trustpolicy.TrustPolicy{st}}
}

// isTSA says whether a trust store of a statement holds timestamp authorities.
func isTSA(store string) bool { return strings.HasPrefix(store, string(truststore.TypeTSA)+":") }

// offlineRevocation answers in the place of the library's validators, which ask
// servers that certificates name. A certificate that names none cannot be asked
// about, and that is an answer (trust policy specification, "Certificate
// Revocation Evaluation").
type offlineRevocation struct {
	waived  bool // the trust policy does not enforce it
	unknown bool // an answer was asked for that only the network has
}

// ValidateContext implements [revocation.Validator].
func (o *offlineRevocation) ValidateContext(_ context.Context, opts revocation.ValidateContextOptions) ([]*result.CertRevocationResult, error) {
	var out []*result.CertRevocationResult
	for i, cert := range opts.CertChain {
		r := result.ResultNonRevokable
		root := i == len(opts.CertChain)-1
		if !o.waived && !root && len(cert.OCSPServer)+len(cert.CRLDistributionPoints) > 0 {
			r, o.unknown = result.ResultUnknown, true
		}
		out = append(out, &result.CertRevocationResult{Result: r})
	}
	return out, nil
}

// notationStore is the folder of the trust store: what the operator named, or
// truststore beside the policy. notation itself keeps it there.
func (d *Demand) notationStore() string {
	if d.NotationStore != "" {
		return d.NotationStore
	}
	return filepath.Join(filepath.Dir(d.NotationPolicy), "truststore")
}

// storeFolder is a trust store at any place: the library expects a folder named
// truststore in a folder that it is told.
type storeFolder string

// Open implements [fs.FS].
func (s storeFolder) Open(name string) (fs.File, error) {
	return os.DirFS(string(s)).Open(strings.TrimPrefix(name, "truststore/"))
}

// SysPath returns a path below the folder.
func (s storeFolder) SysPath(items ...string) (string, error) {
	rest := filepath.Join(items...)
	rest = strings.TrimPrefix(filepath.ToSlash(rest), "truststore/")
	return filepath.Join(string(s), filepath.FromSlash(rest)), nil
}

// anyMatches says whether a pattern, anchored at both ends, matches one of some names.
func anyMatches(pattern string, names []string) (bool, error) {
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return false, fmt.Errorf("the pattern %q: %w", pattern, err)
	}
	for _, n := range names {
		if re.MatchString(n) {
			return true, nil
		}
	}
	return false, nil
}
