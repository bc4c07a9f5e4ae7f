package audit

import (
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/stale"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// DeployedRuntime says of a runtime that a platform lists what the check
// "runtime" would, and every step of its end, however long ago. The error is that
// of the tables.
func (a *Auditor) DeployedRuntime(platform, runtime string) ([]finding.Finding, []finding.Event, error) {
	table, err := a.ends()
	if err != nil {
		return nil, nil, err
	}
	answer, ok := table.Look(platform, runtime, a.Now)
	if !ok || runtime == "" {
		return nil, nil, nil
	}
	var found []finding.Finding
	if f, ok := runtimeFinding(&Subject{Platform: platform, Runtime: runtime}, answer); ok {
		f.Evidence = f.Evidence[:1] // the table's: who says that it runs there, the caller knows
		found = append(found, f)
	}
	return found, a.everyStep(runtime, answer), nil
}

// DeployedCalendar says of a runtime that a platform lists what the check "runtime"
// would put into a calendar.
func (a *Auditor) DeployedCalendar(platform, runtime string) ([]finding.Event, error) {
	table, err := a.ends()
	if err != nil {
		return nil, err
	}
	answer, ok := table.Look(platform, runtime, a.Now)
	if !ok || runtime == "" {
		return nil, nil
	}
	return runtimeEvents(&Subject{Platform: platform, Runtime: runtime}, answer, a.Now), nil
}

// everyStep lists the days in the life of a runtime, in their order.
func (a *Auditor) everyStep(runtime string, answer stale.Answer) []finding.Event {
	var out []finding.Event
	for _, s := range runtimeSteps(answer) {
		if !s.at.IsZero() {
			out = append(out, finding.Event{Date: day(s.at), Days: daysUntil(s.at, a.Now), What: "runtime " + runtime, Event: s.event, Consequence: s.consequence, Source: answer.Source, AsOf: answer.AsOf.UTC()})
		}
	}
	return out
}

// DeployedLayer says of a layer under a deployed function, both by their ARNs,
// what the check "trust" would: whether its account is one of the policy's, or
// without a policy the function's own.
func (a *Auditor) DeployedLayer(function, layer string) []finding.Finding {
	var out []finding.Finding
	p := trust.Platform{Layers: []string{layer}, Role: function, Accounts: a.Policy.Dependencies.LayerAccounts, Now: a.Now}
	for _, g := range trust.JudgePlatform(p, nil) {
		f := signalFinding(g, nil)
		f.Evidence = nil
		out = append(out, f)
	}
	return out
}
