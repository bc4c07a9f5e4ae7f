package report

import "github.com/fnaudit/fnaudit/cmd/internal/finding"

// dependencyRules says of each rule of kinds stale, untrusted, licence, exposure
// and drift what it is about, whatever the package, and what to do. A test holds that no rule of the
// packages that judge is missing.
func dependencyRules() map[string]dependencyRule {
	const (
		review = "compare it with the published version, and use that unless the change is yours and reviewed"
		again  = "delete it, install it again from its registry, and find out who changed it"
		pin    = "use a published version from a registry"
		newer  = "move to a newer version"
	)
	return map[string]dependencyRule{
		// stale
		"behind":             {"Newer versions are there", newer},
		"old-version":        {"The version is old and a newer one is there", newer},
		"unmaintained":       {"Its project has long released nothing", "look for a successor; if it is simply finished, accept it with a waiver"},
		"deprecated":         {"Its publisher says not to use it", "move to what its publisher names instead"},
		"yanked":             {"Its publisher took the version back", "move to a version that stands"},
		"withdrawn":          {"Its registry no longer has the version", "move to a version that the registry has, and find out why this one is gone"},
		"archived":           {"Its repository is archived", "look for a successor: nobody will fix it"},
		"end-of-life":        {"Its maintainers no longer support it", "move to a supported release"},
		"end-of-life-soon":   {"Its maintainers will soon no longer support it", "plan the move to a supported release"},
		"table-old":          {"The table of ends of life is too old to be believed", "use a newer release of this program, or give a newer table with --runtimes FILE"},
		"sdk-behind-runtime": {"The shipped SDK is older than the runtime's own", "leave it out and use the runtime's, or ship a newer one"},

		// where it came from
		"origin-git":          {"Fetched from version control instead of a registry", "use a published version, or pin a commit that you reviewed"},
		"origin-url":          {"Fetched from an address instead of a registry", pin},
		"origin-http":         {"Fetched without encryption", "fetch it over https"},
		"origin-folder":       {"Built from a local folder", pin},
		"direct-url":          {"Installed from an address, a folder or a repository", pin},
		"origin-replaced":     {"Stands in for another module", "drop the replacement, or review what stands in"},
		"origin-devel":        {"A build of a working tree, not of a release", "build from a released version"},
		"origin-modified":     {"Changed after its release: by changes that nobody committed, or by a patch of the project", "commit the changes and build again; review the patch, and drop it where a release has the change"},
		"origin-registry":     {"Came from a registry that the policy does not allow", "install it from an allowed registry"},
		"origin-alias":        {"Installed under another name", "check that the package behind the name is the one that is meant"},
		"origin-no-integrity": {"The lockfile holds no digest of it", "write the lockfile anew with a package manager that records digests"},
		"origin-disagrees":    {"The lockfile names another version or other bytes than are there", "install from the lockfile again, in an empty folder, and compare the digests"},

		// what was shipped
		"integrity-changed":         {"A file is not the one that was published", again},
		"integrity-unlisted":        {"A file was added to the package", again},
		"integrity-missing":         {"A file of the package is missing", "install it again, or leave the package out"},
		"integrity-stripped":        {"Machine code without symbols is not the one that was installed", "if your build strips it, accept it with a waiver"},
		"integrity-built":           {"Files were made when the package was installed", "build it where the build can be repeated, or use a prebuilt release"},
		"integrity-swapped":         {"The registry publishes another archive than the lockfile holds", "do not use either before it is known which one is right"},
		"integrity-sum":             {"The module is not the one that the checksum database knows", "clean the module cache, build again without a replacement, and find out where the module came from"},
		"integrity-source":          {"A source in the bundle's map is not the published one", "build again from a clean installation, and compare"},
		"published-archive-changed": {"The published archive is not the one that its registry's digest is of", "do not use it before it is known why"},
		"integrity-unread":          {"A file of the package could not be read", "make it readable, and scan again"},

		// who vouches for it
		"attestation-rejected": {"Its attestation does not hold", "do not use it before it is known why"},
		"attestation-required": {"The policy demands an attestation that is not there", "use a version that its publisher attests"},
		"signature-rejected":   {"Its registry's signature does not hold", "do not use it before it is known why"},
		"provenance-lost":      {"An earlier version was attested, this one is not", "stay at the attested version until its publisher says why"},
		"provenance-elsewhere": {"Built from another repository than the package names", "find out which repository is the right one"},
		"publisher-changed":    {"Published by an account that published none of the versions before", review},
		"repository-changed":   {"Names another repository than the version before", review},

		// whose name it bears
		"dependency-confusion": {"A private name that came from a registry where strangers can publish", "install it from your own registry, and take the name at the public one"},
		"private-host-unknown": {"A private name, and nothing says where it came from", "give the lockfile that says so"},
		"look-alike":           {"Its name looks like a well-known package's", "check that it is the package that is meant"},
		"unknown-name":         {"No registry knows the package", "name where it comes from, or call its name private in the policy"},
		"unknown-version":      {"Its registry knows the package and not the version", "install a version that was published"},

		// what it does and holds
		"install-script": {"Runs a script when it is installed", "read the script; install with scripts switched off where it is not needed"},
		"native-binary":  {"Holds machine code that nothing declares", review},
		"start-script":   {"Runs code whenever the interpreter starts", review},

		// what is deployed
		finding.RuleDriftFailsNow:  {sentence(finding.DriftTitle(finding.RuleDriftFailsNow)), "fix what fails, and deploy again"},
		finding.RuleDriftUnscanned: {sentence(finding.DriftTitle(finding.RuleDriftUnscanned)), "scan the package that is deployed, and keep the report"},
		finding.RuleDriftChanged:   {sentence(finding.DriftTitle(finding.RuleDriftChanged)), "find out who deployed them; deploy what was judged, or scan what is deployed"},
		finding.RuleDriftLayers:    {sentence(finding.DriftTitle(finding.RuleDriftLayers)), "scan it with the layers that are deployed"},
		finding.RuleDriftNoDigest:  {sentence(finding.DriftTitle(finding.RuleDriftNoDigest)), "save the list of functions again, with CodeSha256"},
		finding.RuleDriftUnjudged:  {sentence(finding.DriftTitle(finding.RuleDriftUnjudged)), "give the report that the gate judged by"},
		finding.RuleDriftUngated:   {sentence(finding.DriftTitle(finding.RuleDriftUngated)), "pass it through the gate, and deploy what passed"},
		finding.RuleDriftRuntime:   {sentence(finding.DriftTitle(finding.RuleDriftRuntime)), "scan it with --runtime as it is deployed"},
		finding.RuleDriftUnproven:  {sentence(finding.DriftTitle(finding.RuleDriftUnproven)), "save the digests of the layers with get-layer-version, and give them too"},
		finding.RuleDriftNotActive: {sentence(finding.DriftTitle(finding.RuleDriftNotActive)), "delete it, or put it right"},

		// the platform
		"layer-account":           {"A layer of an account that the policy does not trust", "copy the layer into an account of your own, or trust the account in the policy"},
		"exec-wrapper":            {"A wrapper runs instead of the function's runtime", "check that it is meant to be there"},
		"extension":               {"An extension that runs beside the function", "check that it is meant to be there"},
		"image-tag":               {"An image by a tag, which can be moved", "name the image by its digest"},
		"base-image-age":          {"The base image is old", "build on a newer base image"},
		"version-young":           {"Published more recently than the policy allows", "wait until the time is over, or use the version before"},
		"package-young":           {"The package itself is new", review},
		"sole-maintainer-changed": {"Its only maintainer changed", review},

		// under which licence it may be used
		"licence-denied":      {"Its licence is one that the policy denies", "replace it, or accept it with a waiver where your use is allowed"},
		"licence-not-allowed": {"Its licence is not among those that the policy allows", "replace it, or add the licence to the policy after review"},
		"licence-unknown":     {"Nobody can say under which licence it is", "look it up, and state it in the policy under licences.packages"},

		// who may call the function, and what it may do
		"url-public":           {"Whoever knows its address may call the function", "set AuthType to AWS_IAM, or check the caller in the function and accept it with a waiver"},
		"url-auth-unknown":     {"Whether the function's URL asks who calls is decided at deployment", "write AuthType into the template"},
		"trigger-public":       {"An API that asks nobody who calls", "name an authorizer, or accept it with a waiver where it is meant"},
		"trigger-auth-unsaid":  {"An API of which nothing states whom it asks", "name an authorizer in the template"},
		"role-administrator":   {"The function's role may do anything", "allow only the actions that the function needs"},
		"role-broad":           {"The function's role may do anything with a whole service", "allow only the actions and resources that the function needs"},
		"role-policy-wildcard": {"A policy of the function's role has wildcards", "name the actions and resources that the function needs"},
	}
}
