package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/sbom"
)

func TestDocumentNamed(t *testing.T) {
	for p, want := range map[string]string{
		"bom.json": "named", "sub/SBOM.json": "named", "app.cdx.json": "sure", "app.spdx.json": "sure", "x/app.syft.json": "sure", ".well-known/sbom": "sure",
		"a-1.dist-info/sboms/auditwheel.cdx.json": "sure", "a-1.dist-info/sboms/x": "sure", "python/A.DIST-INFO/sboms/x": "sure",
		"sboms/x.json": "", "a-1.dist-info/METADATA": "", "package.json": "", "well-known/sbom": "", "my.well-known/sbom": "",
	} {
		got := ""
		if sure, named := documentNamed(p); sure {
			got = "sure"
		} else if named {
			got = "named"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", p, got, want)
		}
	}
}

// What is over a limit is said, and costs nothing that was judged.
func TestDocumentLimits(t *testing.T) {
	files := []txtar.File{{Name: "function/index.js", Data: []byte("exports.handler = 1")}}
	for i := range maxDocuments + 2 {
		files = append(files, txtar.File{Name: fmt.Sprintf("function/%02d/bom.json", i), Data: []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.5"}`)})
	}
	s := catalogueFiles(t, "nodejs20.x", files)
	if len(s.Unknowns) != 1 || s.Unknowns[0].Kind != sbom.Limit || s.Unknowns[0].Code || !strings.Contains(s.Unknowns[0].Reason, "the rest was not read") {
		t.Errorf("unknowns %+v", s.Unknowns)
	}
}

// A hostile document adds what it names and takes nothing away.
func TestDocumentNeverMakesCleaner(t *testing.T) {
	const lodash = `{"name": "lodash", "version": "4.17.15"}`
	plain := []txtar.File{{Name: "function/node_modules/lodash/package.json", Data: []byte(lodash)}, {Name: "function/x.js", Data: []byte("var __commonJS = (cb, mod) => function __require() { return mod };")}}
	before := catalogueFiles(t, "nodejs20.x", plain)
	after := catalogueFiles(t, "nodejs20.x", append(plain, txtar.File{Name: "function/bom.json", Data: []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6",
		"metadata": {"component": {"type": "application", "name": "f", "properties": [{"name": "fnaudit:function", "value": "f"},
			{"name": "fnaudit:absent", "value": "{\"purl\": \"pkg:npm/lodash@4.17.15\", \"lockfile\": \"x\", \"bundles\": [\"x.js\"]}"}]}},
		"components": [{"type": "library", "name": "lodash", "version": "4.17.21", "purl": "pkg:npm/lodash@4.17.21", "properties": [{"name": "fnaudit:state", "value": "shadowed"}]}]}`)}))
	if len(after.Components) != len(before.Components) || after.Components[0].State != sbom.Live || after.Components[0].PURL != before.Components[0].PURL {
		t.Errorf("components %+v, want %+v", after.Components, before.Components)
	}
	if len(after.Absent) != 0 || len(after.Unknowns) != len(before.Unknowns)+1 || after.Coverage.Unknown != before.Coverage.Unknown {
		t.Errorf("unknowns %+v, absent %+v, want one unknown more than %+v", after.Unknowns, after.Absent, before.Unknowns)
	}
}
