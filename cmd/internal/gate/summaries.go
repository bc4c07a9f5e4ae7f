package gate

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
)

// Verified is a summary that holds: its signer is the one who is trusted to speak
// for the verifier, and it says that its subject passed.
type Verified struct {
	Summary
	Digest string // "sha256:…" of the code that it is about
	Signer string
	Under  string // the policy that it was made under, by digest or URI; "" when it does not say
	Source string // the file
}

// Summaries are those of a folder.
type Summaries struct {
	Hold    []Verified
	Refused int    // that do not hold, or cannot be checked
	Why     string // of the first of them
	Files   int    // that were looked at

	marks [][]byte
}

// summaryMarks are what the type of a summary's predicate is in the base64 of an
// envelope, at each of the three places where it can begin. A file without one is
// not looked into: beside each summary lie a bill of materials and a list
// of vulnerabilities, which are long. A summary that spells its type otherwise
// does not count.
func summaryMarks() [][]byte {
	const word = "verification_summary"
	var out [][]byte
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
		out = append(out, []byte(text[4:4*((shift+len(word))/3)])) // whole groups of which every byte is the word's
	}
	return out
}

// Bounds of a folder of summaries.
const (
	maxSummaries    = 200_000 // files
	maxSummaryDepth = 16      // folders
)

// ReadSummaries verifies every summary in a folder and the folders in it, in the
// order of their paths. Files that hold something else are passed over. Every
// summary is held against the digest that it says it is about: whoever asks for
// a digest finds those that hold for it. Only what keeps the folder from being
// read, and a cancelled ctx, is an error.
func ReadSummaries(ctx context.Context, dir string, d attest.Demand, now time.Time) (Summaries, error) {
	out := Summaries{marks: summaryMarks()}
	at, err := filepath.EvalSymlinks(dir) // a walk does not follow the folder itself
	if err != nil {
		return out, fmt.Errorf("read the summaries in %s: %w", dir, err)
	}
	err = filepath.WalkDir(at, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir():
			if rel, err := filepath.Rel(at, name); err == nil && strings.Count(filepath.ToSlash(rel), "/") >= maxSummaryDepth {
				return fmt.Errorf("%s lies more than %d folders deep", name, maxSummaryDepth)
			}
			return nil
		case !e.Type().IsRegular():
			return nil
		}
		if out.Files++; out.Files > maxSummaries {
			return fmt.Errorf("more than %d files", maxSummaries)
		}
		return out.take(ctx, name, d, now)
	})
	if err != nil {
		return out, fmt.Errorf("read the summaries in %s: %w", dir, err)
	}
	return out, nil
}

// take reads a file, if it holds a summary.
func (s *Summaries) take(ctx context.Context, name string, d attest.Demand, now time.Time) error {
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	if st.Size() > maxSummary {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.marks, func(mark []byte) bool { return bytes.Contains(data, mark) }) {
		return nil
	}
	digest := about(data)
	if digest == "" {
		return nil
	}
	v, why, err := verifySummary(ctx, name, data, digest, d, now)
	if err != nil {
		return err
	}
	if why != "" {
		if s.Refused++; s.Why == "" {
			s.Why = fmt.Sprintf("%s: %s", name, why)
		}
		return nil
	}
	s.Hold = append(s.Hold, v)
	return nil
}

// verifySummary verifies the summary in a file for the digest that it is about.
// why is "" when it holds.
func verifySummary(ctx context.Context, name string, data []byte, digest string, d attest.Demand, now time.Time) (v Verified, why string, err error) {
	if !isDigest(digest) {
		return v, "it is not about a sha256 digest", nil
	}
	out, err := attest.Verify(ctx, attest.Request{
		Subject:  &attest.Subject{Name: name, Digests: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}},
		Evidence: []attest.Evidence{{Source: name, Data: data}}, Demand: d, Now: now,
	})
	if err != nil {
		return v, "", err
	}
	if out.Status != attest.Verified {
		return v, reasonOf(out), nil
	}
	signed, stated, ok := SummaryOf(out)
	if !ok {
		return v, "it holds no summary", nil
	}
	s, err := ReadSummary(signed.Statement)
	if err != nil {
		return v, err.Error(), nil
	}
	return Verified{Summary: s, Digest: digest, Signer: signed.Identity, Under: stated.Claims.Policy, Source: name}, "", nil
}

// SummaryOf returns the signature over the summary that holds, and what is said of
// the summary itself. A statement's results follow that of the envelope it was in.
func SummaryOf(out attest.Outcome) (signed, stated attest.Result, ok bool) {
	for _, r := range out.Results {
		if attest.Signatures(r.Kind) {
			signed = r
		}
		if r.Kind == attest.KindSummary && r.Status == attest.Verified {
			return signed, r, true
		}
	}
	return attest.Result{}, attest.Result{}, false
}

// reasonOf is why an outcome is not verified: what the last result says that is
// not, which is that of the statement, if it came so far.
func reasonOf(out attest.Outcome) string {
	why := "it does not hold"
	for _, r := range out.Results {
		if r.Status != attest.Verified && r.Reason != "" && (r.Kind == attest.KindSummary || attest.Signatures(r.Kind)) {
			why = r.Reason
			if r.Status == attest.Rejected {
				return why
			}
		}
	}
	return why
}
