package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Explain writes the chain behind each finding that what names: the bytes,
// the component, the range of the advisory, and the smallest change that
// removes it. What is an advisory id or alias, a rule, a package URL with or
// without a version, or a fingerprint. Of an advisory about a package that a bundler left
// out it says why it does not affect the function. It is an error when nothing
// in the document has that name.
//
// Lines are broken at width columns, commands are not; 0 breaks none.
func Explain(w io.Writer, doc *finding.Document, what string, width int) error {
	var parts []string
	for _, r := range doc.Functions {
		for _, f := range r.Findings {
			if names(f, what) {
				parts = append(parts, explainFinding(doc, r, f))
			}
		}
	}
	found := len(parts) > 0
	parts = append(parts, explainAbsent(doc, what)...)
	if !found {
		parts = append(parts, explainComponent(doc, what)...)
	}
	if len(parts) == 0 {
		return fmt.Errorf("no finding and no component named %q; the report has %s", what, count(doc))
	}
	_, err := io.WriteString(w, broken(strings.Join(parts, "\n"), width))
	return err
}

// explainIndent is how many columns are before the text of a line.
const explainIndent = 14

// broken breaks the lines of an explanation that are longer than width. What is
// to be copied stays whole.
func broken(text string, width int) string {
	if width <= 0 {
		return text
	}
	width = min(max(width, minWidth), maxWidth)
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		indent := explainIndent
		if !strings.HasPrefix(line, "  ") {
			indent = 0
		}
		if columns(line) <= width || len(line) < indent || strings.HasPrefix(line, "  "+commandKey) {
			b.WriteString(line + "\n")
			continue
		}
		for i, l := range wrap(line[indent:], width-max(indent, 2)) {
			switch {
			case i == 0:
				l = line[:indent] + l
			default:
				l = strings.Repeat(" ", max(indent, 2)) + l
			}
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// explainComponent says of the first component of a name, about which there is
// no finding, why not.
func explainComponent(doc *finding.Document, what string) []string {
	for _, r := range doc.Functions {
		for _, c := range r.Components {
			if c.PURL == what || finding.Versionless(c.PURL) == what {
				var b strings.Builder
				fmt.Fprintf(&b, "%s in %s: %s\n", Escape(c.PURL), Escape(r.Name), Escape(unblamed(r, c)))
				for _, l := range c.Locations {
					explainLine(&b, "bytes", lies(r, l))
				}
				return []string{b.String()}
			}
		}
	}
	return nil
}

// unblamed says what it means that there is no finding about a component: that
// nothing is known, or that nothing could look.
func unblamed(r *finding.Report, c finding.Component) string {
	for _, u := range r.Unknowns {
		if u.Kind == "unmatched" && u.PURL == c.PURL {
			return "not judged: " + u.Reason
		}
	}
	return "nothing is known against it"
}

func count(doc *finding.Document) string {
	n := 0
	for _, r := range doc.Functions {
		n += len(r.Findings)
	}
	return finding.Count(n, "finding", "findings") + " in " + finding.Count(len(doc.Functions), "function", "functions")
}

func names(f finding.Finding, what string) bool {
	return isPackage(f.Component, what) || f.Fingerprint == what || called(f.ID, f.Aliases, what) ||
		f.Rule == what && f.Kind != finding.KindVulnerability && f.Kind != finding.KindMalware
}

// isPackage reports whether what is a package URL, with or without its version.
func isPackage(purl, what string) bool {
	return strings.HasPrefix(what, "pkg:") && (purl == what || finding.Versionless(purl) == what)
}

// called reports whether what is the id of an advisory or one of its aliases.
func called(id string, aliases []string, what string) bool {
	return strings.EqualFold(id, what) || slices.ContainsFunc(aliases, func(a string) bool { return strings.EqualFold(a, what) })
}

// explainFinding writes the chain behind a finding from the bytes to the fix:
// what lies where, which package that is and who brings it, what is known
// against it, what was said about that, how urgent it is, what to do.
func explainFinding(doc *finding.Document, r *finding.Report, f finding.Finding) string {
	x := explanation{doc: doc, r: r, f: f}
	x.comp, x.known = component(r, f.Component)
	fmt.Fprintf(&x.b, "%s  %s\n", Escape(f.ID), Escape(f.Title))
	x.line("function", "%s (%s)", r.Name, r.Target)
	x.bytes()
	x.component()
	x.advisory()
	x.said()
	x.urgency()
	x.fix()
	x.line("id", "%s", f.Fingerprint)
	return x.b.String()
}

// candidates lists the versions that a component can be.
func candidates(c finding.Component) string {
	why := "nothing tells which"
	if c.Disputed {
		why = "the evidence contradicts itself, and each was judged"
	}
	return strings.Join(c.Versions, " or ") + ": " + why
}

func explainLine(b *strings.Builder, key, text string) {
	fmt.Fprintf(b, "  %-11s %s\n", key, Escape(text))
}

// lies says where a component lies; in an image also in which of its layers.
func lies(r *finding.Report, l finding.Location) string {
	text := place(r, l.Artifact, l.Path) + stateWords(l.State)
	if l.Layer != "" && l.Artifact >= 0 && l.Artifact < len(r.Artifacts) && r.Artifacts[l.Artifact].Kind == "image" {
		text += ", from image layer " + l.Layer
	}
	return text
}

func component(r *finding.Report, purl string) (finding.Component, bool) {
	for _, c := range r.Components {
		if c.PURL == purl {
			return c, true
		}
	}
	return finding.Component{}, false
}

func place(r *finding.Report, artifact int, path string) string {
	if artifact >= 0 && artifact < len(r.Artifacts) {
		return r.Artifacts[artifact].Ref + "!/" + path
	}
	return path
}

func certaintyWords(c finding.Certainty) string {
	switch c {
	case finding.Certain:
		return "the version was read from the shipped bytes"
	case finding.Probable:
		return "the version was named by a lockfile, a document or a string in a binary"
	case finding.Possible:
		return "the version is not known"
	}
	return "not stated"
}

func reachWords(reach string) string {
	switch reach {
	case finding.ReachPresent:
		return "code that the advisory names is in the binary; whether it runs is not known"
	case finding.ReachAbsent:
		return "none of the code that the advisory names is in the binary; the built-in policies fail on it only if it is known to be exploited"
	}
	return ""
}

func stateWords(state string) string {
	switch state {
	case "", "live":
		return ""
	case "shadowed":
		return " (shadowed: another copy is loaded)"
	case "declared":
		return " (declared: a manifest or lockfile names it)"
	}
	return " (" + state + ")"
}

// knownAsOf is the date of what the finding rests on.
func knownAsOf(doc *finding.Document, comp finding.Component, f finding.Finding) string {
	if f.Kind == finding.KindRuntime {
		for _, e := range f.Evidence {
			if e.At != nil {
				return e.At.UTC().Format("2006-01-02") + ", the table of runtimes"
			}
		}
	}
	return asOf(doc, comp.Ecosystem)
}

func asOf(doc *finding.Document, ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	if e, ok := doc.Database.Ecosystems[base]; ok && !e.AsOf.IsZero() {
		return fmt.Sprintf("%s, %s (%s)", e.AsOf.UTC().Format("2006-01-02"), base, e.Source)
	}
	if doc.Database.Starter {
		return "the embedded starter set, which is not complete"
	}
	return "store " + doc.Database.ID
}
