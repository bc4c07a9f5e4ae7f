package attest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
)

// Request is one question: is this subject signed, and built, as demanded?
type Request struct {
	Subject  *Subject
	Evidence []Evidence
	Embedded []Embedded // what the artifact carries inside itself
	Demand   Demand
	Now      time.Time // the clock that judges what has no trusted time of its own

	trusted *sigstoreRoot // the demand's root, once it was read
}

// Embedded checks what an artifact carries inside itself. It returns nothing
// when the artifact is not of its kind, and one Missing result when it is and
// carries no signature.
type Embedded func(context.Context, *Request) []Result

// Outcome is the answer.
type Outcome struct {
	Status  Status
	Results []Result // in the order of the evidence, what decided first within one status
}

// Verify answers the request. Only a cancelled context is an error: whatever
// else goes wrong is a result.
//
// The status is verified when a signature is, and so is whatever else the
// demand asks for (a provenance, a summary). Evidence that does not hold beside one that
// does is listed and changes nothing, since anybody can put a file beside an
// artifact; nor does a signature count under which a trusted signer says what the
// demand does not allow. But a signature inside the artifact that does not hold means
// changed bytes, and rejects.
func Verify(ctx context.Context, req Request) (Outcome, error) {
	var out Outcome
	for _, check := range req.Embedded {
		out.Results = append(out.Results, guard(func() []Result { return embedded(ctx, &req, check) }, "the artifact itself")...)
	}
	for _, ev := range unfold(req.Evidence) {
		if err := ctx.Err(); err != nil {
			return Outcome{}, err
		}
		out.Results = append(out.Results, guard(func() []Result { return verifyOne(ctx, &req, ev) }, ev.Source)...)
	}
	out.Status = judge(&req, &out)
	return out, ctx.Err()
}

// verifier checks evidence of one format. It never returns an empty list.
type verifier func(context.Context, *Request, Evidence) []Result

// verifiers lists the formats.
func verifiers() map[Format]verifier {
	return map[Format]verifier{
		FormatBundle:         verifySigstore,
		FormatCosignBundle:   verifyCosignBundle,
		FormatCosignFiles:    verifyLegacy,
		FormatEnvelope:       verifyEnvelope,
		FormatNPM:            verifyList,
		FormatPEP740:         verifyList,
		FormatSimple:         verifySimple,
		FormatImageStatement: verifyImageStatement,
		FormatJWS:            verifyNotation,
		FormatCOSE:           verifyNotation,
		FormatCloudBuild:     verifyCloudBuild,
		FormatPackument:      verifyPackument,
		FormatMinisign:       verifyMinisign,
		FormatPGP:            verifyPGP,
		FormatRaw:            verifyDetached,
	}
}

func verifyOne(ctx context.Context, req *Request, ev Evidence) []Result {
	if ev.Fault != nil {
		r := faulty(ev)
		r.Source = ev.Source
		return []Result{r}
	}
	if ev.Format == "" {
		ev.Format = Sniff(ev.Data)
	}
	if ev.Format == FormatRaw && fulcioIssued(ev.Certificate) {
		ev.Format = FormatCosignFiles
	}
	verify, ok := verifiers()[ev.Format]
	if !ok {
		r := cannot(KindX509, StepParse, fmt.Sprintf("nothing here reads evidence of the format %s", ev.Format))
		r.Source = ev.Source
		return []Result{r}
	}
	sum := sha256.Sum256(ev.Data)
	var out []Result
	for _, r := range verify(ctx, req, ev) {
		r.Digest = cmp.Or(r.Digest, "sha256:"+hex.EncodeToString(sum[:]))
		r.Source = cmp.Or(r.Source, ev.Source)
		r = unsaid(&req.Demand, ofImage(req.Subject, ev, r))
		r.sealed = r.Status == Unverifiable && bytes.Contains(ev.Data, []byte(`"payloadType"`))
		var states []Result
		if r.Status == Verified && r.Statement != nil {
			states = predicate(req, r)
		}
		for i, p := range states {
			states[i].Source, states[i].Digest = cmp.Or(p.Source, r.Source), cmp.Or(p.Digest, r.Digest)
			r.denied = r.denied || p.Status == Rejected
			r.judges = r.judges || p.Kind == KindSummary || p.Kind == KindVulnerability || p.Kind == KindSBOM
		}
		out = append(append(out, r), states...)
	}
	return out
}

// embedded asks one format that lies inside the artifact.
func embedded(ctx context.Context, req *Request, check Embedded) []Result {
	out := check(ctx, req)
	for i := range out {
		out[i] = unsaid(&req.Demand, out[i])
	}
	return out
}

