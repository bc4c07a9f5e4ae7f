package integrity

// The rules. Each is the id that a waiver names.
const (
	// RuleChanged is a file that is not the one that was published or
	// installed. High for code, since somebody changed what runs; medium for
	// data, which steers code; low for text that nobody runs, and for what tools
	// are known to rewrite.
	RuleChanged = "integrity-changed"

	// RuleUnlisted is code inside a package that its publisher did not put
	// there. High: it is imported or required like the rest of the package, and
	// no advisory and no lockfile will ever speak of it. Medium where another
	// package without a list claims the folder too, and in node_modules outside
	// of every package. Low where nothing loads it.
	RuleUnlisted = "integrity-unlisted"

	// RuleMissing is code that a package lists and that is not there. Low: a
	// package is often thinned out to save space, and what is not there cannot
	// run; but the package may not work as it was tested.
	RuleMissing = "integrity-missing"

	// RuleStripped is machine code that differs from what was installed and has
	// no symbols: stripping does that, and it cannot be told from something
	// else. Low, and the package is not known to be whole.
	RuleStripped = "integrity-stripped"

	// RuleUnread is a file that could not be read, so that nobody knows whether
	// it is whole. Medium.
	RuleUnread = "integrity-unread"

	// RuleSwapped is a package of which the lockfile has the digest of another
	// archive than the registry publishes. High: a version is published once, so
	// one of the two was exchanged.
	RuleSwapped = "integrity-swapped"

	// RuleBuilt is machine code in a package that builds or fetches some when it
	// is installed. Low: that is what such packages do, and nobody published a
	// digest of the result; the package is not known to be whole.
	RuleBuilt = "integrity-built"

	// RuleSum is a Go module that was compiled from another source than the
	// checksum database has for that version. High: a version's source never
	// changes, so what is inside is not what was reviewed and published.
	RuleSum = "integrity-sum"

	// RuleSource is a source in a bundle's map that is not the published file of
	// that path. Low, since build tools rewrite sources; medium where most of the
	// package's other sources are the published ones, so that nothing rewrote
	// them. Never certain.
	RuleSource = "integrity-source"
)
