package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/licence"
)

// checkLicence holds the licences of the packages against the policy's lists.
// What the shipped bytes say counts; what a registry says is asked where they
// say nothing.
func checkLicence(ctx context.Context, _ *Auditor, s *Subject) (Result, error) {
	said := s.Policy.Licences
	if !said.Given() {
		return Result{}, Skipped("the policy says nothing of licences")
	}
	lists, err := said.Lists()
	if err != nil {
		return Result{}, err
	}
	res := Result{}
	for i := range s.SBOM.Components {
		c := &s.SBOM.Components[i]
		if c.Main || c.State == sbom.Provided || !said.Judged(string(c.Origin)) {
			continue
		}
		if f, bad := licenceFinding(lists, s.licenceOf(c)); bad {
			f.Component, f.ID = c.PURL, f.Rule
			about(&f, c)
			res.Findings = append(res.Findings, f)
		}
	}
	return res, ctx.Err()
}

// stated is what is said of a package's licence, and by whom.
type stated struct {
	texts  []string // all of them hold
	sure   bool     // who says so has it from the package itself
	source string
	at     time.Time // zero when that is not dated
	reason string    // of the policy, when that says so
}

// licenceOf is what is said of a package's licence: by the policy, by the
// package, by its registry.
func (s *Subject) licenceOf(c *sbom.Component) stated {
	if p, ok := s.Policy.Licences.Stated(c.PURL); ok {
		return stated{texts: []string{p.Licence}, sure: true, source: "policy", reason: p.Reason}
	}
	if texts := licenceTexts(c.Licenses); len(texts) > 0 {
		return stated{texts: texts, sure: true, source: "bytes"}
	}
	if st := s.Standings[c.PURL]; st != nil {
		if texts := licenceTexts(st.Licenses); len(texts) > 0 {
			return stated{texts: texts, source: st.Source, at: st.AsOf}
		}
	}
	return stated{source: "bytes"}
}

// licenceTexts leaves out what says nothing, and what says the same again.
func licenceTexts(texts []string) []string {
	var out []string
	have := map[string]bool{"": true, "NOASSERTION": true}
	for _, t := range texts {
		if t = strings.TrimSpace(t); !have[t] {
			have[t] = true
			out = append(out, t)
		}
	}
	return out
}

// licenceFinding judges what is said of a package; bad is false when it may be used.
func licenceFinding(lists licence.Lists, of stated) (f finding.Finding, bad bool) {
	f = finding.Finding{Kind: finding.KindLicence, Certainty: finding.Certain}
	detail := strings.Join(licenceQuoted(of.texts[:min(len(of.texts), 16)]), ", ")
	if of.reason != "" {
		detail += ": " + of.reason
	}
	f.Evidence = []finding.Evidence{{Source: "licence", Locator: of.source, Detail: detail}}
	if !of.at.IsZero() {
		at := of.at.UTC()
		f.Evidence[0].At = &at
	}
	unknown := func(title string) (finding.Finding, bool) {
		f.Rule, f.Severity, f.Title = policy.RuleLicenceUnknown, finding.Medium, title
		return f, true
	}
	if len(of.texts) == 0 {
		f.Evidence[0].Detail = "no licence is stated"
		return unknown("says nothing of its licence")
	}
	sure := of.sure
	var all licence.Expression
	for _, text := range of.texts {
		e, exact, ok := licence.Read(text)
		if !ok {
			return unknown("has a licence that nobody can place: " + licenceQuoted([]string{text})[0])
		}
		sure = sure && exact
		all.All = append(all.All, e)
	}
	if !sure {
		f.Certainty = finding.Probable
	}
	switch answer, which := lists.Judge(all); answer {
	case licence.Allowed:
		return f, false
	case licence.Denied:
		f.Rule, f.Severity, f.Title = policy.RuleLicenceDenied, finding.High, "is under "+named(which)+", which the policy denies"
	case licence.NotAllowed:
		f.Rule, f.Severity, f.Title = policy.RuleLicenceNotAllowed, finding.Medium, "is under "+named(which)+", which is not among the licences that the policy allows"
	default:
		return unknown("has a licence that nobody can place: " + named(which))
	}
	return f, true
}

// licenceQuoted are texts of packages as a line can hold them.
func licenceQuoted(texts []string) []string {
	const most = 80
	out := make([]string, len(texts))
	for i, t := range texts {
		if len(t) > most {
			t = strings.ToValidUTF8(t[:most], "") + "…"
		}
		out[i] = fmt.Sprintf("%q", t)
	}
	return out
}

// named joins the names of licences, the first few of them.
func named(ids []string) string {
	const most = 4
	text := strings.Join(ids[:min(len(ids), most)], ", ")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	if more := len(ids) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
