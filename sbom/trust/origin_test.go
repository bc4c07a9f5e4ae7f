package trust

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// of makes a component of traits that are written "kind path detail".
func originComponent(purl, name string, traits ...string) sbom.Component {
	c := sbom.Component{PURL: purl, Name: name}
	for _, s := range traits {
		f := strings.SplitN(s, " ", 3)
		c.Traits = append(c.Traits, sbom.Trait{Kind: sbom.TraitKind(f[0]), Path: f[1], Detail: f[2]})
	}
	return c
}

// said writes signals as "rule weight: title".
func said(list []Signal) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%s %s: %s", s.Rule, []string{"note", "low", "medium", "high"}[s.Weight], s.Title))
	}
	return strings.Join(out, "\n")
}

// TestOrigin has one case for each rule of origin and each strength of it.
func TestOrigin(t *testing.T) {
	const npm = "pkg:npm/a@1"
	registries := map[string][]string{"npm": {"reg.example/npm", "https://other.example"}, "cargo": {}}
	for _, tt := range []struct {
		name string
		c    sbom.Component
		want string
	}{
		{"nothing", originComponent(npm, "a"), ""},
		{"as it should be", originComponent(npm, "a", "resolved-from p https://reg.example/npm/a/-/a-1.tgz", "lock-digest p sha512-A"), ""},
		{"git at a commit", originComponent("pkg:pypi/a@1", "a", "git poetry.lock git+https://host.example/o/a.git#0123456789"), "origin-git low: was fetched from version control: git+https://host.example/o/a.git#0123456789"},
		{"git at a branch", originComponent("pkg:pypi/a@1", "a", "git poetry.lock git+https://host.example/o/a.git#main"), "origin-git medium: was fetched from version control, and no commit says which state of it: git+https://host.example/o/a.git#main"},
		{"address", originComponent("pkg:pypi/a@1", "a", "url p https://files.example/a.tgz"), "origin-url low: was fetched from an address, not from a registry by its version: https://files.example/a.tgz"},
		{"no encryption", originComponent("pkg:pypi/a@1", "a", "resolved-from p http://index.example/simple"), "origin-http medium: was fetched without encryption: http://index.example/simple"},
		{"no encryption on this machine", originComponent("pkg:pypi/a@1", "a", "resolved-from p http://localhost:4873/a"), "origin-http low: was fetched without encryption: http://localhost:4873/a"},
		{"folder inside", originComponent(npm, "a", "folder p file:libs/a"), "origin-folder note: was built from a local folder or file: file:libs/a"},
		{"folder outside", originComponent(npm, "a", "folder p file:../a"), "origin-folder low: was built from a local folder or file: file:../a"},
		{"replaced by itself", originComponent("pkg:golang/h/a@v1", "h/a", "replaced bin h/a v0.9"), "origin-replaced note: takes the place of another version of itself: h/a v0.9"},
		{"replaced by another", originComponent("pkg:golang/h/a@v1", "h/a", "replaced bin h/b v0.9"), "origin-replaced low: takes the place of the module h/b v0.9"},
		{"replaced by a folder", originComponent("pkg:golang/h/a", "h/a", "replaced bin h/a v1", "folder bin ../a"), "origin-replaced medium: is replaced by the folder ../a: what was built is no version of it"},
		{"working tree", originComponent("pkg:golang/h/a", "h/a", "devel bin module of the workspace"), "origin-devel low: is built from a working tree, so that no version says what is inside: module of the workspace"},
		{"registry of a stranger", originComponent(npm, "a", "resolved-from p https://reg.example/npm-other/a.tgz"), "origin-registry high: comes from where the policy allows no npm package to come from: https://reg.example/npm-other/a.tgz"},
		{"host of a stranger in disguise", originComponent(npm, "a", "resolved-from p https://reg.example@evil.example/npm/a.tgz"), "origin-registry high: comes from where the policy allows no npm package to come from: https://reg.example@evil.example/npm/a.tgz"},
		{"git where only a registry is allowed", originComponent(npm, "a", "git p github:o/a#0123456"), "origin-registry high: comes from where the policy allows no npm package to come from: github:o/a#0123456\norigin-git low: was fetched from version control: github:o/a#0123456"},
		{"no registry allowed", originComponent("pkg:cargo/a@1", "a", "resolved-from p https://index.example/"), "origin-registry high: comes from where the policy allows no cargo package to come from: https://index.example/"},
		{"alias like the name", originComponent(npm, "string-width", "alias p string-width-cjs"), "origin-alias note: is installed under the name string-width-cjs"},
		{"alias", originComponent(npm, "evil", "alias p lodash"), "origin-alias low: is installed under the name lodash"},
		{"no digest", originComponent(npm, "a", "no-integrity p a 1"), "origin-no-integrity low: has no digest in the lockfile: other content under its version would not be noticed"},
		{"weak digest", originComponent(npm, "a", "lock-digest p sha1-AAAA"), "origin-no-integrity note: has only a SHA-1 in the lockfile, which can be forged"},
		{"vendor folder", originComponent("pkg:golang/h/a@v1", "h/a", "no-integrity bin "+sbom.FromVendor), "origin-no-integrity note: was built from a vendor folder, of which no digest is recorded"},
		{"dirty", originComponent("pkg:golang/h/a@v1", "h/a", "modified bin commit 01"), "origin-modified low: was built with changes that were not committed: commit 01"},
		{"patched", originComponent(npm, "a", "modified p patch: x.patch"), "origin-modified low: was changed by a patch of the project: x.patch"},
		{"lockfile disagrees", originComponent(npm, "a", "disagrees package-lock.json version 1 is installed, the lockfile has 2"), "origin-disagrees medium: is not what the lockfile says: version 1 is installed, the lockfile has 2"},
		{"digests differ", originComponent("pkg:golang/h/a@v1", "h/a", "sum bin h1:A", "lock-digest go.mod h1:B"), "origin-disagrees high: was built from other bytes than the lockfile holds a digest of: h1:A, not h1:B"},
		{"digests agree", originComponent("pkg:golang/h/a@v1", "h/a", "sum bin h1:A", "lock-digest go.mod h1:A"), ""},
		{"direct", originComponent("pkg:pypi/a@1", "a", "git x.dist-info/direct_url.json git+https://host.example/o/a.git@main"), "direct-url medium: was fetched from version control, and no commit says which state of it: git+https://host.example/o/a.git@main"},
		{"claimed by its own manifest", originComponent(npm, "a", "git node_modules/a/package.json github:o/a#main"), "origin-registry high: comes from where the policy allows no npm package to come from: github:o/a#main\norigin-git low: was fetched from version control, and no commit says which state of it: github:o/a#main"},
		{"the strongest of one rule", originComponent("pkg:pypi/a@1", "a", "git a.lock git+https://h.example/a#0123456", "git b.lock git+https://h.example/a#main"), "origin-git medium: was fetched from version control, and no commit says which state of it: git+https://h.example/a#main"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := said(Judge(Of{Components: []sbom.Component{tt.c}, Registries: registries})); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestOriginOfTheFunction: where the function itself came from is no question to
// its own bytes, and a working tree is normal.
func TestOriginOfTheFunction(t *testing.T) {
	c := originComponent("pkg:golang/h/main", "h/main", "devel bin main module", "folder p .", "git p github:o/main", "no-integrity p x")
	c.Main = true
	if got, want := said(Judge(Of{Components: []sbom.Component{c}, Registries: map[string][]string{"golang": {}}})), "origin-devel note: is built from a working tree"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestUnplaced(t *testing.T) {
	list := []sbom.Component{
		originComponent("pkg:npm/a@1", "a"), originComponent("pkg:npm/b@1", "b", "resolved-from p https://r.example/b"),
		originComponent("pkg:npm/c@1", "c", "resolved-from p file:c.tgz"), originComponent("pkg:npm/d@1", "d", "folder p ./d"), originComponent("pkg:pypi/e@1", "e"),
	}
	if n := Unplaced(Of{Components: list, Registries: map[string][]string{"npm": {"r.example"}}}); n != 2 {
		t.Errorf("got %d", n)
	}
}

func TestPinned(t *testing.T) {
	for in, want := range map[string]bool{
		"git+https://h.example/o/r.git#0123456": true, "git+https://h.example/o/r@0123456789abcdef": true, "https://codeload.github.com/o/r/tar.gz/0123456": true,
		"https://h.example/o/r.git#commit=0123456": true, "git+https://h.example/o/r?rev=main#0123456789": true, "https://github.com/o/r/archive/0123456.tar.gz": true, "https://github.com/o/r/archive/0123456.zip": true,
		"github:o/r": false, "github:o/r#v1.2.3": false, "git+https://h.example/o/r.git": false, "git+https://h.example/o/r@main": false, "": false, "0123": false,
	} {
		if pinned(in) != want {
			t.Errorf("%q: got %v", in, !want)
		}
	}
}
