package codec_test

import (
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

const hostile = "\x1b[2Jx\u009b31m\u202ey\x00<script>z</script><svg/onload=1><img src=x>\xff\n::error ##vso[task] a|b"

var digest = bundle.Digest("sha256:" + strings.Repeat("a", 64))

func sample(name string) codec.Function {
	place := func(path string, s sbom.State) []sbom.Occurrence {
		return []sbom.Occurrence{{Artifact: 0, Layer: digest, Path: path, State: s}}
	}
	return codec.Function{
		Name: name, Platform: "aws-lambda", Runtime: "nodejs20.x",
		Artifacts: []codec.Artifact{
			{Ref: name + ".zip", Kind: bundle.KindZip, Digest: digest, Size: 4096},
			{Ref: "layer.zip", Kind: bundle.KindZip, Digest: bundle.Digest("sha256:" + strings.Repeat("b", 64)), Size: 12},
		},
		SBOM: &sbom.SBOM{
			Subject: digest,
			Components: []sbom.Component{
				{Ref: "pkg:npm/lodash@4.17.15", PURL: "pkg:npm/lodash@4.17.15", Name: "lodash", Version: "4.17.15", Ecosystem: "npm", State: sbom.Live, Origin: sbom.OriginApp,
					Occurrences: place("node_modules/lodash/package.json", sbom.Live), Licenses: []string{"MIT"}, Hashes: map[string]string{"sha512": strings.Repeat("c", 128), "h1": "abcd"},
					Resolved: "https://user:secret@registry.example/lodash-4.17.15.tgz",
					Evidence: []sbom.Evidence{{Method: sbom.MethodInstalled, Confidence: 0.99, Path: "node_modules/lodash/package.json"}, {Method: sbom.MethodLockfile, Confidence: 0.8}}},
				{Ref: "pkg:npm/%40scope/a@1.0.0", PURL: "pkg:npm/%40scope/a@1.0.0", Name: "@scope/a", Version: "1.0.0", Ecosystem: "npm", State: sbom.Shadowed, Origin: sbom.OriginLayer,
					Occurrences: place("node_modules/@scope/a/package.json", sbom.Shadowed), Licenses: []string{"(MIT OR Apache-2.0)", "Custom licence"}, Requires: []string{"lodash", "absent"}},
				{Ref: "pkg:npm/axios", PURL: "pkg:npm/axios", Name: "axios", Versions: []string{"0.21.0", "0.21.1"}, Ecosystem: "npm", State: sbom.Live, Origin: sbom.OriginApp,
					Occurrences: place("index.js", sbom.Live), Evidence: []sbom.Evidence{{Method: "fingerprint", Confidence: 0.6}}},
				{Ref: "pkg:maven/org.apache/log4j@2.14.1", PURL: "pkg:maven/org.apache/log4j@2.14.1", Name: "org.apache:log4j", Version: "2.14.1", Ecosystem: "Maven", State: sbom.Declared, Origin: sbom.OriginApp,
					Occurrences: place("lib/app.jar!/pom.xml", sbom.Declared), Licenses: []string{"GPL-2.0-only WITH Classpath-exception-2.0"}, Resolved: "./vendor/log4j.jar"},
				{Ref: "pkg:deb/debian/tar@1.34", PURL: "pkg:deb/debian/tar@1.34", Name: "tar", Version: "1.34", Ecosystem: "Debian:12", Source: "tar-src", State: sbom.Live, Origin: sbom.OriginBase},
				{Ref: "tool", Name: "tool", Version: "1", State: sbom.Live},
				{Ref: "pkg:npm/orders@1.0.0", PURL: "pkg:npm/orders@1.0.0", Name: "orders", Version: "1.0.0", Ecosystem: "npm", Main: true, State: sbom.Live, Origin: sbom.OriginApp, Requires: []string{"lodash"}},
			},
			Unknowns: []sbom.Unknown{
				{Artifact: 1, Path: "lib/x.node", Kind: sbom.Opaque, Reason: "packed", Code: true},
				{Path: "broken.json", Kind: sbom.Unreadable, Reason: "not JSON"},
			},
			Absent: []sbom.Absent{{PURL: "pkg:npm/yargs@17.0.0", Name: "yargs", Version: "17.0.0", Ecosystem: "npm", Lockfile: "package-lock.json", Bundles: []string{"index.js"}}},
		},
		Vulnerabilities: []codec.Vulnerability{{
			ID: "GHSA-p6mc-m468-83gw", Aliases: []string{"CVE-2020-8203"}, URL: "https://osv.dev/vulnerability/GHSA-p6mc-m468-83gw", Severity: "high", Score: 7.4,
			Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H", Title: "Prototype pollution", Fixed: []string{"4.17.19"}, PURL: "pkg:npm/lodash@4.17.15", Version: "4.17.15",
			Published: time.Date(2020, 7, 15, 0, 0, 0, 0, time.UTC), Accepted: "accepted by a until 2027-01-01: b", Facts: map[string]string{"certainty": "certain"},
		}},
	}
}

func document(fs ...codec.Function) codec.Document {
	return codec.Document{Name: "run", Functions: fs, Created: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Snapshot: "sha256:1f2e", ToolVersion: "1.2.3"}
}

// evil has hostile text in every field.
func evil() codec.Document {
	f := sample(hostile)
	f.Platform, f.Runtime = hostile, hostile
	f.Artifacts[0] = codec.Artifact{Ref: hostile, Kind: hostile, Digest: hostile}
	for i := range f.SBOM.Components {
		c := &f.SBOM.Components[i]
		c.Ref, c.Name, c.Version, c.Ecosystem, c.Source, c.Resolved = hostile, hostile, hostile, hostile, hostile, hostile
		c.Licenses, c.Requires, c.Hashes = []string{hostile}, []string{hostile}, map[string]string{hostile: hostile}
		c.Occurrences = []sbom.Occurrence{{Path: hostile, Layer: hostile}}
		c.Evidence = []sbom.Evidence{{Method: hostile, Path: hostile, Detail: hostile, Confidence: 7}}
	}
	f.SBOM.Components[0].PURL = hostile
	f.SBOM.Absent = []sbom.Absent{{PURL: hostile, Lockfile: hostile, Bundles: []string{hostile}}}
	f.SBOM.Unknowns = append(f.SBOM.Unknowns, sbom.Unknown{Kind: hostile, Path: hostile, Reason: hostile})
	f.Vulnerabilities[0].ID, f.Vulnerabilities[0].Title, f.Vulnerabilities[0].Aliases = hostile, hostile, []string{hostile}
	doc := document(f)
	doc.Snapshot, doc.ToolVersion = hostile, hostile
	return doc
}
