package integrity

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// tree is an artifact of a test: path -> content.
type tree map[string]string

func (t tree) with(name, content string) tree {
	out := tree{name: content}
	for n, c := range t {
		if n != name {
			out[n] = c
		}
	}
	return out
}

func (t tree) without(names ...string) tree {
	out := tree{}
	for n, c := range t {
		if !slices.Contains(names, n) {
			out[n] = c
		}
	}
	return out
}

func (t tree) save(tb testing.TB, name string) string {
	tb.Helper()
	p := filepath.Join(tb.TempDir(), name)
	f, err := os.Create(p)
	if err != nil {
		tb.Fatal(err)
	}
	w := zip.NewWriter(f)
	names := []string{}
	for n := range t {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		e, err := w.Create(n)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := e.Write([]byte(t[n])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return p
}

// open opens a function of trees: the code, then its layers.
func open(tb testing.TB, code tree, layers ...tree) *bundle.Function {
	tb.Helper()
	spec := bundle.Spec{Ref: code.save(tb, "function.zip"), Platform: bundle.PlatformAWS}
	for i, l := range layers {
		spec.Layers = append(spec.Layers, l.save(tb, fmt.Sprintf("layer%d.zip", i)))
	}
	f, err := (&bundle.Opener{}).Open(tb.Context(), spec)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

// run compares and returns what was found, one line each.
func run(tb testing.TB, f *bundle.Function, reg Registry, components ...sbom.Component) (Result, string) {
	tb.Helper()
	c := newCheck(Of{Function: f, SBOM: &sbom.SBOM{Components: components}})
	c.reg = reg
	return finish(tb, c)
}

func finish(tb testing.TB, c *check) (Result, string) {
	tb.Helper()
	res, err := c.run(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	for _, d := range res.Differences {
		fmt.Fprintf(&b, "%s %s %s %s\n", []string{"note", "low", "medium", "high"}[d.Weight], d.Rule, d.Component, d.Path)
	}
	for _, l := range res.Left {
		fmt.Fprintf(&b, "left %s: %s\n", l.Component, l.Reason)
	}
	return res, b.String()
}

// recorded adds a distribution with a RECORD of the files in t whose path has
// one of the prefixes.
func recorded(t tree, root, name, version string, prefixes ...string) tree {
	info := root + name + "-" + version + ".dist-info/"
	out := tree{}
	for n, c := range t {
		out[n] = c
	}
	out[info+"METADATA"] = "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
	out[info+"INSTALLER"] = "pip\n"
	var lines []string
	for n, c := range out {
		listed := strings.HasPrefix(n, info)
		for _, p := range prefixes {
			listed = listed || strings.HasPrefix(n, root+p)
		}
		if !listed {
			continue
		}
		sum := sha256.Sum256([]byte(c))
		lines = append(lines, fmt.Sprintf("%s,sha256=%s,%d", strings.TrimPrefix(n, root), base64.RawURLEncoding.EncodeToString(sum[:]), len(c)))
	}
	slices.Sort(lines)
	out[info+"RECORD"] = strings.Join(append(lines, strings.TrimPrefix(info, root)+"RECORD,,"), "\n") + "\n"
	return out
}

// pypi is a component whose metadata lies in a folder.
func pypi(name, version, info string) sbom.Component {
	return sbom.Component{PURL: "pkg:pypi/" + name + "@" + version, Name: name, Version: version, State: sbom.Live, Occurrences: []sbom.Occurrence{{Path: info + "/METADATA"}}}
}
