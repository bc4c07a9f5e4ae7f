package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// ruleID is the advisory for what an advisory says, else the rule.
func ruleID(f finding.Finding) string {
	if advisoryURL(f) != "" {
		return f.ID
	}
	return cmp.Or(f.Rule, f.ID, string(f.Kind))
}

// note notes what the run says before its results: the worst finding of each
// rule, whether any is suppressed, and whether all were compared. It keeps nothing of the report itself.
func (s *sarifWriter) note(r *finding.Report) {
	for i := range r.Findings {
		f := &r.Findings[i]
		s.findings++
		if comparedOf(f) != "" {
			s.compared++
		}
		s.suppressed = s.suppressed || f.Waived != nil || f.Cleared()
		id := ruleID(*f)
		if old, ok := s.worst[id]; !ok || finding.Compare(*f, old) < 0 {
			s.worst[strings.Clone(id)] = ownFinding(f)
		}
	}
}

// ownFinding is what a rule needs of a finding, in memory of its own: strings of a
// stored report keep all of its text.
func ownFinding(f *finding.Finding) finding.Finding {
	out := finding.Finding{Score: f.Score, Reach: strings.Clone(f.Reach)}
	out.Kind, out.Severity, out.Certainty = finding.Kind(strings.Clone(string(f.Kind))), finding.Severity(strings.Clone(string(f.Severity))), finding.Certainty(strings.Clone(string(f.Certainty)))
	out.Fingerprint, out.Rule, out.ID, out.Component, out.Title = strings.Clone(f.Fingerprint), strings.Clone(f.Rule), strings.Clone(f.ID), strings.Clone(f.Component), strings.Clone(f.Title)
	out.Aliases, out.Fixed = ownList(f.Aliases), ownList(f.Fixed)
	return out
}

func ownList(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = strings.Clone(out[i])
	}
	return out
}

// setRules makes one rule per id, sorted, from its worst finding.
func (s *sarifWriter) setRules() {
	for i, id := range slices.Sorted(maps.Keys(s.worst)) {
		s.rules[id] = i
		s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, rule(id, s.worst[id]))
	}
}

func rule(id string, f finding.Finding) sarifRule {
	title := cmp.Or(f.Title, id)
	if advisoryURL(f) == "" {
		title = ruleTitle(f) // the finding's title is about one place
	}
	text := title + "."
	markdown := "**" + markdownEscape(title) + "**"
	if f.OfTrust() {
		text += " What to do: " + trustHelp(f.Rule) + "."
		markdown += "\n\n" + markdownEscape("What to do: "+trustHelp(f.Rule)+".")
	}
	if f.OfDependency() {
		help := dependencyRules()[f.Rule].help
		if help != "" {
			text += " What to do: " + help + "."
			markdown += "\n\n" + markdownEscape("What to do: "+help+".")
		}
	}
	if page := advisoryURL(f); page != "" {
		text += " See " + page
		markdown += "\n\n- Advisory: [" + markdownEscape(f.ID) + "](" + page + ")"
		if len(f.Aliases) > 0 {
			markdown += "\n- Also known as: " + markdownEscape(strings.Join(f.Aliases, ", "))
		}
		if len(f.Fixed) > 0 {
			markdown += "\n- Fixed in: " + markdownEscape(strings.Join(f.Fixed, ", "))
		}
	}
	return sarifRule{
		ID: id, ShortDescription: sarifText{Text: sarifEscape(title)}, FullDescription: sarifText{Text: sarifEscape(title)},
		HelpURI: advisoryURL(f), Help: sarifText{Text: sarifEscape(text), Markdown: markdown},
		DefaultConfiguration: sarifLevel{level(f)},
		Properties: map[string]any{
			"security-severity": securitySeverity(f), "precision": precision(f), "tags": []string{"security", string(f.Kind)},
		},
	}
}

func ruleTitle(f finding.Finding) string {
	switch {
	case f.Rule == ruleVersionUnknown:
		return "Package with known vulnerabilities whose version is not known"
	case f.Kind == finding.KindRuntime:
		return runtimeTitle(f.Rule)
	case f.OfTrust():
		return trustTitle(f.Rule)
	case f.OfDependency():
		return dependencyTitle(f)
	case f.Kind == finding.KindArchive:
		title, _, _ := strings.Cut(f.Title, ": ")
		return cmp.Or(title, f.Rule)
	}
	return cmp.Or(f.Rule, string(f.Kind))
}

// level maps severity to SARIF's four; what may not apply is a note, and so is
// a flaw whose code is not in the binary.
func level(f finding.Finding) string {
	if (f.Certainty == finding.Possible || f.Reach == finding.ReachAbsent) && f.Kind != finding.KindMalware {
		return "note"
	}
	switch f.Severity {
	case finding.Medium:
		return "warning"
	case finding.Low, finding.None:
		return "note"
	}
	return "error" // critical, high, and what nobody rated
}

// securitySeverity is the score that GitHub ranks by, as text: over 9.0 is
// critical, from 7.0 high, from 4.0 medium. Without a score it is the middle of
// the severity's band; what nobody rated counts as high.
func securitySeverity(f finding.Finding) string {
	if f.Score > 0 {
		return strconv.FormatFloat(f.Score, 'f', 1, 64)
	}
	switch f.Severity {
	case finding.Critical:
		return "9.5"
	case finding.Medium:
		return "5.5"
	case finding.Low:
		return "2.0"
	case finding.None:
		return "0.0"
	}
	return "8.0"
}

func precision(f finding.Finding) string {
	switch f.Certainty {
	case finding.Probable:
		return "high"
	case finding.Possible:
		return "low"
	}
	return "very-high"
}
