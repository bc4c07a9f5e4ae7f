package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// tally gathers findings per component in the order in which they come.
type tally struct {
	order []string
	by    map[string][]finding.Finding
}

func newTally() *tally { return &tally{by: map[string][]finding.Finding{}} }

func (t *tally) add(f finding.Finding) {
	key := f.Component
	if f.Kind == finding.KindMalware {
		key = "malware " + key
	}
	if f.Kind == finding.KindArchive {
		key = "archive " + f.Rule
	}
	if f.Kind == finding.KindRuntime {
		key = "runtime " + f.ID
	}
	if f.OfDependency() {
		key = string(f.Kind) + " " + f.Rule // hundreds of packages can be behind: one sentence says so
	}
	if f.OfTrust() {
		key = string(f.Kind) + " " + f.ID
	}
	if _, ok := t.by[key]; !ok {
		t.order = append(t.order, key)
	}
	t.by[key] = append(t.by[key], f)
}

// sentences says one line per component: what is wrong with it, and the fix.
func (t *tally) sentences() []string {
	var out []string
	for _, key := range t.order {
		out = append(out, sentence(t.by[key]))
	}
	return out
}

func sentence(fs []finding.Finding) string {
	worst := fs[0]
	var ids []string
	fixable := true
	for _, f := range fs {
		ids = append(ids, f.ID)
		fixable = fixable && len(f.Fixed) > 0
	}
	switch {
	case worst.Kind == finding.KindArchive:
		return fmt.Sprintf("%s: %s", worst.Rule, worst.Title)
	case worst.OfDependency():
		return dependencySentence(fs)
	case worst.Kind == finding.KindRuntime, worst.OfTrust():
		return worst.Title
	case worst.Kind == finding.KindMalware:
		return fmt.Sprintf("malicious package %s: %s", worst.Component, listed(ids, 3))
	case worst.Rule == RuleVersionUnknown:
		return worst.Title
	}
	words := []string{string(worst.Severity)}
	if slices.ContainsFunc(fs, func(f finding.Finding) bool { return f.KEV }) {
		words = append(words, "known to be exploited")
	}
	if worst.State != "" && worst.State != "live" {
		words = append(words, worst.State)
	}
	fix := "no fix known"
	if fixable {
		fix = "fix available"
	} else if slices.ContainsFunc(fs, func(f finding.Finding) bool { return len(f.Fixed) > 0 }) {
		fix = "fix available for some"
	}
	return fmt.Sprintf("%s %s: %s (%s)", worst.Component, strings.Join(words, ", "), listed(ids, 3), fix)
}

// dependencySentence says what a rule found: all of it about one package, else
// which packages.
func dependencySentence(fs []finding.Finding) string {
	var names []string
	named := make(map[string]bool, len(fs)+1)
	named[""] = true
	for i := range fs {
		if name := fs[i].Component; !named[name] {
			named[name] = true
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return fs[0].Title
	case len(fs) == 1:
		return names[0] + " " + fs[0].Title
	}
	return fmt.Sprintf("%s: %s", fs[0].Rule, listed(names, 3))
}
