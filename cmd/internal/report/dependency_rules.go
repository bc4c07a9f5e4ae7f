package report

// dependencyRules lists the rules of kinds stale and untrusted.
func dependencyRules() map[string]dependencyRule {
	return map[string]dependencyRule{
		"deprecated": {"Its publisher says not to use it", "move to what its publisher names instead"},
		"yanked":     {"Its publisher took the version back", "move to a version that stands"},
		"origin-git": {"Fetched from version control instead of a registry", "use a published version, or pin a commit that you reviewed"},

		"attestation-rejected": {"An attestation of the published version does not hold", "do not use the version; ask its publisher and its registry, and go to one whose attestation holds"},
		"signature-rejected":   {"The registry's signature is not over what the registry serves now", "do not use the version; ask the registry, and compare the archive with another mirror"},
		"attestation-required": {"The policy demands a verified attestation of its build", "use a version that was built and attested as the policy says, or take the name out of dependencies.attestations"},
		"provenance-lost":      {"Earlier versions are attested by their builder, this one is not", "find out whether its publisher released it by hand; stay on the attested version until then"},
		"publisher-changed":    {"The first version by its publisher", "find out who that is"},
		"repository-changed":   {"It names another source repository than the version before it", "find out whether the project moved"},
		"provenance-elsewhere": {"It was built from another repository than it declares", "find out whether the project builds there"},
	}
}