// guard turns a panic in a parser of outside bytes into a result.
func guard(f func() []Result, source string) (out []Result) {
	defer func() {
		if r := recover(); r != nil {
			bad := cannot(KindStatement, StepParse, fmt.Sprintf("internal error: %v", r))
			bad.Source = source
			out = []Result{bad}
		}
	}()
	return f()
}

// unfold splits evidence of many documents into single ones.
func unfold(list []Evidence) []Evidence {
	var out []Evidence
	for _, ev := range list {
		if ev.Format == "" {
			ev.Format = Sniff(ev.Data)
		}
		if ev.Format != FormatLines {
			out = append(out, unlist(ev)...)
			continue
		}
		n := 0
		for _, one := range lines(ev) {
			docs := unlist(one)
			if n += len(docs); n > maxDocuments {
				out = append(out, Evidence{Source: one.Source, Format: FormatBundle, Fault: fmt.Errorf("%s holds more than %d documents, and no more are read", ev.Source, maxDocuments)})
				break
			}
			out = append(out, docs...)
		}
	}
	return out
}

// maxDocuments bounds how many documents of one file are looked at.
const maxDocuments = 10_000

// lines splits a stream of JSON documents, one a line or not, or an array of them.
func lines(ev Evidence) []Evidence {
	var docs []json.RawMessage
	text := bytes.TrimLeft(ev.Data, "\ufeff \t\r\n")
	d := json.NewDecoder(bytes.NewReader(text))
	array := json.Valid(text) && bytes.HasPrefix(text, []byte("["))
	if array {
		d.Token()
	}
	for len(docs) <= maxDocuments && (!array || d.More()) {
		var doc json.RawMessage
		at := d.InputOffset()
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil { // the reader of bundles says what is wrong with the rest
			docs = append(docs, bytes.TrimLeft(text[at:], " \t\r\n"))
			break
		}
		docs = append(docs, doc)
	}
	var out []Evidence
	for i, doc := range docs { // one more than are read, so that unfold says it
		if i > maxDocuments {
			break
		}
		one := ev
		one.Source, one.Data = fmt.Sprintf("%s, document %d", ev.Source, i+1), doc
		if one.Format = Sniff(doc); one.Format == FormatLines {
			one.Format = FormatBundle // an array in an array: the reader of bundles refuses it
		}
		out = append(out, one)
	}
	return out
}

// judge gives the status of the whole: the worst of what was asked for, each as
// good as its best evidence.
func judge(req *Request, out *Outcome) Status {
	for _, r := range out.Results {
		if r.Embedded && r.Status == Rejected {
			return Rejected
		}
	}
	worst := Verified
	for _, q := range asked(req) {
		best, there := Missing, false
		for _, r := range out.Results {
			status := r.Status
			if r.denied && q.kinds == nil && q.types == nil {
				status = Rejected // a signature over a statement is worth what its statement is
			}
			if q.answeredBy(&req.Demand, r) && (!there || rank(status) > rank(best)) {
				best, there = status, true
			}
		}
		if !there {
			r := absent(req.Subject, q)
			if !q.ofStatement() && slices.ContainsFunc(out.Results, func(r Result) bool { return r.judges }) {
				r.Reason = "what is signed is only what somebody found about the artifact (a summary, its packages, what is known against them), and not the artifact itself"
			}
			if q.ofStatement() && slices.ContainsFunc(out.Results, func(r Result) bool { return r.sealed }) {
				best = Unverifiable
				r.Status, r.Reason = best, r.Reason+", and one that there is cannot be verified here"
			}
			out.Results = append(out.Results, r)
		}
		if worse(best) > worse(worst) {
			worst = best
		}
	}
	return worst
}

// rank orders the statuses of several pieces of evidence for one question: one
// that holds answers it; one that does not hold says more than one that cannot be
// checked, and that more than nothing.
func rank(s Status) int {
	return map[Status]int{Verified: 3, Rejected: 2, Unverifiable: 1, Missing: 0}[s]
}

// worse orders the statuses of several questions that all must be answered.
func worse(s Status) int {
	return map[Status]int{Verified: 0, Unverifiable: 1, Missing: 2, Rejected: 3}[s]
}

// question is one thing that a demand asks for. Its zero value asks for a signature of
// any format.
type question struct {
	kinds []Kind   // of which one must be verified
	types []string // predicate types, likewise
	// certified says that the certificate of a signature over the bytes themselves
	// answers too: its authority names the source repository of the run that signed.
	certified bool
}

