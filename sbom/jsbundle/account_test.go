package jsbundle

import (
	"fmt"
	"strings"
	"testing"
)

// show prints claims as "name@version method confidence path".
func show(claims []Claim) string {
	var out []string
	for _, c := range claims {
		s := c.Name
		if c.Version != "" {
			s += "@" + c.Version
		}
		if c.Path != "" {
			s += " in " + c.Path
		}
		out = append(out, fmt.Sprintf("%s %.2g", s, c.Confidence))
	}
	return strings.Join(out, "; ")
}

const metafile = `{"inputs": {"src/app.ts": {"bytes": 900, "imports": [{"path": "x", "kind": "import-statement"}]}},
"outputs": {
 "out/other/index.js": {"bytes": 70, "inputs": {"node_modules/wrong/index.js": {"bytesInOutput": 10}}},
 "out/app/index.js": {"imports": [], "bytes": 1000, "inputs": {
   "node_modules/lodash/lodash.js": {"bytesInOutput": 500},
   "node_modules/a/node_modules/lodash/lodash.js": {"bytesInOutput": 50},
   "node_modules/.pnpm/@s+b@1.2.3/node_modules/@s/b/i.mjs": {"bytesInOutput": 100},
   "node_modules/shaken/index.js": {"bytesInOutput": 0},
   "src/app.ts": {"bytesInOutput": 200}, "<runtime>": {"bytesInOutput": 30}}},
 "out/app/index.js.map": {"bytes": 1000, "inputs": {}}}}`

func TestMetafile(t *testing.T) {
	for _, tt := range []struct {
		name, data, bundle string
		size               int64
		want, gap          string
	}{
		{"agrees", metafile, "app/index.js", 1000,
			"lodash in node_modules/lodash 0.99; lodash in node_modules/a/node_modules/lodash 0.99; @s/b@1.2.3 in node_modules/.pnpm/@s+b@1.2.3/node_modules/@s/b 0.99", ""},
		{"the size decides between equal names", metafile, "index.js", 70, "wrong in node_modules/wrong 0.99", ""},
		{"another build's", metafile, "app/index.js", 1001,
			"lodash in node_modules/lodash 0.3; lodash in node_modules/a/node_modules/lodash 0.3; @s/b@1.2.3 in node_modules/.pnpm/@s+b@1.2.3/node_modules/@s/b 0.3",
			"it tells of 1000 bytes, the file has 1001"},
		{"another file's", metafile, "main.js", 1000, "", "it has no output of this name"},
		{"more than there is", strings.Replace(metafile, `"bytesInOutput": 500`, `"bytesInOutput": 5000`, 1), "app/index.js", 1000, "", "its inputs have more bytes than the file"},
		{"sizes of other types", `{"outputs": {"index.js": {"bytes": {}, "inputs": {"node_modules/a/b.js": {"bytesInOutput": "9"}, "node_modules/c/d.js": []}}}}`, "index.js", 5, "", "it tells of -1 bytes, the file has 5"},
	} {
		a, err := Metafile([]byte(tt.data), "meta.json", tt.bundle, tt.size)
		if err != nil || show(a.Claims) != tt.want || a.Gap != tt.gap || a.Agrees != (tt.gap == "") {
			t.Errorf("%s: %v %+v\n got %s\nwant %s", tt.name, err, a, show(a.Claims), tt.want)
		}
		if a.Agrees && a.Packages+a.Own+a.Other != tt.size {
			t.Errorf("%s: %d + %d + %d are not %d", tt.name, a.Packages, a.Own, a.Other, tt.size)
		}
	}
	a, _ := Metafile([]byte(metafile), "meta.json", "app/index.js", 1000)
	if a.Packages != 650 || a.Own != 200 || a.Other != 150 || a.Claims[0].From != "meta.json" || a.Claims[0].Offset != -1 {
		t.Errorf("%+v", a)
	}
	for _, bad := range []string{"", "{", "[]", `{"inputs": {}}`, metafile[:200], metafile + "x", `{"outputs": {"index.js": ` + strings.Repeat(`{"a":`, 500)} {
		if a, err := Metafile([]byte(bad), "m", "index.js", 1); err == nil || a.Agrees || a.Claims != nil {
			t.Errorf("%.40q: %+v", bad, a)
		}
	}
}

