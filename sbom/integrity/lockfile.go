package integrity

import (
	"maps"
	"slices"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Locked compares the digests that a lockfile has of archives with those of the
// archives that were opened (package URL -> algorithm -> hexadecimal digest) and
// with those that registries tell. Nothing needs to be
// installed. Compared are the packages of which a digest agrees or differs;
// Whole is empty, since there are no files.
func Locked(bom *sbom.SBOM, standings map[string]*registry.Standing, opened map[string]map[string]string) Result {
	c := &check{bom: bom, standings: standings, whole: map[string]bool{}, swapped: map[string]bool{}}
	for i := range bom.Components {
		m := &bom.Components[i]
		if m.Main || m.State != sbom.Declared || m.Version == "" || c.whole[m.PURL] || c.swapped[m.PURL] {
			continue
		}
		sums := map[string]string{}
		if st := standings[m.PURL]; st != nil && st.Version {
			maps.Copy(sums, st.Integrity)
		}
		maps.Copy(sums, opened[m.PURL])
		if why := c.lockedOne(m, sums); why != "" {
			c.left(m.PURL, why)
		}
	}
	compared := len(c.whole) + len(c.swapped)
	c.finish()
	c.res.Compared, c.res.Whole = compared, nil
	return c.res
}

// lockedOne compares one package, or says why it cannot be.
func (c *check) lockedOne(m *sbom.Component, sums map[string]string) (why string) {
	if why := Elsewhere(m); why != "" {
		return why
	}
	if !slices.ContainsFunc(m.Traits, func(t sbom.Trait) bool { return t.Kind == sbom.TraitLocked }) {
		return "the lockfile has no digest of it"
	}
	locked := lockedDigests(m)
	alg, same := comparable(locked, sums)
	switch {
	case alg == "":
		return "nobody at hand says which digest its published archive has"
	case same:
		c.whole[m.PURL] = true
	case oneArchive(m.PURL):
		c.swap(m, sums)
	default:
		return "the lockfile has digests of other files of it"
	}
	return ""
}

// comparable returns the strongest algorithm that both sides have a digest by,
// and whether they agree; "" for none.
func comparable(locked map[string][]string, published map[string]string) (alg string, same bool) {
	for _, alg := range []string{"sha512", "sha384", "sha256", "sha1"} {
		if len(locked[alg]) > 0 && published[alg] != "" {
			return alg, slices.Contains(locked[alg], published[alg])
		}
	}
	return "", false
}
