package trust

import (
	"archive/zip"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

var measured = flag.String("names", "", "npm=FILE or pypi=FILE: names one a line, of which 20,000 are measured")

// TestLookalikeCorpus holds that no package of the corpus is taken for another,
// and tells how many of the malicious packages of the advisories are. It needs
// the corpus, which is no part of the project.
func TestLookalikeCorpus(t *testing.T) {
	shared := os.Getenv("FNAUDIT_SHARED")
	if shared == "" {
		t.Skip("FNAUDIT_SHARED is not set: LOOK-ALIKES ARE NOT MEASURED ON REAL PACKAGES")
	}
	names := corpusNames(t, shared)
	total := 0
	for system, list := range names {
		if popularNames[system] == nil {
			continue
		}
		total += len(list)
		for _, name := range lookalikes(system, list) {
			t.Errorf("%s: %s", system, name)
		}
	}
	t.Logf("%d names of npm and PyPI in the corpus", total)
	if total == 0 {
		t.Fatal("no names")
	}
	for system, folder := range map[registry.System]string{registry.NPM: "npm", registry.PyPI: "PyPI"} {
		bad := maliciousNames(t, filepath.Join(shared, "osv", folder, "all.zip"))
		found := lookalikes(system, bad)
		t.Logf("%s: %d of %d malicious packages bear a name that looks like another", system, len(found), len(bad))
	}
}

// TestLookalikeSample measures a random sample of names:
//
//	go test ./sbom/trust -run TestLookalikeSample -v -names npm=names.txt
func TestLookalikeSample(t *testing.T) {
	if *measured == "" {
		t.Skip("no -names")
	}
	typ, file, _ := strings.Cut(*measured, "=")
	list := readLines(t, file)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:min(len(list), 20_000)]
	found := lookalikes(registry.System(typ), list)
	t.Logf("%s: %d of %d names (%.2f%%)", typ, len(found), len(list), 100*float64(len(found))/float64(len(list)))
	for _, f := range found[:min(len(found), 40)] {
		t.Log(f)
	}
}

// lookalikes returns those of some names that look like others, with those.
func lookalikes(system registry.System, names []string) []string {
	list := popularNames[system]()
	var out []string
	for _, name := range names {
		if like, ok := list.resembles(spelling(system, name)); ok {
			out = append(out, name+" looks like "+like.name+": "+like.how)
		}
	}
	return out
}

// corpusNames returns the names of all packages that the corpus is known to hold.
func corpusNames(t *testing.T, shared string) map[registry.System][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared, "corpus", "*", "*", "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[registry.System][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var truth struct{ Packages []struct{ PURL string } }
		if err := json.Unmarshal(data, &truth); err != nil {
			t.Fatal(err)
		}
		for _, p := range truth.Packages {
			if q, _, ok := registry.ParsePURL(p.PURL); ok && !slices.Contains(out[q.System], q.Name) {
				out[q.System] = append(out[q.System], q.Name)
			}
		}
	}
	return out
}

// maliciousNames returns the names of packages that advisories call malicious.
func maliciousNames(t *testing.T, file string) []string {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var out []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			ID, Summary string
			Affected    []struct{ Package struct{ Name string } }
		}
		err = json.NewDecoder(r).Decode(&a)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		s := strings.ToLower(a.Summary)
		if !strings.HasPrefix(a.ID, "MAL-") && !strings.Contains(s, "malicious") && !strings.Contains(s, "malware") {
			continue
		}
		for _, p := range a.Affected {
			if !slices.Contains(out, p.Package.Name) {
				out = append(out, p.Package.Name)
			}
		}
	}
	return out
}
