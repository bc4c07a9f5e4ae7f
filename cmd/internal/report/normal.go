package report

import (
	"math"
	"slices"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// normal returns doc with what every format relies on: no nil list, no number
// that JSON cannot hold, and no empty word where a zero value has a meaning:
// a verdict that nobody gave is incomplete, a severity that nobody rated is
// unknown, a check that nobody ran was skipped. doc itself is not changed.
func normal(doc *finding.Document) *finding.Document {
	out := *doc
	out.SchemaVersion = finding.SchemaVersion
	if out.Database.Ecosystems == nil {
		out.Database.Ecosystems = map[string]finding.Ecosystem{}
	}
	out.Functions = make([]*finding.Report, 0, len(doc.Functions))
	for _, r := range doc.Functions {
		if r != nil {
			out.Functions = append(out.Functions, normalReport(*r))
		}
	}
	out.Summary = finding.Summarize(out.Functions)
	return &out
}

func normalReport(r finding.Report) *finding.Report {
	r.Artifacts = list(r.Artifacts)
	r.Components = append([]finding.Component{}, r.Components...)
	for i := range r.Components {
		c := &r.Components[i]
		c.Licenses, c.Locations = list(c.Licenses), list(c.Locations)
		c.Evidence = list(c.Evidence)
		c.Confidence = between(c.Confidence, 0, 1)
		if slices.ContainsFunc(c.Evidence, func(p finding.Proof) bool { return between(p.Confidence, 0, 1) != p.Confidence }) {
			c.Evidence = slices.Clone(c.Evidence)
			for j := range c.Evidence {
				c.Evidence[j].Confidence = between(c.Evidence[j].Confidence, 0, 1)
			}
		}
		if c.Hashes == nil {
			c.Hashes = map[string]string{}
		}
		if c.State == "" {
			c.State = "live"
		}
	}
	if r.Coverage != nil {
		c := *r.Coverage
		c.Unattributed = list(c.Unattributed)
		r.Coverage = &c
	}
	r.Absent = slices.Clone(r.Absent)
	for i := range r.Absent {
		a := &r.Absent[i]
		a.Bundles, a.Advisories = list(a.Bundles), slices.Clone(list(a.Advisories))
		for j := range a.Advisories {
			v := &a.Advisories[j]
			if v.Aliases = list(v.Aliases); v.Severity == "" {
				v.Severity = finding.UnknownSeverity
			}
		}
	}
	r.Unknowns = append([]finding.Unknown{}, r.Unknowns...)
	for i := range r.Unknowns {
		if r.Unknowns[i].Kind == "" {
			r.Unknowns[i].Kind = "unreadable"
		}
	}
	r.Findings = append([]finding.Finding{}, r.Findings...)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Aliases, f.Fixed, f.Evidence = list(f.Aliases), list(f.Fixed), list(f.Evidence)
		f.Score, f.EPSS = between(f.Score, 0, 10), between(f.EPSS, 0, 1)
		f.Percentile = between(f.Percentile, 0, 1)
		if f.Severity == "" {
			f.Severity = finding.UnknownSeverity
		}
		if f.Certainty == "" {
			f.Certainty = finding.Certain
		}
		if f.Reach == "" {
			f.Reach = finding.ReachUnknown
		}
	}
	r.Checks = append([]finding.Status{}, r.Checks...)
	for i := range r.Checks {
		if r.Checks[i].State == "" {
			r.Checks[i].State = finding.Skipped
		}
	}
	switch r.Verdict.Decision {
	case finding.Pass, finding.Fail:
	default:
		r.Verdict.Decision = finding.Incomplete
	}
	r.Verdict.Reasons = list(r.Verdict.Reasons)
	return &r
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func between(x, low, high float64) float64 {
	if math.IsNaN(x) {
		return low
	}
	return min(max(x, low), high)
}