func (q question) answeredBy(d *Demand, r Result) bool {
	switch {
	case q.certified && r.Status == Verified && r.Statement == nil && r.Claims.Source != "" && r.Claims.Source == certSource(d.Source):
		return true
	case q.kinds != nil:
		return slices.Contains(q.kinds, r.Kind)
	case q.types != nil:
		return isPredicate(r.Kind) && slices.Contains(q.types, r.Claims.PredicateType)
	}
	return !isPredicate(r.Kind) && d.counts(r.Kind) && !(d.OfArtifact && r.judges)
}

// ofStatement says whether a statement answers.
func (q question) ofStatement() bool {
	return len(q.types) > 0 || slices.ContainsFunc(q.kinds, isPredicate)
}

// asked lists what the demand asks for.
func asked(req *Request) []question {
	out := []question{{}}
	d := &req.Demand
	if d.wantsProvenance() {
		out = append(out, question{kinds: []Kind{KindProvenance}, certified: d.onlySource()})
	}
	if d.wantsSummary() {
		out = append(out, question{kinds: []Kind{KindSummary}})
	}
	if d.Package != "" && !d.wantsProvenance() {
		out = append(out, question{kinds: []Kind{KindProvenance, KindPublish, KindNPMSignature}})
	}
	if d.MaxAge > 0 && !d.wantsSummary() {
		out = append(out, question{kinds: []Kind{KindSummary, KindVulnerability}})
	}
	if len(d.Predicate) > 0 {
		out = append(out, question{types: d.Predicate})
	}
	if len(d.Profiles) > 0 || d.EntryDigests != nil {
		out = append(out, question{kinds: []Kind{KindAWSSigner}})
	}
	return out
}

// counts says whether a signature of this format answers the demand.
func (d *Demand) counts(k Kind) bool { return len(d.Kinds) == 0 || slices.Contains(d.Kinds, k) }

func (d *Demand) wantsProvenance() bool {
	return d.WantProvenance || len(d.Builders) > 0 || d.MinLevel > 0 || d.Source != "" || d.Tag != "" || d.Branch != "" || d.Workflow != "" || len(d.Inputs) > 0
}

// onlySource says whether nothing of a provenance is demanded but its source.
func (d *Demand) onlySource() bool {
	rest := *d
	rest.Source = ""
	return d.Source != "" && !rest.wantsProvenance()
}

func (d *Demand) wantsSummary() bool {
	return d.VerifierID != "" || d.ResourceURI != "" || len(d.Levels) > 0 || d.PolicyDigest != ""
}

// Closer says whether a status is nearer to a success than another one, for
// several pieces of evidence of which one is enough.
func Closer(a, b Status) bool { return rank(a) > rank(b) }

// Signatures says whether a kind is a signature, and not a statement that one vouches for.
func Signatures(k Kind) bool { return !isPredicate(k) }

// Provenances says whether a kind is a statement about a build.
func Provenances(k Kind) bool { return k == KindProvenance }

// InArtifact lists what can be inside an artifact of a kind, as
// [bundle.Kind] writes it; "" for a file of which nothing is known yet.
func InArtifact(kind string) []Embedded {
	switch bundle.Kind(kind) {
	case "", bundle.KindZip, bundle.KindJar:
		return []Embedded{verifyAWSSigner, verifyJar}
	}
	return nil
}

func isPredicate(k Kind) bool {
	switch k {
	case KindProvenance, KindSummary, KindPublish, KindSBOM, KindVulnerability, KindStatement:
		return true
	}
	return false
}

// absent is the result for something that was asked for and of which there is
// nothing.
func absent(s *Subject, q question) Result {
	r := Result{Kind: KindSigstore, Status: Missing, Step: StepFind, Reason: "no signature was found inside the artifact or beside it"}
	switch {
	case q.kinds == nil && q.types == nil && s.MediaType != "":
		r.Kind, r.Reason = KindCosignImage, "no signature is attached to the image, nor to an index that names it"
	case slices.Contains(q.kinds, KindAWSSigner):
		r.Kind, r.Reason = KindAWSSigner, "the artifact has no signature of AWS Signer inside"
	case q.kinds != nil:
		r.Kind, r.Reason = q.kinds[0], fmt.Sprintf("no verified statement of the kind %s is about the artifact", q.kinds[0])
	case q.types != nil:
		r.Kind, r.Step, r.Reason = KindStatement, StepPredicate, "no verified statement of a demanded predicate type is about the artifact"
		r.Expected = joinFirst(q.types)
	}
	return r
}
