package report_test

import "github.com/fnaudit/fnaudit/cmd/internal/finding"

// bundled is a function of two bundles: one that is told to the last byte and
// lacks two packages of its lockfile, and one of which little is known.
func bundled() *finding.Report {
	r := passing("api")
	lodash, axios := component("npm", "lodash", "4.17.15"), component("npm", "axios", "")
	for _, c := range []*finding.Component{&lodash, &axios} {
		c.Locations = []finding.Location{{Path: "index.js", State: "live"}}
	}
	lodash.Upgrade = "4.17.21"
	lodash.Evidence = []finding.Proof{
		{Method: "source-map", Confidence: 0.98, Path: "index.js.map", Detail: "node_modules/lodash/lodash.js"},
		{Method: "lockfile", Confidence: 0.9, Path: "package-lock.json"},
	}
	axios.Locations[0].Path = "vendor.js"
	axios.Evidence = []finding.Proof{{Method: "licence-comment", Confidence: 0.9, Path: "vendor.js"}}
	r.Components = []finding.Component{axios, lodash}
	r.Coverage = &finding.Coverage{
		CodeBytes: 1_500_000, AttributedBytes: 900_000, OwnBytes: 100_000, UnknownBytes: 500_000,
		Unattributed: []finding.Unattributed{{Path: "vendor.js", Bytes: 500_000, Reason: "bundled JavaScript (webpack): webpack's module table; 2 % of it is accounted for"}},
		Bundles: []finding.Bundle{
			{Path: "index.js", Bundler: "esbuild", CodeBytes: 990_000, AttributedBytes: 890_000, OwnBytes: 100_000, Lockfile: "package-lock.json",
				Packages: []finding.BundleShare{{Name: "lodash", Component: lodash.PURL, Bytes: 880_000}, {Name: "esbuild", Bytes: 10_000}}},
			{Path: "vendor.js", Bundler: "webpack", CodeBytes: 510_000, AttributedBytes: 10_000, UnknownBytes: 500_000,
				Packages: []finding.BundleShare{{Name: "axios", Component: axios.PURL, Bytes: 10_000}}},
		},
	}
	r.Absent = []finding.Absent{
		{PURL: "pkg:npm/minimist@1.2.0", Name: "minimist", Version: "1.2.0", Ecosystem: "npm", Lockfile: "package-lock.json", Bundles: []string{"index.js"},
			Advisories: []finding.AbsentAdvisory{{ID: "GHSA-xvch-5gv4-984h", Aliases: []string{"CVE-2021-44906"}, Severity: finding.Critical, Title: "Prototype pollution in minimist"}}},
		{PURL: "pkg:npm/yargs@17.0.0", Name: "yargs", Version: "17.0.0", Ecosystem: "npm", Lockfile: "package-lock.json", Bundles: []string{"index.js"}, Advisories: []finding.AbsentAdvisory{}},
	}
	fix := vulnerability(lodash, "GHSA-35jh-r3h4-6jhm", finding.High, 7.2, "Command injection in lodash", "4.17.21")
	fix.Certainty = finding.Probable
	fold := vulnerability(axios, "GHSA-4w2v-q235-vp99", finding.High, 7.5, "axios, version unknown: 2 advisories, all fixed in 0.21.2", "0.21.2")
	fold.Rule, fold.Certainty, fold.Aliases = "version-unknown", finding.Possible, []string{"GHSA-cph5-m8f7-6c5x"}
	fold.Evidence = []finding.Evidence{{Source: "advisory", Locator: "GHSA-4w2v-q235-vp99", Detail: "the version is not known"}, {Source: "advisory", Locator: "GHSA-cph5-m8f7-6c5x", Detail: "the version is not known"}}
	r.Findings = []finding.Finding{fix, fold}
	r.Unknowns = []finding.Unknown{
		{Path: "vendor.js", Kind: "unattributed", Reason: "bundled JavaScript (webpack): webpack's module table; 2 % of it is accounted for", Code: true},
		{Path: "index.js", Kind: "unmatched", Reason: "phantom: in the bundle, not in the lockfile package-lock.json: left-pad", Origin: "app"},
	}
	r.Sort()
	r.Verdict = finding.Verdict{
		Decision: finding.Fail, Reasons: []string{"pkg:npm/lodash@4.17.15 high: GHSA-35jh-r3h4-6jhm (fix available)", "1 bundle under 80 % accounted for: vendor.js (webpack, 1 %)"},
		Next: "upgrade lodash to 4.17.21 or later; why: fnaudit scan --explain GHSA-35jh-r3h4-6jhm api.zip",
	}
	return r
}
