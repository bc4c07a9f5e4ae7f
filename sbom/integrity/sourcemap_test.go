package integrity

import (
	"encoding/json"
	"fmt"
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
		"not closed":  {`{"sources":["` + in + `a.js"],"sourcesContent":["evil"]`, "left " + purl + ": a source map has some of its files, not all; the source map that names it cannot be read: it cannot be parsed\n"},
		"cut off":     {`{"sources":["`, "left " + purl + ": a source map has some of its files, not all; the source map that names it cannot be read: it cannot be parsed\n"},
	} {
		if _, got := run(t, open(t, tree{"index.js": "x", "index.js.map": tt.content}), reg, m); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}

// TestParseSourceMap reads what encoding/json would, and no list that is none.
func TestParseSourceMap(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: `[] []`,
		" )": "it is no JSON object",
		")]}'\n\ufeff {\"sources\" : [ \"a\" , \"b\" ] }": "it is no JSON object",
		"\ufeff{\"sources\" : [ \"a\" , \"b\" ] }":        `["a" "b"] []`,
		`{"sources":["a"],"names":[["]",{"x":"}"}],1.5e3,true,null],"mappings":"A;\"","x":-1,"sourcesContent":["x\ny\t\"\\\/\r\b\f"]}`: `["a"] ["x\ny\t\"\\/\r\b\f"]`,
		`{"sources":["\u0061"],"sourcesContent":["\ud83d\ude00é"]}`:                                                                    `["a"] ["😀é"]`,
		"{\"sources\":[],\"sourcesContent\":[\"\xff\"]}":                                                                               "[] [\"\ufffd\"]",
		`{"sources":null,"sourcesContent":[null,1,{"a":["b"]},[],"c"]}`:                                                                `[] ["" "" "" "" "c"]`,
		`{"sources":["a"],"sources":["b"],"\u0073ourceRoot":"r/"}`:                                                                     `["r/b"] []`,
		`{"sources":["a"],"sourceRoot":7}`:                                                                                             `["a"] []`,
		`{"sections":[]}`:                                                                                                              "it consists of sections",
		`{"sources":{}}`:                                                                                                               "it cannot be parsed",
		`{"sources":["a" "b"]}`:                                                                                                        "it cannot be parsed",
		`{"sources":["a",]}`:                                                                                                           "it cannot be parsed",
		`{"sources":["a"],}`:                                                                                                           "it cannot be parsed",
		`{"sources":["\x"]}`:                                                                                                           "it cannot be parsed",
		`{"sources":["\`:                                                                                                               "it cannot be parsed",
		"{\"sources\":[\"a\nb\"]}":                                                                                                     "it cannot be parsed",
		`{"sources":[nul]}`:                                                                                                            "it cannot be parsed",
		`{"x":[[[[`:                                                                                                                    "it cannot be parsed",
		`{"x":}`:                                                                                                                       "it cannot be parsed",
		`{"x" 1}`:                                                                                                                      "it cannot be parsed",
		`{"sources":["a"]`:                                                                                                             "it cannot be parsed",
	} {
		sources, contents, err := parseSourceMap([]byte(text))
		got := fmt.Sprintf("%q %q", sources, contents)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if _, _, err := parseSourceMap([]byte(`{"sources":[` + strings.Repeat("1,", maxSources) + `1]}`)); err == nil {
		t.Error("more sources than are read were read")
	}
	if _, _, err := parseSourceMap([]byte(`{"x":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`)); err != nil {
		t.Error(err)
	}
}

// BenchmarkParseSourceMap reads a map of 3 MB.
func BenchmarkParseSourceMap(b *testing.B) {
	line := strings.Repeat("\tif (value === \"undefined\") {\n\t\treturn callback(null, value);\n\t}\n", 200)
	doc := map[string]any{"mappings": strings.Repeat("AAAA,CAAC;", 50_000)}
	var sources, contents []string
	for i := range 200 {
		sources, contents = append(sources, fmt.Sprintf("node_modules/demo/%d.js", i)), append(contents, line)
	}
	doc["sources"], doc["sourcesContent"] = sources, contents
	text, err := json.Marshal(doc)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, _, err := parseSourceMap(text); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzSourceMap(f *testing.F) {
	f.Add(`{"version":3,"sources":["a",null],"sourcesContent":["b",1],"sourceRoot":"x"}`)
	f.Add(`)]}'{"mappings":"AAAA","sources":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		sources, contents, err := parseSourceMap([]byte(text))
		if err != nil && sources != nil {
			t.Error("an error and sources")
		}
		var same struct {
			Sources, SourcesContent []string
		}
		if d := json.NewDecoder(strings.NewReader(text)); err == nil && d.Decode(&same) == nil && !strings.Contains(text, "\\u") && strings.Count(text, "ource") == 2 {
			for i, c := range contents {
				if i < len(same.SourcesContent) && string(c) != same.SourcesContent[i] {
					t.Errorf("source %d is %q, not %q", i, c, same.SourcesContent[i])
				}
			}
		}
		byFolder := map[string]*npmPackage{"node_modules/demo": {}}
		for _, s := range sources {
			if p, rest := packageOf(byFolder, s); p != nil && strings.HasPrefix(rest, "/") {
				t.Errorf("%q leads to %q", s, rest)
			}
		}
	})
}
