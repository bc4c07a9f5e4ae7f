package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

var encoders = map[string]struct {
	encode         func(io.Writer, codec.Document) error
	module, schema string
}{
	"cyclonedx": {codec.EncodeCycloneDX, "github.com/CycloneDX/cyclonedx-go", "schema/bom-1.6.schema.json"},
	"spdx":      {codec.EncodeSPDX, "github.com/anchore/syft", "schema/spdx-json/spdx-schema-2.3.json"},
}

func encode(t testing.TB, format string, doc codec.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encoders[format].encode(&b, doc); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func documents() map[string]codec.Document {
	empty := sample("empty")
	empty.SBOM, empty.Artifacts, empty.Vulnerabilities = nil, nil, nil
	twice := sample("twice")
	twice.SBOM.Components = append(twice.SBOM.Components, twice.SBOM.Components...)
	long := sample("long")
	for i := range long.SBOM.Components {
		long.SBOM.Components[i].Version = strings.Repeat("1", 200_000)
	}
	return map[string]codec.Document{
		"long": document(long),
		"one":  document(sample("orders")), "two": document(sample("orders"), sample("media")), "same name": document(sample("orders"), sample("orders")),
		"empty": document(empty), "twice": document(twice), "none": {}, "hostile": evil(),
	}
}

// Every document is valid by the published schema, safe to show, and the same bytes twice.
func TestEncode(t *testing.T) {
	for format := range encoders {
		schema := compile(t, format)
		for name, doc := range documents() {
			t.Run(format+"/"+name, func(t *testing.T) {
				got := encode(t, format, doc)
				value, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
				if err != nil {
					t.Fatal(err)
				}
				if err := schema.Validate(value); err != nil {
					t.Error(err)
				}
				for _, bad := range []string{"\x1b", "\u009b", "\x00", "\u202e", "<script", "<svg", "<img", "##vso[", "secret"} {
					if bytes.Contains(got, []byte(bad)) {
						t.Errorf("raw %q in the output", bad)
					}
				}
				if _, err := codec.Decode(bytes.NewReader(got), 0); err != nil {
					t.Errorf("what was written cannot be read: %v", err)
				}
				if !bytes.Equal(got, encode(t, format, doc)) {
					t.Error("two runs wrote different bytes")
				}
				unique(t, value)
			})
		}
	}
}

// unique checks that no reference is used twice and none dangles.
func unique(t *testing.T, value any) {
	t.Helper()
	seen := map[string]bool{}
	var refs []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				walk(k, x)
			}
		case []any:
			for _, x := range v {
				walk(key, x)
			}
		case string:
			switch key {
			case "bom-ref", "SPDXID":
				if seen[v] {
					t.Errorf("reference %q is used twice", v)
				}
				seen[v] = true
			case "ref", "dependsOn", "assemblies", "spdxElementId", "relatedSpdxElement", "documentDescribes":
				refs = append(refs, v)
			}
		}
	}
	walk("", value)
	for _, r := range refs {
		if !seen[r] {
			t.Errorf("reference %q leads nowhere", r)
		}
	}
}

// The order in which components come does not show.
func TestEncodeSorted(t *testing.T) {
	for format := range encoders {
		doc := document(sample("orders"), sample("media"))
		a := encode(t, format, doc)
		slices.Reverse(doc.Functions)
		for i := range doc.Functions {
			slices.Reverse(doc.Functions[i].SBOM.Components)
			slices.Reverse(doc.Functions[i].SBOM.Unknowns)
		}
		if b := encode(t, format, doc); !bytes.Equal(a, b) {
			t.Errorf("%s depends on the order of its input", format)
		}
	}
}

// The serial number is the same for the same subject and snapshot, and another otherwise.
func TestSerial(t *testing.T) {
	serial := func(doc codec.Document) string {
		var bom struct{ SerialNumber string }
		if err := json.Unmarshal(encode(t, "cyclonedx", doc), &bom); err != nil {
			t.Fatal(err)
		}
		return bom.SerialNumber
	}
	doc := document(sample("orders"))
	a := serial(doc)
	if want := "urn:uuid:"; !strings.HasPrefix(a, want) || a[len(want)+14] != '5' {
		t.Errorf("%s is no UUID of version 5", a)
	}
	doc.ToolVersion = "9"
	if serial(doc) != a {
		t.Error("the tool's version changes the serial number")
	}
	doc.Snapshot = "sha256:other"
	if serial(doc) == a {
		t.Error("another snapshot, the same serial number")
	}
	other := document(sample("orders"))
	other.Functions[0].SBOM.Subject = bundle.Digest("sha256:" + strings.Repeat("d", 64))
	if serial(other) == a {
		t.Error("another subject, the same serial number")
	}
}