const webpackStats = `{"version": "5.90.0", "assets": [
  {"type": "asset", "name": "index.js", "size": 1000, "chunks": [179], "info": {"minimized": true}},
  {"name": "other.js", "size": 10, "chunks": ["other"]}, {"name": "index.js.LICENSE.txt", "size": 5, "chunks": []}],
 "chunks": [{"id": 179, "files": ["index.js"]}],
 "modules": [
  {"type": "module", "moduleType": "javascript/auto", "name": "./node_modules/axios/index.js", "size": 400, "chunks": [179]},
  {"name": "./src/index.js + 2 modules", "chunks": [179], "modules": [{"name": "./src/index.js"}, {"name": "./node_modules/lodash-es/lodash.js"}, {"name": "./node_modules/a/node_modules/ms/index.js"}]},
  {"name": "./node_modules/joined/a.js + 9 modules", "chunks": [179], "modules": []},
  {"name": "../shared/x.js", "nameForCondition": "/app/node_modules/linked/x.js", "chunks": [179]},
  {"name": "./node_modules/elsewhere/index.js", "chunks": ["other"]},
  {"name": "./node_modules/shaken/index.js", "chunks": [], "orphan": true},
  {"name": "./node_modules/gone/index.js", "chunks": [179], "orphan": true},
  {"moduleType": "runtime", "name": "webpack/bootstrap", "chunks": [179]},
  {"name": "external \"fs\"", "chunks": [179]}]}`

func TestStats(t *testing.T) {
	want := "axios in node_modules/axios 0.99; lodash-es in node_modules/lodash-es 0.99; ms in node_modules/a/node_modules/ms 0.99; joined in node_modules/joined 0.99"
	chunked := `{"assets": [{"name": "index.js", "size": 7, "chunks": ["main"]}], "chunks": [{"modules": [{"name": "./node_modules/a/i.js"}], "id": "main"}]}`
	children := `{"assets": [], "children": [{"assets": [{"name": "index.js", "size": 7, "chunks": [1]}], "modules": [{"name": "./node_modules/a/i.js", "chunks": [1]}]},
 {"assets": [{"name": "x.js", "size": 7, "chunks": [1]}], "modules": [{"name": "./node_modules/b/i.js", "chunks": [1]}]}]}`
	for _, tt := range []struct {
		name, data string
		size       int64
		want, gap  string
	}{
		{"agrees", webpackStats, 1000, want, ""},
		{"another build's", webpackStats, 999, strings.ReplaceAll(want, "0.99", "0.3"), "it tells of 1000 bytes, the file has 999"},
		{"modules by chunk", chunked, 7, "a in node_modules/a 0.99", ""},
		{"a compilation of several", children, 7, "a in node_modules/a 0.99", ""},
		{"no modules for the file", `{"assets": [{"name": "index.js", "size": 7, "chunks": []}], "modules": [{"name": "./node_modules/a/i.js", "chunks": [1]}]}`, 7, "", "it does not say which modules are in this file"},
		{"no such asset", `{"assets": [], "modules": [{"name": "./node_modules/a/i.js", "chunks": [1]}]}`, 7, "", "it has no asset of this name"},
	} {
		a, err := Stats([]byte(tt.data), "stats.json", "dist/index.js", tt.size)
		if err != nil || show(a.Claims) != tt.want || a.Gap != tt.gap || a.Agrees != (tt.gap == "") {
			t.Errorf("%s: %v %+v\n got %s\nwant %s", tt.name, err, a, show(a.Claims), tt.want)
		}
	}
	for _, bad := range []string{"", "[]", "{}", `{"assets": []}`, webpackStats[:300], `{"children":[` + strings.Repeat(`{"children":[`, 300)} {
		if a, err := Stats([]byte(bad), "s", "index.js", 1); err == nil || a.Claims != nil {
			t.Errorf("%.40q: %+v", bad, a)
		}
	}
}

