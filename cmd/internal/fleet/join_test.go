package fleet

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

var clock = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// scanned is a report of a scan of a zip with this content.
func scanned(name, content string, layers ...finding.Artifact) *finding.Report {
	r := finding.NewReport(name, name+".zip")
	r.Platform, r.Runtime = "aws-lambda", "nodejs20.x"
	r.Artifacts = append(r.Artifacts, finding.Artifact{Ref: name + ".zip", Kind: "zip", Digest: digestOf(content), Mount: "/var/task"})
	r.Artifacts = append(r.Artifacts, layers...)
	r.Ran("open", nil)
	r.Ran("catalog", nil)
	return r
}

// passes judges as a policy does that only looks at severities.
func passes(r *finding.Report) {
	r.Verdict = finding.Verdict{Decision: finding.Pass, Reasons: []string{}}
	for _, f := range r.Findings {
		if f.Severity.Rank() >= finding.High.Rank() {
			r.Verdict = finding.Verdict{Decision: finding.Fail, Reasons: []string{f.Title}}
			return
		}
	}
	if r.Check("open").State != finding.Ran {
		r.Verdict.Decision = finding.Incomplete
	}
}

// join runs a whole join.
func join(exports []*Export, reports []*finding.Report, opt Options) ([]*finding.Report, *finding.Fleet) {
	opt.Now = clock
	j := New(Merge(exports, clock), opt)
	for _, r := range reports {
		passes(r)
		j.Judge(r, passes)
	}
	rest := j.Rest()
	for _, r := range rest {
		passes(r)
	}
	return append(reports, rest...), j.Fleet()
}

// rules are the rules of a report's findings, worst first.
func rules(r *finding.Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Rule)
	}
	slices.Sort(out)
	return out
}

