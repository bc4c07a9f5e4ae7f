package gate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	Refused []Refusal // those that do not hold, or cannot be checked, by the step that decided, the most frequent first
	Files   int       // that were looked at
}

// Refusal is why summaries do not count.
type Refusal struct {
	Step  attest.Step // that decided; "" when it holds and says something odd
	Count int
	First string // the file of the first of them
	Why   string // of that file
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

// ReadSummaries verifies every summary in a folder and the folders in it, several at a
// time. The result is in the order of their paths. Files that hold something else are
// passed over. Every summary is held against the digest that it says it is about:
// whoever asks for a digest finds those that hold for it. Of files with the same
// content one is verified; nothing is kept from run to run, since whoever could write
// there would need no signature. Only what keeps the folder from being read, and a
// cancelled ctx, is an error.
func ReadSummaries(ctx context.Context, dir string, d attest.Demand, now time.Time) (Summaries, error) {
	files, err := summaryFiles(ctx, dir)
	if err != nil {
		return Summaries{}, fmt.Errorf("read the summaries in %s: %w", dir, err)
	}
	read := summaryReader{demand: d, now: now, marks: summaryMarks()}
	found := make([]judged, len(files))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		all.Go(func() {
			var buf bytes.Buffer
			for i := int(next.Add(1)) - 1; i < len(files) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				found[i] = read.file(ctx, files[i], &buf)
			}
		})
	}
	all.Wait()
	out := Summaries{Files: len(files)}
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("read the summaries in %s: %w", dir, err)
	}
	at := map[attest.Step]int{}
	for i, j := range found {
		switch {
		case j.err != nil:
			return out, fmt.Errorf("read the summaries in %s: %w", dir, j.err)
		case j.holds:
			j.v.Source = files[i]
			out.Hold = append(out.Hold, j.v)
		case j.why != "":
			k, ok := at[j.step]
			if !ok {
				k = len(out.Refused)
				at[j.step] = k
				out.Refused = append(out.Refused, Refusal{Step: j.step, First: files[i], Why: j.why})
			}
			out.Refused[k].Count++
		}
	}
	slices.SortStableFunc(out.Refused, func(a, b Refusal) int { return b.Count - a.Count })
	return out, nil
}

// summaryFiles lists the files of a folder and the folders in it, by their paths.
func summaryFiles(ctx context.Context, dir string) ([]string, error) {
	at, err := filepath.EvalSymlinks(dir) // a walk does not follow the folder itself
	if err != nil {
		return nil, err
	}
	var out []string
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
		case len(out) == maxSummaries:
			return fmt.Errorf("more than %d files", maxSummaries)
		}
		out = append(out, name)
		return nil
	})
	return out, err
}

// summaryReader verifies summaries. It is safe for concurrent use.
type summaryReader struct {
	demand attest.Demand
	now    time.Time
	marks  [][]byte
	known  sync.Map // what was found, as a func() judged, by the digest of a file's content
}

// judged is what was found of a file. The zero value is one that is no summary.
type judged struct {
	v     Verified
	holds bool
	step  attest.Step
	why   string // it does not hold
	err   error
}

// file reads a file, if it holds a summary. What is read goes through buf.
func (r *summaryReader) file(ctx context.Context, name string, buf *bytes.Buffer) judged {
	f, err := os.Open(name)
	if err != nil {
		return judged{err: err}
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return judged{err: err}
	}
	if st.Size() > maxSummary {
		return judged{}
	}
	buf.Reset()
	buf.Grow(int(st.Size()) + bytes.MinRead)
	if _, err := buf.ReadFrom(io.LimitReader(f, maxSummary)); err != nil {
		return judged{err: err}
	}
	if !slices.ContainsFunc(r.marks, func(mark []byte) bool { return bytes.Contains(buf.Bytes(), mark) }) {
		return judged{}
	}
	data := bytes.Clone(buf.Bytes())
	once, _ := r.known.LoadOrStore(sha256.Sum256(data), sync.OnceValue(func() judged { return r.verify(ctx, name, data) }))
	return once.(func() judged)()
}

// verify verifies the summary that a file holds.
func (r *summaryReader) verify(ctx context.Context, name string, data []byte) judged {
	digest := claimed(data)
	if digest == "" {
		return judged{}
	}
	v, step, why, err := verifySummary(ctx, name, data, digest, r.demand, r.now)
	return judged{v: v, holds: err == nil && why == "", step: step, why: why, err: err}
}

// claimed is what the text of a bundle says that its summary is about: what holds
// for that digest, and whether it is a summary at all, the verification says. A
// text that cannot be read with care is read without, so that it is refused and not
// passed over. "" for another text.
func claimed(bundle []byte) string {
	if digest := about(bundle); digest != "" {
		return digest
	}
	var b struct {
		DSSE struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	if json.Unmarshal(bundle, &b) != nil {
		return ""
	}
	var s struct {
		Type    string `json:"predicateType"`
		Subject []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if json.Unmarshal(b.DSSE.Payload, &s) != nil || s.Type != SummaryType || len(s.Subject) == 0 {
		return ""
	}
	return "sha256:" + s.Subject[0].Digest["sha256"]
}

// verifySummary verifies the summary in a file for the digest that it is about.
// why is "" when it holds; else step is the one that decided.
func verifySummary(ctx context.Context, name string, data []byte, digest string, d attest.Demand, now time.Time) (v Verified, step attest.Step, why string, err error) {
	if !isDigest(digest) {
		return v, attest.StepDigest, "it is not about a sha256 digest", nil
	}
	out, err := attest.Verify(ctx, attest.Request{
		Subject:  &attest.Subject{Name: name, Digests: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}},
		Evidence: []attest.Evidence{{Source: name, Data: data}}, Demand: d, Now: now,
	})
	if err != nil {
		return v, "", "", err
	}
	if out.Status != attest.Verified {
		step, why = reasonOf(out)
		return v, step, why, nil
	}
	signed, stated, ok := SummaryOf(out)
	if !ok {
		return v, attest.StepPredicate, "it holds no summary", nil
	}
	s, err := ReadSummary(signed.Statement)
	if err != nil {
		return v, attest.StepPredicate, err.Error(), nil
	}
	return Verified{Summary: s, Digest: digest, Signer: signed.Identity, Under: stated.Claims.Policy, Source: name}, "", "", nil
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
func reasonOf(out attest.Outcome) (step attest.Step, why string) {
	why = "it does not hold"
	for _, r := range out.Results {
		if r.Status != attest.Verified && r.Reason != "" && (r.Kind == attest.KindSummary || attest.Signatures(r.Kind)) {
			step, why = r.Step, r.Reason
			if r.Status == attest.Rejected {
				break
			}
		}
	}
	return step, why
}
