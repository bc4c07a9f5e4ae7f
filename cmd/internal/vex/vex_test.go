package vex_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/vex"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var sum = strings.Repeat("a", 64)

// openVEX is a document with some statements.
func openVEX(statements ...string) string {
	return `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://acme.example/vex/1","author":"Acme","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[` + strings.Join(statements, ",") + `]}`
}

// cycloneDX is a document with some vulnerabilities; main is its metadata.component, "" for none.
func cycloneDX(main string, vulnerabilities ...string) string {
	if main != "" {
		main = `,"component":` + main
	}
	return `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","version":1,"metadata":{"timestamp":"2026-01-01T00:00:00Z","supplier":{"name":"Acme"}` + main + `},
	"components":[{"type":"library","bom-ref":"c1","name":"rocket","purl":"pkg:npm/rocket@1.5.0"},{"type":"library","bom-ref":"c2","name":"nameless"}],"vulnerabilities":[` + strings.Join(vulnerabilities, ",") + `]}`
}

func read(t *testing.T, docs ...string) *vex.Set {
	t.Helper()
	var list []vex.Document
	for i, d := range docs {
		list = append(list, vex.Document{Name: fmt.Sprintf("%c.json", 'a'+i), Data: []byte(d)})
	}
	s, err := vex.Read(list, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// orders is a function with one vulnerable package, and one beside it.
func orders() *finding.Report {
	r := finding.NewReport("orders", "orders.zip")
	r.Artifacts = []finding.Artifact{{Ref: "orders.zip", Kind: "zip", Digest: "sha256:" + sum}, {Ref: "layer.zip", Kind: "zip", Digest: "sha256:" + strings.Repeat("b", 64)}}
	r.Components = []finding.Component{
		{PURL: "pkg:npm/rocket@1.5.0", Name: "rocket", Version: "1.5.0", Ecosystem: "npm", State: "live", Hashes: map[string]string{"sha512": strings.Repeat("c", 128)}, Locations: []finding.Location{{Path: "a"}}},
		{PURL: "pkg:pypi/my-lib@2.0", Name: "my-lib", Version: "2.0", Ecosystem: "PyPI", State: "live", Locations: []finding.Location{{Artifact: 1, Path: "b"}}},
		{PURL: "pkg:deb/debian/tar@1.34?arch=amd64&distro=debian-12", Name: "tar", Version: "1.34", Ecosystem: "Debian:12", State: "live"},
		{PURL: "pkg:golang/example.com/resize", Name: "example.com/resize", Main: true},
	}
	r.Findings = []finding.Finding{
		{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: "GHSA-aaaa-bbbb-cccc", Aliases: []string{"CVE-2024-1"}, Component: "pkg:npm/rocket@1.5.0"},
		{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: "PYSEC-1", Aliases: []string{"CVE-2024-2"}, Component: "pkg:pypi/my-lib@2.0"},
		{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: "CVE-2024-3", Component: "pkg:deb/debian/tar@1.34?arch=amd64&distro=debian-12"},
	}
	return r
}

// marks says what each finding is marked with: "id=status id=status".
func marks(r *finding.Report) string {
	var out []string
	for _, f := range r.Findings {
		if f.VEX != nil {
			out = append(out, f.ID+"="+f.VEX.Status)
		}
	}
	return strings.Join(out, " ")
}

const (
	npmCleared  = "GHSA-aaaa-bbbb-cccc=not_affected"
	pypiCleared = "PYSEC-1=not_affected"
	debCleared  = "CVE-2024-3=not_affected"
)

func TestProducts(t *testing.T) {
	product := func(id string) string { return `{"@id":"` + id + `"}` }
	parted := func(id, part string) string { return `{"@id":"` + id + `","subcomponents":[{"@id":"` + part + `"}]}` }
	const rocket = "pkg:npm/rocket@1.5.0"
	for _, c := range []struct {
		name, vulnerability, product, want string
	}{
		{"component", "CVE-2024-1", product(rocket), npmCleared},
		{"every version", "CVE-2024-1", product("pkg:npm/rocket"), npmCleared},
		{"other version", "CVE-2024-1", product("pkg:npm/rocket@1.5.1"), ""},
		{"other name", "CVE-2024-1", product("pkg:npm/%40acme/rocket@1.5.0"), ""},
		{"other type", "CVE-2024-1", product("pkg:pypi/rocket@1.5.0"), ""},
		{"other vulnerability", "CVE-2024-9", product(rocket), ""},
		{"id", "GHSA-aaaa-bbbb-cccc", product(rocket), npmCleared},
		{"id in another case", "ghsa-AAAA-bbbb-cccc", product(rocket), npmCleared},
		{"spelling of pypi", "PYSEC-1", product("pkg:pypi/My_Lib@2.0"), pypiCleared},
		{"unknown qualifier", "CVE-2024-1", product(rocket + "?classifier=x"), ""},
		{"subpath", "CVE-2024-1", product(rocket + "#lib"), ""},
		{"distribution", "CVE-2024-3", product("pkg:deb/debian/tar@1.34"), debCleared},
		{"its qualifier", "CVE-2024-3", product("pkg:deb/debian/tar@1.34?distro=debian-12"), debCleared},
		{"other distribution", "CVE-2024-3", product("pkg:deb/debian/tar@1.34?distro=debian-11"), ""},
		{"function by digest", "CVE-2024-1", product("pkg:generic/any?checksum=sha256:" + sum), npmCleared},
		{"function by hash", "CVE-2024-1", `{"hashes":{"sha-256":"` + sum + `"}}`, npmCleared},
		{"image by digest", "CVE-2024-1", product("pkg:oci/any@sha256%3A" + sum), npmCleared},
		{"image of another digest", "CVE-2024-1", product("pkg:oci/orders@sha256%3A" + strings.Repeat("d", 64)), ""},
		{"function by another hash", "CVE-2024-1", `{"@id":"pkg:generic/orders","hashes":{"sha-256":"` + strings.Repeat("d", 64) + `"}}`, ""},
		{"function by name", "CVE-2024-1", product("pkg:generic/orders"), npmCleared},
		{"function by name and version", "CVE-2024-1", product("pkg:generic/orders@1.0"), ""},
		{"function by its main package", "CVE-2024-1", product("pkg:golang/example.com/resize"), npmCleared},
		{"other function", "CVE-2024-1", product("pkg:generic/billing"), ""},
		{"checksum of another algorithm", "CVE-2024-1", product("pkg:generic/orders?checksum=md5:00"), ""},
		{"part", "CVE-2024-1", parted("pkg:generic/orders?checksum=sha256:"+sum, rocket), npmCleared},
		{"part of another function", "CVE-2024-1", parted("pkg:generic/billing", rocket), ""},
		{"other part", "CVE-2024-1", parted("pkg:generic/orders", "pkg:npm/other"), ""},
		{"part of a package", "CVE-2024-1", parted("pkg:npm/express@4.0.0", rocket), ""},
		{"layer", "PYSEC-1", `{"hashes":{"sha-256":"` + strings.Repeat("b", 64) + `"}}`, pypiCleared},
		{"layer that does not hold it", "CVE-2024-1", `{"hashes":{"sha-256":"` + strings.Repeat("b", 64) + `"}}`, ""},
		{"package by hash", "CVE-2024-1", `{"hashes":{"sha-512":"` + strings.Repeat("C", 128) + `"}}`, npmCleared},
		{"package by another hash", "CVE-2024-1", `{"@id":"` + rocket + `","hashes":{"sha-512":"` + strings.Repeat("0", 128) + `"}}`, ""},
		{"identifier", "CVE-2024-1", `{"@id":"https://acme.example/rocket","identifiers":{"purl":"` + rocket + `"}}`, npmCleared},
		{"cpe alone", "CVE-2024-1", `{"identifiers":{"cpe23":"cpe:2.3:a:acme:rocket:1.5.0:*:*:*:*:*:*:*"}}`, ""},
		{"old form", "CVE-2024-1", `"` + rocket + `"`, npmCleared},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, openVEX(`{"vulnerability":{"name":"`+c.vulnerability+`"},"products":[`+c.product+`],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}`))
			r := orders()
			s.Mark(r)
			if got := marks(r); got != c.want {
				t.Errorf("marked %q, want %q", got, c.want)
			}
		})
	}
}

