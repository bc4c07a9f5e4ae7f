package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// maxGroups is how many groups of one artifact id are looked up: "core" has
// dozens, of which one at most is the jar's.
const maxGroups = 50

// groupless reports whether a component is a jar of which only the artifact id
// is known. Whatever is found about it, it stays an unknown.
func groupless(c sbom.Component) bool {
	return c.Ecosystem == "Maven" && !strings.Contains(c.Name, ":")
}

// saidUnmatched reports whether the cataloger says already that a component
// cannot be matched, which another tool's SBOM does not.
func saidUnmatched(s *sbom.SBOM, c sbom.Component) bool {
	for _, o := range c.Occurrences {
		if slices.ContainsFunc(s.Unknowns, func(u sbom.Unknown) bool {
			return u.Kind == sbom.Unmatched && u.Artifact == o.Artifact && u.Path == o.Path
		}) {
			return true
		}
	}
	return false
}

// matchGroupless returns what is known against each artifact that a jar without
// a group can be, as possible findings.
func (a *Auditor) matchGroupless(ctx context.Context, c sbom.Component, _ map[string]affected) ([]finding.Finding, []string, error) {
	names, err := a.DB.MavenNames(ctx, c.Name)
	if err != nil {
		return nil, nil, fmt.Errorf("match %s: %w", c.PURL, err)
	}
	var out []finding.Finding
	var problems []string
	if n := len(names) - maxGroups; n > 0 {
		problems = append(problems, fmt.Sprintf("%s is an artifact of %d groups, of which %d were looked up", c.Name, len(names), maxGroups))
		names = names[:maxGroups]
	}
	for _, name := range names {
		candidate := c
		candidate.Name = name
		found, more, err := a.matchComponent(ctx, candidate, map[string]affected{}) // no upgrade is advised for a guess
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			f.Certainty = finding.Possible
			f.Evidence = append(f.Evidence, finding.Evidence{Source: "advisory", Locator: name, Detail: "the group of the jar is not known; the advisory is about this one"})
			out = append(out, f)
		}
		problems = append(problems, more...)
	}
	return out, problems, nil
}
