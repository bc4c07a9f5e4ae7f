package report

import (
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// explainAbsent says of each package that is proven not to be in a function, if
// what is its package URL or an advisory about it, why it does not affect the
// function: which lockfile lists it, and what was looked at.
func explainAbsent(doc *finding.Document, what string) []string {
	var out []string
	for _, r := range doc.Functions {
		for _, a := range r.Absent {
			if isPackage(a.PURL, what) && len(a.Advisories) == 0 {
				out = append(out, explainLeftOut(doc, r, a, nil))
			}
			for i := range a.Advisories {
				if adv := &a.Advisories[i]; isPackage(a.PURL, what) || called(adv.ID, adv.Aliases, what) {
					out = append(out, explainLeftOut(doc, r, a, adv))
				}
			}
		}
	}
	return out
}

// explainLeftOut explains one advisory about a package that is not there; nil
// for none that is known.
func explainLeftOut(doc *finding.Document, r *finding.Report, a finding.Absent, adv *finding.AbsentAdvisory) string {
	var b strings.Builder
	if adv == nil {
		fmt.Fprintf(&b, "%s in %s: not there, and nothing is known against it\n", Escape(a.PURL), Escape(r.Name))
	} else {
		fmt.Fprintf(&b, "%s  %s\n", Escape(adv.ID), Escape(adv.Title))
	}
	explainLine(&b, "function", r.Name+" ("+r.Target+")")
	if adv != nil {
		explainLine(&b, "severity", string(adv.Severity))
		if len(adv.Aliases) > 0 {
			explainLine(&b, "also", strings.Join(adv.Aliases, ", "))
		}
		explainLine(&b, "affects", "not this function: the package that it is about is not in the bytes")
	}
	explainLine(&b, "component", a.PURL+" (absent)")
	explainLine(&b, "not there", leftOut(a))
	explainLine(&b, "known as of", asOf(doc, a.Ecosystem))
	if adv != nil {
		explainLine(&b, "fix", "none needed; -o openvex states it (vulnerable_code_not_present)")
	}
	return b.String()
}

// leftOut says how it is known that a package of a lockfile is not there.
func leftOut(a finding.Absent) string {
	return fmt.Sprintf("%s lists %s %s, and the bundler left it out: every byte of %s is accounted for and none is of it",
		a.Lockfile, a.Name, a.Version, listed(a.Bundles, 3))
}
