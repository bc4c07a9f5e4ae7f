package attest

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

const (
	// maxPGP bounds in bytes a signature, and maxRing a key ring.
	maxPGP  = 1 << 20
	maxRing = 32 << 20

	// maxPGPSignatures bounds how many signatures of one file are checked: for each
	// of them the whole artifact is hashed.
	maxPGPSignatures = 16

	pgpKeyBlock = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
)

// verifyPGP checks a detached OpenPGP signature (RFC 9580), armored or binary, by
// the keys of the operator's key rings.
func verifyPGP(_ context.Context, req *Request, ev Evidence) []Result {
	if req.Subject.Bytes == nil {
		return []Result{cannot(KindPGP, StepDigest, "the signature is over the bytes of the artifact, and only a digest was given")}
	}
	sig, err := pgpSignature(ev.Data)
	if err != nil {
		return []Result{reject(KindPGP, StepParse, err.Error())}
	}
	if tooManyPGP(sig) {
		return []Result{cannot(KindPGP, StepParse, fmt.Sprintf("the file holds more than %d signatures, and no more are checked", maxPGPSignatures))}
	}
	rings, best := 0, Result{}
	for _, k := range req.Demand.Keys {
		ring := pgpRing(k.Data)
		if len(ring) == 0 {
			continue
		}
		rings++
		r := pgpCheck(req, k, ring, sig)
		if rings == 1 || rank(r.Status) > rank(best.Status) || best.Step == StepTrust {
			best = r
		}
	}
	if rings == 0 {
		best = cannot(KindPGP, StepTrust, "no OpenPGP key was given to check it with: give the signer's public key with --key")
	}
	if best.Step == StepTrust && rings > 0 {
		best.Status, best.Step = Rejected, StepSignature
	}
	return []Result{best}
}

// pgpSignature returns the packets of a signature file.
func pgpSignature(data []byte) ([]byte, error) {
	switch {
	case len(data) > maxPGP:
		return nil, fmt.Errorf("a signature of %d bytes, more than %d", len(data), maxPGP)
	case !bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("-----BEGIN PGP")):
		return data, nil
	}
	block, err := armor.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the armor of the signature: %w", err)
	}
	if block.Type != openpgp.SignatureType {
		return nil, fmt.Errorf("the file holds a %s, not a detached signature", block.Type)
	}
	packets, err := io.ReadAll(io.LimitReader(block.Body, maxPGP))
	if err != nil {
		return nil, fmt.Errorf("the armor of the signature: %w", err)
	}
	return packets, nil
}

// tooManyPGP says whether there are more signatures than are checked.
func tooManyPGP(packets []byte) bool {
	n, r := 0, packet.NewReader(bytes.NewReader(packets))
	for n <= maxPGPSignatures {
		p, err := r.Next()
		if err != nil {
			return false // the check of the signature says what is wrong
		}
		if _, ok := p.(*packet.Signature); ok {
			n++
		}
	}
	return true
}

// pgpRing reads the keys of a file, armored (also several blocks) or binary. It
// is empty for a file of another kind.
func pgpRing(data []byte) openpgp.EntityList {
	if len(data) > maxRing {
		return nil
	}
	if !bytes.Contains(data, []byte(pgpKeyBlock)) {
		if len(data) == 0 || data[0]&0x80 == 0 {
			return nil
		}
		ring, err := openpgp.ReadKeyRing(bytes.NewReader(data))
		if err != nil {
			return nil
		}
		return ring
	}
	var all openpgp.EntityList
	for _, part := range bytes.Split(data, []byte(pgpKeyBlock))[1:] {
		ring, err := openpgp.ReadArmoredKeyRing(io.MultiReader(strings.NewReader(pgpKeyBlock), bytes.NewReader(part)))
		if err == nil {
			all = append(all, ring...)
		}
	}
	return all
}

// pgpCheck verifies a signature by one key ring. Its step is StepTrust when
// another key signed.
func pgpCheck(req *Request, k Key, ring openpgp.EntityList, sig []byte) Result {
	config := &packet.Config{
		Time:                        func() time.Time { return req.Now },
		RejectMessageHashAlgorithms: weakPGP(),
	}
	r := Result{Kind: KindPGP}
	fail := func(step Step, reason string) Result {
		r.Status, r.Step, r.Reason = Rejected, step, reason
		return r
	}
	md, err := openpgp.VerifyDetachedSignatureReader(ring, req.Subject.Reader(), bytes.NewReader(sig), config)
	if err != nil {
		return fail(StepParse, "not an OpenPGP signature: "+err.Error())
	}
	if _, err := io.Copy(io.Discard, md.UnverifiedBody); err != nil {
		return fail(StepParse, "the signature cannot be read: "+err.Error())
	}
	err = md.SignatureError
	if c := md.SelectedCandidate; c != nil {
		r.KeyID = fmt.Sprintf("%016X", c.IssuerKeyId)
		if c.SignedByEntity != nil {
			r.Identity = pgpFingerprint(c.SignedByEntity.PrimaryKey)
		}
	}
	switch {
	case err == nil && md.SignedBy != nil:
		return pgpSigner(req, k, r, md, config)
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		r.Expected, r.Found = pgpIDs(ring), r.KeyID
		return fail(StepTrust, "it is by another key than the given ones")
	case errors.Is(err, pgperrors.ErrSignatureExpired) && md.SelectedCandidate.CorrespondingSig.CreationTime.After(req.Now):
		return fail(StepTime, "it says it was signed in the future")
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return fail(StepExpiry, "the signature has expired, as its signer wrote into it")
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return fail(StepExpiry, "the key had expired when it signed")
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return fail(StepRevocation, "the key was revoked")
	case err != nil && strings.Contains(err.Error(), "insecure"):
		return fail(StepSignature, "the signature holds nothing: "+err.Error())
	case err == nil:
		return fail(StepSignature, "no signature in it could be checked")
	}
	return fail(StepSignature, "the artifact is not what this key signed: "+err.Error())
}

