package sbom

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNeeds(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string // of the first component: indices
	}{
		{"by name", []string{"a@1 b", "b@1"}, "[1]"},
		{"as its registry compares names", []string{"pypi:Jinja2@3 MarkupSafe", "pypi:markupsafe@2"}, "[1]"},
		{"dots, dashes and underscores of Python", []string{"pypi:a@1 zope.interface", "pypi:zope_interface@5"}, "[1]"},
		{"letters count for npm", []string{"a@1 JSONStream", "jsonstream@1"}, "[]"},
		{"letters do not count for Composer", []string{"composer:v/a@1 V/B", "composer:v/b@1"}, "[1]"},
		{"twice is once, sorted", []string{"a@1 c b c", "b@1", "c@1"}, "[1 2]"},
		{"itself", []string{"a@1 a"}, "[]"},
		{"of another kind", []string{"a@1 b", "pypi:b@1"}, "[]"},
		{"that is not there", []string{"a@1 b"}, "[]"},
		{"by package URL", []string{"a@1 pkg:npm/b@2", "b@1", "b@2"}, "[2]"},
		{"by a package URL that is not there", []string{"a@1 pkg:npm/b@3", "b@1"}, "[]"},
		{"several versions that nothing tells apart", []string{"a@1 b", "b@1", "b@2"}, "[]"},
		{"several versions of a kind without folders", []string{"pypi:a@1 b", "pypi:b@1", "pypi:b@2"}, "[]"},
		{"the nearest folder", []string{"a@1,node_modules/a b", "b@1,node_modules/b", "b@2,node_modules/a/node_modules/b"}, "[2]"},
		{"of a scoped one", []string{"@s/a@1,x/node_modules/@s/a b", "b@1,x/node_modules/b", "b@2,node_modules/b"}, "[1]"},
		{"beside it", []string{"a@1,node_modules/c/node_modules/a b", "b@1,node_modules/b", "b@2,node_modules/c/node_modules/b"}, "[2]"},
		{"never below", []string{"a@1,node_modules/a b", "b@1,node_modules/c/node_modules/b", "b@2,node_modules/d/node_modules/b"}, "[]"},
		{"of each place of its own", []string{"a@1,node_modules/a,node_modules/c/node_modules/a b", "b@1,node_modules/b", "b@2,node_modules/c/node_modules/b"}, "[1 2]"},
		{"under another name, by its folder", []string{"a@1,node_modules/a old", "real@1,node_modules/old"}, "[1]"},
		{"a folder of a package is no package", []string{"a@1,node_modules/a b", "b@1,node_modules/b/esm", "b@2,node_modules/c/node_modules/b"}, "[]"},
		{"the whole path", []string{"a@1,/opt/node_modules/a b", "b@1,/opt/node_modules/b", "b@2,/var/node_modules/b"}, "[1]"},
		{"the function only where no package has the name", []string{"*a@1 lib qs", "*lib@1", "*qs@1", "qs@6"}, "[1 3]"},
		{"in a circle", []string{"a@1 b", "b@1 a"}, "[1]"},
	} {
		if got := fmt.Sprint(Needs(graphOf(c.lines...))[0]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNeedsArtifact: a layer's folders are not searched from another artifact.
func TestNeedsArtifact(t *testing.T) {
	cs := graphOf("a@1,node_modules/a b", "b@1,node_modules/b", "b@2,node_modules/x/node_modules/b")
	cs[1].Occurrences[0].Artifact = 1
	if got := Needs(cs)[0]; len(got) != 0 {
		t.Error(got)
	}
}

// TestNeedsHostile: what makes each search long costs edges, and no time that
// grows with the product of names, copies, places and depth.
func TestNeedsHostile(t *testing.T) {
	deep := strings.Repeat("node_modules/x/", 250)
	var names []string
	var cs []Component
	for i := range 2000 {
		name := fmt.Sprintf("p%d", i)
		names = append(names, name)
		for v := range 2 {
			cs = append(cs, Component{PURL: fmt.Sprintf("pkg:npm/%s@%d", name, v), Name: name})
		}
	}
	for i := range 250 {
		cs = append(cs, Component{PURL: fmt.Sprintf("pkg:npm/x@%d", i), Name: "x", Occurrences: []Occurrence{{Path: deep[:15*(i+1)] + "package.json"}}})
	}
	for i := range 60 {
		c := Component{PURL: fmt.Sprintf("pkg:npm/asks@%d", i), Name: "asks", Requires: names}
		for range 300 {
			c.Occurrences = append(c.Occurrences, Occurrence{Path: deep + "package.json"})
		}
		cs = append(cs, c)
	}
	for _, o := range []string{strings.Repeat("/", 100_000), "", "/", "//", "node_modules", "node_modules/", "/node_modules/@/x", strings.Repeat("a/", 100_000)} {
		cs = append(cs, Component{PURL: "pkg:npm/odd", Name: "odd", Requires: []string{"x", "", "pkg:", ".."}, Occurrences: []Occurrence{{Path: o}}})
	}
	start := time.Now()
	needs := Needs(cs) // 60 * 2000 * 300 * 250 looks, were they all made
	if len(needs) != len(cs) {
		t.Error(len(needs))
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("%v", d)
	}
	t.Log(time.Since(start))
}
