package attest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"
)

// maxMinisign bounds in bytes a signature file: minisign refuses comments over 8 KiB.
const maxMinisign = 32 << 10

// minisignature is a signature file of minisign, or of signify, which has no
// trusted comment (minisign's documentation, "Signature format"; signify(1)
// of OpenBSD 7).
type minisignature struct {
	hashed  bool // "ED": over the BLAKE2b-512 digest of the file
	keyID   [8]byte
	sig     []byte
	comment string // trusted: the second signature is over it
	global  []byte // nil: there is no trusted comment (signify)
}

// minisignKey is a public key of either tool.
type minisignKey struct {
	id  [8]byte
	pub ed25519.PublicKey
}

// name is the key id as minisign prints it.
func minisignName(id [8]byte) string {
	slices.Reverse(id[:])
	return fmt.Sprintf("%X", id[:])
}

func parseMinisign(data []byte) (s minisignature, err error) {
	if len(data) > maxMinisign {
		return s, fmt.Errorf("%d bytes, more than %d", len(data), maxMinisign)
	}
	lines := textLines(data)
	if len(lines) != 2 && len(lines) != 4 || !strings.HasPrefix(lines[0], "untrusted comment:") {
		return s, errors.New("want two lines (signify) or four (minisign), the first an untrusted comment")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines[1])
	if err != nil || len(raw) != 2+8+ed25519.SignatureSize {
		return s, errors.New("the second line is no signature of 74 bytes in base64")
	}
	switch alg := string(raw[:2]); {
	case alg == "Ed":
	case alg == "ED" && len(lines) == 4:
		s.hashed = true
	default:
		return s, fmt.Errorf("unknown signature algorithm %q", alg)
	}
	s.keyID, s.sig = [8]byte(raw[2:10]), raw[10:]
	if len(lines) == 2 {
		return s, nil
	}
	comment, ok := strings.CutPrefix(lines[2], "trusted comment: ")
	if !ok {
		return s, errors.New("the third line is no trusted comment")
	}
	s.comment = comment
	if s.global, err = base64.StdEncoding.Strict().DecodeString(lines[3]); err != nil || len(s.global) != ed25519.SignatureSize {
		return s, errors.New("the fourth line is no signature of 64 bytes in base64")
	}
	return s, nil
}

// parseMinisignKey reads a public key file, or the line of it that minisign
// takes as an argument. ok is false for what is none.
func parseMinisignKey(data []byte) (k minisignKey, ok bool) {
	lines := textLines(data)
	if len(lines) == 2 && strings.HasPrefix(lines[0], "untrusted comment:") {
		lines = lines[1:]
	}
	if len(data) > maxMinisign || len(lines) != 1 {
		return k, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines[0])
	if err != nil || len(raw) != 2+8+ed25519.PublicKeySize || string(raw[:2]) != "Ed" {
		return k, false
	}
	return minisignKey{[8]byte(raw[2:10]), raw[10:]}, true
}

