package attest

import (
	"bytes"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// The embedded trust roots: the public keys and certificates of two Sigstore
// instances, as their operators publish them, unchanged. They are copies of one
// day; an operator who needs newer ones gives a file.
//
//   - public-good.trusted_root.json: the instance that everybody uses, from
//     targets/trusted_root.json of the TUF repository sigstore/root-signing at commit
//     60cf2ce8; sha256 6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66
//   - github.trusted_root.json: GitHub's instance for private repositories (its
//     authority is fulcio.githubapp.com, its clock timestamp.githubapp.com); sha256
//     484cdfe1a7c65479c5ba2a22193d1be90f0020db1997de696ab207434c62fbb7
//
//go:embed roots/*.json
var embeddedRoots embed.FS

// embeddedOn is the day on which the embedded roots were copied.
const embeddedOn = "2026-11-22"

// rootAge is how old an embedded root may be before a result warns. Instances
// rotate their keys about once a year.
const rootAge = 365 * 24 * time.Hour

// EmbeddedRoot returns a trust root that the program carries: "public-good" or
// "github".
func EmbeddedRoot(name string) (Root, error) {
	data, err := embeddedRoots.ReadFile("roots/" + name + ".trusted_root.json")
	if err != nil {
		return Root{}, fmt.Errorf("no trust root %q is embedded: the names are public-good and github", name)
	}
	on, err := time.Parse(time.DateOnly, embeddedOn)
	if err != nil {
		return Root{}, err
	}
	return Root{Source: fmt.Sprintf("embedded %s root of %s", name, embeddedOn), Sigstore: data, Dated: on}, nil
}

// sigstoreRoot is a trust root of a Sigstore instance, read once for a request.
type sigstoreRoot struct {
	root *root.TrustedRoot
	from Root
	err  error
}

// sigstoreRoot reads the trust root that the demand names, or the embedded one of
// the public-good instance when it names none at all.
func (req *Request) sigstoreRoot() *sigstoreRoot {
	if req.trusted != nil {
		return req.trusted
	}
	s := &sigstoreRoot{from: req.Demand.Root}
	req.trusted = s
	if s.from.Empty() {
		s.from, s.err = EmbeddedRoot("public-good")
	}
	switch {
	case s.err != nil:
	case s.from.Sigstore == nil:
		s.err = fmt.Errorf("the trust root that was given (%s) is none of a Sigstore instance", s.from.Source)
	default:
		if s.root, s.err = root.NewTrustedRootFromJSON(s.from.Sigstore); s.err != nil {
			s.err = fmt.Errorf("the trust root %s cannot be read: %w", s.from.Source, s.err)
		} else if len(s.root.FulcioCertificateAuthorities()) == 0 && len(s.root.RekorLogs()) == 0 && len(s.root.TimestampingAuthorities()) == 0 {
			s.err = errors.New("the trust root " + s.from.Source + " is empty")
		}
	}
	return s
}

// knows says what the root can vouch for: entries of a log, of a certificate log,
// and timestamps.
func (s *sigstoreRoot) knows() (logs, ctlogs, authorities bool) {
	return len(s.root.RekorLogs()) > 0, len(s.root.CTLogs()) > 0, len(s.root.TimestampingAuthorities()) > 0
}

// hasAuthority says whether one of the root's authorities has the key with an id
// (RFC 5280, section 4.2.1.1).
func (s *sigstoreRoot) hasAuthority(keyID []byte) bool {
	for _, ca := range s.root.FulcioCertificateAuthorities() {
		f, ok := ca.(*root.FulcioCertificateAuthority)
		if !ok {
			continue
		}
		for _, c := range append([]*x509.Certificate{f.Root}, f.Intermediates...) {
			if c != nil && len(keyID) > 0 && bytes.Equal(c.SubjectKeyId, keyID) {
				return true
			}
		}
	}
	return false
}

// notes says how old an embedded root is.
func (s *sigstoreRoot) notes(now time.Time) []string {
	if s.from.Dated.IsZero() {
		return nil
	}
	age := now.Sub(s.from.Dated)
	note := fmt.Sprintf("%s, %d days old", s.from.Source, max(0, int(age.Hours()/24)))
	if age > rootAge {
		note = "warning: " + note + ": keys may have been added or withdrawn since; give a newer one with --trusted-root"
	}
	return []string{note}
}