// What the documents must say in words.
func TestEncodeContent(t *testing.T) {
	cdx := string(encode(t, "cyclonedx", document(sample("orders"))))
	for _, want := range []string{
		`"specVersion": "1.6"`, `"name": "fnaudit:versions",` + "\n" + `          "value": "0.21.0,0.21.1"`, `"technique": "manifest-analysis"`, `"technique": "ast-fingerprint"`,
		`"aggregate": "incomplete"`, `"id": "MIT"`, `"name": "Custom licence"`, `"expression": "GPL-2.0-only WITH Classpath-exception-2.0"`,
		`"url": "https://registry.example/lodash-4.17.15.tgz"`, `"value": "./vendor/log4j.jar"`, `"ref": "pkg:npm/%40scope/a@1.0.0"`, `"method": "CVSSv31"`, `"will_not_fix"`,
		`"location": "lib/app.jar!/pom.xml"`, `"alg": "SHA-512"`, `"fnaudit:hash:h1"`,
	} {
		if !strings.Contains(cdx, want) {
			t.Errorf("CycloneDX without %s", want)
		}
	}
	spdx := string(encode(t, "spdx", document(sample("orders"))))
	for _, want := range []string{
		`"spdxVersion": "SPDX-2.3"`, `"DESCRIBES"`, `"CONTAINS"`, `"DEPENDS_ON"`, `"filesAnalyzed": false`, `"licenseDeclared": "MIT"`, `"NOASSERTION"`, `(MIT OR Apache-2.0) AND LicenseRef-Custom-licence-`,
		`"extractedText": "Custom licence"`, `Incomplete: 2 parts`, `"referenceLocator": "pkg:maven/org.apache/log4j@2.14.1"`, `"downloadLocation": "https://registry.example/lodash-4.17.15.tgz"`,
	} {
		if !strings.Contains(spdx, want) {
			t.Errorf("SPDX without %s", want)
		}
	}
	complete := sample("orders")
	complete.SBOM.Unknowns = nil
	if s := string(encode(t, "cyclonedx", document(complete))); !strings.Contains(s, `"aggregate": "unknown"`) || strings.Contains(s, `"aggregate": "complete"`) {
		t.Error("a list that nobody proved complete must be stated as unknown")
	}
}

// Requirements lead to the copy that Node.js would load.
func TestNearestCopy(t *testing.T) {
	at := func(name, version, path string, requires ...string) sbom.Component {
		purl := "pkg:npm/" + name + "@" + version
		return sbom.Component{Ref: purl, PURL: purl, Name: name, Version: version, Requires: requires, Occurrences: []sbom.Occurrence{{Path: path}}}
	}
	f := codec.Function{Name: "f", SBOM: &sbom.SBOM{Components: []sbom.Component{
		at("ms", "2.0.0", "node_modules/ms/package.json"),
		at("ms", "2.1.3", "node_modules/send/node_modules/ms/package.json"),
		at("send", "1.0.0", "node_modules/send/package.json", "ms"),
		at("debug", "1.0.0", "node_modules/debug/package.json", "ms"),
	}}}
	var bom struct {
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal(encode(t, "cyclonedx", document(f)), &bom); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range bom.Dependencies {
		got[d.Ref] = fmt.Sprint(d.DependsOn)
	}
	if got["pkg:npm/send@1.0.0"] != "[pkg:npm/ms@2.1.3]" || got["pkg:npm/debug@1.0.0"] != "[pkg:npm/ms@2.0.0]" {
		t.Errorf("dependencies %v", got)
	}
}

// The identifiers that are written as ids are in the list that CycloneDX's
// schema freezes, or the document would be invalid for a package with that
// licence; every other one is written in a way that is valid without a list.
// TestNeedsAreCanonical: who needs whom is found as the registry compares names.
func TestNeedsAreCanonical(t *testing.T) {
	f := codec.Function{Name: "fn", SBOM: &sbom.SBOM{Components: []sbom.Component{
		{PURL: "pkg:pypi/jinja2@3.1.0", Name: "Jinja2", Version: "3.1.0", Requires: []string{"MarkupSafe"}},
		{PURL: "pkg:pypi/markupsafe@2.1.1", Name: "markupsafe", Version: "2.1.1"},
	}}}
	for format, want := range map[string]string{
		"cyclonedx": `"ref": "pkg:pypi/jinja2@3.1.0",
      "dependsOn": [
        "pkg:pypi/markupsafe@2.1.1"`,
		"spdx": `"relationshipType": "DEPENDS_ON"`,
	} {
		if got := string(encode(t, format, document(f))); !strings.Contains(got, want) {
			t.Errorf("%s has no edge:\n%s", format, got)
		}
	}
}

func TestEveryLicenseIsValid(t *testing.T) {
	f := codec.Function{Name: "f", SBOM: &sbom.SBOM{}}
	for i, id := range append(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated()...) {
		for j, list := range [][]string{{id}, {id, "MIT"}, {id + " OR MIT"}} {
			name := fmt.Sprintf("p-%d-%d", i, j)
			f.SBOM.Components = append(f.SBOM.Components, sbom.Component{PURL: "pkg:npm/" + name, Name: name, Licenses: list})
		}
	}
	for format := range encoders {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(encode(t, format, document(f))))
		if err != nil {
			t.Fatal(err)
		}
		if err := compile(t, format).Validate(value); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestEncodeWriteError(t *testing.T) {
	for format, e := range encoders {
		if err := e.encode(brokenWriter{}, document(sample("orders"))); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}

func compile(t *testing.T, format string) *jsonschema.Schema {
	t.Helper()
	path := filepath.Join(moduleDir(t, encoders[format].module), filepath.FromSlash(encoders[format].schema))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(besides{filepath.Dir(path)})
	if err := c.AddResource("file:///schema.json", value); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("file:///schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// besides loads the schemas that CycloneDX's refers to from its own folder,
// where one of them has another extension.
type besides struct{ dir string }

func (b besides) Load(url string) (any, error) {
	base := url[strings.LastIndexByte(url, '/')+1:]
	for _, name := range []string{base, strings.Replace(base, ".schema.json", ".schemax.json", 1)} {
		if f, err := os.Open(filepath.Join(b.dir, name)); err == nil {
			defer f.Close()
			return jsonschema.UnmarshalJSON(f)
		}
	}
	return nil, fmt.Errorf("schema %s is not beside the one that names it", url)
}

func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}