func TestJoin(t *testing.T) {
	layer := func(name string, size int) string {
		return fmt.Sprintf(`{"Arn":"arn:aws:lambda:eu-west-1:111122223333:layer:%s","CodeSize":%d}`, name, size)
	}
	layers := func(list ...string) string { return `"Layers":[` + strings.Join(list, ",") + `]` }
	layerDigest := func(name, content string) string {
		return fmt.Sprintf(`{"LayerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:%s","Content":{"CodeSha256":%q}}`, name, zipSum(content))
	}
	base := finding.Artifact{Ref: "base.zip", Kind: "zip", Digest: digestOf("base"), Size: 100, Mount: "/opt"}
	gated := func(content string, layers ...string) map[string][]Summary {
		return map[string][]Summary{digestOf(content): {{GatedBy: finding.GatedBy{Signer: "key", At: clock.AddDate(0, -1, 0)}, Layers: layers}}}
	}
	unreadableReport := scanned("orders", "a")
	unreadableReport.Checks[0].State = finding.Failed
	bill := scanned("orders", "a")
	bill.Artifacts[0].Kind = "sbom"

	for name, c := range map[string]struct {
		export  string
		reports []*finding.Report
		opt     Options
		want    []string // by function: name, decision, rules
	}{
		"scanned":                {list(entry("orders", zipSum("a"))), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass"}},
		"scanned by other name":  {list(entry("prod-orders", zipSum("a"))), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass"}},
		"never scanned":          {list(entry("orders", zipSum("a"))), nil, Options{}, []string{"orders fail drift-unscanned"}},
		"other bytes":            {list(entry("orders", zipSum("b"))), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass", "orders fail drift-changed"}},
		"bytes not known":        {list(entry("orders", "?")), nil, Options{}, []string{"x fail"}},
		"digest of another form": {list(entry("orders", "beef")), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass", "orders fail drift-digest-unknown"}},
		"a report that could not be opened": {list(entry("orders", zipSum("a"))), []*finding.Report{unreadableReport}, Options{},
			[]string{"orders incomplete", "orders fail drift-unscanned"}},
		"only a bill of materials": {list(entry("orders", zipSum("a"))), []*finding.Report{bill}, Options{}, []string{"orders pass", "orders fail drift-unscanned"}},
		"ungated":                  {list(entry("orders", zipSum("a"))), []*finding.Report{scanned("orders", "a")}, Options{GateAsked: true}, []string{"orders pass drift-ungated"}},
		"gated":                    {list(entry("orders", zipSum("a"))), []*finding.Report{scanned("orders", "a")}, Options{GateAsked: true, Gated: gated("a")}, []string{"orders pass"}},
		"gated with another layer": {list(entry("orders", zipSum("a"))), []*finding.Report{scanned("orders", "a")}, Options{GateAsked: true, Gated: gated("a", digestOf("base"))}, []string{"orders pass drift-ungated"}},
		"gated and never scanned":  {list(entry("orders", zipSum("a"))), nil, Options{GateAsked: true, Gated: gated("a")}, []string{"orders incomplete drift-unjudged"}},
		"neither":                  {list(entry("orders", zipSum("a"))), nil, Options{GateAsked: true}, []string{"orders fail drift-ungated drift-unscanned"}},
		"others were gated":        {list(entry("orders", zipSum("b"))), nil, Options{GatedName: map[string]bool{"orders": true}}, []string{"orders fail drift-changed"}},
		"another runtime":          {list(strings.Replace(entry("orders", zipSum("a")), "nodejs20.x", "nodejs16.x", 1)), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass drift-runtime"}},
		"not active":               {list(entry("orders", zipSum("a"), `"State":"Failed"`)), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass drift-not-active"}},
		"more layers": {list(entry("orders", zipSum("a"), layers(layer("base:7", 100)))), []*finding.Report{scanned("orders", "a")}, Options{},
			[]string{"orders pass", "orders fail drift-layers"}},
		"fewer layers": {list(entry("orders", zipSum("a"))), []*finding.Report{scanned("orders", "a", base)}, Options{}, []string{"orders pass", "orders fail drift-layers"}},
		"a layer of another size": {list(entry("orders", zipSum("a"), layers(layer("base:7", 101)))), []*finding.Report{scanned("orders", "a", base)}, Options{},
			[]string{"orders pass", "orders fail drift-layers"}},
		"a layer of the same size": {list(entry("orders", zipSum("a"), layers(layer("base:7", 100)))), []*finding.Report{scanned("orders", "a", base)}, Options{},
			[]string{"orders pass drift-layers-unproven"}},
		"the same layer": {list(entry("orders", zipSum("a"), layers(layer("base:7", 100)))) + layerDigest("base:7", "base"), []*finding.Report{scanned("orders", "a", base)}, Options{},
			[]string{"orders pass"}},
		"another layer": {list(entry("orders", zipSum("a"), layers(layer("base:7", 100)))) + layerDigest("base:7", "other"), []*finding.Report{scanned("orders", "a", base)}, Options{},
			[]string{"orders pass", "orders fail drift-layers"}},
		"one report of two has its layers": {list(entry("orders", zipSum("a"), layers(layer("base:7", 100)))) + layerDigest("base:7", "base"),
			[]*finding.Report{scanned("orders", "a"), scanned("orders", "a", base)}, Options{}, []string{"orders pass", "orders pass"}},
		"gated with the same layer": {list(entry("orders", zipSum("a"), layers(layer("base:7", 100)))) + layerDigest("base:7", "base"),
			[]*finding.Report{scanned("orders", "a", base)}, Options{GateAsked: true, Gated: gated("a", digestOf("base"))}, []string{"orders pass"}},
		"scanned, with a name of CloudFormation's": {list(entry("shop-OrdersFunction-1A2B3C4D5E6F7", zipSum("a"))), []*finding.Report{scanned("OrdersFunction", "a")}, Options{},
			[]string{"OrdersFunction pass"}},
		"other bytes, with a name of CloudFormation's": {list(entry("shop-OrdersFunction-1A2B3C4D5E6F7", zipSum("b"))), []*finding.Report{scanned("OrdersFunction", "a")}, Options{},
			[]string{"OrdersFunction pass", "shop-OrdersFunction-1A2B3C4D5E6F7 fail drift-changed"}},
		"other bytes, with a name of CDK's": {list(entry("shop-OrdersFnBCC86E6A-1A2B3C4D5E6F", zipSum("b"))), []*finding.Report{scanned("OrdersFn", "a")}, Options{},
			[]string{"OrdersFn pass", "shop-OrdersFnBCC86E6A-1A2B3C4D5E6F fail drift-changed"}},
		"other bytes in a replica": {list(entry("us-east-1.orders", zipSum("b"), `"MasterArn":"`+arnOf("orders")+`"`)), []*finding.Report{scanned("orders", "a")}, Options{},
			[]string{"orders pass", "us-east-1.orders fail drift-changed"}},
		"idle": {list(entry("orders", zipSum("a"), `"State":"Inactive"`)), []*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass"}},
		"the same bytes in two regions": {list(entry("orders", zipSum("a")), strings.ReplaceAll(entry("orders", zipSum("a")), region, "us-east-1")), nil, Options{},
			[]string{"orders fail drift-unscanned"}},
		"two versions": {list(entry("orders", zipSum("a")), strings.NewReplacer(`"$LATEST"`, `"3"`, `function:orders"`, `function:orders:3"`).Replace(entry("orders", zipSum("b")))),
			[]*finding.Report{scanned("orders", "a")}, Options{}, []string{"orders pass", "orders fail drift-changed"}},
	} {
		all, _ := join([]*Export{read(c.export)}, c.reports, c.opt)
		var got []string
		for _, r := range all {
			got = append(got, strings.TrimSpace(strings.Join(append([]string{r.Name, string(r.Verdict.Decision)}, rules(r)...), " ")))
		}
		if name == "bytes not known" { // the entry itself is refused: "?" is in no digest
			if len(all) != 1 || all[0].Verdict.Decision != finding.Incomplete || all[0].Target != "lambda-export:prod.json" {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for i, r := range all {
			if strings.HasPrefix(r.Target, Prefix) != (i >= len(c.reports)) {
				t.Errorf("%s: %s: target %q", name, r.Name, r.Target)
			}
			for _, f := range r.Findings {
				if f.Fingerprint == "" || f.Aliases == nil || f.Fixed == nil || len(f.Evidence) == 0 || strings.Contains(f.Title, "\n") {
					t.Errorf("%s: finding %+v", name, f)
				}
			}
		}
	}
}

// Each deployed function says by what it was found, and what is wrong with it.
func TestDeployedSaysWhatIsWrong(t *testing.T) {
	text := list(entry("orders", zipSum("a")), entry("shop-Billing-1A2B3C4D5E6F7", zipSum("b")), entry("stranger", zipSum("c")),
		entry("layered", zipSum("a"), `"Layers":[{"Arn":"arn:aws:lambda:eu-west-1:111122223333:layer:base:7","CodeSize":100}]`)) +
		`{"Configuration":` + entry("tagged", zipSum("d")) + `,"Tags":{"team":"pay"}}`
	all, _ := join([]*Export{read(text)}, []*finding.Report{scanned("orders", "a"), scanned("Billing", "old")}, Options{GateAsked: true})
	got := map[string]string{}
	for _, r := range all {
		for _, d := range r.Deployed {
			got[d.Name] = fmt.Sprint(d.JoinedBy, " ", d.Report, " ", d.Drift, " ", r.Tags)
		}
	}
	for name, want := range map[string]string{
		"layered":                    "digest orders [drift-layers drift-ungated] []",
		"orders":                     "digest  [drift-ungated] []",
		"shop-Billing-1A2B3C4D5E6F7": "generated-name Billing [drift-changed drift-ungated] []",
		"stranger":                   "  [drift-unscanned drift-ungated] []",
		"tagged":                     "  [drift-unscanned drift-ungated] [team=pay]",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestGatedAndFailsToday(t *testing.T) {
	r := scanned("orders", "a")
	r.Findings = append(r.Findings, finding.Finding{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: "CVE-1", Severity: finding.High, Title: "a flaw", Component: "pkg:npm/a@1"})
	opt := Options{GateAsked: true, Gated: map[string][]Summary{digestOf("a"): {{GatedBy: finding.GatedBy{At: clock.AddDate(0, -2, 0)}}, {GatedBy: finding.GatedBy{At: clock.AddDate(0, -1, 0)}}}}}
	all, fleet := join([]*Export{read(list(entry("orders", zipSum("a"))))}, []*finding.Report{r}, opt)
	if len(all) != 1 || !slices.Contains(rules(r), finding.RuleDriftFailsNow) || !r.Deployed[0].Gated.At.Equal(clock.AddDate(0, -1, 0)) {
		t.Errorf("rules %q, gated %+v", rules(r), r.Deployed[0].Gated)
	}
	if len(fleet.Drift) != 1 || fleet.Drift[0].Rule != finding.RuleDriftFailsNow || len(fleet.Drift[0].Functions) != 1 || fleet.Gated != 1 || fleet.Scanned != 1 {
		t.Errorf("fleet %+v", fleet)
	}
	i := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == finding.RuleDriftFailsNow })
	if want := "the gate let it pass on 2026-10-28, and today it fails: a flaw"; r.Findings[i].Title != want {
		t.Errorf("title %q", r.Findings[i].Title)
	}
}

// onLayers is a function on layers.
func onLayers(name string, layers ...string) string {
	var list []string
	for _, l := range layers {
		list = append(list, fmt.Sprintf(`{"Arn":"arn:aws:lambda:eu-west-1:%s","CodeSize":100}`, l))
	}
	return entry(name, zipSum(name), `"Layers":[`+strings.Join(list, ",")+`]`)
}

func TestLayers(t *testing.T) {
	var entries []string
	var reports []*finding.Report
	for i := range 14 {
		name := fmt.Sprintf("fn%02d", i)
		entries = append(entries, onLayers(name, "111122223333:layer:base:7", "999900001111:layer:agent:2"))
		r := scanned(name, name, finding.Artifact{Ref: "base.zip", Digest: digestOf("base"), Size: 100}, finding.Artifact{Ref: "agent.zip", Digest: digestOf("agent"), Size: 100})
		r.Components = append(r.Components,
			finding.Component{PURL: "pkg:npm/qs@6.5.0", Locations: []finding.Location{{Artifact: 1, Path: "nodejs/node_modules/qs"}, {Artifact: 1, Path: "again"}}},
			finding.Component{PURL: "pkg:npm/mine@1.0.0", Locations: []finding.Location{{Artifact: 0}}},
			finding.Component{PURL: "pkg:npm/odd@1.0.0", Locations: []finding.Location{{Artifact: 9}, {Artifact: -1}}})
		r.Findings = append(r.Findings,
			finding.Finding{Kind: finding.KindVulnerability, ID: "CVE-1", Component: "pkg:npm/qs@6.5.0", Severity: finding.Medium, Fixed: []string{"6.5.3"}},
			finding.Finding{Kind: finding.KindVulnerability, ID: "CVE-2", Component: "pkg:npm/mine@1.0.0", Severity: finding.Medium},
			finding.Finding{Kind: finding.KindVulnerability, ID: "CVE-3", Component: "pkg:npm/odd@1.0.0", Severity: finding.Medium})
		reports = append(reports, r)
	}
	entries = append(entries, onLayers("late", "111122223333:layer:base:10"))
	opt := Options{LayerAccount: func(function, layer string) []finding.Finding {
		if strings.Contains(layer, "999900001111") {
			return []finding.Finding{{Kind: finding.KindUntrusted, Rule: "layer-account", ID: "layer-account:" + layer, Severity: finding.Medium, Title: "not yours"}}
		}
		return nil
	}}
	_, fleet := join([]*Export{read(list(entries...))}, reports, opt)
	if len(fleet.Layers) != 3 {
		t.Fatalf("layers %+v", fleet.Layers)
	}
	base, agent := fleet.Layers[0], fleet.Layers[1]
	if base.Helped != 14 || len(base.Functions) != 14 || base.Total != 1 || base.Findings[0].ID != "CVE-1" || base.Newest != "arn:aws:lambda:eu-west-1:111122223333:layer:base:10" || base.Foreign {
		t.Errorf("base %+v", base)
	}
	if agent.Helped != 0 || len(agent.Functions) != 14 || agent.Total != 0 || !agent.Foreign || agent.Newest != "" {
		t.Errorf("agent %+v", agent)
	}
	if !slices.Contains(rules(reports[0]), "layer-account") {
		t.Errorf("rules %q", rules(reports[0]))
	}
}

// A layer that was scanned by itself helps all that use it, and one that nobody scanned
// is said to be so.
func TestLayersScannedAlone(t *testing.T) {
	layer := func(name, content string) string {
		return fmt.Sprintf(`{"LayerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:%s","Content":{"CodeSha256":%q}}`, name, zipSum(content))
	}
	text := list(onLayers("a", "111122223333:layer:base:7"), onLayers("b", "111122223333:layer:base:7"), onLayers("c", "111122223333:layer:base:8"), onLayers("d", "111122223333:layer:other:1")) +
		layer("base:7", "base 7") + layer("base:8", "base 8")
	alone := scanned("base-7", "base 7")
	alone.Findings = append(alone.Findings,
		finding.Finding{Kind: finding.KindVulnerability, ID: "CVE-1", Component: "pkg:npm/qs@6.5.0", Severity: finding.Medium, Fixed: []string{"6.5.3"}},
		finding.Finding{Kind: finding.KindVulnerability, ID: "CVE-2", Component: "pkg:npm/qs@6.5.0", Severity: finding.High, Waived: &finding.Waived{}})
	under := scanned("c", "c", finding.Artifact{Ref: "base.zip", Digest: digestOf("base 8"), Size: 100})
	all, fleet := join([]*Export{read(text)}, []*finding.Report{alone, under}, Options{})
	var got []string
	for _, l := range fleet.Layers {
		got = append(got, fmt.Sprint(strings.TrimPrefix(l.ARN, "arn:aws:lambda:eu-west-1:111122223333:layer:"), " ", len(l.Functions), " ", l.Helped, " ", l.Total, " ", l.Unscanned, " ", l.Digest != ""))
	}
	if want := []string{"base:7 2 2 1 false true", "base:8 1 0 0 false true", "other:1 1 0 0 true false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if len(fleet.NotDeployed) != 0 || len(alone.Deployed) != 0 || len(all) != 5 {
		t.Errorf("not deployed %q; %+v; %d reports", fleet.NotDeployed, alone.Deployed, len(all))
	}
}

func TestRuntimes(t *testing.T) {
	day := func(n int, event string) finding.Event {
		return finding.Event{Days: n, Event: event, Date: clock.AddDate(0, 0, n).Format(time.DateOnly)}
	}
	ends := map[string][]finding.Event{
		"nodejs14.x": {day(-900, "deprecated"), day(-700, "block-create"), day(-600, "block-update")},
		"nodejs20.x": {day(-10, "deprecated"), day(80, "block-create"), day(110, "block-update")},
		"python3.9":  {day(91, "deprecated")},
		"java21":     nil,
	}
	old := finding.Finding{Kind: finding.KindRuntime, Rule: finding.RuleRuntimeBlocked, ID: "runtime:nodejs14.x", Severity: finding.High, Certainty: finding.Certain, Title: "old"}
	opt := Options{Ends: func(id string) []finding.Event { return ends[id] }, Runtime: func(id string) []finding.Finding {
		if id == "nodejs14.x" {
			return []finding.Finding{old}
		}
		return nil
	}}
	var entries []string
	for _, id := range []string{"nodejs14.x", "nodejs20.x", "python3.9", "java21", "nodejs14.x"} {
		name := fmt.Sprintf("fn%d", len(entries))
		entries = append(entries, strings.Replace(entry(name, zipSum(name)), "nodejs20.x", id, 1))
	}
	guessed := scanned("fn0", "fn0")
	guessed.Runtime, guessed.Guessed = "nodejs14.x", []string{"runtime"}
	probable := old
	probable.Certainty = finding.Probable
	guessed.Findings = append(guessed.Findings, probable)
	_, fleet := join([]*Export{read(list(entries...))}, []*finding.Report{guessed}, opt)
	var got []string
	for _, r := range fleet.Runtimes {
		got = append(got, fmt.Sprint(r.Runtime, " ", r.Versions, " ", r.Event, " ", r.Days))
	}
	if want := []string{"nodejs14.x 2 block-update -600", "nodejs20.x 1 block-create 80"}; !slices.Equal(got, want) {
		t.Errorf("runtimes %q, want %q", got, want)
	}
	if len(guessed.Findings) != 1 || guessed.Findings[0].Certainty != finding.Certain {
		t.Errorf("a guessed runtime that is deployed is certain, once: %+v", guessed.Findings)
	}
}

func TestNotDeployed(t *testing.T) {
	base := finding.Artifact{Ref: "base.zip", Digest: digestOf("base"), Size: 100}
	reports := []*finding.Report{scanned("orders", "a"), scanned("orders", "old"), scanned("gone", "g"), scanned("layered", "l", base)}
	_, fleet := join([]*Export{read(list(entry("orders", zipSum("a")), entry("bare", zipSum("l"))))}, reports, Options{})
	if !slices.Equal(fleet.NotDeployed, []string{"gone"}) {
		t.Errorf("not deployed: %q", fleet.NotDeployed)
	}
}

// The order in which reports come changes nothing but theirs.
func TestJoinDoesNotDependOnOrder(t *testing.T) {
	base := finding.Artifact{Ref: "base.zip", Digest: digestOf("base"), Size: 100}
	unsized := finding.Artifact{Ref: "base.zip", Digest: digestOf("base")}
	entries := []string{onLayers("a", "111122223333:layer:base:7"), entry("b", zipSum("b")), entry("c", zipSum("c")), onLayers("d", "111122223333:layer:base:7", "111122223333:layer:other:7")}
	var first string
	for seed := range uint64(20) {
		reports := []*finding.Report{scanned("a", "a", base), scanned("a2", "a", unsized), scanned("a3", "a"), scanned("b", "other"), scanned("d", "d", base), scanned("d2", "d")}
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(reports), func(i, k int) { reports[i], reports[k] = reports[k], reports[i] })
		all, fleet := join([]*Export{read(list(entries...))}, reports, Options{GateAsked: true})
		slices.SortStableFunc(all, func(x, y *finding.Report) int { return strings.Compare(x.Target+x.Name, y.Target+y.Name) })
		text, err := json.Marshal([]any{all, fleet})
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if string(text) != first {
			t.Fatalf("seed %d: another result:\n%s\n%s", seed, text, first)
		}
	}
}

// fleetOf makes n functions on shared layers, of which every third is gated,
// every tenth has other bytes, and every eleventh no report, with their reports.
func fleetOf(n int) (string, []*finding.Report, Options) {
	var entries []string
	var reports []*finding.Report
	opt := Options{GateAsked: true, Gated: map[string][]Summary{}}
	for i := range n {
		name := fmt.Sprintf("fn%05d", i)
		layer := fmt.Sprintf("arn:aws:lambda:eu-west-1:111122223333:layer:base%d:%d", i%20, 1+i%7)
		entries = append(entries, entry(name, zipSum(name), fmt.Sprintf(`"Layers":[{"Arn":%q,"CodeSize":100}]`, layer)))
		if i%11 == 0 {
			continue
		}
		content := name
		if i%10 == 0 {
			content = "other " + name
		}
		r := scanned(name, content, finding.Artifact{Ref: "base.zip", Digest: digestOf("base"), Size: 100})
		for k := range 40 {
			purl := fmt.Sprintf("pkg:npm/p%d@1.%d.0", k, i%13)
			r.Components = append(r.Components, finding.Component{PURL: purl, Locations: []finding.Location{{Artifact: k % 2}}})
			if k < 10 {
				r.Findings = append(r.Findings, finding.Finding{Kind: finding.KindVulnerability, ID: fmt.Sprintf("CVE-2026-%d", k), Component: purl, Severity: finding.Medium})
			}
		}
		reports = append(reports, r)
		if i%3 == 0 {
			opt.Gated[digestOf(name)] = []Summary{{GatedBy: finding.GatedBy{At: clock}, Layers: []string{digestOf("base")}}}
		}
	}
	return list(entries...), reports, opt
}

func BenchmarkJoin4000(b *testing.B) {
	text, reports, opt := fleetOf(4000)
	clean := make([]finding.Report, len(reports))
	for i, r := range reports {
		clean[i] = *r
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range reports {
			*reports[i] = clean[i]
		}
		all, fleet := join([]*Export{read(text)}, reports, opt)
		if fleet.Versions != 4000 || len(all) < 4000 {
			b.Fatalf("%d versions, %d reports", fleet.Versions, len(all))
		}
	}
}

// A runtime that a function is deployed on is in its calendar, whether a report is
// about it or not, once, and for certain.
func TestDeployedCalendar(t *testing.T) {
	e := finding.Event{Date: "2027-03-03", What: "runtime nodejs20.x", Event: finding.EventBlockUpdate}
	opt := Options{Now: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Calendar: func(id string) []finding.Event {
		if id != "nodejs20.x" {
			return nil
		}
		return []finding.Event{e}
	}}
	guessed := e
	guessed.Guessed = true
	old := []finding.Event{guessed}
	for _, calendar := range [][]finding.Event{nil, old} {
		r := finding.NewReport("orders", "orders.zip")
		r.Calendar, r.Deployed = calendar, []finding.Deployed{{Name: "orders", Runtime: "nodejs20.x"}, {Name: "orders", Runtime: "nodejs20.x", Version: "3"}, {Name: "orders"}}
		judged := 0
		Recall(r, opt, func(*finding.Report) { judged++ })
		if len(r.Calendar) != 1 || r.Calendar[0] != e || judged != 1 || !old[0].Guessed {
			t.Errorf("got %+v, judged %d times", r.Calendar, judged)
		}
	}
	j := New(Merge([]*Export{read(list(entry("orders", zipSum("a"))))}, opt.Now), opt)
	if rest := j.Rest(); len(rest) != 1 || len(rest[0].Calendar) != 1 {
		t.Errorf("%+v", rest)
	}
	Recall(finding.NewReport("orders", "orders.zip"), opt, func(*finding.Report) { t.Error("judged again for nothing") })
}
