package finding

import "slices"

// Vetted says what a report is about that is not about a function: a package
// that is not in yet, or the packages of a lockfile.
type Vetted struct {
	Component string `json:"component,omitempty"`    // purl of the package that was asked about; "" for a lockfile
	Lockfile  string `json:"lockfile,omitempty"`     // its path; "" for a package
	Archive   string `json:"archive,omitempty"`      // digest of the published archive that was looked into, "sha256:…"; "" when none was
	Lacks     string `json:"archiveLacks,omitempty"` // why no archive was looked into

	Opened   int `json:"archivesOpened,omitempty"`   // with vet --deep: published archives of what it needs, or of what the lockfile pins, that were looked into
	Unopened int `json:"archivesUnopened,omitempty"` // those that could not be; each is an unknown, too

	Dependencies int    `json:"dependencies"`          // packages that it needs to run, the direct ones counted; of a lockfile all that it pins
	Direct       int    `json:"direct,omitempty"`      // packages that it names itself; 0 for a lockfile
	Unresolved   int    `json:"unresolved,omitempty"`  // packages that it needs and of which nobody knows which version that is; not counted above
	Tree         string `json:"tree,omitempty"`        // who says what it needs: "deps.dev", "registry", "lockfile"; "" when that is not known
	Environment  string `json:"environment,omitempty"` // what the tree holds for, where that decides what is needed: "CPython 3.14 on 64-bit Linux"
}

// What reasons say of a package that is not known, and that decides what to do next.
const (
	NotAsked      = "fnaudit vet --online asks"
	PrivateName   = "the policy calls the name private"
	NoSuchPackage = "the registry knows no such package"
	NoSuchVersion = "the registry has no version "
)

// OfShipped says whether a check asks something of a shipped artifact that
// nobody can answer for a package which is not in yet: who signed the function,
// what runs it, who may call it, which of its code is called. Policies demand none of them of a
// package.
func OfShipped(check string) bool {
	return slices.Contains([]string{"reachability", "runtime", "signature", "provenance", "exposure"}, check)
}
