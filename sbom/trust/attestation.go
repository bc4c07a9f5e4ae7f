package trust

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// The rules about who signed and who built a published version, and about
// whether that got worse. An attestation speaks of the archive that was
// published, not of the files that are shipped: Attested.Bound says what ties the two.
const (
	// RuleAttestationRejected: an attestation that the registry hands out for the
	// version does not hold, or is about another package, version or archive. High:
	// somebody put it there, and it was made neither by the builder nor for this archive.
	RuleAttestationRejected Rule = "attestation-rejected"

	// RuleSignatureRejected: the registry's signature is over another name, version
	// or digest than the registry tells now. High: what is served is not what was published.
	RuleSignatureRejected Rule = "signature-rejected"

	// RuleAttestationRequired: the policy demands a verified attestation of this
	// name, and there is none, or by another source than it allows. High: who
	// wrote the policy knows that there must be one.
	RuleAttestationRequired Rule = "attestation-required"

	// RuleProvenanceLost: earlier versions have an attestation of their build, this
	// one has none. Medium when the version right before it has one: that is what a
	// stolen publishing token looks like, and also a maintainer's release by hand. High
	// when it is also the first version by its publisher: then nobody who released it before
	// did so. Low when versions in between have none either: then it was given up before.
	RuleProvenanceLost Rule = "provenance-lost"

	// RulePublisherChanged: the version is the first one by its publisher, and others
	// published before. Low, since maintainers join; medium when provenance was lost or the
	// repository changed with it. A version whose build is attested is not asked: a
	// build service that takes over is the usual reason, and it is good news.
	RulePublisherChanged Rule = "publisher-changed"

	// RuleRepositoryChanged: the version names another source repository than the
	// one before it. Low, since projects move; medium when a verified attestation names the new
	// one too: then it was really built from there.
	RuleRepositoryChanged Rule = "repository-changed"

	// RuleProvenanceElsewhere: the verified attestation names another source
	// repository than the package declares. Medium; low for PyPI, which lets a
	// project write anything as its repository, and probable only.
	RuleProvenanceElsewhere Rule = "provenance-elsewhere"
)

// ProofStatus says what became of a proof. The zero value is ProofUnknown.
type ProofStatus int

// The statuses.
const (
	ProofUnknown  ProofStatus = iota // nobody could be asked, or it cannot be checked here
	ProofMissing                     // the registry keeps such, and has none for this version
	ProofClaimed                     // the registry says that there is one; it was not checked
	ProofRejected                    // it was checked, and does not hold
	ProofVerified
)

// Proof is what became of the proofs of one kind about a published version.
type Proof struct {
	Status     ProofStatus
	Repository string // of the source, as a verified proof names it
	Signer     string // who signed a verified one
	Reason     string // of a rejected or unknown one, in plain words
	Locator    string // address that it came from
	At         time.Time
}

// Attested is one component as the rules about attestations see it.
type Attested struct {
	Component  string             // package URL
	Standing   *registry.Standing // nil: nobody knows
	Provenance Proof              // of the build
	Signature  Proof              // of the registry
	Required   bool               // the policy demands a verified provenance
	Sources    []string           // repositories or owners that it may be built from, as in "github.com/corp"; nil: any
}

// JudgeAttested applies the rules about attestations. The result is sorted.
func JudgeAttested(list []Attested) []Signal {
	var out []Signal
	for i := range list {
		out = append(out, list[i].judge()...)
	}
	return sorted(out)
}

func (a *Attested) judge() []Signal {
	var out []Signal
	add := func(s *Signal) bool {
		if s != nil {
			out = append(out, *s)
		}
		return s != nil
	}
	add(a.rejected())
	add(a.signature())
	add(a.required())
	lost := add(a.lost())
	moved := add(a.moved())
	add(a.elsewhere())
	add(a.publisher(lost || moved))
	return out
}

// rejected speaks of an attestation that does not hold.
func (a *Attested) rejected() *Signal {
	if a.Provenance.Status != ProofRejected {
		return nil
	}
	return a.signal(RuleAttestationRejected, High, "has an attestation that does not hold: "+clip(a.Provenance.Reason), a.Provenance.evidence())
}

// signature speaks of a signature of the registry that does not hold.
func (a *Attested) signature() *Signal {
	if a.Signature.Status != ProofRejected {
		return nil
	}
	return a.signal(RuleSignatureRejected, High, "has a signature of its registry that does not hold: "+clip(a.Signature.Reason), a.Signature.evidence())
}

// required speaks of a package that the policy wants attested.
func (a *Attested) required() *Signal {
	p := a.Provenance
	if !a.Required || p.Status == ProofRejected { // that is said already, and as strongly
		return nil
	}
	why := map[ProofStatus]string{
		ProofMissing: "the registry has none for it",
		ProofClaimed: "the registry says that there is one, and it was not checked",
		ProofUnknown: cmp.Or(p.Reason, "nobody could be asked"),
	}[p.Status]
	if p.Status == ProofVerified {
		if sourceAllowed(a.Sources, p.Repository) {
			return nil
		}
		why = "it was built from " + cmp.Or(p.Repository, "a source that is not told")
	}
	return a.signal(RuleAttestationRequired, High, "must have a verified attestation of its build, says the policy: "+clip(why), p.evidence())
}

