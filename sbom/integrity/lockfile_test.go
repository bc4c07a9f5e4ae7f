package integrity

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

func TestLocked(t *testing.T) {
	one, two := strings.Repeat("11", 64), strings.Repeat("22", 64)
	old := hex.EncodeToString([]byte("twenty bytes exactly"))
	for _, tt := range []struct {
		name, purl string
		traits     []sbom.Trait
		told       map[string]string // by the registry
		opened     map[string]string
		want       string // compared, rules, reasons
	}{
		{"agrees", "pkg:npm/a@1.0.0", locked("sha512-" + one), sumsOf("sha512", one), nil, "1"},
		{"differs", "pkg:npm/a@1.0.0", locked("sha512-" + one), sumsOf("sha512", two), nil, "1 integrity-swapped"},
		{"the archive itself differs", "pkg:npm/a@1.0.0", locked("sha512-" + one), sumsOf("sha512", one), sumsOf("sha512", two), "1 integrity-swapped"},
		{"an old digest, which the registry tells too", "pkg:npm/a@1.0.0", locked("sha1-" + old), sumsOf("sha1", old), sumsOf("sha512", two), "1"},
		{"no digest in common", "pkg:npm/a@1.0.0", locked("sha1-" + old), nil, sumsOf("sha512", two), "0 nobody at hand says which digest its published archive has"},
		{"nobody was asked", "pkg:npm/a@1.0.0", locked("sha512-" + one), nil, nil, "0 nobody at hand says which digest its published archive has"},
		{"not locked", "pkg:npm/a@1.0.0", nil, sumsOf("sha512", one), nil, "0 the lockfile has no digest of it"},
		{"from version control", "pkg:npm/a@1.0.0", append(locked("sha512-"+one), sbom.Trait{Kind: sbom.TraitGit}), sumsOf("sha512", two), nil, "0 it came from version control, not from a registry"},
		{"one file of several", "pkg:pypi/a@1.0.0", locked("sha512-" + one + " sha512-" + two), sumsOf("sha512", two), nil, "1"},
		{"another file", "pkg:pypi/a@1.0.0", locked("sha512-" + one), sumsOf("sha512", two), nil, "0 the lockfile has digests of other files of it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bom := &sbom.SBOM{Components: []sbom.Component{{PURL: tt.purl, Version: "1.0.0", State: sbom.Declared, Traits: tt.traits}}}
			standings := map[string]*registry.Standing{}
			if tt.told != nil {
				st := &registry.Standing{}
				st.Version, st.Integrity = true, tt.told
				standings[tt.purl] = st
			}
			r := Locked(bom, standings, map[string]map[string]string{tt.purl: tt.opened})
			got := fmt.Sprint(r.Compared)
			for _, d := range r.Differences {
				got += " " + d.Rule
			}
			for _, l := range r.Left {
				got += " " + l.Reason
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func locked(digests string) []sbom.Trait {
	return []sbom.Trait{{Kind: sbom.TraitLocked, Detail: digests}}
}

func sumsOf(alg, sum string) map[string]string { return map[string]string{alg: sum} }
