package attest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// provenance checks a build provenance of which the signature holds. All that
// it says is said by the signer; what keeps it honest is, in this order:
//
//   - the builder: only a demanded pair of signer and builder.id, at most at the
//     level that the pair is trusted for (SLSA v1, "Verifying artifacts", step 1);
//   - the source: every place of the statement that names it must agree, and so
//     must the certificate, which knows the repository whose workflow ran. A
//     signer of one repository can write another one into a statement; it is
//     believed only when the demand names its pair with the builder, signer included;
//   - the expectations (step 2): source, tag or branch, workflow, inputs, package.
//
// All are compared exactly and case-sensitively.
func provenance(req *Request, signed Result) Result {
	r := stating(KindProvenance, signed)
	b, err := parseBuild(signed.Statement.PredicateType, signed.Statement.Predicate)
	if err != nil {
		return unread(r, err)
	}
	b.settle(parseOrigin(signed.Claims.Source).repository)
	r.Claims.Builder, r.Claims.BuildType, r.Claims.Invocation, r.Claims.Workflow = b.builder, b.buildType, b.invocation, b.workflow
	r.Claims.Source, r.Claims.Ref, r.Claims.Commit = firstSaid(b.sources), firstSaid(b.refs), firstSaid(b.commits)
	r.Claims.Runner = signed.Claims.Runner
	if c := signed.Claims; c.Source != "" && r.Claims.Source == parseOrigin(c.Source).repository { // what the statement leaves out
		r.Claims.Ref, r.Claims.Commit, r.Claims.Workflow = cmp.Or(r.Claims.Ref, c.Ref), cmp.Or(r.Claims.Commit, c.Commit), cmp.Or(r.Claims.Workflow, c.Workflow)
	}
	if !b.at.IsZero() {
		r.Claims.At = &b.at
	}
	pair := checkBuilder(&req.Demand, &r, b)
	checks := []func() bool{
		func() bool { return pair != nil },
		func() bool { return checkLevel(&req.Demand, &r) },
		func() bool { return checkAgreement(&r, b, signed.Claims, pair.explicit) },
		func() bool { return checkSource(&req.Demand, &r, b) },
		func() bool { return checkRef(&req.Demand, &r) },
		func() bool { return checkWorkflow(&req.Demand, &r, b) },
		func() bool { return checkPackage(req, &r, signed.Statement) },
	}
	for _, holds := range checks {
		if !holds() {
			r.Status = Rejected
			return r
		}
	}
	r.Status = Verified
	r.Reason = "its signer says how the artifact was built"
	if len(req.Demand.Builders) > 0 {
		r.Reason = "it was built as demanded, says a signer that is trusted for this builder"
	}
	return r
}

// trustedPair is what the demand says of a signer and a builder.
type trustedPair struct {
	level    int
	explicit bool // the demand names the signer together with the builder
}

// checkBuilder finds the level that this signer is trusted for with this
// builder. It returns nil when the demand names builders and not this pair.
func checkBuilder(d *Demand, r *Result, b *build) *trustedPair {
	pair := trustedPair{level: 1}
	if b.builder == "" {
		pair.level = 0
		r.Notes = append(r.Notes, "it names no builder, so no build level follows from it")
	}
	if len(d.Builders) == 0 {
		r.Claims.Level = pair.level
		return &pair
	}
	var ids, signers []string
	found := false
	for _, t := range d.Builders {
		switch {
		case t.ID != b.builder || b.builder == "":
			ids = append(ids, t.ID)
		case t.Signer != "" && t.Signer != r.Identity:
			signers = append(signers, t.Signer)
		default:
			found = true
			pair.level = max(pair.level, t.MaxLevel)
			pair.explicit = pair.explicit || t.Signer != ""
		}
	}
	switch {
	case found:
		r.Claims.Level = pair.level
		return &pair
	case len(signers) > 0:
		fail(r, StepBuilder, "the builder is trusted, but not when this signer names it", joinFirst(signers), r.Identity)
	default:
		fail(r, StepBuilder, "it was not built by a demanded builder", joinFirst(ids), b.builder)
	}
	return nil
}

// namesSigner says whether the demand trusts this signer together with a builder:
// then it may speak of a source that is not the repository of its own workflow.
func (d *Demand) namesSigner(identity string) bool {
	return identity != "" && slices.ContainsFunc(d.Builders, func(t Builder) bool { return t.Signer == identity })
}

func checkLevel(d *Demand, r *Result) bool {
	if r.Claims.Level >= d.MinLevel {
		return true
	}
	return fail(r, StepLevel, "the signer is not trusted to say that the build has the demanded SLSA level",
		fmt.Sprintf("build level %d or higher", d.MinLevel), fmt.Sprintf("build level %d", r.Claims.Level))
}

