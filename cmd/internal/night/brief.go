package night

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Brief is what a list of functions shows of a report, in memory of its own:
// strings of a stored report keep all of its text.
func Brief(r *finding.Report) *finding.Report {
	v := r.Verdict
	v.Reasons, v.Warnings, v.Next = own(v.Reasons), own(v.Warnings), strings.Clone(v.Next)
	out := finding.NewReport(strings.Clone(r.Name), strings.Clone(r.Target))
	out.Verdict = v
	return out
}

func own(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = strings.Clone(out[i])
	}
	return out
}

// ownChanges is a list of changes in memory of its own.
func ownChanges(list []finding.Change) []finding.Change {
	out := slices.Clone(list)
	parts := func(i int) [7]*string {
		c := &out[i]
		return [...]*string{&c.Function, &c.Fingerprint, &c.ID, &c.Component, &c.Before, &c.After, &c.Detail}
	}
	// One text for all that is different: a night keeps a hundred thousand changes.
	at, text := map[string]int{"": 0}, []byte{}
	for i := range out {
		for _, s := range parts(i) {
			if _, ok := at[*s]; !ok {
				at[*s] = len(text)
				text = append(text, *s...)
			}
		}
	}
	all := string(text)
	for i := range out {
		for _, s := range parts(i) {
			from := at[*s]
			*s = all[from : from+len(*s)]
		}
	}
	return out
}