// textLines splits text; an empty end is no line.
func textLines(data []byte) []string {
	text := strings.TrimRight(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "\r\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return lines
}

// verifyMinisign checks a signature of minisign or signify.
func verifyMinisign(_ context.Context, req *Request, ev Evidence) []Result {
	s, err := parseMinisign(ev.Data)
	if err != nil {
		return []Result{reject(KindMinisign, StepParse, "not a signature of minisign or signify: "+err.Error())}
	}
	r := Result{Kind: KindMinisign, KeyID: minisignName(s.keyID)}
	var known []string
	for _, k := range req.Demand.Keys {
		key, ok := parseMinisignKey(k.Data)
		if !ok {
			continue
		}
		if key.id == s.keyID {
			return []Result{s.check(req, r, k, key)}
		}
		known = append(known, minisignName(key.id))
	}
	if len(known) == 0 {
		r.Status, r.Step, r.Reason = Unverifiable, StepTrust, "no key of minisign or signify was given to check it with: give the signer's with --key"
		return []Result{r}
	}
	r.Status, r.Step, r.Reason = Rejected, StepSignature, "it names another key than the given one"
	r.Expected, r.Found = strings.Join(firstOf(known, 3), ", "), r.KeyID
	return []Result{r}
}

// check verifies a signature by the key that it names.
func (s *minisignature) check(req *Request, r Result, k Key, key minisignKey) Result {
	message, bad := s.message(req.Subject)
	if bad != nil {
		bad.KeyID = r.KeyID
		return *bad
	}
	fail := func(reason string) Result {
		r.Status, r.Step, r.Reason = Rejected, StepSignature, reason
		return r
	}
	if !ed25519.Verify(key.pub, message, s.sig) {
		return fail("the artifact is not what this key signed")
	}
	if s.global == nil {
		r.Notes = append(r.Notes, "the signature has no trusted comment, so nothing says when it was made or what it was called")
	} else {
		if !ed25519.Verify(key.pub, append(bytes.Clone(s.sig), s.comment...), s.global) {
			return fail("the artifact is what this key signed, but the trusted comment is not: it was changed")
		}
		r.Notes = append(r.Notes, fmt.Sprintf("trusted comment: %s", s.comment))
		if at, ok := commentTime(s.comment); ok {
			r.Times = []Time{{At: at, Clock: "signer (self-asserted)"}}
		}
	}
	return underKey(req, r, k, "the untrusted comment is not signed")
}

// message is what the signature is over.
func (s *minisignature) message(subject *Subject) ([]byte, *Result) {
	if !s.hashed {
		return wholeOf(KindMinisign, subject)
	}
	if subject.Bytes == nil {
		r := cannot(KindMinisign, StepDigest, "the signature is over a digest that only the bytes of the artifact have, and only a digest was given")
		return nil, &r
	}
	h, err := blake2b.New512(nil)
	if err == nil {
		_, err = io.Copy(h, subject.Reader())
	}
	if err != nil {
		r := cannot(KindMinisign, StepDigest, fmt.Sprintf("read the artifact: %v", err))
		return nil, &r
	}
	return h.Sum(nil), nil
}

// commentTime reads the time that minisign puts into its default comment.
func commentTime(comment string) (time.Time, bool) {
	for _, f := range strings.Fields(comment) {
		if v, ok := strings.CutPrefix(f, "timestamp:"); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			return time.Unix(n, 0).UTC(), err == nil && n > 0 && n < 1<<40
		}
	}
	return time.Time{}, false
}

// wholeOf reads an artifact that a signature is over as it is, without a hash.
func wholeOf(kind Kind, s *Subject) ([]byte, *Result) {
	bad := func(reason string) *Result {
		r := cannot(kind, StepDigest, reason)
		return &r
	}
	switch {
	case s.Bytes == nil:
		return nil, bad("the signature is over the bytes of the artifact, and only a digest was given")
	case s.Size > maxWhole:
		return nil, bad(fmt.Sprintf("the signature is over all bytes at once, and the artifact has %d, more than the %d that are read into memory", s.Size, maxWhole))
	}
	data := make([]byte, s.Size)
	if _, err := io.ReadFull(s.Reader(), data); err != nil {
		return nil, bad(fmt.Sprintf("read the artifact: %v", err))
	}
	return data, nil
}

// underKey is the result of a signature that holds under a key of the operator, who
// may have bounded when it is to be trusted and named its id.
func underKey(req *Request, r Result, k Key, notes ...string) Result {
	d := &req.Demand
	switch {
	case !k.covers(req.Now):
		r.Status, r.Step, r.Expected, r.Found = Rejected, StepExpiry, k.bounds(), day(req.Now)
		r.Reason = "the signature holds, but the key is not to be trusted at this time"
	case d.KeyID != "" && d.KeyID != r.KeyID && d.KeyID != r.Identity:
		r.Status, r.Step, r.Expected, r.Found = Rejected, StepIdentity, d.KeyID, r.KeyID
		r.Reason = "the signature holds, but by another key than the one with the demanded id"
	case d.Runner != "":
		r.Status, r.Step, r.Expected = Unverifiable, StepRunner, d.Runner
		r.Reason = "the signature holds, but a key does not say where the build ran"
	default:
		r.Status, r.Reason = Verified, "the signature holds, and it is by the key "+cmp.Or(k.Source, r.KeyID)
	}
	r.Notes = append(r.Notes, notes...)
	return r
}