// checkAgreement compares what a statement says in more than one place, and
// with what the certificate says.
func checkAgreement(r *Result, b *build, certificate Claims, explicit bool) bool {
	for _, c := range []struct {
		step      Step
		name      string
		list      []said
		certified string
	}{
		{StepSource, "source", b.sources, parseOrigin(certificate.Source).repository},
		{StepSource, "commit", b.commits, strings.ToLower(certificate.Commit)},
		{StepRef, "ref", b.refs, certificate.Ref},
	} {
		if len(c.list) == 0 {
			continue
		}
		here := c.list[0]
		for _, other := range c.list[1:] {
			if other.value != here.value {
				return fail(r, c.step, fmt.Sprintf("the statement contradicts itself: %s and %s name different %ss", here.where, other.where, c.name), here.value, other.value)
			}
		}
		switch {
		case c.certified == "" || c.certified == here.value:
		case explicit:
			r.Notes = append(r.Notes, fmt.Sprintf("the signer's certificate names the %s %s; the demand trusts the signer to say otherwise", c.name, c.certified))
		default:
			return fail(r, c.step, fmt.Sprintf("the statement names another %s than the certificate of its signer", c.name), c.certified, here.value)
		}
	}
	return true
}

func checkSource(d *Demand, r *Result, b *build) bool {
	switch {
	case d.Source == "":
		return true
	case b.problem != "":
		return fail(r, StepSource, "the provenance does not say its source: "+b.problem, d.Source, "")
	case r.Claims.Source == "":
		return fail(r, StepSource, "the provenance does not say its source", d.Source, "")
	case r.Claims.Source != d.Source:
		return fail(r, StepSource, "it was built from another source", d.Source, r.Claims.Source)
	case b.mustList && !b.listed:
		return fail(r, StepSource, "the provenance names its source, but does not list it among its materials", d.Source, "")
	}
	return true
}

func checkRef(d *Demand, r *Result) bool {
	tag, isTag := strings.CutPrefix(r.Claims.Ref, "refs/tags/")
	switch {
	case (d.Tag != "" || d.Branch != "") && r.Claims.Ref == "":
		return fail(r, StepRef, "the provenance does not say which tag or branch was built", d.Tag+d.Branch, "")
	case d.Tag != "" && (!isTag || !tagMatches(d.Tag, tag)):
		want := "refs/tags/" + d.Tag
		if version, ok := strings.CutPrefix(d.Tag, "semver:"); ok {
			want = "the tag of a release of " + version
		}
		return fail(r, StepRef, "it was not built from the demanded tag", want, r.Claims.Ref)
	case d.Branch != "" && r.Claims.Ref != "refs/heads/"+d.Branch:
		return fail(r, StepRef, "it was not built from the demanded branch", "refs/heads/"+d.Branch, r.Claims.Ref)
	}
	return true
}

func checkWorkflow(d *Demand, r *Result, b *build) bool {
	if d.Workflow != "" && d.Workflow != r.Claims.Workflow {
		return fail(r, StepWorkflow, "another workflow built it", d.Workflow, r.Claims.Workflow)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Inputs)) {
		given := b.input(name)
		if len(given) == 0 {
			return fail(r, StepWorkflow, fmt.Sprintf("the build had no input %q", name), d.Inputs[name], "")
		}
		for _, value := range given {
			if value != d.Inputs[name] {
				return fail(r, StepWorkflow, fmt.Sprintf("the input %q of the build was another", name), d.Inputs[name], value)
			}
		}
	}
	return true
}

// stating starts the result of a predicate with who signed it.
func stating(k Kind, signed Result) Result {
	return Result{Kind: k, Source: signed.Source, Covers: signed.Covers, Identity: signed.Identity, Issuer: signed.Issuer,
		KeyID: signed.KeyID, Times: signed.Times, Claims: Claims{PredicateType: signed.Statement.PredicateType}}
}

// unread is the result of a predicate that could not be read: unverifiable when it is of
// a kind that is not read here, rejected when it is not what it says it is.
func unread(r Result, err error) Result {
	r.Status, r.Step, r.Reason = Rejected, StepPredicate, err.Error()
	if errors.Is(err, errUnread) {
		r.Status = Unverifiable
	}
	return r
}

// fail notes the comparison that failed, and returns false.
func fail(r *Result, step Step, reason, expected, found string) bool {
	r.Status, r.Step, r.Reason, r.Expected, r.Found = Rejected, step, reason, expected, found
	return false
}

// firstSaid is the value of the first; "" when there is none.
func firstSaid(list []said) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].value
}

// joinFirst names the first few of a list.
func joinFirst(list []string) string { return strings.Join(firstOf(list, maxOthers), ", ") }
