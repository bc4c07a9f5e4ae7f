package report_test

import (
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// fleet is a run with what is deployed. Every text that comes from an export is
// as it is given, or something plain for "".
func fleet(text string) *finding.Document {
	or := func(plain string) string {
		if text != "" {
			return text
		}
		return plain
	}
	ref := func(name, account string) finding.Ref {
		return finding.Ref{Account: or(account), Region: or("eu-west-1"), Name: or(name), Version: or("$LATEST")}
	}
	one := func(name string) finding.Deployed {
		return finding.Deployed{Name: or(name), ARN: or("arn:aws:lambda:eu-west-1:111122223333:function:" + name), Account: or("111122223333"), Region: or("eu-west-1"), Version: or("$LATEST"),
			Package: "zip", Digest: digestA, Size: 4096, Runtime: or("nodejs20.x"), Architecture: or("arm64"), Modified: asOf, Source: or("prod.json"),
			Layers: []finding.DeployedLayer{{ARN: or("arn:aws:lambda:eu-west-1:111122223333:layer:base:7"), Size: 100, Digest: digestB}}}
	}
	scanned := failing()
	d := one("checkout")
	d.Aliases, d.Routes, d.Tags = []string{or("live")}, []finding.DeployedRoute{{Alias: or("live"), Weight: 0.1}}, []string{or("team=pay")}
	d.JoinedBy, d.Drift = finding.JoinedByDigest, []string{finding.RuleDriftFailsNow}
	d.Scanned, d.LayersMatch = true, finding.LayersSame
	d.Gated = &finding.GatedBy{Function: or("checkout"), Signer: or("SHA256:key"), Verifier: or("https://acme.example/fnaudit"), Policy: digestB, At: asOf, Source: or("summaries/checkout.zip.vsa.sigstore.json")}
	scanned.Deployed = []finding.Deployed{d, one("checkout")}
	stub := finding.NewReport(or("orders"), or("lambda:arn:aws:lambda:eu-west-1:111122223333:function:orders"))
	stub.Platform = "aws-lambda"
	stub.Deployed = []finding.Deployed{one("orders")}
	stub.Deployed[0].JoinedBy, stub.Deployed[0].Report, stub.Deployed[0].Drift = finding.JoinedByGeneratedName, or("Orders"), []string{finding.RuleDriftUnscanned}
	stub.Artifacts = []finding.Artifact{{Ref: stub.Deployed[0].ARN, Kind: "zip", Digest: digestA, Size: 4096, Mount: "/var/task"}}
	stub.Findings = []finding.Finding{{Fingerprint: finding.Fingerprint(finding.KindDrift, finding.RuleDriftUnscanned, "orders", "", "x", nil), Kind: finding.KindDrift, Rule: finding.RuleDriftUnscanned,
		ID: or("drift-unscanned:orders@aaaaaaaaaaaa"), Severity: finding.High, Certainty: finding.Certain, Title: or("orders: nobody scanned the bytes that are deployed: no report is about these bytes"),
		Reach: finding.ReachUnknown, Evidence: []finding.Evidence{{Source: "export", Locator: or("arn:aws:lambda:eu-west-1:111122223333:function:orders"), Detail: or("no report is about these bytes")}}}}
	stub.Checks = []finding.Status{{Check: "open", State: finding.Skipped, Reason: or("nobody scanned it")}, {Check: finding.CheckDeployed, State: finding.Ran}}
	stub.Verdict = finding.Verdict{Decision: finding.Incomplete, Reasons: []string{or("orders: nobody scanned the bytes that are deployed")}, Next: or("scan the package that is deployed")}

	doc := wrapDocument(scanned, passing("hello"), stub)
	var many []finding.Ref
	for i := range 14 {
		r := ref("orders", "111122223333")
		r.Name += string(rune('a' + i))
		many = append(many, r)
	}
	many[1].KnownAs = or("Orders")
	doc.Fleet = &finding.Fleet{
		Exports:   []finding.FleetExport{{Source: or("prod.json"), Versions: 3, Duplicates: 1, Layers: 1, Problem: or("it ends in the middle")}},
		Functions: 3, Versions: 4, Accounts: []string{or("111122223333")}, Regions: []string{or("eu-west-1")}, Scanned: 2, Gated: 1, GateAsked: true, Days: 90,
		Drift: []finding.FleetDrift{
			{Rule: finding.RuleDriftFailsNow, Functions: []finding.Ref{ref("checkout", "111122223333")}},
			{Rule: finding.RuleDriftUnscanned, Functions: many},
			{Rule: finding.RuleDriftUngated, Functions: []finding.Ref{{Name: or("hello"), Version: "12"}}},
		},
		Runtimes: []finding.FleetRuntime{
			{Runtime: or("nodejs14.x"), Versions: 2, Event: finding.EventBlockUpdate, Date: "2024-01-01", Days: -1056, Functions: many[:2]},
			{Runtime: or("nodejs20.x"), Versions: 1, Event: finding.EventBlockCreate, Date: "2026-12-30", Days: 38, Functions: many[2:3], UpdatesBlocked: "2027-01-30", AsOf: asOf},
		},
		Layers: []finding.FleetLayer{
			{ARN: or("arn:aws:lambda:eu-west-1:111122223333:layer:base:7"), Newest: or("arn:aws:lambda:eu-west-1:111122223333:layer:base:9"), Functions: many, Helped: 14, Total: 2,
				Findings: []finding.LayerFinding{{ID: or("GHSA-aaaa-bbbb-cccc"), Component: or("pkg:npm/qs@6.5.0"), Severity: finding.High, Fixed: []string{or("6.5.3")}}}},
			{ARN: or("arn:aws:lambda:eu-west-1:999900001111:layer:agent:2"), Foreign: true, Functions: many[:3], Findings: []finding.LayerFinding{}},
			{ARN: or("arn:aws:lambda:eu-west-1:111122223333:layer:quiet:1"), Functions: many[:1], Findings: []finding.LayerFinding{}},
		},
		Superseded: []finding.Deployed{one("orders")}, NotDeployed: []string{or("old-job")},
	}
	doc.Fleet.Superseded[0].Modified = time.Time{}
	return doc
}
