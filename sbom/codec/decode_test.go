package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

func decode(t testing.TB, text string) codec.Document {
	t.Helper()
	doc, err := codec.Decode(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// What fnaudit knows survives both formats: state, origin, candidates,
// ecosystem, places, requirements, artifacts and unknowns.
func TestRoundTrip(t *testing.T) {
	for format := range encoders {
		for _, functions := range [][]codec.Function{{sample("orders")}, {sample("media"), sample("orders")}} {
			t.Run(fmt.Sprintf("%s/%d", format, len(functions)), func(t *testing.T) {
				doc := decode(t, string(encode(t, format, document(functions...))))
				if doc.Tool != "fnaudit" || doc.ToolVersion != "1.2.3" || doc.Snapshot != "sha256:1f2e" || !doc.Created.Equal(document().Created) {
					t.Errorf("head %+v", doc)
				}
				if len(doc.Functions) != len(functions) {
					t.Fatalf("%d functions, want %d", len(doc.Functions), len(functions))
				}
				byName := map[string]codec.Function{}
				for _, f := range doc.Functions {
					byName[f.Name] = f
				}
				for _, want := range functions {
					same(t, byName[want.Name], want)
				}
			})
		}
	}
}

func same(t *testing.T, got, want codec.Function) {
	t.Helper()
	if got.Platform != want.Platform || got.Runtime != want.Runtime || !reflect.DeepEqual(got.Artifacts, want.Artifacts) || got.SBOM.Subject != want.SBOM.Subject {
		t.Errorf("function %+v, want %+v", got, want)
	}
	unknowns := append([]sbom.Unknown{{Kind: sbom.Unmatched, Path: "tool@1", Reason: "component without a package URL", Code: true}}, want.SBOM.Unknowns...)
	if w := sbom.SortUnknowns(unknowns); !reflect.DeepEqual(got.SBOM.Unknowns, w) {
		t.Errorf("unknowns %+v\nwant %+v", got.SBOM.Unknowns, w)
	}
	if len(got.SBOM.Components) != len(want.SBOM.Components) {
		t.Errorf("%d components, want %d", len(got.SBOM.Components), len(want.SBOM.Components))
	}
	if len(got.SBOM.Absent) > 0 {
		t.Errorf("a document's word is taken for it that %+v is not there", got.SBOM.Absent)
	}
	byName := map[string]sbom.Component{}
	for _, c := range got.SBOM.Components {
		byName[c.Name] = c
	}
	for _, w := range want.SBOM.Components {
		g := byName[w.Name]
		if g.PURL != w.PURL || g.Version != w.Version || !reflect.DeepEqual(g.Versions, w.Versions) || g.State != w.State || g.Origin != w.Origin || g.Main != w.Main ||
			g.Ecosystem != w.Ecosystem || g.Source != w.Source || !reflect.DeepEqual(g.Occurrences, w.Occurrences) {
			t.Errorf("component %+v\nwant      %+v", g, w)
		}
		if fmt.Sprint(g.Requires) != fmt.Sprint(sorted(w.Requires)) {
			t.Errorf("%s requires %v, want %v", w.Name, g.Requires, w.Requires)
		}
		if len(g.Evidence) != 1 || g.Evidence[0].Method != sbom.MethodSBOM {
			t.Errorf("%s has evidence %+v", w.Name, g.Evidence)
		}
		if strings.Contains(g.Resolved, "secret") {
			t.Errorf("resolved %q", g.Resolved)
		}
	}
}

func sorted(s []string) []string { return sbom.Merge([]sbom.Component{{Requires: s}})[0].Requires }

// text is one line per component, and one per unknown.
func text(doc codec.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s by %s %s\n", doc.Format, doc.SpecVersion, doc.Tool, doc.ToolVersion)
	for _, f := range doc.Functions {
		fmt.Fprintf(&b, "function %s\n", f.Name)
		for _, c := range f.SBOM.Components {
			fmt.Fprintf(&b, "%s|%s|%s|%s|%s|%v|%s|%v", c.PURL, c.Name, c.Version, c.Ecosystem, c.State, c.Licenses, c.Source, c.Requires)
			if c.Main {
				b.WriteString("|main")
			}
			for _, o := range c.Occurrences {
				b.WriteString("|" + o.Path)
			}
			b.WriteByte('\n')
		}
		for _, u := range f.SBOM.Unknowns {
			fmt.Fprintf(&b, "unknown %s|%s|%s\n", u.Kind, u.Path, u.Reason)
		}
	}
	return b.String()
}

func TestDecodeCycloneDX(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"1.4 with a tool list, nesting, a group and a file", `{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{"tools":[{"vendor":"x","name":"trivy","version":"0.70.0"}],"component":{"type":"container","name":"app"}},
			"components":[{"bom-ref":"os","type":"operating-system","name":"debian","version":"12"},
			{"bom-ref":"a","type":"library","name":"a","version":"1.0.0","purl":"pkg:npm/a@1.0.0","licenses":[{"license":{"id":"MIT"}},{"expression":"Apache-2.0"}],
			 "components":[{"type":"library","group":"g","name":"b","version":"2"},{"type":"file","name":"x.js"}],"properties":[{"name":"aquasecurity:trivy:FilePath","value":"/usr/a/package.json"}]},
			{"bom-ref":"d","type":"library","name":"tar","version":"1.34","purl":"pkg:deb/debian/tar@1.34+dfsg-1?arch=amd64&distro=debian-12&upstream=tar-src%401.2"}],
			"dependencies":[{"ref":"a","dependsOn":["d"]}]}`,
			`cyclonedx-json 1.4 by trivy 0.70.0
function app
|g/b|2||live|[]||[]
pkg:deb/debian/tar@1.34%2Bdfsg-1?arch=amd64&distro=debian-12&upstream=tar-src%401.2|tar|1.34+dfsg-1|Debian:12|live|[]|tar-src|[]
pkg:npm/a@1.0.0|a|1.0.0|npm|live|[Apache-2.0 MIT]||[tar]|usr/a/package.json
unknown unmatched|g/b@2|component without a package URL
`},
		{"1.6 with evidence, incomplete composition and a main package", `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"tools":{"components":[{"type":"application","name":"cdxgen","version":"11"}]},
			"component":{"type":"application","name":"orders","purl":"pkg:npm/orders@1.0.0"}},"compositions":[{"aggregate":"incomplete"}],
			"components":[{"type":"library","name":"x","purl":"pkg:pypi/Foo_Bar@1","evidence":{"occurrences":[{"location":"a/b"}]},"properties":[{"name":"fnaudit:state","value":"shadowed"}]},
			{"type":"library","name":"bad","purl":"nonsense"},{"type":"library","name":"same","version":"9","purl":"pkg:npm/other@1"}]}`,
			`cyclonedx-json 1.6 by cdxgen 11
function orders
|bad|||live|[]||[]
pkg:npm/orders@1.0.0|orders|1.0.0|npm|live|[]||[]|main
pkg:npm/other@1|other|1|npm|live|[]||[]
pkg:pypi/foo-bar@1|Foo_Bar|1|PyPI|live|[]||[]|a/b
unknown opaque||the document says that its list is incomplete
unknown unmatched|bad|package URL that cannot be parsed: nonsense
`},
	} {
		if got := text(decode(t, c.in)); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
}

func TestDecodeSPDX(t *testing.T) {
	in := `{"spdxVersion":"SPDX-2.2","SPDXID":"SPDXRef-DOCUMENT","name":"img","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Organization: x","Tool: syft-1.54.1"]},
		"packages":[{"SPDXID":"SPDXRef-root","name":"img","primaryPackagePurpose":"CONTAINER"},
		{"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1","licenseDeclared":"LicenseRef-x","licenseConcluded":"NOASSERTION","downloadLocation":"NOASSERTION","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/%40s/a@1"}]},
		{"SPDXID":"SPDXRef-b","name":"b","versionInfo":"NOASSERTION"}],
		"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-root"},{"spdxElementId":"SPDXRef-b","relationshipType":"DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-a"}],
		"hasExtractedLicensingInfos":[{"licenseId":"LicenseRef-x","extractedText":"My licence"}]}`
	want := `spdx-json 2.2 by syft 1.54.1
function img
|b|||live|[]||[]
pkg:npm/%40s/a@1|@s/a|1|npm|live|[My licence]||[b]
unknown unmatched|b|component without a package URL
`
	if got := text(decode(t, in)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDecodeSyft(t *testing.T) {
	in := `{"artifacts":[{"id":"1","name":"lodash","version":"4.17.15","type":"npm","foundBy":"javascript-lock-cataloger","locations":[{"path":"/package-lock.json"}],"licenses":[{"value":"MIT","spdxExpression":"MIT"}],"purl":"pkg:npm/lodash@4.17.15",
		"metadata":{"resolved":"https://r.example/l.tgz","integrity":"sha512-AAECAw=="}},
		{"id":"2","name":"tar","version":"1.34","type":"deb","licenses":["GPL-3.0-only"],"purl":"pkg:deb/debian/tar@1.34"},{"id":"3","name":"mystery","version":"1","type":"binary","purl":""}],
		"artifactRelationships":[{"parent":"1","child":"2","type":"dependency-of"}],"source":{"name":"img"},"distro":{"id":"debian","versionID":"12"},
		"descriptor":{"name":"syft","version":"1.54.1"},"schema":{"version":"16.1.0","url":"https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.1.0.json"}}`
	want := `syft-json 16.1.0 by syft 1.54.1
function img
|mystery|1||live|[]||[]
pkg:deb/debian/tar@1.34|tar|1.34|Debian:12|live|[GPL-3.0-only]||[lodash]
pkg:npm/lodash@4.17.15|lodash|4.17.15|npm|live|[MIT]||[]|package-lock.json
unknown unmatched|mystery@1|component without a package URL
`
	doc := decode(t, in)
	if got := text(doc); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if c := doc.Functions[0].SBOM.Components[2]; c.Hashes["sha512"] != "00010203" || c.Resolved != "https://r.example/l.tgz" {
		t.Errorf("metadata %+v", c)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"empty":               {"", codec.ErrFormat},
		"xml":                 {"<?xml version='1.0'?><bom/>", codec.ErrFormat},
		"tag-value":           {"SPDXVersion: SPDX-2.3\n", codec.ErrFormat},
		"other JSON":          {`{"a":1}`, codec.ErrFormat},
		"a list":              {`[]`, codec.ErrFormat},
		"cut":                 {`{"bomFormat":"CycloneDX","components":[`, codec.ErrFormat},
		"two documents":       {`{"bomFormat":"CycloneDX"}{}`, codec.ErrFormat},
		"wrong type":          {`{"bomFormat":"CycloneDX","components":7}`, codec.ErrFormat},
		"SPDX 3":              {`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}`, codec.ErrFormat},
		"attestation":         {`{"payloadType":"application/vnd.in-toto+json","payload":""}`, codec.ErrFormat},
		"nested too deep":     {`{"bomFormat":"CycloneDX","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, codec.ErrLimit},
		"deep components":     {`{"bomFormat":"CycloneDX","components":[` + strings.Repeat(`{"components":[`, 80) + strings.Repeat("]}", 80) + `]}`, codec.ErrLimit},
		"too many objects":    {`{"bomFormat":"CycloneDX","x":[` + strings.Repeat("{},", codec.MaxObjects) + `{}]}`, codec.ErrLimit},
		"too many values":     {`{"bomFormat":"CycloneDX","x":[` + strings.Repeat("0,", codec.MaxValues) + `0]}`, codec.ErrLimit},
		"too many components": {`{"bomFormat":"CycloneDX","components":[` + strings.Repeat(`{"name":"a"},`, codec.MaxComponents) + `{}]}`, codec.ErrLimit},
		"long name":           {`{"bomFormat":"CycloneDX","components":[{"name":"` + strings.Repeat("a", 1<<20+1) + `"}]}`, codec.ErrLimit},
	} {
		if _, err := codec.Decode(strings.NewReader(c.in), 0); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if _, err := codec.Decode(strings.NewReader(`{"bomFormat":"CycloneDX"}`), 10); !errors.Is(err, codec.ErrLimit) {
		t.Errorf("over the caller's limit: %v", err)
	}
}

// A document with a byte order mark is read; an empty one has one function
// with no components, which is what it says.
func TestDecodeEmpty(t *testing.T) {
	doc := decode(t, "\ufeff"+`{"bomFormat":"CycloneDX","specVersion":"1.7"}`)
	if len(doc.Functions) != 1 || doc.Functions[0].SBOM == nil || len(doc.SBOM().Components) != 0 {
		t.Errorf("%+v", doc)
	}
}

// A document that claims to be ours cannot make an unknown known, and what it
// states wrongly counts as unread.
func TestDecodeForged(t *testing.T) {
	doc := decode(t, `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"tools":{"components":[{"name":"fnaudit"}]},"component":{"name":"f","properties":[
		{"name":"fnaudit:function","value":"f"},{"name":"fnaudit:unknown","value":"not json"},{"name":"fnaudit:unknown","value":"{\"kind\":\"nonsense\",\"artifact\":-5,\"code\":true}"}]}},
		"components":[{"name":"a","purl":"pkg:npm/a@1","properties":[{"name":"fnaudit:state","value":"gone"}],"evidence":{"occurrences":[{"location":"x","additionalContext":"artifact=-3 state=odd"}]}}]}`)
	f := doc.Functions[0]
	if len(f.SBOM.Unknowns) != 2 || f.SBOM.Unknowns[0].Kind != sbom.Unreadable || !f.SBOM.Unknowns[0].Code || f.SBOM.Unknowns[1].Kind != sbom.Unreadable {
		t.Errorf("unknowns %+v", f.SBOM.Unknowns)
	}
	c := f.SBOM.Components[0]
	if c.State != sbom.Live || c.Occurrences[0].State != sbom.Live || c.Occurrences[0].Artifact != 0 {
		t.Errorf("component %+v", c)
	}
}

// Several functions can be taken as one bill of materials.
func TestDocumentSBOM(t *testing.T) {
	doc := document(sample("a"), sample("b"))
	all := doc.SBOM()
	if len(all.Components) != len(sample("a").SBOM.Components)+1 { // the component without a purl is not merged
		t.Errorf("%d components", len(all.Components))
	}
	if one := document(sample("a")); one.SBOM() != one.Functions[0].SBOM {
		t.Error("one function is not its own")
	}
}

func fuzz(f *testing.F, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := codec.Decode(bytes.NewReader(data), 1<<20)
		if err != nil {
			return
		}
		for _, fn := range doc.Functions {
			for _, c := range fn.SBOM.Components {
				if c.State.Rank() == 0 || c.Ref == "" {
					t.Fatalf("component %+v", c)
				}
			}
		}
		for _, e := range encoders { // what was read can be written, and read again
			var b bytes.Buffer
			if err := e.encode(&b, doc); err != nil {
				t.Fatal(err)
			}
			again, err := codec.Decode(bytes.NewReader(b.Bytes()), 0)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := len(doc.SBOM().Components), len(again.SBOM().Components); a != b {
				t.Fatalf("%d components became %d", a, b)
			}
		}
	})
}

func FuzzDecodeCycloneDX(f *testing.F) {
	fuzz(f, string(encode(f, "cyclonedx", document(sample("orders")))), string(encode(f, "cyclonedx", document(sample("a"), sample("b")))),
		`{"bomFormat":"CycloneDX","metadata":{"tools":[{"name":"x"}]},"components":[{"name":"a","components":[{"purl":"pkg:npm/@a/b@1"}]}]}`)
}

func FuzzDecodeSPDX(f *testing.F) {
	fuzz(f, string(encode(f, "spdx", document(sample("orders")))), `{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"a","name":"b"}],"documentDescribes":["a"]}`)
}

func FuzzDecodeSyft(f *testing.F) {
	fuzz(f, `{"artifacts":[{"id":"1","name":"a","purl":"pkg:npm/a@1","licenses":["MIT",{"value":"x"}],"metadata":{"integrity":"sha1-AA=="}}],"descriptor":{"name":"syft"}}`)
}

// TestUnknownSpecVersion: a version of a format that nobody has seen may say
// things in other places, so it is not read as if it did not.
func TestUnknownSpecVersion(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"bomFormat":"CycloneDX","specVersion":"1.3","components":[]}`:        true,
		`{"bomFormat":"CycloneDX","specVersion":"2.0","components":[]}`:        false,
		`{"spdxVersion":"SPDX-2.2","SPDXID":"SPDXRef-DOCUMENT","packages":[]}`: true,
		`{"spdxVersion":"SPDX-4.0","SPDXID":"SPDXRef-DOCUMENT","packages":[]}`: false,
	} {
		if _, err := codec.Decode(strings.NewReader(text), 0); (err == nil) != ok || err != nil && !errors.Is(err, codec.ErrFormat) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
