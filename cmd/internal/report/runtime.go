package report

import (
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// maxSuccessors is how many runtimes a line names to move to.
const maxSuccessors = 4

// runtimeText is a finding about a runtime in one line: its title says the
// runtime, so that the kind need not stand before it.
func runtimeText(f finding.Finding) string {
	text := esc(f.Title)
	if f.Certainty != finding.Certain {
		text += " (the runtime is guessed)"
	}
	if to := successors(f); to != "" {
		text += "; move to " + to
	}
	return text
}

// successors names the runtimes to move to, the newest ones when there are many.
func successors(f finding.Finding) string {
	list := f.Fixed
	if len(list) > maxSuccessors {
		list = list[len(list)-maxSuccessors:]
	}
	return esc(strings.Join(list, ", "))
}

// runtimeTitle says what a rule of kind runtime is about, whatever the function.
func runtimeTitle(rule string) string {
	switch rule {
	case finding.RuleRuntimeBlocked:
		return "The platform blocks updates of functions with this runtime"
	case finding.RuleRuntimeDeprecated:
		return "The platform no longer patches the runtime"
	case finding.RuleRuntimeSoon:
		return "The platform will soon no longer patch the runtime"
	case finding.RuleRuntimeUnknown:
		return "The runtime is not in the table of the platform's runtimes"
	case finding.RuleRuntimeTableOld:
		return "The table of runtimes is too old to be believed"
	}
	return rule
}
