package fleet

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Fleet sums up, after the last report and after [Join.Rest].
func (j *Join) Fleet() *finding.Fleet {
	f := &finding.Fleet{Exports: j.inv.Exports, Versions: len(j.inv.Deployed), Days: j.opt.Days, GateAsked: j.opt.GateAsked,
		Accounts: []string{}, Regions: []string{}, Drift: []finding.FleetDrift{}, Layers: j.layerList(), Superseded: j.inv.Superseded}
	if f.Exports == nil {
		f.Exports = []finding.FleetExport{}
	}
	functions, accounts, regions := map[key]bool{}, map[string]bool{}, map[string]bool{}
	for i := range j.inv.Deployed {
		d := &j.inv.Deployed[i]
		k := keyOf(d)
		k.version = ""
		functions[k] = true
		if d.Account != "" {
			accounts[d.Account], regions[d.Region] = true, true
		}
		if j.scanned[i] {
			f.Scanned++
		}
		if j.gated[i] {
			f.Gated++
		}
	}
	f.Functions = len(functions)
	f.Accounts = append(f.Accounts, slices.Sorted(maps.Keys(accounts))...)
	f.Regions = append(f.Regions, slices.Sorted(maps.Keys(regions))...)
	for bit, rule := range finding.DriftRules() {
		var refs []finding.Ref
		for i, rules := range j.broken {
			if rules>>bit&1 != 0 {
				ref := refOf(&j.inv.Deployed[i])
				if rule == finding.RuleDriftChanged {
					ref.KnownAs = j.knownAs[i]
				}
				refs = append(refs, ref)
			}
		}
		if len(refs) > 0 {
			f.Drift = append(f.Drift, finding.FleetDrift{Rule: rule, Functions: refs})
		}
	}
	f.Runtimes = j.runtimeList()
	for _, name := range slices.Sorted(maps.Keys(j.unused)) {
		otherwise := slices.ContainsFunc(j.unused[name], func(i int) bool { return !j.scanned[i] }) // on other layers
		if !j.used[name] && !otherwise {
			f.NotDeployed = append(f.NotDeployed, name)
		}
	}
	return f
}

// runtimeList lists the runtimes that have ended or end within the days asked
// for, by date.
func (j *Join) runtimeList() []finding.FleetRuntime {
	using := map[string]map[finding.Ref]bool{}
	for i := range j.inv.Deployed {
		d := &j.inv.Deployed[i]
		if d.Runtime == "" {
			continue
		}
		if using[d.Runtime] == nil {
			using[d.Runtime] = map[finding.Ref]bool{}
		}
		using[d.Runtime][refOf(d)] = true
	}
	out := []finding.FleetRuntime{}
	for id, refs := range using {
		ends := j.runtime(id).ends
		e, ok := urgent(ends, j.opt.Days)
		if !ok {
			continue
		}
		one := finding.FleetRuntime{Runtime: id, Versions: len(refs), Event: e.Event, Date: e.Date, Days: e.Days, Functions: sortedRefs(refs), AsOf: e.AsOf}
		if i := slices.IndexFunc(ends, func(s finding.Event) bool { return s.Event == finding.EventBlockUpdate }); i >= 0 && ends[i].Days > 0 && e.Event != finding.EventBlockUpdate {
			one.UpdatesBlocked = ends[i].Date
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b finding.FleetRuntime) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Runtime, b.Runtime))
	})
	return out
}

// urgent is the next step in the life of a runtime if it comes within days, else
// the last one that is past. ok is false when there is neither.
func urgent(ends []finding.Event, days int) (e finding.Event, ok bool) {
	for _, step := range ends { // in the order of life
		switch {
		case step.Days <= 0:
			e, ok = step, true
		case step.Days <= days:
			return step, true
		}
	}
	return e, ok
}
