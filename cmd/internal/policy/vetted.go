package policy

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// nextVetted is the next step of who vets a package or lockfile whose verdict is
// incomplete; "" when it is the same as for a function.
func nextVetted(r *finding.Report, gaps []string) string {
	says := func(what string) bool {
		return slices.ContainsFunc(r.Unknowns, func(u finding.Unknown) bool { return u.Waived == nil && strings.Contains(u.Reason, what) })
	}
	facts := slices.ContainsFunc(gaps, func(g string) bool {
		return strings.HasPrefix(g, "what registries say") || strings.HasPrefix(g, `required check "facts"`)
	})
	switch {
	case says(finding.NotAsked):
		return "fnaudit vet --online " + vetting(r)
	case says(finding.PrivateName):
		return "name the registry of your own packages in your user configuration (of npm: ~/.npmrc), then vet again"
	case says(finding.NoSuchPackage):
		return "check how the name is spelled: who installs a name that nobody has published gets what somebody else publishes under it later"
	case says(finding.NoSuchVersion):
		return "name a version that the registry has"
	case facts:
		return "fnaudit vet --online " + vetting(r)
	}
	return ""
}

// vetting is how to name the package or lockfile on the command line once more.
func vetting(r *finding.Report) string {
	text := shellWord(r.Target)
	if r.Vetted.Lockfile != "" {
		text = "--lockfile " + text
	}
	if r.Vetted.Opened+r.Vetted.Unopened > 0 {
		text = "--deep " + text
	}
	return text
}
