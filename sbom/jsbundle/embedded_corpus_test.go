package jsbundle

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEmbeddedCorpus scores what packages say about themselves on real bundles,
// without paths, maps and lockfiles. It needs the corpus, which is no part of
// the project. A package counts once with each version, as its scorer has it.
func TestEmbeddedCorpus(t *testing.T) {
	shared := os.Getenv("FNAUDIT_SHARED")
	if shared == "" {
		t.Skip("FNAUDIT_SHARED is not set: EMBEDDED EVIDENCE IS NOT SCORED ON REAL BUNDLES")
	}
	cases, err := filepath.Glob(filepath.Join(shared, "corpus", "*", "bundle-*", "truth.json"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases under %s: %v", shared, err)
	}
	var right, claimed, all, named, versioned int
	for _, p := range cases {
		want := truthOf(t, p)
		claims := embeddedOf(t, filepath.Join(filepath.Dir(p), "function.zip"))
		got := map[string]map[string]bool{}
		for _, c := range claims {
			if got[c.Name] == nil {
				got[c.Name] = map[string]bool{}
			}
			if c.Version != "" {
				got[c.Name][c.Version] = true
			}
		}
		n, names, exact, wrong := 0, 0, 0, []string(nil)
		for name, versions := range want {
			for v := range versions {
				n++
				if got[name] != nil {
					names++
				}
				if got[name][v] {
					exact++
				}
			}
		}
		for name, versions := range got {
			if want[name] == nil {
				wrong = append(wrong, name)
			}
			for v := range versions {
				if want[name] != nil && !want[name][v] {
					wrong = append(wrong, name+"@"+v)
				}
			}
		}
		slices.Sort(wrong)
		t.Logf("%-34s name %.3f  name+version %.3f  claimed %d wrong %v", filepath.Base(filepath.Dir(p)), float64(names)/float64(n), float64(exact)/float64(n), len(got), wrong)
		all, named, versioned = all+n, named+names, versioned+exact
		claimed, right = claimed+len(got), right+len(got)-len(wrong)
	}
	t.Logf("all: name %.3f  name+version %.3f  precision %.4f", float64(named)/float64(all), float64(versioned)/float64(all), float64(right)/float64(claimed))
	if float64(right) < 0.98*float64(claimed) {
		t.Errorf("%d of %d names are right, want 98 %%", right, claimed)
	}
}

// truthOf returns name -> versions of what a case holds in bundles.
func truthOf(t *testing.T, p string) map[string]map[string]bool {
	data, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Packages []struct{ PURL, How string } `json:"packages"`
	}
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	for _, p := range truth.Packages {
		purl, _ := url.PathUnescape(strings.TrimPrefix(p.PURL, "pkg:npm/"))
		at := strings.LastIndexByte(purl, '@')
		if p.How != "bundled" || at < 1 {
			continue
		}
		if out[purl[:at]] == nil {
			out[purl[:at]] = map[string]bool{}
		}
		out[purl[:at]][purl[at+1:]] = true
	}
	return out
}

// embeddedOf reads every script of a package, those below node_modules aside.
func embeddedOf(t *testing.T, p string) []Claim {
	z, err := zip.OpenReader(p)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var claims []Claim
	var found []Manifest
	for _, f := range z.File {
		script := strings.HasSuffix(f.Name, ".js") || strings.HasSuffix(f.Name, ".mjs")
		if strings.Contains(f.Name, "node_modules/") || !script && !strings.HasSuffix(f.Name, ".LICENSE.txt") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !script {
			claims = append(claims, LicenceFile(data, f.Name)...)
			continue
		}
		c, m, err := Embedded(data)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		claims, found = append(claims, c...), append(found, m...)
	}
	return append(claims, Pinned(claims, found)...)
}
