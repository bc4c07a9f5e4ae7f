package fleet

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Prefix starts the target of a report that is about a list, or about a function
// of one that nobody scanned: the reports of [Join.Rest], of this run or of an
// earlier one. No scan writes such a target.
const Prefix = "lambda-export:"

// Options say what deployed functions are held against.
type Options struct {
	Now  time.Time
	Days int // how far ahead the ends of runtimes are listed; 0: DefaultDays

	// Runtime says what is to be said of a runtime of AWS Lambda, as the check of that name
	// does; nil: nothing. Ends lists all that is known of its end.
	Runtime func(runtime string) []finding.Finding
	Ends    func(runtime string) []finding.Event

	// LayerAccount says what is to be said of a layer, by its ARN, under a function
	// with that ARN, as the check "trust" does; nil: nothing.
	LayerAccount func(function, layer string) []finding.Finding

	GateAsked bool                 // summaries were looked for
	Gated     map[string][]Summary // verified ones, by the digest of the code
	GatedName map[string]bool      // names of functions that verified summaries are about
}

// DefaultDays is how far ahead the ends of runtimes are listed: the notice that a
// team needs to move one function.
const DefaultDays = 90

// Summary is a verified summary of a gate.
type Summary struct {
	finding.GatedBy
	Layers []string // digests of the layers that were judged with it, in merge order
}

// Join compares deployed functions with reports, which are given one by one, in
// any order and from any goroutine, and of which nothing is kept:
//
//	for each report { join.Judge(report, decide) }
//	reports = append(reports, join.Rest()...)
//	fleet := join.Fleet()
//
// A deployed function belongs to a report when its code has the digest of the report's
// first artifact and its layers do not differ from the others. It can belong to
// several, and a report can be about many.
type Join struct {
	inv      Inventory
	opt      Options
	byDigest map[string][]int
	byLayer  map[string][]string // ARNs by the digest of a layer

	mu       sync.Mutex         // guards what follows
	scanned  []bool             // by index: a report is about it
	gated    []bool             // by index: a summary is about it
	broken   []uint             // by index: the rules that it breaks, one bit each
	knownAs  map[int]string     // of those whose bytes no report is about, and whose name is another one in a report: that
	others   map[int]other      // of those with code that a report is about: how their layers differ
	names    map[string]bool    // of reports
	sboms    map[string]bool    // digests that only a bill of materials from outside is about
	layers   map[string]*layer  // by ARN
	unused   map[string][]int   // names of reports that are about nothing that is deployed, and what has the same code on other layers
	used     map[string]bool    // and of those that are
	runtimes map[string]runtime // what is said of each, once
}

// other is a report of the code of a deployed function that was made with other layers.
type other struct{ report, why string }

// runtime is what is said of one.
type runtime struct {
	findings []finding.Finding
	ends     []finding.Event
}

// New begins a join.
func New(inv Inventory, opt Options) *Join {
	if opt.Days == 0 {
		opt.Days = DefaultDays
	}
	n := len(inv.Deployed)
	j := &Join{inv: inv, opt: opt, byDigest: map[string][]int{}, byLayer: map[string][]string{}, scanned: make([]bool, n), gated: make([]bool, n), broken: make([]uint, n), others: map[int]other{}, knownAs: map[int]string{},
		names: map[string]bool{}, sboms: map[string]bool{}, layers: map[string]*layer{}, unused: map[string][]int{}, used: map[string]bool{}, runtimes: map[string]runtime{}}
	for i := range inv.Deployed {
		d := &inv.Deployed[i]
		if d.Digest != "" {
			j.byDigest[d.Digest] = append(j.byDigest[d.Digest], i)
		}
		j.lay(d)
	}
	return j
}

// Judge adds to a report what is deployed of it and what is wrong with that. decide
// gives the report its verdict; it is called again where something was added.
// A report that was no scan of a function is left as it is.
func (j *Join) Judge(rep *finding.Report, decide func(*finding.Report)) {
	rep.Deployed = nil
	mine := j.begin(rep)
	if len(mine) == 0 {
		return
	}
	decide(rep)
	if j.failsNow(rep, mine) {
		decide(rep)
	}
	j.weigh(rep)
}

