package attest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// The versions of verification summaries that are read. v0.1 and v0.2 have the
// names in snake case and one level instead of a list.
const (
	summaryV01 = "https://slsa.dev/verification_summary/v0.1"
	summaryV02 = "https://slsa.dev/verification_summary/v0.2"
	summaryV1  = "https://slsa.dev/verification_summary/v1"
)

// summary checks a verification summary: somebody else's verdict on the
// artifact. The steps are those of the specification, version 1.2, "How to
// verify": signature and subject were checked before, then the verifier that
// the signer says it is, the resource, PASSED, the levels; and beyond it the
// policy and the age. The pair of signer and verifier holds because the demand
// names both: the signature was of the demanded key or identity.
func summary(req *Request, signed Result) Result {
	r := stating(KindSummary, signed)
	doc, err := signed.Statement.Document()
	if err != nil {
		return unread(r, fmt.Errorf("read the predicate: %w", err))
	}
	switch t := signed.Statement.PredicateType; t {
	case summaryV1:
		r.readV1(doc)
	case summaryV02, summaryV01:
		r.readV0(doc)
	default:
		return unread(r, fmt.Errorf("%w: the version %s of a verification summary", errUnread, t))
	}
	policies := digestAt(doc, "policy", "digest")
	r.Claims.Policy = textAt(doc, "policy", "uri")
	for _, alg := range []string{"sha256", "sha512"} {
		if d := policies[alg]; d != "" {
			r.Claims.Policy = alg + ":" + strings.ToLower(d)
			break
		}
	}
	d := &req.Demand
	switch {
	case r.Claims.Verifier == "":
		fail(&r, StepVerifier, "it does not say who verified", d.VerifierID, "")
	case d.VerifierID != "" && r.Claims.Verifier != d.VerifierID:
		fail(&r, StepVerifier, "another verifier made it", d.VerifierID, r.Claims.Verifier)
	case d.ResourceURI != "" && r.Claims.Resource != d.ResourceURI:
		fail(&r, StepResource, "it is about the artifact as another resource", d.ResourceURI, r.Claims.Resource)
	case r.Claims.Result != "PASSED":
		fail(&r, StepResult, "the verifier did not let it pass", "PASSED", r.Claims.Result)
	case !checkLevels(d, &r):
	case d.PolicyDigest != "" && !samePolicy(d.PolicyDigest, policies):
		fail(&r, StepPolicy, "it was made under another policy", d.PolicyDigest, r.Claims.Policy)
	case !checkAge(req, &r):
	default:
		r.Status, r.Reason = Verified, "a verifier says that the artifact passed"
	}
	return r
}

func (r *Result) readV1(doc any) {
	r.Claims.Verifier = textAt(doc, "verifier", "id")
	r.Claims.Resource = textAt(doc, "resourceUri")
	r.Claims.Result = textAt(doc, "verificationResult")
	for _, l := range listAt(doc, "verifiedLevels") {
		if s, ok := l.(string); ok {
			r.Claims.Levels = append(r.Claims.Levels, s)
		}
	}
	r.setTime(doc, "timeVerified")
}

func (r *Result) readV0(doc any) {
	r.Claims.Verifier = textAt(doc, "verifier", "id")
	r.Claims.Resource = textAt(doc, "resource_uri")
	r.Claims.Result = textAt(doc, "verification_result")
	if l := textAt(doc, "policy_level"); l != "" {
		r.Claims.Levels = []string{l}
	}
	r.setTime(doc, "time_verified")
}

// setTime notes the time of a field, if it is one.
func (r *Result) setTime(doc any, name string) {
	if t := timeAt(map[string]any{"": doc}, "", name); !t.IsZero() {
		r.Claims.At = &t
	}
}

// checkLevels demands every level of the demand. A level of a SLSA track
// implies those below it in the same track (verification summary v1,
// "SlsaResult"); anything else is compared as text.
func checkLevels(d *Demand, r *Result) bool {
	for _, have := range r.Claims.Levels {
		if have == "FAILED" {
			return fail(r, StepLevel, "it contradicts itself: it passed, and failed its levels", "", strings.Join(r.Claims.Levels, ", "))
		}
	}
	for _, want := range d.Levels {
		held := false
		for _, have := range r.Claims.Levels {
			held = held || implies(have, want)
		}
		if !held {
			return fail(r, StepLevel, "a demanded level was not verified", want, strings.Join(firstOf(r.Claims.Levels, 10), ", "))
		}
	}
	return true
}

var trackLevel = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(SLSA(?:_[A-Z]+)*_LEVEL)_(0|[1-9]\d?)$`) })

// implies says whether one level holds whenever another one does.
func implies(have, want string) bool {
	if have == want {
		return true
	}
	h, w := trackLevel().FindStringSubmatch(have), trackLevel().FindStringSubmatch(want)
	if h == nil || w == nil || h[1] != w[1] {
		return false
	}
	high, _ := strconv.Atoi(h[2])
	low, _ := strconv.Atoi(w[2])
	return high >= low
}

// samePolicy says whether a demanded digest, "ALG:VALUE", is one of a policy.
func samePolicy(demand string, digests map[string]string) bool {
	alg, value, err := ParseDigest(demand)
	return err == nil && strings.ToLower(digests[alg]) == value
}
