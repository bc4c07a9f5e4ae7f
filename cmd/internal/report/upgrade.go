package report

import (
	"slices"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// upgrade says which version clears the findings of one component, as the
// audit states it in Component.Upgrade. Without that: the version that all
// findings name, else nothing that could be wrong: the list of the lowest ones.
func upgrade(stated string, fs []finding.Finding) string {
	if stated != "" {
		return stated
	}
	fixable := 0
	var lowest []string
	for _, f := range fs {
		if len(f.Fixed) == 0 {
			continue
		}
		fixable++
		if !slices.Contains(lowest, f.Fixed[0]) {
			lowest = append(lowest, f.Fixed[0])
		}
	}
	if fixable == 0 {
		return ""
	}
	to := shared(fs)
	if to == "" && len(lowest) == 1 {
		to = lowest[0]
	}
	if to == "" {
		to = "see -v"
	}
	if fixable < len(fs) {
		to += " (" + of(fixable, len(fs)) + ")"
	}
	return to
}

// shared returns the lowest version that every finding with a fix lists.
func shared(fs []finding.Finding) string {
	var first []string
	for _, f := range fs {
		if len(f.Fixed) > 0 {
			first = f.Fixed
			break
		}
	}
	for _, v := range first {
		if !slices.ContainsFunc(fs, func(f finding.Finding) bool { return len(f.Fixed) > 0 && !slices.Contains(f.Fixed, v) }) {
			return v
		}
	}
	return ""
}