func weakPGP() map[crypto.Hash]bool {
	return map[crypto.Hash]bool{crypto.MD5: true, crypto.SHA1: true, crypto.RIPEMD160: true}
}

// pgpSigner judges the key of a signature that holds. The library asked whether
// the key was good when it signed, which the signer says himself; whoever stole
// an old key says the same. So the key must be good now.
func pgpSigner(req *Request, k Key, r Result, md *openpgp.MessageDetails, config *packet.Config) Result {
	e, sig := md.SignedBy.Entity, md.Signature
	r.Times = []Time{{At: sig.CreationTime.UTC(), Clock: "signer (self-asserted)"}}
	fail := func(status Status, step Step, reason string) Result {
		r.Status, r.Step, r.Reason = status, step, reason
		return r
	}
	judged := req.Now
	switch {
	case sig.SigType != packet.SigTypeBinary:
		return fail(Unverifiable, StepSignature, "a signature over text: it holds whatever the line ends are, so it is not over these very bytes")
	case pgpRevoked(md.SignedBy, req.Now):
		return fail(Rejected, StepRevocation, "the key was revoked; a revoked key can say any time of signing")
	}
	if _, ok := e.SigningKeyById(req.Now, md.SignedBy.PublicKey.KeyId, config); !ok {
		if !req.Demand.AllowExpiredKeys {
			return fail(Rejected, StepExpiry, "the signature holds, but the key has expired since, and only the signer says that it is older: accept that with --allow-expired-keys, or get the renewed key")
		}
		r.Notes = append(r.Notes, "the key has expired; that it signed before is said by the signer alone")
		judged = sig.CreationTime
	}
	ids := pgpUsers(e, judged, config)
	if len(ids) > 0 {
		r.Notes = append(r.Notes, "user: "+strings.Join(firstOf(ids, 3), ", "))
	}
	if bad := pgpNamed(&req.Demand, r, pgpNames(md.SignedBy, e, ids)); bad != nil {
		return *bad
	}
	return underKey(req, r, k, "what the signature keeps in its unhashed part is not signed")
}

// pgpRevoked says whether the key that signed, or the primary key over it, is
// revoked, whatever the reason and the day.
func pgpRevoked(k *openpgp.Key, now time.Time) bool {
	if k.Entity.Revoked(now) {
		return true
	}
	for i := range k.Entity.Subkeys {
		s := &k.Entity.Subkeys[i]
		if s.PublicKey.KeyId == k.PublicKey.KeyId && s.Revoked(nil, now) {
			return true
		}
	}
	return false
}

// pgpUsers lists the user ids that the key binds, sorted.
func pgpUsers(e *openpgp.Entity, at time.Time, config *packet.Config) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(e.Identities)) {
		if _, err := e.Identities[name].Verify(at, config); err == nil {
			out = append(out, name)
		}
	}
	return out
}

// pgpNames are the names that an identity may be compared with: fingerprints
// of the primary key and of the one that signed, user ids and their addresses.
func pgpNames(signed *openpgp.Key, e *openpgp.Entity, ids []string) []string {
	out := []string{pgpFingerprint(e.PrimaryKey), pgpFingerprint(signed.PublicKey)}
	for _, name := range ids {
		out = append(out, name)
		if mail := e.Identities[name].UserId.Email; mail != "" {
			out = append(out, mail)
		}
	}
	return out
}

// pgpNamed compares the demanded identity with the names of the key; nil when
// it is one of them or none was demanded.
func pgpNamed(d *Demand, r Result, names []string) *Result {
	want, pattern := d.Identity, d.IdentityRegexp
	if hex := strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(want, "0x"), " ", "")); isFingerprint(hex) {
		want = hex
	}
	bad := differs(KindPGP, StepIdentity, "the signature holds, but the signer is another", cmp.Or(want, pattern), strings.Join(names, "; "))
	bad.Identity, bad.KeyID, bad.Times, bad.Notes = r.Identity, r.KeyID, r.Times, r.Notes
	if want != "" && !slices.Contains(names, want) {
		return &bad
	}
	if pattern == "" {
		return nil
	}
	re, _, err := anchor(pattern)
	if err != nil {
		bad.Status, bad.Step, bad.Reason = Unverifiable, StepPolicy, fmt.Sprintf("the demanded pattern %q cannot be read: %v", pattern, err)
		return &bad
	}
	if !slices.ContainsFunc(names, re.MatchString) {
		return &bad
	}
	return nil
}

// isFingerprint says whether text is a fingerprint of version 4 or 6.
func isFingerprint(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789ABCDEF") == ""
}

func pgpFingerprint(k *packet.PublicKey) string { return fmt.Sprintf("%X", k.Fingerprint) }

func pgpIDs(ring openpgp.EntityList) string {
	var out []string
	for _, e := range ring {
		out = append(out, fmt.Sprintf("%016X", e.PrimaryKey.KeyId))
	}
	return strings.Join(firstOf(out, 3), ", ")
}
