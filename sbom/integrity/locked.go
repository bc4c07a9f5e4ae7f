package integrity

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// lockedDigests returns what lockfiles say of a package's archive: algorithm ->
// the digests that will do, in hexadecimal.
func lockedDigests(m *sbom.Component) map[string][]string {
	out := map[string][]string{}
	for _, t := range m.Traits {
		if t.Kind != sbom.TraitLocked {
			continue
		}
		for one := range strings.FieldsSeq(t.Detail) {
			alg, value := integrityText(one)
			if value != "" && !slices.Contains(out[alg], value) {
				out[alg] = append(out[alg], value)
			}
		}
	}
	for alg, value := range m.Hashes {
		if len(out[alg]) == 0 {
			out[alg] = []string{strings.ToLower(value)}
		}
	}
	return out
}

// integrityText reads "sha512-BASE64" (https://www.w3.org/TR/SRI/), and
// hexadecimal with any of "-", ":" and "=" in front of it. "" for anything else.
func integrityText(s string) (alg, value string) {
	s, _, _ = strings.Cut(s, "?")
	at := strings.IndexAny(s, "-:=")
	if at < 0 {
		return "", ""
	}
	alg = strings.ToLower(s[:at])
	_, size, ok := algorithmOf(alg)
	if !ok {
		return "", ""
	}
	raw, err := hex.DecodeString(s[at+1:])
	if err != nil || len(raw) != size {
		raw, err = base64.StdEncoding.DecodeString(s[at+1:])
	}
	if err != nil || len(raw) != size {
		return "", ""
	}
	return alg, hex.EncodeToString(raw)
}

// disagree returns the strongest algorithm by which what is locked and what was
// published differ, with both digests; "" when they agree or cannot be compared.
func disagree(locked map[string][]string, published map[string]string) (alg, want, got string) {
	for _, alg := range []string{"sha512", "sha384", "sha256", "sha1"} {
		want, got := locked[alg], strings.ToLower(published[alg])
		if len(want) == 0 || got == "" {
			continue
		}
		if !slices.Contains(want, got) {
			return alg, want[0], got
		}
		return "", "", "" // a stronger one agrees
	}
	return "", "", ""
}

// published compares what lockfiles say of archives with what the registry says.
func (c *check) published() {
	for i := range c.bom.Components {
		m := &c.bom.Components[i]
		st := c.standings[m.PURL]
		if st == nil || !st.Version || !oneArchive(m.PURL) || Elsewhere(m) != "" {
			continue
		}
		c.swap(m, st.Integrity)
	}
}

// oneArchive reports whether a version of a package has one archive, so that two
// digests of it must be the same.
func oneArchive(purl string) bool {
	p, _, ok := registry.ParsePURL(purl)
	return ok && (p.System == registry.NPM || p.System == registry.Cargo || p.System == registry.NuGet)
}

// lockedArchive compares an archive that is at hand with what lockfiles say.
func (c *check) lockedArchive(m *sbom.Component, a *registry.Extract) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.swap(m, map[string]string{"sha512": a.SHA512, "sha256": a.SHA256})
}

func (c *check) swap(m *sbom.Component, published map[string]string) {
	alg, want, got := disagree(lockedDigests(m), published)
	if alg == "" || c.swapped[m.PURL] {
		return
	}
	c.swapped[m.PURL] = true
	artifact, at := 0, ""
	for _, e := range m.Evidence {
		if e.Method == sbom.MethodLockfile {
			artifact, at = e.Artifact, e.Path
			break
		}
	}
	c.differs(Difference{Rule: RuleSwapped, Weight: High, Component: m.PURL, Artifact: artifact, Path: at, Source: "registry",
		Title:  "the lockfile has the digest of another archive than the registry publishes",
		Detail: fmt.Sprintf("locked %s %s, published %s", alg, want, got)})
}
