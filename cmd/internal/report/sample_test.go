package report_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// The samples are made by hand: the ids are invented, the shapes are real.

var (
	judgedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	asOf     = time.Date(2026, 11, 19, 6, 0, 0, 0, time.UTC)
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// hostile holds one of each thing that no output may show as it is.
const hostile = "\x1b[2J\x1b]8;;http://x\x07evil\u009b31m\u202egpj\x00<script>alert(1)</script><svg/onload=1><img src=x>\xff\n::error title=x::y ##vso[task] a|b`c` [click](javascript:alert(1)) ${{ github.token }} ]]><x/>"

func wrapDocument(rs ...*finding.Report) *finding.Document {
	return &finding.Document{
		SchemaVersion: finding.SchemaVersion,
		Tool:          finding.Tool{Name: "fnaudit", Version: "1.2.3"},
		Database: finding.Database{
			ID: "sha256:1f2e3d4c5b6a79880123456789abcdef0123456789abcdef0123456789abcdef", BuiltAt: asOf.Add(24 * time.Hour), Records: 26543,
			Ecosystems: map[string]finding.Ecosystem{
				"npm":  {Records: 4155, AsOf: asOf, Source: "osv"},
				"PyPI": {Records: 7070, AsOf: asOf.Add(24 * time.Hour), Source: "osv"},
			},
			Feeds: []finding.Feed{
				{Name: "epss", Records: 300_000, AsOf: asOf.Add(24 * time.Hour), Source: "/lists/epss.csv.gz", Digest: "sha256:" + strings.Repeat("e", 64)},
				{Name: "kev", Records: 1400, AsOf: asOf, Source: "/lists/kev.json", Digest: "sha256:" + strings.Repeat("d", 64)},
			},
		},
		Policy: finding.PolicyRef{Name: "builtin:ci"}, JudgedAt: judgedAt,
		Functions: rs, Summary: finding.Summarize(rs),
	}
}

func component(typ, name, version string) finding.Component {
	purl := "pkg:" + typ + "/" + name
	if version != "" {
		purl += "@" + version
	}
	return finding.Component{
		PURL: purl, Name: name, Version: version, Ecosystem: map[string]string{"npm": "npm", "pypi": "PyPI", "deb": "Debian:12"}[typ],
		State: "live", Origin: "app", Licenses: []string{"MIT"}, Hashes: map[string]string{},
		Locations: []finding.Location{{Path: "node_modules/" + name + "/package.json", State: "live"}},
		Evidence:  []finding.Proof{{Method: "installed-metadata", Confidence: 0.99, Path: "node_modules/" + name + "/package.json"}},
	}
}

func vulnerability(c finding.Component, id string, severity finding.Severity, score float64, title string, fixed ...string) finding.Finding {
	day := time.Date(2021, 2, 19, 23, 0, 0, 0, time.UTC)
	f := finding.Finding{
		Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: id, Aliases: []string{"CVE-2021-" + fmt.Sprint(20000+len(title)*7)},
		Severity: severity, Certainty: finding.Certain, Score: score, Component: c.PURL, State: c.State, Origin: c.Origin,
		Title: title, Fixed: fixed, Reach: finding.ReachUnknown, Published: &day, Modified: &day,
		Evidence: []finding.Evidence{{Source: "advisory", Locator: id, Detail: "0 <= version < " + fmt.Sprint(fixed)}},
	}
	if score > 0 {
		f.Vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L"
	}
	f.Fingerprint = finding.Fingerprint(f.Kind, f.Rule, "orders", c.PURL, id, f.Aliases)
	return f
}

func zip(ref string) finding.Artifact {
	return finding.Artifact{Ref: ref, Kind: "zip", Digest: digestA, Size: 4_312_345, Mount: "/var/task"}
}

func passing(name string) *finding.Report {
	r := finding.NewReport(name, name+".zip")
	r.Platform, r.Runtime, r.Architecture, r.Guessed = "aws-lambda", "nodejs22.x", "x86_64", []string{"platform", "runtime"}
	r.Artifacts = []finding.Artifact{zip(name + ".zip")}
	r.Components = []finding.Component{component("npm", "lodash", "4.17.21")}
	for _, check := range []string{"open", "catalog", "archive", "vulnerability"} {
		r.Ran(check, nil)
	}
	r.Verdict = finding.Verdict{Decision: finding.Pass, Reasons: []string{}}
	return r
}

// failing has one of everything.
func failing() *finding.Report {
	r := finding.NewReport("orders", "build/orders.zip")
	r.Platform, r.Runtime, r.Handler, r.Architecture, r.Guessed = "aws-lambda", "nodejs20.x", "index.handler", "x86_64", []string{"platform", "runtime"}
	r.Owner, r.Tags = "team-checkout", []string{"pci"}
	r.Artifacts = []finding.Artifact{zip("build/orders.zip"), {Ref: "layers/base.zip", Kind: "zip", Digest: digestB, Size: 1234, Mount: "/opt"}}
	lodash, minimist := component("npm", "lodash", "4.17.15"), component("npm", "minimist", "1.2.0")
	lodash.Upgrade = "4.17.21"
	lodash.Requires = []string{"minimist"}
	minimist.Locations = append(minimist.Locations, finding.Location{Artifact: 1, Layer: digestB, Path: "nodejs/node_modules/minimist/package.json", State: "shadowed"})
	sdk := component("npm", "@aws-sdk/client-cloudwatch-events", "3.600.0-beta.1")
	sdk.PURL = "pkg:npm/%40aws-sdk/client-cloudwatch-events@3.600.0-beta.1"
	sdk.Licenses = []string{"Apache-2.0 OR MIT"}
	axios := component("npm", "axios", "")
	axios.Versions = []string{"0.21.0", "0.21.1"}
	bad := component("npm", "event-strem", "3.3.6")
	old := component("npm", "node-fetch", "2.6.0")
	old.State, old.Locations[0].State, old.Origin = "shadowed", "shadowed", "layer"
	requests := component("pypi", "requests", "2.19.0")
	requests.State, requests.Evidence[0].Method = "declared", "lockfile"
	openssl := component("deb", "openssl", "3.0.11-1")
	openssl.PURL, openssl.Origin, openssl.Source = "pkg:deb/debian/openssl@3.0.11-1", "base", "openssl"
	tool := component("generic", "bootstrap-tool", "1.0")
	tool.Ecosystem, tool.Licenses = "", []string{"Custom <b>licence</b>"}
	main := component("npm", "orders", "1.0.0")
	main.Main, main.Requires = true, []string{"lodash", "axios"}
	r.Components = []finding.Component{sdk, axios, bad, lodash, minimist, old, main, requests, openssl, tool}

	kev := vulnerability(minimist, "GHSA-xvch-5gv4-984h", finding.Critical, 9.8, "Prototype pollution in minimist", "1.2.6")
	kev.KEV, kev.EPSS, kev.Percentile = true, 0.42, 0.9
	malware := vulnerability(bad, "MAL-2026-1234", finding.Critical, 0, "Malicious code in event-strem: it reads environment variables and sends them away")
	malware.Kind, malware.Rule = finding.KindMalware, "known-malware"
	probable := vulnerability(requests, "PYSEC-2018-28", finding.UnknownSeverity, 0, "Authorization header is sent on after a redirect to another host", "2.20.0")
	probable.Certainty = finding.Probable
	fold := vulnerability(axios, "GHSA-4w2v-q235-vp99", finding.High, 7.5, "axios, version unknown: 2 advisories, all fixed in 0.21.2", "0.21.2")
	fold.Rule, fold.Certainty, fold.Aliases = "version-unknown", finding.Possible, []string{"CVE-2020-28168", "GHSA-cph5-m8f7-6c5x"}
	fold.Evidence = []finding.Evidence{{Source: "advisory", Locator: "GHSA-4w2v-q235-vp99", Detail: "the version is not known"}, {Source: "advisory", Locator: "GHSA-cph5-m8f7-6c5x", Detail: "the version is not known"}}
	waived := vulnerability(lodash, "GHSA-waiv-waiv-waiv", finding.Medium, 5.3, "Regular expression denial of service in lodash", "4.17.20")
	waived.Waived = &finding.Waived{Reason: "input is checked by the gateway", Owner: "alice@example.com", Expires: judgedAt.AddDate(0, 3, 0)}
	dup := finding.Finding{
		Kind: finding.KindArchive, Rule: "duplicate-name", ID: "duplicate-name:build/orders.zip!/index.js", Severity: finding.Medium, Certainty: finding.Certain,
		Title: "the same path is in the archive more than once: build/orders.zip!/index.js", Origin: "app",
		Reach: finding.ReachUnknown, Evidence: []finding.Evidence{{Source: "archive", Locator: "index.js", Detail: "2 entries"}}, Aliases: []string{}, Fixed: []string{},
		Fingerprint: finding.Fingerprint(finding.KindArchive, "duplicate-name", "orders", "", "index.js", nil),
	}
	r.Findings = []finding.Finding{
		malware, kev,
		vulnerability(lodash, "GHSA-p6mc-m468-83gw", finding.High, 7.4, "Prototype pollution in lodash", "4.17.19", "4.17.21"),
		vulnerability(lodash, "GHSA-35jh-r3h4-6jhm", finding.High, 7.2, "Command injection in lodash", "4.17.21"),
		vulnerability(lodash, "GHSA-29mw-wpgm-hmr9", finding.Medium, 5.3, "ReDoS in lodash", "4.17.21"),
		vulnerability(sdk, "GHSA-sdk1-sdk1-sdk1", finding.Low, 3.1, "Debug log holds the session token"),
		probable, fold, waived, dup,
		vulnerability(old, "GHSA-r683-j2x4-v87g", finding.High, 8.8, "node-fetch forwards secure headers to untrusted sites", "2.6.7"),
		vulnerability(openssl, "CVE-2024-0727", finding.Medium, 5.5, "Denial of service in PKCS12 parsing", "3.0.13-1"),
	}
	r.Calendar = sampleCalendar(r.Runtime)
	r.Unknowns = []finding.Unknown{
		{Path: "lib/native.node", Kind: "opaque", Reason: "packed by UPX: what is inside is not known", Code: true},
		{Artifact: 1, Path: "python/broken.whl", Kind: "unreadable", Reason: "compressed data cannot be decoded", Code: true},
		{Path: "", Kind: "unmatched", Reason: "no advisory source covers generic packages", PURL: tool.PURL, Origin: "app", Code: true},
		{Path: "", Kind: "unmatched", Reason: "no advisory source covers deb packages", PURL: "pkg:deb/debian/tar@1.34", Origin: "base", Code: true},
	}
	r.Ran("open", nil)
	r.Ran("catalog", nil)
	r.Ran("archive", nil)
	r.Ran("vulnerability", nil)
	r.Ran("reachability", fmt.Errorf("run govulncheck: out of time after 30s"))
	r.Skip("provenance", "no network and no --attestations")
	r.Sort()
	r.Verdict = finding.Verdict{
		Decision: finding.Fail,
		Reasons: []string{
			"malicious package pkg:npm/event-strem@3.3.6: MAL-2026-1234",
			"pkg:npm/minimist@1.2.0 critical, known to be exploited: GHSA-xvch-5gv4-984h (fix available)",
			"pkg:npm/lodash@4.17.15 high: GHSA-p6mc-m468-83gw, GHSA-35jh-r3h4-6jhm (fix available)",
			"pkg:pypi/requests@2.19.0 unknown, declared: PYSEC-2018-28 (fix available)",
			"1 file could not be read: python/broken.whl (compressed data cannot be decoded)",
			"1 file opaque: what is inside is not known: lib/native.node (packed by UPX: what is inside is not known)",
			"1 package without an advisory source: pkg:generic/bootstrap-tool@1.0",
		},
		Warnings: []string{
			"pkg:npm/node-fetch@2.6.0 high, shadowed: GHSA-r683-j2x4-v87g (fix available)",
			"waiver of GHSA-old1-old1-old1 expired on 2026-10-01 and still applies to pkg:npm/lodash@4.17.15",
		},
		Next: "remove pkg:npm/event-strem@3.3.6, then rotate every secret that the function could read",
	}
	return r
}

func incomplete(name string) *finding.Report {
	r := passing(name)
	r.Unknowns = []finding.Unknown{{Path: "node_modules/x/index.js", Kind: "limit", Reason: "more than 4 GiB after decompression", Code: true}}
	r.Verdict = finding.Verdict{
		Decision: finding.Incomplete, Reasons: []string{"1 file reached a limit: node_modules/x/index.js (more than 4 GiB after decompression)"},
		Next: "make the parts above readable, or accept them with a waiver in the policy file",
	}
	return r
}

func unopened() *finding.Report {
	r := finding.NewReport("broken", "broken.zip")
	r.Ran("open", fmt.Errorf("open broken.zip: not a zip"))
	for _, c := range []string{"catalog", "archive", "vulnerability"} {
		r.Skip(c, "needs the opened artifact")
	}
	r.Verdict = finding.Verdict{Decision: finding.Incomplete, Reasons: []string{"could not be opened: open broken.zip: not a zip"},
		Next: "give a deployment zip, an unpacked function folder, a container image or an SBOM that can be read"}
	return r
}

// evil carries hostile text in every field that a document of ours takes from an artifact.
func evil() *finding.Report {
	r := finding.NewReport(hostile, hostile+".zip")
	r.Platform, r.Runtime, r.Handler, r.Architecture, r.Owner, r.Tags = hostile, hostile, hostile, hostile, hostile, []string{hostile}
	r.Declared = &finding.Declared{
		Descriptor: hostile, Resource: hostile, FunctionName: hostile, URLAuth: hostile, Role: hostile, Policies: []string{hostile}, Environment: []string{hostile},
		CodeSigning: hostile, SigningMode: "Enforce", Profiles: []string{hostile}, Condition: hostile, Unresolved: []string{hostile}, Triggers: []finding.Trigger{{Name: hostile, Type: hostile, Detail: hostile, Auth: hostile}},
	}
	r.Attestations = []finding.Attestation{{Kind: hostile, Status: "rejected", Step: hostile, Reason: hostile, Expected: hostile, Found: hostile, Source: hostile, Covers: hostile,
		Identity: hostile, Issuer: hostile, KeyID: hostile, Notes: []string{hostile}, Times: []finding.AttestationTime{{Clock: hostile}}},
		{Kind: hostile, Status: "verified", Identity: hostile, Builder: hostile, Repository: hostile, Commit: hostile, Level: 2}}
	r.Artifacts = []finding.Artifact{{Ref: hostile, Kind: "zip", Digest: digestA, Mount: hostile}, {Ref: hostile, Kind: hostile, Digest: hostile}}
	c := component("npm", "x", "1")
	c.PURL, c.Name, c.Version, c.Versions, c.Source, c.Ecosystem = "pkg:npm/"+hostile+"@1", hostile, hostile, []string{hostile, "2"}, hostile, hostile
	c.Licenses, c.Resolved, c.Requires, c.Upgrade = []string{hostile}, hostile, []string{hostile}, hostile
	c.Hashes = map[string]string{hostile: hostile}
	c.Locations[0].Path, c.Evidence[0].Path, c.Evidence[0].Detail, c.Evidence[0].Method = hostile, hostile, hostile, hostile
	other := c
	other.PURL, other.Origin, other.Versions = "pkg:npm/"+hostile+"@2", "base", nil
	c.Version = ""
	nameless := c
	nameless.PURL, nameless.Name, nameless.Version = "", "", ""
	r.Components = []finding.Component{c, other, nameless}
	for i, kind := range []finding.Kind{finding.KindVulnerability, finding.KindMalware, finding.KindArchive, "licence", finding.KindRuntime} {
		f := vulnerability(c, hostile, finding.High, 7, hostile, hostile)
		f.Kind, f.Rule, f.Aliases, f.Vector = kind, hostile, []string{hostile}, hostile
		f.Evidence = []finding.Evidence{{Source: hostile, Locator: hostile, Detail: hostile}}
		f.Fingerprint = fmt.Sprintf("%064x", i)
		r.Findings = append(r.Findings, f)
		f.Waived = &finding.Waived{Reason: hostile, Owner: hostile, Expires: judgedAt}
		f.Certainty = finding.Possible
		r.Findings = append(r.Findings, f)
		f.Waived = nil
		r.Findings = append(r.Findings, f)
		f.State = "shadowed"
		r.Findings = append(r.Findings, f)
		f.Origin = "base"
		r.Findings = append(r.Findings, f)
	}
	for _, kind := range []string{"unreadable", "opaque", "unmatched"} {
		u := finding.Unknown{Path: hostile, Kind: kind, Reason: hostile, PURL: "pkg:" + hostile + "/x", Origin: "app", Code: true}
		r.Unknowns = append(r.Unknowns, u)
		u.Waived = &finding.Waived{Reason: hostile, Owner: hostile}
		r.Unknowns = append(r.Unknowns, u)
	}
	r.Unknowns = append(r.Unknowns, finding.Unknown{Path: hostile, Kind: "unmatched", Reason: hostile, Origin: "app"})
	r.Coverage = &finding.Coverage{
		CodeBytes: 3, AttributedBytes: 1, OwnBytes: 1, UnknownBytes: 1, Unattributed: []finding.Unattributed{{Path: hostile, Bytes: 1, Reason: hostile}},
		Bundles: []finding.Bundle{{Path: hostile, Bundler: hostile, CodeBytes: 3, AttributedBytes: 1, OwnBytes: 1, UnknownBytes: 1, Lockfile: hostile,
			Packages: []finding.BundleShare{{Name: hostile, Component: hostile, Bytes: 1}}}},
	}
	r.Absent = []finding.Absent{{PURL: "pkg:npm/" + hostile, Name: hostile, Version: hostile, Ecosystem: hostile, Lockfile: hostile, Bundles: []string{hostile},
		Advisories: []finding.AbsentAdvisory{{ID: hostile, Aliases: []string{hostile}, Severity: finding.High, Title: hostile}}}}
	r.Calendar = []finding.Event{{Date: "2027-03-03", Days: 101, What: hostile, Event: finding.EventBlockUpdate, Consequence: strings.Repeat("ä:", 40) + hostile, Component: hostile, Source: hostile},
		{Date: "2026-11-21", Days: -1, What: hostile, Event: finding.EventEnd, Consequence: hostile, Source: hostile}}
	r.Checks = []finding.Status{{Check: hostile, State: finding.Failed, Reason: hostile}, {Check: "open", State: finding.Skipped, Reason: hostile}}
	r.Verdict = finding.Verdict{Decision: finding.Fail, Reasons: []string{hostile}, Warnings: []string{hostile}, Next: hostile}
	return r
}

// samples are the documents that have goldens.
func samples() map[string]*finding.Document {
	starter := wrapDocument(incomplete("hello"))
	starter.Database.Starter, starter.Database.Records = true, 120
	starter.Functions[0].Verdict.Reasons = append(starter.Functions[0].Verdict.Reasons, "judged with the embedded starter set of advisories only, which knows a few well-known ones")
	starter.Functions[0].Verdict.Next = "fnaudit db update   # gets the full advisory set, then scan again"
	several := wrapDocument(failing(), passing("hello"), incomplete("media"), unopened())
	many := wrapDocument()
	for i := range 25 {
		r := passing(fmt.Sprintf("fn-%02d", i))
		switch {
		case i%9 == 4:
			r = failing()
			r.Name = fmt.Sprintf("fn-%02d", i)
		case i%11 == 7:
			r = incomplete(fmt.Sprintf("fn-%02d", i))
		}
		many.Functions = append(many.Functions, r)
	}
	many.Summary = finding.Summarize(many.Functions)
	return map[string]*finding.Document{
		"pass": wrapDocument(passing("hello")), "fail": wrapDocument(failing()), "incomplete": wrapDocument(incomplete("media")),
		"unopened": wrapDocument(unopened()), "starter": starter, "several": several, "many": many, "hostile": wrapDocument(evil()),
		"declared": wrapDocument(declared()),
		"reach":    wrapDocument(reached()),
		"bundled":  wrapDocument(bundled()),
		"vexed":    vexDocument(),
		"empty":    wrapDocument(),
		"fleet":    fleet(""), "fleet-hostile": fleet(hostile),
	}
}
