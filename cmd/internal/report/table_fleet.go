package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Where the table folds what is deployed when nothing says -v.
const (
	maxDrift        = 10 // functions of one rule
	maxFleetLayers  = 10
	maxFleetMembers = 5 // functions of one runtime or layer
	maxFleetNames   = 8 // reports that are deployed nowhere, exports with a problem
)

// fleet prints what is deployed: how much of it is known, then who is not what was
// judged, the most urgent first, then what one change would help most.
func (p *printer) fleet(f *finding.Fleet) {
	if f == nil {
		return
	}
	if p.lines > 0 {
		p.line("")
	}
	p.fleetHead(f)
	for _, d := range f.Drift {
		p.line("")
		p.line("  %s  %s", p.paint(driftStyle(d.Rule), fmt.Sprintf("%6s", finding.Thousands(len(d.Functions)))), p.paint(styleBold, clip(driftTitle(d.Rule), p.opt.Width-10)))
		p.refs(d.Functions, maxDrift)
	}
	p.fleetRuntimes(f)
	p.fleetLayers(f)
	p.fleetRest(f)
}

// quietFleet prints one line for each thing that is wrong.
func (p *printer) quietFleet(f *finding.Fleet) {
	if f == nil {
		return
	}
	for _, d := range f.Drift {
		p.line("%s: %s", finding.Count(len(d.Functions), "function", "functions"), driftTitle(d.Rule))
	}
}

// inFleet says whether a report is of a deployed function that nobody scanned,
// which the list of what is deployed shows.
func (p *printer) inFleet(r *finding.Report) bool {
	return p.doc.Fleet != nil && len(r.Deployed) > 0 && r.Check("open").State != finding.Ran
}

// deployedAt says where a function is deployed.
func (p *printer) deployedAt(r *finding.Report) {
	if len(r.Deployed) == 0 {
		return
	}
	d := r.Deployed[0]
	text := "deployed: " + refText(finding.Ref{Account: d.Account, Region: d.Region, Name: d.Name, Version: d.Version})
	if d.Gated != nil {
		text += ", gated " + d.Gated.At.UTC().Format("2006-01-02")
	}
	if more := len(r.Deployed) - 1; more > 0 {
		text += ", and " + finding.Count(more, "more place", "more places")
	}
	p.line("  %s", p.paint(styleDim, clip(text, p.opt.Width-2)))
}

// fleetHead counts.
func (p *printer) fleetHead(f *finding.Fleet) {
	p.line("%s", p.paint(styleBold, clip("Deployed: "+fleetSize(f), p.opt.Width)))
	p.line("  %6s  scanned", finding.Thousands(f.Scanned))
	if f.GateAsked {
		p.line("  %6s  passed a gate", finding.Thousands(f.Gated))
	}
}

// fleetSize says how much is deployed.
func fleetSize(f *finding.Fleet) string {
	text := finding.Count(f.Functions, "function", "functions")
	if f.Versions != f.Functions {
		text += " in " + finding.Count(f.Versions, "version", "versions")
	}
	if len(f.Accounts) > 0 {
		text += ", " + finding.Count(len(f.Accounts), "account", "accounts") + ", " + finding.Count(len(f.Regions), "region", "regions")
	}
	return text + ", from " + finding.Count(len(f.Exports), "export", "exports")
}

// fleetCounts says in one sentence how much is deployed, and how much of it is known.
func fleetCounts(f *finding.Fleet) string {
	text := fleetSize(f) + ": " + finding.Thousands(f.Scanned) + " scanned"
	if f.GateAsked {
		text += ", " + finding.Thousands(f.Gated) + " passed a gate"
	}
	return text
}

// driftTitle is what a rule is about; of one that is not known its name.
func driftTitle(rule string) string {
	return cmp.Or(dependencyRules()[rule].title, esc(rule))
}

func driftStyle(rule string) string {
	switch rule {
	case finding.RuleDriftFailsNow, finding.RuleDriftUnscanned, finding.RuleDriftChanged, finding.RuleDriftLayers, finding.RuleDriftNoDigest:
		return styleHigh
	case finding.RuleDriftUnjudged, finding.RuleDriftUngated:
		return styleMedium
	}
	return styleDim
}

// refs lists at most n functions, all of them with -v.
func (p *printer) refs(refs []finding.Ref, n int) {
	if p.opt.Verbose || len(refs) == n+1 {
		n = len(refs)
	}
	for _, r := range refs[:min(n, len(refs))] {
		p.line("          %s", clip(refText(r), p.opt.Width-10))
	}
	if more := len(refs) - n; more > 0 {
		p.line("          and %s more (-v lists them)", finding.Thousands(more))
	}
}

// refText is "orders  111122223333 eu-west-1", with the version where it is no latest one.
func refText(r finding.Ref) string {
	text := show(r.Name, maxName)
	if r.Version != "" && r.Version != "$LATEST" {
		text += ":" + show(r.Version, maxName)
	}
	if r.Account != "" {
		text += "  " + show(r.Account, maxName) + " " + show(r.Region, maxName)
	}
	if r.KnownAs != "" {
		text += "  judged as " + show(r.KnownAs, maxName)
	}
	return text
}

