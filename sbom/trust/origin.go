package trust

import "github.com/fnaudit/fnaudit/sbom"

// The rules about where a package came from.
const (
	RuleGit Rule = "origin-git" // from a version control system rather than a registry
)

// origin judges where a component came from, by its traits.
func origin(c *sbom.Component) []Signal {
	var out []Signal
	for _, t := range c.Traits {
		if t.Kind == sbom.TraitGit {
			out = append(out, Signal{Rule: RuleGit, Weight: Low, Component: c.PURL, Title: "was fetched from version control: " + t.Detail, Evidence: traitEvidence(t)})
		}
	}
	return out
}

func traitEvidence(t sbom.Trait) []Evidence {
	return []Evidence{{Source: "bytes", Artifact: t.Artifact, Locator: t.Path, Detail: t.Detail}}
}