// begin adds what is deployed of a report, and lists it by index.
func (j *Join) begin(rep *finding.Report) []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !scan(rep) {
		j.claim(rep)
		return nil
	}
	name := strings.Clone(rep.Name) // a part of a text that would stay
	j.names[name] = true
	mine := j.mine(rep)
	if arns := j.byLayer[rep.Artifacts[0].Digest]; len(mine) == 0 && len(arns) > 0 {
		j.used[name] = true
		for _, arn := range arns {
			j.layers[arn].alone(rep)
		}
		return nil
	}
	if len(mine) == 0 {
		j.unused[name] = append(j.unused[name], j.byDigest[rep.Artifacts[0].Digest]...)
		return nil
	}
	j.used[name] = true
	j.attach(rep, mine)
	return mine
}

// scan says whether a report is about bytes that were opened.
func scan(rep *finding.Report) bool {
	return rep.Vetted == nil && !strings.HasPrefix(rep.Target, Prefix) && rep.Check("open").State == finding.Ran && len(rep.Artifacts) > 0 &&
		rep.Artifacts[0].Kind != "sbom" && isDigest(rep.Artifacts[0].Digest)
}

// claim notes what a bill of materials from outside says that it is about: nobody
// looked into these bytes.
func (j *Join) claim(rep *finding.Report) {
	if len(rep.Artifacts) > 0 && rep.Artifacts[0].Kind == "sbom" && isDigest(rep.Artifacts[0].Digest) {
		j.sboms[strings.Clone(rep.Artifacts[0].Digest)] = true
	}
}

// mine lists the deployed functions that a report is about, by index.
func (j *Join) mine(rep *finding.Report) []int {
	var out []int
	for _, i := range j.byDigest[rep.Artifacts[0].Digest] {
		d := &j.inv.Deployed[i]
		switch match, how := compareLayers(d.Layers, judgedLayers(rep)); match {
		case finding.LayersOther:
			if o := (other{strings.Clone(rep.Name), fmt.Sprintf("the report %s was made with other layers: %s", rep.Name, how)}); j.others[i].why == "" || o.why < j.others[i].why {
				j.others[i] = o
			}
		default:
			out = append(out, i)
		}
	}
	return out
}

// attach adds the deployed functions and the findings about them.
func (j *Join) attach(rep *finding.Report, mine []int) {
	drift := newDrift(rep.Name, rep.Artifacts[0].Digest)
	for _, i := range mine {
		d := j.inv.Deployed[i]
		d.Scanned, d.JoinedBy = true, finding.JoinedByDigest
		d.LayersMatch, _ = compareLayers(d.Layers, judgedLayers(rep))
		j.gate(&d)
		if j.opt.GateAsked && d.Gated == nil {
			drift.add(finding.RuleDriftUngated, &d, j.ungated(&d))
		}
		if d.LayersMatch == finding.LayersUnproven {
			drift.add(finding.RuleDriftUnproven, &d, unproven(&d))
		}
		if rep.Runtime != "" && d.Runtime != "" && d.Runtime != rep.Runtime && !slices.Contains(rep.Guessed, "runtime") {
			drift.add(finding.RuleDriftRuntime, &d, "it runs on "+d.Runtime+", and was judged for "+rep.Runtime)
		}
		j.platform(rep, drift, &d)
		rep.Deployed = append(rep.Deployed, d)
		j.scanned[i] = true
	}
	j.note(rep, mine, drift)
	rep.Findings = append(slices.Clip(rep.Findings), drift.findings()...)
	rep.Ran(finding.CheckDeployed, nil)
	seal(rep)
}

