package report

import (
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// What a Markdown report names of what is deployed; the rest is counted.
const (
	maxMarkdownRefs   = 5  // functions of one rule, runtime or layer
	maxMarkdownLayers = 10 // layers, and exports with a problem
)

// markdownFleet says what is deployed: how much of it is known, what is not what
// was judged, what ends, and which layers to look at.
func markdownFleet(f *finding.Fleet) string {
	var b strings.Builder
	b.WriteString("\n### Deployed\n\n" + mdText(fleetCounts(f)) + ".\n")
	bad := 0
	for _, e := range f.Exports {
		if e.Problem == "" {
			continue
		}
		if bad++; bad <= maxMarkdownLayers {
			fmt.Fprintf(&b, "\n> %s: %s\n", mdCode(show(e.Source, maxPackage)), mdText(clip(e.Problem, maxMarkdownText)))
		}
	}
	if bad > maxMarkdownLayers {
		fmt.Fprintf(&b, "\n> and %s more that do not say everything.\n", finding.Count(bad-maxMarkdownLayers, "export", "exports"))
	}
	if len(f.Drift) > 0 {
		b.WriteString("\n| What runs and is not what was judged | Functions | Which |\n| --- | ---: | --- |\n")
		for _, d := range f.Drift {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", mdText(driftTitle(d.Rule)), finding.Thousands(len(d.Functions)), markdownRefs(d.Functions))
		}
	}
	if len(f.Runtimes) > 0 {
		fmt.Fprintf(&b, "\n| %s | Functions | When |\n| --- | ---: | --- |\n", mdText(fleetRuntimesTitle(f)))
		for _, r := range f.Runtimes {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", mdCell(show(r.Runtime, maxName)), finding.Thousands(r.Versions), mdText(runtimeEnd(r)))
		}
	}
	markdownLayers(&b, f)
	return b.String()
}

// markdownLayers lists the layers with something against them.
func markdownLayers(b *strings.Builder, f *finding.Fleet) {
	n := 0
	for _, l := range f.Layers {
		what := layerWords(l)
		if l.Helped == 0 && !l.Foreign {
			continue
		}
		if n++; n == 1 {
			b.WriteString("\n| Layer | Functions | What |\n| --- | ---: | --- |\n")
		}
		if n <= maxMarkdownLayers {
			fmt.Fprintf(b, "| %s | %s | %s |\n", mdCell(show(l.ARN, maxPackage)), finding.Thousands(len(l.Functions)), mdText(what))
		}
	}
	if n > maxMarkdownLayers {
		fmt.Fprintf(b, "\nand %s more.\n", finding.Count(n-maxMarkdownLayers, "layer", "layers"))
	}
}

// markdownRefs names the first of some functions.
func markdownRefs(refs []finding.Ref) string {
	n := min(len(refs), maxMarkdownRefs)
	var names []string
	for _, r := range refs[:n] {
		names = append(names, mdCell(refText(r)))
	}
	text := strings.Join(names, ", ")
	if more := len(refs) - n; more > 0 {
		text += fmt.Sprintf(" and %s more", finding.Thousands(more))
	}
	return text
}
