package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// tally gathers findings per component in the order in which they come.
type tally struct {
	order []string
	by    map[string][]finding.Finding
	said  []said // what is about no finding
}

// said is a sentence and where it stands.
type said struct {
	class    class
	priority int
	text     string
}

// say adds sentences of a class.
func (t *tally) say(c class, sentences ...string) {
	for _, s := range sentences {
		t.said = append(t.said, said{class: c, text: s})
	}
}

// inOrder is everything in the order in which a person puts it right: by class,
// and within it the highest priority first, else as it came.
func (t *tally) inOrder() []string {
	var all []said
	for _, key := range t.order {
		first := said{class: classUnfixable, text: sentence(t.by[key])}
		for i := range t.by[key] {
			f := &t.by[key][i]
			first.class, first.priority = min(first.class, classOf(f)), max(first.priority, f.Priority)
		}
		all = append(all, first)
	}
	all = append(all, t.said...)
	slices.SortStableFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(b.priority, a.priority))
	})
	var out []string
	for _, s := range all {
		out = append(out, s.text)
	}
	return out
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
	var names, titles []string
	named := make(map[string]bool, len(fs)+1)
	named[""] = true
	for i := range fs {
		if title := fs[i].Title; fs[i].Component == "" && !named["title "+title] {
			named["title "+title] = true
			titles = append(titles, title)
		}
		if name := fs[i].Component; !named[name] {
			named[name] = true
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return listed(titles, 3)
	case len(fs) == 1:
		return names[0] + " " + fs[0].Title
	}
	return fmt.Sprintf("%s: %s", fs[0].Rule, listed(names, 3))
}