// sourceAllowed says whether a repository is one of the listed ones, or below one.
func sourceAllowed(list []string, repository string) bool {
	if list == nil {
		return true
	}
	here := Repository(repository)
	for _, s := range list {
		if want := Repository(s); here != "" && want != "" && (here == want || strings.HasPrefix(here, want+"/")) {
			return true
		}
	}
	return false
}

// lost speaks of a version that has no attestation although earlier ones have.
func (a *Attested) lost() *Signal {
	s := a.Standing
	if s == nil || s.Past.Attested.Version == "" || a.Provenance.Status != ProofMissing {
		return nil
	}
	ev := a.registryEvidence(fmt.Sprintf("%s has one, %s has none", clip(s.Past.Attested.Version), "this version"))
	if s.Past.Run == 0 {
		return a.signal(RuleProvenanceLost, Low, fmt.Sprintf("has no attestation of its build any more: the last that has one is %s", clip(s.Past.Attested.Version)), ev)
	}
	weight, title := Medium, fmt.Sprintf("has no attestation of its build, and %s has one", clip(s.Past.Attested.Version))
	if a.newPublisher() {
		weight, title = High, title+"; it is also the first version that "+clip(s.Publisher)+" published"
	}
	return a.signal(RuleProvenanceLost, weight, title, ev)
}

// moved speaks of a version with another repository than the one before it.
func (a *Attested) moved() *Signal {
	s := a.Standing
	if s == nil || s.Previous == nil || !s.Published.IsZero() && s.Previous.Published.After(s.Published) { // of an older line that lives on
		return nil
	}
	before, now := Repository(s.Previous.Repository), Repository(s.Repository)
	if before == "" || now == "" || before == now {
		return nil
	}
	weight := Low
	if a.Provenance.Status == ProofVerified && Repository(a.Provenance.Repository) != before {
		weight = Medium
	}
	return a.signal(RuleRepositoryChanged, weight, fmt.Sprintf("names the source repository %s, and %s named %s", clip(now), clip(s.Previous.Version), clip(before)),
		a.registryEvidence(before+" -> "+now))
}

// elsewhere speaks of an attestation by another repository than the declared one.
func (a *Attested) elsewhere() *Signal {
	s := a.Standing
	if s == nil || a.Provenance.Status != ProofVerified {
		return nil
	}
	built, declared := Repository(a.Provenance.Repository), Repository(s.Repository)
	if built == "" || declared == "" || built == declared {
		return nil
	}
	g := a.signal(RuleProvenanceElsewhere, Medium, fmt.Sprintf("was built from %s, and declares the source repository %s", clip(built), clip(declared)), a.Provenance.evidence())
	if strings.HasPrefix(a.Component, "pkg:"+string(registry.PyPI)+"/") {
		g.Weight, g.Probable = Low, true
	}
	return g
}

// publisher speaks of the first version by its publisher.
func (a *Attested) publisher(joined bool) *Signal {
	s := a.Standing
	if !a.newPublisher() {
		return nil
	}
	switch a.Provenance.Status {
	case ProofVerified, ProofClaimed:
		return nil
	}
	weight := Low
	if joined {
		weight = Medium
	}
	return a.signal(RulePublisherChanged, weight, fmt.Sprintf("is the first version that %s published; others published the %d before it", clip(s.Publisher), s.Past.Publishers),
		a.registryEvidence("published by "+clip(s.Publisher)))
}

// newPublisher says whether the version is the first by its publisher, and not
// the first of all.
func (a *Attested) newPublisher() bool {
	s := a.Standing
	return s != nil && s.Publisher != "" && !s.Past.Known && s.Past.Publishers > 0
}

func (a *Attested) signal(rule Rule, weight Weight, title string, ev Evidence) *Signal {
	return &Signal{Rule: rule, Weight: weight, Component: a.Component, Title: title, Evidence: []Evidence{ev}}
}

func (p *Proof) evidence() Evidence {
	return Evidence{Source: "registry", Locator: p.Locator, Detail: cmp.Or(p.Reason, p.Signer), At: p.At}
}

func (a *Attested) registryEvidence(detail string) Evidence {
	return Evidence{Source: "registry", Locator: a.Standing.Source, Detail: detail, At: a.Standing.AsOf}
}

// maxSaid is how many bytes of what a registry says stand in a title.
const maxSaid = 200

// clip shortens what a registry says, without cutting a character in two.
func clip(s string) string {
	if len(s) <= maxSaid {
		return s
	}
	return strings.ToValidUTF8(s[:maxSaid], "") + "…"
}