// note says at each deployed function of a report what is wrong with it, and keeps
// what is counted. mine are their indexes.
func (j *Join) note(rep *finding.Report, mine []int, x *drift) {
	for n, i := range mine {
		d := &rep.Deployed[n]
		j.gated[i] = j.gated[i] || d.Gated != nil
		d.Drift = append(d.Drift, x.of(d)...)
		slices.SortFunc(d.Drift, func(a, b string) int { return rank(a) - rank(b) })
		d.Drift = slices.Compact(d.Drift)
		for _, rule := range d.Drift {
			j.broken[i] |= 1 << rank(rule)
		}
	}
}

// rank is the place of a rule, the most urgent first.
func rank(rule string) int { return slices.Index(finding.DriftRules(), rule) }

// failsNow adds a finding to a report that fails although a gate let it pass.
func (j *Join) failsNow(rep *finding.Report, mine []int) bool {
	if rep.Verdict.Decision != finding.Fail {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	drift := newDrift(rep.Name, rep.Artifacts[0].Digest)
	for n := range mine {
		d := &rep.Deployed[n]
		if d.Gated == nil {
			continue
		}
		why := "the gate let it pass on " + d.Gated.At.UTC().Format(time.DateOnly) + ", and today it fails"
		if len(rep.Verdict.Reasons) > 0 {
			why += ": " + rep.Verdict.Reasons[0]
		}
		drift.add(finding.RuleDriftFailsNow, d, why)
	}
	j.note(rep, mine, drift)
	found := drift.findings()
	rep.Findings = append(rep.Findings, found...)
	seal(rep)
	return len(found) > 0
}

// gate finds the newest summary about what is deployed.
func (j *Join) gate(d *finding.Deployed) {
	d.Gated = nil
	for _, s := range j.opt.Gated[d.Digest] {
		if match, _ := compareLayers(d.Layers, layersOf(s.Layers)); match == finding.LayersOther {
			continue
		}
		if d.Gated == nil || s.At.After(d.Gated.At) || s.At.Equal(d.Gated.At) && s.Source < d.Gated.Source {
			by := s.GatedBy
			d.Gated = &by
		}
	}
}

// ungated says why nothing that a gate signed answers for a deployed function.
func (j *Join) ungated(d *finding.Deployed) string {
	if d.Digest == "" {
		return "which bytes run is not known, so that no summary can answer for them"
	}
	if len(j.opt.Gated[d.Digest]) > 0 {
		_, how := compareLayers(d.Layers, layersOf(j.opt.Gated[d.Digest][0].Layers))
		return "the gate let its code pass with other layers: " + how
	}
	return "no valid summary of the gate is about these bytes"
}

// Rest makes the reports of what no report is about: of each name and bytes one,
// the most urgent first; and one of each export that does not say everything.
// They are to be judged as reports are. Rest is called once, after the last report.
func (j *Join) Rest() []*finding.Report {
	type bytesOf struct{ name, digest, where string }
	groups := map[bytesOf][]int{}
	var order []bytesOf
	for i := range j.inv.Deployed {
		if j.scanned[i] {
			continue
		}
		d := &j.inv.Deployed[i]
		k := bytesOf{name: d.Name, digest: d.Digest}
		if d.Digest == "" {
			k.where = where(d)
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], i)
	}
	var out []*finding.Report
	for _, e := range j.inv.Exports {
		if e.Problem != "" {
			out = append(out, unreadable(e))
		}
	}
	rest := make([]*finding.Report, 0, len(order))
	for _, k := range order {
		rest = append(rest, j.stub(groups[k]))
	}
	slices.SortStableFunc(rest, func(a, b *finding.Report) int { return urgency(a) - urgency(b) })
	return append(out, rest...)
}

// unreadable is the report of an export that does not say everything.
func unreadable(e finding.FleetExport) *finding.Report {
	rep := finding.NewReport(e.Source, Prefix+e.Source)
	rep.Checks = append(rep.Checks, finding.Status{Check: "open", State: finding.Failed, Reason: e.Problem})
	rep.Checks = append(rep.Checks, finding.Status{Check: finding.CheckDeployed, State: finding.Failed, Reason: e.Problem})
	return rep
}

