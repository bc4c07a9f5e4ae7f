package catalog

import (
	"cmp"
	"slices"

	"github.com/fnaudit/fnaudit/sbom"
)

// coverage adds up the code of all artifacts. What no package accounts for and
// the base image or the platform brought is theirs by its layer, so it counts
// as attributed and never as the team's own.
func (c *composition) coverage(results []*result) *sbom.Coverage {
	out := &sbom.Coverage{}
	for i, r := range results {
		out.Code += r.ownedCode
		out.Attributed += r.ownedCode
		img := c.imageOf(i) != nil
		for _, f := range r.loose {
			f.Artifact = i
			f.Origin = sbom.OriginApp
			if img {
				f.Origin = c.codeOrigin(i, outermostFile(f.Path))
			} else if i > 0 {
				f.Origin = sbom.OriginLayer
			}
			if f.Origin == sbom.OriginBase || f.Origin == sbom.OriginRuntime {
				f = sbom.CodeFile{Artifact: i, Path: f.Path, Origin: f.Origin, Code: f.Code, Attributed: f.Code}
			}
			out.Add(f)
		}
	}
	slices.SortFunc(out.Files, sbom.CompareCode)
	listed := 0
	out.Files = slices.DeleteFunc(out.Files, func(f sbom.CodeFile) bool {
		if f.Bundle == "" {
			listed++
		}
		return f.Bundle == "" && listed > maxListed
	})
	return out
}

// maxListed is how many files with unknown bytes are listed, beside the
// bundles. All are counted.
const maxListed = 10_000

// codeOrigin says whose a file of an image is.
func (c *composition) codeOrigin(artifact int, p string) sbom.Origin {
	layer := imageLayer(c.fn.Volumes[artifact], p)
	if layer < 0 {
		return sbom.OriginApp
	}
	return c.imageOrigin(artifact, p, layer)
}

// absent returns what is proven to be in no artifact. Another artifact may
// bring what a bundle lacks, and so may the runtime. While something in the
// function could not be read, or may be code that no bundle tells of, nothing is
// proven.
func (c *composition) absent(results []*result, unknowns []sbom.Unknown) []sbom.Absent {
	if slices.ContainsFunc(results, func(r *result) bool { return r.otherCode }) {
		return nil
	}
	if slices.ContainsFunc(unknowns, func(u sbom.Unknown) bool { return u.Code && u.Kind != sbom.Unmatched }) {
		return nil
	}
	const elsewhere = -1
	at := map[string]int{} // package -> artifact of the bundles that hold it, or elsewhere
	for i := range c.places {
		p := &c.places[i]
		if p.state == sbom.Declared {
			continue
		}
		k := c.key(p.found)
		if held, ok := at[k]; !p.found.bundled || ok && held != p.artifact {
			at[k] = elsewhere
		} else {
			at[k] = p.artifact
		}
	}
	var out []sbom.Absent
	for i, r := range results {
		for _, a := range r.absent {
			f := &found{typ: "npm", name: a.Name, version: a.Version}
			if held, ok := at[c.key(f)]; ok && held != i || c.runtimeBrings(f) {
				continue
			}
			a.Ecosystem = sbom.Ecosystem("npm", "")
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(x, y sbom.Absent) int {
		return cmp.Or(cmp.Compare(x.PURL, y.PURL), cmp.Compare(x.Lockfile, y.Lockfile))
	})
	return slices.CompactFunc(out, func(x, y sbom.Absent) bool { return x.PURL == y.PURL && x.Lockfile == y.Lockfile })
}
