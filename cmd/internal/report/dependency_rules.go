package report

// dependencyRules lists the rules of kinds stale and untrusted.
func dependencyRules() map[string]dependencyRule {
	return map[string]dependencyRule{
		"deprecated": {"Its publisher says not to use it", "move to what its publisher names instead"},
		"yanked":     {"Its publisher took the version back", "move to a version that stands"},
		"origin-git": {"Fetched from version control instead of a registry", "use a published version, or pin a commit that you reviewed"},
	}
}