// stub is the report of deployed functions of one name that run the same bytes,
// into which nobody looked.
func (j *Join) stub(group []int) *finding.Report {
	first := &j.inv.Deployed[group[0]]
	rep := finding.NewReport(first.Name, Prefix+first.Source+"#"+strings.TrimPrefix(where(first), first.Source+"#"))
	rep.Platform, rep.Runtime, rep.Architecture = "aws-lambda", first.Runtime, first.Architecture
	rep.Artifacts = append(rep.Artifacts, finding.Artifact{Ref: where(first), Kind: first.Package, Digest: first.Digest, Size: first.Size, Mount: "/var/task"})
	drift := newDrift(first.Name, first.Digest)
	if first.Digest == "" {
		drift.mark = where(first)
	}
	for _, i := range group {
		d := j.inv.Deployed[i]
		j.gate(&d)
		if d.JoinedBy, d.Report = j.known(i, &d); d.Report != d.Name {
			j.knownAs[i] = d.Report
		}
		rule, why := j.lacks(i, &d)
		drift.add(rule, &d, why)
		if j.opt.GateAsked && d.Gated == nil {
			drift.add(finding.RuleDriftUngated, &d, j.ungated(&d))
		}
		j.platform(rep, drift, &d)
		rep.Deployed = append(rep.Deployed, d)
	}
	rep.Tags = shared(rep.Deployed)
	j.note(rep, group, drift)
	found := drift.findings()
	rep.Findings = append(rep.Findings, found...)
	seal(rep)
	rep.Skip("open", found[0].Title)
	rep.Ran(finding.CheckDeployed, nil)
	return rep
}

// lacks is the rule for a deployed function that no report is about.
func (j *Join) lacks(i int, d *finding.Deployed) (rule, why string) {
	switch {
	case d.Digest == "":
		return finding.RuleDriftNoDigest, d.DigestReason
	case d.Gated != nil:
		return finding.RuleDriftUnjudged, "the gate let it pass on " + d.Gated.At.UTC().Format(time.DateOnly) + ", and no report of these bytes is there to judge again"
	case j.others[i].why != "":
		return finding.RuleDriftLayers, j.others[i].why
	case d.JoinedBy != "":
		return finding.RuleDriftChanged, otherBytes(d)
	case j.sboms[d.Digest]:
		return finding.RuleDriftUnscanned, "only a bill of materials says that it is about these bytes, and nobody looked into them"
	}
	return finding.RuleDriftUnscanned, "no report is about these bytes"
}

// known finds what is known of a deployed function that no report is about: by
// what, and the name of the report, or of what a gate let pass. With the digest
// it has only the code in common.
func (j *Join) known(i int, d *finding.Deployed) (by finding.JoinedBy, report string) {
	if o := j.others[i]; o.why != "" {
		return finding.JoinedByDigest, o.report
	}
	for _, c := range callings(d, j.inv.masters[d.ARN]) {
		if j.names[c.name] || j.opt.GatedName[c.name] {
			return c.by, c.name
		}
	}
	return "", ""
}

// otherBytes says by what a function is known of which other bytes are deployed.
func otherBytes(d *finding.Deployed) string {
	switch d.JoinedBy {
	case finding.JoinedByMasterName:
		return "what is known of " + d.Report + ", of which it is a replica, is about other bytes"
	case finding.JoinedByGeneratedName:
		return "what is known of " + d.Report + ", from which its name seems to be made, is about other bytes"
	}
	return "what is known of the function is about other bytes"
}

// where names a deployed function: by its ARN, and by name and version without.
func where(d *finding.Deployed) string {
	at := d.ARN
	if at == "" {
		at = d.Source + "#" + d.Name
	}
	if f, ok := parseFunction(d.ARN); ok && f.qualifier == "" && d.Version != "" && d.Version != "$LATEST" || d.ARN == "" && d.Version != "" {
		at += ":" + d.Version
	}
	return at
}
