package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// groups are the findings of a function as the table shows them, each list
// worst first. old is what the baseline has.
type groups struct {
	malware, live, possible, absent, shadowed, platform, archive, untrusted, stale, licence, exposure, drift, other, old, waived, vex []finding.Finding
}

// sortFindings puts each finding into one group. Malware is malware wherever
// it lies, unless it was accepted.
func sortFindings(r *finding.Report) groups {
	var g groups
	for _, f := range slices.SortedFunc(slices.Values(r.Findings), finding.Compare) {
		switch {
		case f.Waived != nil:
			g.waived = append(g.waived, f)
		case f.Cleared():
			g.vex = append(g.vex, f)
		case f.Baseline:
			g.old = append(g.old, f)
		case f.Kind == finding.KindMalware:
			g.malware = append(g.malware, f)
		case f.Kind == finding.KindArchive:
			g.archive = append(g.archive, f)
		case f.Kind == finding.KindUntrusted:
			g.untrusted = append(g.untrusted, f)
		case f.Kind == finding.KindStale:
			g.stale = append(g.stale, f)
		case f.Kind == finding.KindLicence:
			g.licence = append(g.licence, f)
		case f.Kind == finding.KindExposure:
			g.exposure = append(g.exposure, f)
		case f.Kind == finding.KindDrift:
			g.drift = append(g.drift, f)
		case f.Kind != finding.KindVulnerability:
			g.other = append(g.other, f)
		case platform(f.Origin):
			g.platform = append(g.platform, f)
		case f.State == "shadowed" || f.State == "provided":
			g.shadowed = append(g.shadowed, f)
		case f.Reach == finding.ReachAbsent:
			g.absent = append(g.absent, f)
		case f.Certainty == finding.Possible:
			g.possible = append(g.possible, f)
		default:
			g.live = append(g.live, f)
		}
	}
	return g
}

// noFix stands in the column of upgrades.
const noFix = "no fix"

// platform says whether an origin is the platform's rather than the owner's.
func platform(origin string) bool { return origin == "base" || origin == "runtime" }

// row is one package with its findings.
type row struct {
	name, version, upgrade string
	worst                  finding.Finding
	findings               []finding.Finding
	vetted                 bool // it is of a package that is not in yet
}

// gather makes one row per component, in the order of its worst finding.
func gather(r *finding.Report, fs []finding.Finding) []*row {
	byComponent := map[string]*row{}
	var rows []*row
	for _, f := range fs {
		x := byComponent[f.Component]
		if x == nil {
			x = &row{vetted: r.Vetted != nil, worst: f, name: nameOf(f.Component), version: versionOf(f.Component)}
			byComponent[f.Component] = x
			rows = append(rows, x)
		}
		x.findings = append(x.findings, f)
	}
	components := index(r)
	for _, x := range rows {
		c := components[x.worst.Component]
		if c.Name != "" {
			x.name = c.Name
		}
		x.version = cmp.Or(c.Version, x.version, strings.Join(c.Versions, "|"), "unknown")
		x.upgrade = cmp.Or(upgrade(c.Upgrade, x.findings), noFix)
	}
	return rows
}

// index returns the components by purl.
func index(r *finding.Report) map[string]finding.Component {
	m := make(map[string]finding.Component, len(r.Components))
	for _, c := range r.Components {
		m[c.PURL] = c
	}
	return m
}

// ids is the worst id, and how many more there are.
func (x *row) ids() string {
	text := show(x.worst.ID, maxName)
	if n := len(x.findings) - 1; n > 0 {
		text += " +" + finding.Thousands(n)
	}
	return text
}

// marks says what is special: known exploitation, a state other than live, a
// certainty other than certain.
func (x *row) marks() string {
	text := ""
	if slices.ContainsFunc(x.findings, func(f finding.Finding) bool { return f.KEV }) {
		text = " EXPLOITED"
	}
	var marks []string
	if x.worst.State != "" && x.worst.State != "live" && !x.vetted {
		marks = append(marks, esc(x.worst.State))
	}
	if x.worst.Certainty != finding.Certain {
		marks = append(marks, esc(string(x.worst.Certainty)))
	}
	if len(marks) > 0 {
		text += " (" + strings.Join(marks, ", ") + ")"
	}
	return text
}

// label is a purl as people write it: name and version.
func label(purl string) string {
	if v := versionOf(purl); v != "" {
		return nameOf(purl) + " " + v
	}
	return nameOf(purl)
}

// places returns up to n escaped places of a component.
func places(r *finding.Report, purl string, n int) []string {
	var out []string
	for _, c := range r.Components {
		if c.PURL != purl {
			continue
		}
		for _, l := range c.Locations {
			if len(out) < n && l.Path != "" {
				out = append(out, esc(located(r, l.Artifact, l.Path)))
			}
		}
	}
	return out
}

// located is a path, with the artifact before it when there are several.
func located(r *finding.Report, artifact int, path string) string {
	if len(r.Artifacts) > 1 {
		return place(r, artifact, path)
	}
	return path
}
