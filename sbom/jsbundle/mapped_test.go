package jsbundle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// part is code that was made from one source, "" for a bundler's own.
type part struct{ source, code string }

// mapOf makes a script of parts and its map, which has a point at each word.
func mapOf(parts ...part) (src string, points []mapping, sources []string) {
	index := map[string]int{}
	line, column := 0, 0
	for _, p := range parts {
		at := -1
		if p.source != "" {
			i, ok := index[p.source]
			if !ok {
				i = len(sources)
				index[p.source] = i
				sources = append(sources, p.source)
			}
			at = i
		}
		word := true
		for _, r := range p.code {
			if word && r != ' ' && r != '\n' {
				points = append(points, mapping{line: line, column: column, source: at})
			}
			word = r == ' ' || r == '\n'
			column++
			if r > 0xffff {
				column++
			}
			if r == '\n' {
				line, column = line+1, 0
			}
		}
		src += p.code
	}
	return src, points, sources
}

// encode writes points as a source map does.
func encode(points []mapping) string {
	var out strings.Builder
	last := mapping{}
	source := 0
	vlq := func(n int) {
		v := n << 1
		if n < 0 {
			v = -n<<1 | 1
		}
		for {
			d := v & 31
			if v >>= 5; v > 0 {
				d |= 32
			}
			out.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[d])
			if v == 0 {
				return
			}
		}
	}
	for i, p := range points {
		for last.line < p.line {
			out.WriteByte(';')
			last.line, last.column = last.line+1, 0
		}
		if i > 0 && points[i-1].line == p.line {
			out.WriteByte(',')
		}
		vlq(p.column - last.column)
		last.column = p.column
		if p.source >= 0 {
			vlq(p.source - source)
			vlq(p.from - last.from)
			vlq(p.at - last.at)
			source, last.from, last.at = p.source, p.from, p.at
		}
	}
	return out.String()
}

func mapJSON(points []mapping, sources []string, more string) []byte {
	list, _ := json.Marshal(sources)
	return fmt.Appendf(nil, `{"version":3,"sources":%s,%s"names":[],"mappings":%q}`, list, more, encode(points))
}

func TestInspectMap(t *testing.T) {
	parts := []part{
		{"", "( ) => { "}, {"webpack://app/./node_modules/a/i.js?x", "var a = 'é😀' ; var b = 2 ;\n"}, {"src/i.ts", "a ( b ) ; c ( ) ;\n"},
		{"node_modules/.pnpm/@s+b@1.2.3/node_modules/@s/b/i.js", "d ( 1 , 2 ) ;\n"}, {"", "} \n"},
	}
	src, points, sources := mapOf(parts...)
	manySrc, manyPoints, manySources := mapOf(slices.Repeat(parts, 8)...)
	const all = "@s/b@1.2.3 source-map, a source-map"
	good := mapJSON(points, sources, "")
	shifted := append([]mapping(nil), points...)
	for i := range shifted {
		shifted[i].column += 3
	}
	for _, tt := range []struct {
		name, src, want string
		data            []byte
		told            bool
	}{
		{"as it was written", src, all, good, true},
		{"with a comment that names it", src + "//# sourceMappingURL=i.js.map\n", all, good, true},
		{"behind a guard", src, all, append([]byte(")]}'\n"), good...), true},
		{"with contents", src, all, mapJSON(points, sources, `"sourcesContent":["\"\\",null,"x"],"x_other":{"a":[1,{"b":null}]},`), true},
		{"with null for contents", src, all, mapJSON(points, sources, `"sourcesContent":null,"names":null,"sourceRoot":null,`), true},
		{"with nothing but null in contents", src, all, mapJSON(points, sources, `"sourcesContent": [ null , null ],`), true},
		{"of Windows", src, "a source-map", mapJSON(points, []string{`..\node_modules\a\i.js`, `src\i.ts`, `C:\x\lib.js`}, ""), true},
		{"with a root", src, "a source-map, b source-map", mapJSON(points, []string{"a/i.js", "../src/i.js", "b/i.js"}, `"sourceRoot":"/app/node_modules/",`), true},
		{"in sections", src, all, fmt.Appendf(nil, `{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":%s}]}`, good), true},
		{"another section", "x ( ) ;\n" + src, all, fmt.Appendf(nil, `{"version":3,"sections":[{"map":%s,"offset":{"line":1,"column":0}}]}`, good), true},
		{"of another build", src, "", mapJSON(shifted, sources, ""), false},
		{"of a longer script", "var a\n", "", good, false},
		{"with a source that is not there", src, "", mapJSON(points, sources[:1], ""), false},
		{"with a name that is none", src, "a source-map", mapJSON(points, []string{"node_modules/a/i.js", "i", "lib.js"}, ""), false},
		{"that ends early", manySrc + hidden, all, mapJSON(manyPoints, manySources, ""), false},
		{"with one point for everything", src + hidden, "", mapJSON(points[1:2], sources, ""), false},
		{"without points", src, "", mapJSON(nil, sources, ""), false},
		{"that is cut off", src, "", good[:len(good)-9], false},
		{"with points that are none", src, "", []byte(`{"version":3,"sources":["a"],"mappings":"!!!"}`), false},
		{"that is none", src, "", []byte(`[]`), false},
	} {
		r := Inspect("i.js", []byte(tt.src), Companions{Map: tt.data, MapPath: "i.js.map"})
		if got := named(r); got != tt.want || r.Told != tt.told {
			t.Errorf("a map %s: got %q, told %v, gaps %v\nwant %q, told %v", tt.name, got, r.Told, r.Gaps, tt.want, tt.told)
		}
		if !tt.told && len(r.Gaps) == 0 {
			t.Errorf("a map %s: no gap", tt.name)
		}
		whole(t, tt.src, r)
	}
}

