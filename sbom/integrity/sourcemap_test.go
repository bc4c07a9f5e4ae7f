package integrity

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// TestSourceMap: the sources that a bundle's map carries, and the published files.
func TestSourceMap(t *testing.T) {
	files := tree{"package.json": "{}", "a.js": "a\n", "b.js": "b\n", "lib/c.js": "c\nd\n"}
	reg := shelf{"npm:demo@1.0.0": packed(t, files)}
	m := sbom.Component{PURL: "pkg:npm/demo@1.0.0", Name: "demo", Version: "1.0.0", State: sbom.Live, Occurrences: []sbom.Occurrence{{Path: "index.js"}},
		Evidence: []sbom.Evidence{{Method: methodSourceMap, Path: "index.js.map", Detail: "app/node_modules/demo"}}}
	const purl, in = "pkg:npm/demo@1.0.0", "../../app/node_modules/demo/"
	const some = "left " + purl + ": a source map has some of its files, not all\n"
	text := func(doc map[string]any) string { b, _ := json.Marshal(doc); return string(b) }
	for name, tt := range map[string]struct {
		content string
		want    string
	}{
		"published":   {text(map[string]any{"version": 3, "mappings": "AAAA", "sources": []string{in + "a.js", in + "lib/c.js", "../src/app.js"}, "sourcesContent": []any{"a\n", "c\r\nd\r\n", "mine"}}), some},
		"changed":     {text(map[string]any{"sources": []string{in + "a.js", in + "b.js", in + "lib/c.js"}, "sourcesContent": []string{"evil\n", "b", "c\nd\n"}}), "medium integrity-source " + purl + " index.js.map\n" + some},
		"rewritten":   {text(map[string]any{"sources": []string{in + "a.js", in + "b.js"}, "sourcesContent": []string{"var a", "var b"}}), "low integrity-source " + purl + " index.js.map\n" + some},
		"not of it":   {text(map[string]any{"sources": []string{in + "src/a.ts", in + "node_modules/x/a.js", "webpack:///external"}, "sourcesContent": []string{"evil", "evil", "evil"}}), some},
		"no contents": {text(map[string]any{"sources": []string{in + "a.js"}, "sourcesContent": []any{nil}}), some},
		"with a root": {text(map[string]any{"sourceRoot": "../../app/node_modules", "sources": []string{"demo/a.js"}, "sourcesContent": []string{"x"}}), "low integrity-source " + purl + " index.js.map\n" + some},
		"sections":    {`{"sections":[]}`, "left " + purl + ": a source map has some of its files, not all; the source map that names it cannot be read: it consists of sections\n"},
		"cut off":     {`{"sources":["`, "left " + purl + ": a source map has some of its files, not all; the source map that names it cannot be read: it cannot be parsed\n"},
	} {
		if _, got := run(t, open(t, tree{"index.js": "x", "index.js.map": tt.content}), reg, m); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}

func FuzzSourceMap(f *testing.F) {
	f.Add(`{"version":3,"sources":["a",null],"sourcesContent":["b",1],"sourceRoot":"x"}`)
	f.Add(`)]}'{"mappings":"AAAA","sources":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		sources, _, err := parseSourceMap([]byte(text))
		if err != nil && sources != nil {
			t.Error("an error and sources")
		}
		byFolder := map[string]*npmPackage{"node_modules/demo": {}}
		for _, s := range sources {
			if p, rest := packageOf(byFolder, s); p != nil && strings.HasPrefix(rest, "/") {
				t.Errorf("%q leads to %q", s, rest)
			}
		}
	})
}
