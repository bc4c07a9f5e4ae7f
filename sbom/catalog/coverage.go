package catalog

import (
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
				f.Origin = c.codeOrigin(i, f.Path)
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
