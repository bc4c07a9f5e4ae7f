package report

// dependencyRules lists the rules of kinds stale and untrusted.
func dependencyRules() map[string]dependencyRule {
	return map[string]dependencyRule{
		"behind":             {"A newer version is there", "go to the newest version of its own major, or plan the move to the next one"},
		"old-version":        {"It is older than the policy allows, and a newer version is there", "go to a newer version"},
		"unmaintained":       {"Its project has released nothing for long", "find a project that is alive, or be ready to fix it yourself"},
		"archived":           {"Its project is archived", "find a project that is alive, or be ready to fix it yourself"},
		"withdrawn":          {"Its registry does not list this version", "find out where it came from; go to a version that is listed"},
		"sdk-behind-runtime": {"The runtime brings a newer version than the function ships", "leave it out and use the runtime's, or ship a newer one"},
		"end-of-life":        {"Its release line gets no security fixes any more", "move to a release line that is supported"},
		"end-of-life-soon":   {"Its release line soon gets no security fixes any more", "plan the move to a release line that is supported"},
		"table-old":          {"The tables of what ends when are too old to be believed", "use a newer release of this program, or give newer tables with --runtimes FILE"},
		"deprecated":         {"Its publisher says not to use it", "move to what its publisher names instead"},
		"yanked":             {"Its publisher took the version back", "move to a version that stands"},
		"origin-git":         {"Fetched from version control instead of a registry", "use a published version, or pin a commit that you reviewed"},
	}
}