const pluginBOM = `{"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"tools": {"components": [{"type": "library", "group": "@cyclonedx", "name": "webpack-plugin", "version": "3.11.0"}]}},
 "components": [
  {"type": "library", "name": "lodash", "purl": "pkg:npm/lodash@4.17.15#lodash.js"},
  {"type": "library", "group": "@s", "name": "b", "purl": "pkg:npm/%40s/b@1.2.3?vcs_url=x", "components": [{"purl": "pkg:npm/inner@0.1.0"}]},
  {"purl": "pkg:npm/ms@2.0.0"}, {"purl": "pkg:npm/ms@2.1.3"}, {"purl": "pkg:pypi/six@1.0"}, {"purl": "pkg:npm/../x@1.0.0"}, {"name": "none"}]}`

func TestBOM(t *testing.T) {
	a, err := BOM([]byte(pluginBOM), ".well-known/sbom")
	if want := "lodash@4.17.15 0.3; @s/b@1.2.3 0.3; inner@0.1.0 0.3; ms@2.0.0 0.3; ms@2.1.3 0.3"; err != nil || a.Agrees || a.Gap == "" || show(a.Claims) != want {
		t.Errorf("%v %+v\n got %s\nwant %s", err, a, show(a.Claims), want)
	}
	found := []Claim{{Name: "lodash"}, {Name: "ms"}, {Name: "inner", Version: "0.1.1"}, {Name: "other"}}
	if got := show(Confirmed(a.Claims, found)); got != "lodash@4.17.15 0.9; inner@0.1.0 0.3" {
		t.Errorf("confirmed: %s", got)
	}
	old := strings.Replace(pluginBOM, `{"components": [{"type": "library", "group": "@cyclonedx", "name": "webpack-plugin", "version": "3.11.0"}]}`, `[{"vendor": "x", "name": "rollup-plugin-sbom"}]`, 1)
	if a, err := BOM([]byte(old), "bom.json"); err != nil || len(a.Claims) != 5 {
		t.Errorf("%v %+v", err, a)
	}
	for _, bad := range []string{"", "{}", `{"bomFormat": "CycloneDX"}`, strings.Replace(pluginBOM, "webpack-plugin", "syft", 1), strings.Replace(pluginBOM, "CycloneDX", "SPDX", 1), pluginBOM[:400], `{"metadata":{"tools":` + strings.Repeat("[", 500)} {
		if a, err := BOM([]byte(bad), "s"); err == nil || a.Claims != nil {
			t.Errorf("%.40q: %+v", bad, a)
		}
	}
}

func FuzzAccounts(f *testing.F) {
	f.Add([]byte(metafile))
	f.Add([]byte(webpackStats))
	f.Add([]byte(pluginBOM))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func() (Account, error){
			func() (Account, error) { return Metafile(data, "x", "index.js", 1000) },
			func() (Account, error) { return Stats(data, "x", "index.js", 1000) },
			func() (Account, error) { return BOM(data, "x") },
		} {
			a, err := read()
			if err != nil && (a.Agrees || a.Claims != nil) || err == nil && a.Agrees != (a.Gap == "") {
				t.Errorf("%v %+v", err, a)
			}
			if sum := a.Packages + a.Own + a.Other; sum != 0 && sum != 1000 || a.Packages < 0 || a.Own < 0 || a.Other < 0 {
				t.Errorf("%+v", a)
			}
			for _, c := range a.Claims {
				if c.Name == "" || c.Version != "" && exact(c.Version) == "" || !a.Agrees && c.Confidence > 0.5 {
					t.Errorf("%+v", c)
				}
			}
		}
	})
}