// TestInspectPublishedInside: what a package was published with is told from
// what was installed in its folder.
func TestInspectPublishedInside(t *testing.T) {
	const q, p, ts = "node_modules/p/node_modules/q/i.js", "node_modules/p/i.js", "node_modules/p/src/i.ts"
	for _, tt := range []struct {
		name  string
		parts []part
		want  string
	}{
		{"in the middle of the other's code", []part{{ts, "var x = w ( ( ) => { a ;\n"}, {q, "b ( 1 ) ;\n"}, {ts, "c ( ) } ) ;\n"}}, "p source-map, q in p source-map"},
		{"in a function of its own", []part{{ts, "var x = w(()=>{ a }) ;\n var y = w((e)=>{"}, {q, "b ( 1 ) ;\n"}, {ts, "}) ; c ( ) ;\n"}}, "p source-map, q source-map"},
		{"beside the other's code", []part{{q, "b ( 1 ) ;\n"}, {ts, "c ( ) ;\n"}}, "p source-map, q source-map"},
		{"in a package without a map of its own", []part{{p, "a ;\n"}, {q, "b ( 1 ) ;\n"}, {p, "c ( ) ;\n"}}, "p source-map, q source-map"},
	} {
		src, points, sources := mapOf(tt.parts...)
		if got := named(Inspect("i.js", []byte(src), Companions{Map: mapJSON(points, sources, "")})); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestInspectIsLinear runs on companions and bundles that are made to be slow.
func TestInspectIsLinear(t *testing.T) {
	big := 1_000_000
	for name, data := range map[string]string{
		"a million sources":    `{"version":3,"sources":["` + strings.Repeat(`node_modules/a/i.js","`, big) + `"],"mappings":"AAAA"}`,
		"a million null":       `{"version":3,"sources":[` + strings.Repeat(`null,`, big) + `null],"mappings":"AAAA"}`,
		"a million sections":   `{"sections":[` + strings.Repeat(`{"offset":{"line":0,"column":0},"map":{"mappings":""}},`, big) + `]}`,
		"millions of points":   `{"version":3,"sources":["node_modules/a/i.js","b.js"],"mappings":"` + strings.Repeat("AACA,ADDA,", big/2) + `"}`,
		"millions of lines":    `{"version":3,"sources":["a.js"],"mappings":"` + strings.Repeat(";", 8*big) + `"}`,
		"points that run away": `{"version":3,"sources":["a.js"],"mappings":"` + strings.Repeat("gggggD,", big) + `"}`,
		"deep":                 strings.Repeat(`{"a":`, big),
		"backslashes":          `{"a":"` + strings.Repeat(`\\`, 4*big) + `"}`,
		"quotes":               `{"a":"` + strings.Repeat(`\"`, 4*big) + `"}`,
	} {
		start := time.Now()
		Inspect("i.js", []byte("var a = 1;\nvar b = 'é';\n"), Companions{Map: []byte(data)})
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
	for name, src := range map[string]string{
		"keys":             "m={" + strings.Repeat("\"./node_modules/a/i.js\":e=>{},", 100_000) + "}",
		"different keys":   "m={" + manyKeys(100_000) + "}",
		"comments":         strings.Repeat("// node_modules/a/i.js\n", 200_000),
		"regions":          strings.Repeat("//#region node_modules/a/i.js\n{", 100_000),
		"banners":          strings.Repeat("/*!*\n  !*** ./node_modules/a/i.js ***!\n*/{", 50_000),
		"map comments":     strings.Repeat("//# sourceMappingURL=\n", 200_000),
		"one long blank":   "m={\"./a.js\"" + strings.Repeat(" ", 4<<20),
		"many long blanks": strings.Repeat("{\"./a.js\""+strings.Repeat(" ", 1000), 4000),
	} {
		start := time.Now()
		Inspect("i.js", []byte(src), Companions{})
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func manyKeys(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "\"./node_modules/a%d/i.js\":e=>{},", i)
	}
	return out.String()
}

func FuzzSourceMap(f *testing.F) {
	src, points, sources := mapOf(part{"node_modules/a/i.js", "a ( 1 ) ;\n"}, part{"src/é.js", "'é' ; b\n"})
	f.Add(src, mapJSON(points, sources, ""))
	f.Add(src, []byte(`{"sections":[{"offset":{"line":1,"column":2},"map":{"sources":[null],"mappings":"AAAA;C"}}]}`))
	f.Add("// node_modules/a/i.js\na\n", []byte(")]}'\n{}"))
	f.Add("//#region node_modules/a/b.js\n{", []byte(`{"a":"\\\"","b":[`))
	f.Fuzz(func(t *testing.T, src string, data []byte) {
		whole(t, src, Inspect("i.js", []byte(src), Companions{Map: data}))
	})
}