// fleetRuntimes lists what ends, or has.
func (p *printer) fleetRuntimes(f *finding.Fleet) {
	if len(f.Runtimes) == 0 {
		return
	}
	p.line("")
	p.line("  %s", p.paint(styleBold, fleetRuntimesTitle(f)))
	for _, r := range f.Runtimes {
		style := styleMedium
		if r.Days <= 0 && r.Event == finding.EventBlockUpdate {
			style = styleHigh
		}
		p.wrapped("  "+p.paint(style, fmt.Sprintf("%6s", finding.Thousands(r.Versions)))+"  ", 10, 10, show(r.Runtime, maxName)+": "+runtimeEnd(r))
		if p.opt.Verbose {
			p.refs(r.Functions, len(r.Functions))
		}
	}
}

// runtimeEnd says what ends and when.
func runtimeEnd(r finding.FleetRuntime) string {
	what := map[string][2]string{
		finding.EventDeprecated:  {"not patched since", "not patched from"},
		finding.EventBlockCreate: {"no new functions since", "no new functions from"},
		finding.EventBlockUpdate: {"updates blocked since", "updates blocked from"},
	}[r.Event]
	if what[0] == "" {
		what = [2]string{"ended on", "ends on"}
	}
	text := what[0] + " " + esc(r.Date)
	if r.Days > 0 {
		text = fmt.Sprintf("%s %s, in %s", what[1], esc(r.Date), finding.Count(r.Days, "day", "days"))
	}
	if r.UpdatesBlocked != "" {
		text += "; updates blocked from " + esc(r.UpdatesBlocked)
	}
	return text
}

// fleetRuntimesTitle says what the list of runtimes is, and of when the oldest
// table is that it rests on.
func fleetRuntimesTitle(f *finding.Fleet) string {
	text := "Runtimes that ended, or end within " + finding.Count(f.Days, "day", "days")
	var oldest time.Time
	for _, r := range f.Runtimes {
		if !r.AsOf.IsZero() && (oldest.IsZero() || r.AsOf.Before(oldest)) {
			oldest = r.AsOf
		}
	}
	if oldest.IsZero() {
		return text
	}
	return text + ", by dates as of " + oldest.UTC().Format(time.DateOnly)
}

// fleetLayers lists the layers with something against them.
func (p *printer) fleetLayers(f *finding.Fleet) {
	var bad []finding.FleetLayer
	for _, l := range f.Layers {
		if l.Helped > 0 || l.Foreign || p.opt.Verbose {
			bad = append(bad, l)
		}
	}
	if len(bad) == 0 {
		return
	}
	p.line("")
	p.line("  %s", p.paint(styleBold, "Layers"))
	n := maxFleetLayers
	if p.opt.Verbose || len(bad) == n+1 {
		n = len(bad)
	}
	for _, l := range bad[:min(n, len(bad))] {
		p.fleetLayer(l)
	}
	if more := len(bad) - n; more > 0 {
		p.line("          and %s more (-v lists them)", finding.Thousands(more))
	}
}

func (p *printer) fleetLayer(l finding.FleetLayer) {
	p.line("  %6s  %s", finding.Thousands(len(l.Functions)), clip(esc(l.ARN), p.opt.Width-10))
	if words := layerWords(l); words != "" {
		p.wrapped("          ", 10, 10, words)
	}
	if p.opt.Verbose {
		p.refs(l.Functions, len(l.Functions))
	}
}

// layerWords says what speaks against a layer; "" for nothing.
func layerWords(l finding.FleetLayer) string {
	var said []string
	if l.Helped > 0 && len(l.Findings) > 0 {
		said = append(said, fmt.Sprintf("bump it, fix %s: %s, worst %s %s in %s", finding.Count(l.Helped, "function", "functions"),
			finding.Count(l.Total, "finding", "findings"), l.Findings[0].Severity, show(l.Findings[0].ID, maxName), show(label(l.Findings[0].Component), maxPackage)))
	}
	if l.Newest != "" {
		said = append(said, "version "+show(l.Newest[strings.LastIndexByte(l.Newest, ':')+1:], maxName)+" is in use elsewhere")
	}
	if l.Foreign {
		said = append(said, "it lies in an account that is not trusted with it")
	}
	return strings.Join(said, "; ")
}

// fleetRest says what else does not fit together.
func (p *printer) fleetRest(f *finding.Fleet) {
	if n := len(f.Superseded); n > 0 {
		p.line("")
		p.wrapped("  ", 2, 2, finding.Count(n, "entry was", "entries were")+" not used: another one about the same version is newer, or nothing says which is")
	}
	if n := len(f.NotDeployed); n > 0 {
		p.line("")
		names := f.NotDeployed
		if !p.opt.Verbose {
			names = names[:min(n, maxFleetNames)]
		}
		text := finding.Count(n, "report is", "reports are") + " about bytes that are deployed nowhere: "
		for i, name := range names {
			if i > 0 {
				text += ", "
			}
			text += show(name, maxName)
		}
		if more := n - len(names); more > 0 {
			text += fmt.Sprintf(" and %s more", finding.Thousands(more))
		}
		p.wrapped("  ", 2, 2, text)
	}
}