func TestWary(t *testing.T) {
	for _, id := range []string{"pkg:generic/orders", "pkg:golang/example.com/resize"} {
		s := read(t, openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"`+id+`"}],"status":"not_affected","justification":"component_not_present"}`))
		s.Wary = true
		r := orders()
		r.Declared = &finding.Declared{}
		if s.Mark(r); marks(r) != "" {
			t.Errorf("%s: a name that the audited files give themselves is believed", id)
		}
	}
}

func TestStatements(t *testing.T) {
	const rocket = `"products":[{"@id":"pkg:npm/rocket@1.5.0"}]`
	for _, c := range []struct {
		name   string
		docs   []string
		want   string // of the first finding
		remark string // in the remarks; "" for none at all
	}{
		{"IRI", []string{openVEX(`{"vulnerability":{"@id":"https://osv.dev/vulnerability/GHSA-aaaa-bbbb-cccc"},` + rocket + `,"status":"not_affected","impact_statement":"it is not used"}`)}, "not_affected", ""},
		{"alias", []string{openVEX(`{"vulnerability":{"name":"ACME-1","aliases":["CVE-2024-1"]},` + rocket + `,"status":"affected","action_statement":"wait"}`)}, "affected", ""},
		{"no reason", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},` + rocket + `,"status":"not_affected"}`)}, "", "a.json: statements[0] is ignored: it says not_affected of CVE-2024-1 without a justification"},
		{"notes are no reason", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},` + rocket + `,"status":"not_affected","status_notes":"trust me"}`)}, "", "without a justification"},
		{"fixed", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},` + rocket + `,"status":"fixed"}`)}, "fixed", ""},
		{"fixed everywhere", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"pkg:npm/rocket"}],"status":"fixed"}`)}, "", "not in which version"},
		{"no product", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[],"status":"fixed"}`)}, "", "it names no product"},
		{"from the future", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"timestamp":"2031-01-01T00:00:00Z",` + rocket + `,"status":"fixed"}`)}, "", "it is of 2031-01-01, after the clock that judges"},
		{"a warning from the future", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"timestamp":"2031-01-01T00:00:00Z",` + rocket + `,"status":"affected"}`)}, "affected", ""},
		{"the later holds", []string{openVEX(
			`{"vulnerability":{"name":"CVE-2024-1"},"timestamp":"2026-02-02T00:00:00Z",`+rocket+`,"status":"fixed"}`,
			`{"vulnerability":{"name":"CVE-2024-1"},"timestamp":"2026-02-01T00:00:00Z",`+rocket+`,"status":"affected"}`)}, "fixed", ""},
		{"an update holds", []string{
			openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"timestamp":"2026-02-01T00:00:00Z","last_updated":"2026-03-01T00:00:00Z",` + rocket + `,"status":"under_investigation"}`),
			openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"timestamp":"2026-02-02T00:00:00Z",` + rocket + `,"status":"fixed"}`)}, "under_investigation", ""},
		{"equally late, the cautious holds", []string{
			openVEX(`{"vulnerability":{"name":"CVE-2024-1"},` + rocket + `,"status":"under_investigation"}`),
			openVEX(`{"vulnerability":{"name":"CVE-2024-1"},` + rocket + `,"status":"fixed"}`)}, "under_investigation", ""},
		{"old document", []string{`{"@context":"https://openvex.dev/ns","@id":"x","author":"Acme","timestamp":"2026-01-01T00:00:00Z","version":"1","statements":[{"vulnerability":"CVE-2024-1","products":["pkg:generic/orders"],"subcomponents":["pkg:npm/rocket@1.5.0"],"status":"not_affected","justification":"component_not_present"}]}`}, "not_affected", ""},
		{"nothing of the run", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"pkg:npm/other"}],"status":"fixed"}`)}, "", "not in which version"},
		{"another product", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"pkg:npm/other@1"}],"status":"fixed"}`)}, "", "1 statement of a.json is about no function or package of this run: CVE-2024-1 (statements[0])"},
		{"another vulnerability", []string{openVEX(`{"vulnerability":{"name":"CVE-2024-9"},` + rocket + `,"status":"fixed"}`)}, "", "1 statement of a.json matches no finding of this run: CVE-2024-9 (statements[0])"},
		{"CycloneDX by bom-ref", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"not_affected","justification":"requires_configuration"},"affects":[{"ref":"c1"}]}`)}, "not_affected", ""},
		{"CycloneDX by BOM-Link", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"false_positive","detail":"no"},"affects":[{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#c1"}]}`)}, "not_affected", ""},
		{"CycloneDX by a BOM-Link elsewhere", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"urn:cdx:00000000-395b-41f5-a30f-a58921a69b79/1#pkg:npm%2Frocket@1.5.0"}]}`)}, "fixed", ""},
		{"CycloneDX that names nothing", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"c2"}]}`)}, "", "neither in the document nor a package URL"},
		{"CycloneDX in its product", []string{cycloneDX(`{"type":"application","bom-ref":"m","name":"orders"}`, `{"id":"CVE-2024-1","analysis":{"state":"in_triage"},"affects":[{"ref":"c1"}]}`)}, "under_investigation", ""},
		{"CycloneDX about its product", []string{cycloneDX(`{"type":"application","bom-ref":"m","name":"orders"}`, `{"id":"CVE-2024-1","analysis":{"state":"exploitable"},"affects":[{"ref":"m"}]}`)}, "affected", ""},
		{"CycloneDX in a version of the function", []string{cycloneDX(`{"type":"application","bom-ref":"m","name":"orders","version":"1.0"}`, `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"c1"}]}`)}, "", "metadata.component is ignored: it has neither a package URL nor a digest"},
		{"CycloneDX in another product", []string{cycloneDX(`{"type":"application","bom-ref":"m","name":"billing"}`, `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"c1"}]}`)}, "", "about no function or package"},
		{"CycloneDX of one version", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"exploitable"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"version":"1.4.0"},{"version":"1.5.0","status":"unaffected"}]}]}`)}, "not_affected", "1 statement"},
		{"CycloneDX of a range", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"range":"vers:npm/>=1.0.0|<1.6.0"}]}]}`)}, "fixed", ""},
		{"CycloneDX of another range", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"range":"vers:npm/>=1.6.0|<2.0.0"}]}]}`)}, "", "matches no finding"},
		{"CycloneDX without an analysis", []string{cycloneDX("", `{"id":"CVE-2024-1","affects":[{"ref":"c1"}]}`)}, "", "a.json states nothing of any vulnerability"},
		{"no statement", []string{openVEX()}, "", "a.json states nothing of any vulnerability"},
		{"CycloneDX of a range by another order", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"range":"vers:pypi/>=1.0.0|<1.6.0"}]}]}`)}, "", "matches no finding"},
		{"CycloneDX of a range by an order of many", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"range":"vers:semver/>=1.0.0|<1.6.0"}]}]}`)}, "fixed", ""},
		{"CycloneDX of every version", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"range":"vers:all/*"}]}]}`)}, "fixed", ""},
		{"CycloneDX of no version", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:npm/rocket","versions":[{"range":"vers:none/*"}]}]}`)}, "", "matches no finding"},
		{"CycloneDX by its own BOM-Link in capitals", []string{cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"urn:cdx:3E671687-395B-41F5-A30F-A58921A69B79/1#c1"}]}`)}, "fixed", ""},
		{"CycloneDX 1.7", []string{strings.Replace(cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"c1"}]}`), `"1.5"`, `"1.7"`, 1)}, "fixed", ""},
		{"CycloneDX 1.7 of a component of many versions", []string{strings.Replace(strings.Replace(cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"not_affected","justification":"code_not_reachable"},"affects":[{"ref":"c1"}]}`), `"1.5"`, `"1.7"`, 1),
			`"purl":"pkg:npm/rocket@1.5.0"`, `"purl":"pkg:npm/rocket","versionRange":"vers:npm/>=9"`, 1)}, "", "neither in the document nor a package URL"},
		{"CycloneDX updated", []string{
			cycloneDX("", `{"id":"CVE-2024-1","analysis":{"state":"exploitable","firstIssued":"2026-01-03T00:00:00Z"},"affects":[{"ref":"c1"}]}`),
			cycloneDX("", `{"id":"CVE-2024-1","updated":"2026-09-01T00:00:00Z","analysis":{"state":"resolved","firstIssued":"2026-01-02T00:00:00Z"},"affects":[{"ref":"c1"}]}`)}, "affected", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, docs := range [][]string{c.docs, reversed(c.docs)} {
				s, r := read(t, docs...), orders()
				s.Mark(r)
				got := ""
				if v := r.Findings[0].VEX; v != nil {
					got = v.Status
				}
				if got != c.want {
					t.Errorf("it is marked %q, want %q", got, c.want)
				}
				remarks := strings.Join(s.Remarks([]vex.Use{s.Use(r)}), "\n")
				if !strings.Contains(remarks, c.remark) || c.remark == "" && remarks != "" {
					t.Errorf("remarks are %q, want %q", remarks, c.remark)
				}
			}
		})
	}
}

func reversed(list []string) []string {
	var out []string
	for i := range list {
		out = append(out, list[len(list)-1-i])
	}
	return out
}

// TestFolded: a statement about one of the flaws that a finding folds clears
// none of the others.
func TestFolded(t *testing.T) {
	clear := func(ids ...string) string {
		var list []string
		for _, id := range ids {
			list = append(list, `{"vulnerability":{"name":"`+id+`"},"products":[{"@id":"pkg:npm/rocket"}],"status":"not_affected","justification":"inline_mitigations_already_exist"}`)
		}
		return openVEX(list...)
	}
	folded := finding.Finding{Kind: finding.KindVulnerability, Rule: finding.RuleVersionUnknown, ID: "GHSA-1", Aliases: []string{"CVE-1", "GHSA-2", "CVE-2"}, Component: "pkg:npm/rocket",
		Evidence: []finding.Evidence{{Source: "advisory", Locator: "GHSA-1"}, {Source: "advisory", Locator: "GHSA-2"}, {Source: "bytes", Locator: "x"}}}
	collecting := finding.Finding{Kind: finding.KindVulnerability, ID: "DSA-1", Aliases: []string{"CVE-1", "CVE-2"}, Component: "pkg:npm/rocket"}
	for _, c := range []struct {
		name string
		f    finding.Finding
		doc  string
		want bool
	}{
		{"one of two advisories", folded, clear("GHSA-1"), false},
		{"the alias of one", folded, clear("CVE-1", "GHSA-2"), false},
		{"both", folded, clear("GHSA-2", "GHSA-1"), true},
		{"one of two CVEs", collecting, clear("CVE-1"), false},
		{"both CVEs", collecting, clear("CVE-1", "CVE-2"), true},
		{"the advisory", collecting, clear("DSA-1"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := finding.NewReport("f", "f.zip")
			r.Findings = []finding.Finding{c.f}
			s := read(t, c.doc)
			s.Mark(r)
			if got := r.Findings[0].Cleared(); got != c.want {
				t.Errorf("cleared: %v, want %v", got, c.want)
			}
		})
	}
}

func TestRefusedDocuments(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct{ name, doc, want string }{
		{"empty", "", "ends too early"},
		{"no JSON", "VEX", "invalid character"},
		{"cut", openVEX()[:80], "ends too early"},
		{"more", openVEX() + "{}", "something follows"},
		{"list", "[]", "no JSON object"},
		{"neither", `{"a":1}`, "neither OpenVEX"},
		{"deep", `{"@context":"https://openvex.dev/ns/v0.2.0","x":` + deep + `}`, "deeper than 64"},
		{"many", "[" + strings.Repeat("0,", 1<<20) + "0]", "more than 1048576 values"},
		{"twice", `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","author":"b"}`, `the name "author" comes twice`},
		{"version", `{"@context":"https://openvex.dev/ns/v9.0.0"}`, "not 9.0.0"},
		{"no author", `{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-01-01T00:00:00Z","statements":[]}`, "author: it is missing"},
		{"no time", `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","statements":[]}`, "timestamp: it is missing"},
		{"no statements", `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","timestamp":"2026-01-01T00:00:00Z"}`, "statements: they are missing"},
		{"absurd time", `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","timestamp":"0001-01-01T00:00:00Z","statements":[]}`, "timestamp: the year 1 is absurd"},
		{"no time at all", `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","timestamp":"soon","statements":[]}`, `timestamp: "soon" is no time`},
		{"statement", openVEX(`"x"`), "statements[0]: it must be an object"},
		{"status", openVEX(`{"vulnerability":{"name":"x"},"products":[],"status":"safe"}`), `statements[0].status: "safe" is not one of not_affected`},
		{"no status", openVEX(`{"vulnerability":{"name":"x"},"products":[]}`), "statements[0]: it has no status"},
		{"justification", openVEX(`{"vulnerability":{"name":"x"},"products":[],"status":"fixed","justification":"because"}`), "statements[0].justification"},
		{"no vulnerability", openVEX(`{"products":[],"status":"fixed"}`), "statements[0].vulnerability: it names no vulnerability"},
		{"products", openVEX(`{"vulnerability":{"name":"x"},"products":"all","status":"fixed"}`), "statements[0].products: it must be a list"},
		{"product", openVEX(`{"vulnerability":{"name":"x"},"products":[1],"status":"fixed"}`), "statements[0].products[0]: it must be an object or text"},
		{"hashes", openVEX(`{"vulnerability":{"name":"x"},"products":[{"hashes":{"sha-256":1}}],"status":"fixed"}`), "statements[0].products[0].hashes.sha-256: it must be text"},
		{"old CycloneDX", `{"bomFormat":"CycloneDX","specVersion":"1.3"}`, `not of "1.3"`},
		{"a bill without vulnerabilities", `{"bomFormat":"CycloneDX","specVersion":"1.6"}`, "vulnerabilities: it has none"},
		{"state", cycloneDX("", `{"id":"x","analysis":{"state":"fine"},"affects":[]}`), `vulnerabilities[0].analysis.state: "fine"`},
		{"no id", cycloneDX("", `{"analysis":{"state":"resolved"},"affects":[]}`), "vulnerabilities[0]: it has no id"},
		{"range", cycloneDX("", `{"id":"x","analysis":{"state":"resolved"},"affects":[{"ref":"c1","versions":[{"range":">1"}]}]}`), `vulnerabilities[0].affects[0].versions[0].range: ">1" is no range`},
		{"range of a scheme that has none", cycloneDX("", `{"id":"x","analysis":{"state":"resolved"},"affects":[{"ref":"c1","versions":[{"range":"vers:none/1"}]}]}`), "after none stands *"},
		{"range without a scheme", cycloneDX("", `{"id":"x","analysis":{"state":"resolved"},"affects":[{"ref":"c1","versions":[{"range":"vers:/*"}]}]}`), "is no range"},
		{"bom-ref twice", strings.Replace(cycloneDX(""), `"c2"`, `"c1"`, 1), `components[1]: the bom-ref "c1" comes twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := vex.Read([]vex.Document{{Name: "a.json", Data: []byte(c.doc)}}, now)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read VEX a.json: ") {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
	if _, err := vex.Read([]vex.Document{{Name: "a.json", Data: make([]byte, vex.MaxBytes+1)}}, now); err == nil {
		t.Error("a document over the limit was read")
	}
}

// TestText: what is shown is one line without control characters.
func TestText(t *testing.T) {
	s := read(t, openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"pkg:npm/rocket"}],"status":"affected","action_statement":"a\n\u001b[31mb`+strings.Repeat("é", 1000)+`"}`))
	r := orders()
	s.Mark(r)
	text := r.Findings[0].VEX.Statement
	if strings.ContainsAny(text, "\n\x1b") || len(text) > 500 || !strings.HasPrefix(text, "a [31mb") || !strings.HasSuffix(text, "é…") {
		t.Errorf("the statement is %q", text)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(openVEX(`{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"pkg:npm/rocket@1.5.0","subcomponents":[{"@id":"pkg:npm/x"}]}],"status":"fixed"}`))
	f.Add(cycloneDX(`{"bom-ref":"m","name":"orders"}`, `{"id":"CVE-2024-1","analysis":{"state":"resolved"},"affects":[{"ref":"c1","versions":[{"range":"vers:npm/>=1|<2"}]}]}`))
	f.Fuzz(func(t *testing.T, doc string) {
		s, err := vex.Read([]vex.Document{{Name: "a.json", Data: []byte(doc)}}, now)
		if err != nil {
			return
		}
		r := orders()
		s.Mark(r)
		s.Remarks([]vex.Use{s.Use(r)})
	})
}
