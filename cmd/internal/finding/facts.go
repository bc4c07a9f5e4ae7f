package finding

import "time"

// Facts is what a registry says of one version of a package: all that the
// checks of staleness and trust used of it, so that they can be asked again on
// another day. A field that is left out was not told: it is not known, and
// never good news.
type Facts struct {
	Source string    `json:"source"`           // who said so: "deps.dev", or the registry's address without credentials
	AsOf   time.Time `json:"asOf,omitzero"`    // when it was last asked
	State  string    `json:"state"`            // "known", "no-version", "no-package"; "unknown" when nobody could be asked
	Reason string    `json:"reason,omitempty"` // why it is not known

	Private bool `json:"private,omitempty"` // why that is: the policy calls the name private

	Published  time.Time `json:"published,omitzero"`   // this version
	First      time.Time `json:"first,omitzero"`       // the first version of the package
	Last       *Release  `json:"last,omitempty"`       // the version that was published last, whatever its number
	Newest     *Release  `json:"newest,omitempty"`     // the highest stable version
	Major      *Release  `json:"major,omitempty"`      // the highest stable version with the same first number
	Minor      *Release  `json:"minor,omitempty"`      // the highest stable version with the same first two numbers
	Behind     int       `json:"behind,omitempty"`     // stable versions between this one and the newest, the newest counted
	MajorsBack int       `json:"majorsBack,omitempty"` // of which have another first number each
	MinorBack  int       `json:"minorBack,omitempty"`  // stable versions with the same first two numbers above this one
	Unordered  int       `json:"unordered,omitempty"`  // versions whose numbers cannot be read: in none of the above

	Deprecated string   `json:"deprecated,omitempty"` // what its publisher says about not using it
	Yanked     string   `json:"yanked,omitempty"`     // why it was taken back
	Archived   string   `json:"archived,omitempty"`   // the project whose repository is archived
	Licenses   []string `json:"licenses,omitempty"`

	Integrity  map[string]string `json:"integrity,omitempty"` // algorithm -> hexadecimal digest of the published archive
	Scripts    []string          `json:"scripts,omitempty"`   // what the published version runs at installation
	Repository string            `json:"repository,omitempty"`
	Publisher  string            `json:"publisher,omitempty"`
	Maintainer string            `json:"maintainer,omitempty"` // the only one who may publish; "" when there are several, or that is not told
	Attested   string            `json:"attested,omitempty"`   // "yes", "no"; "" when the registry does not say
	Previous   *Earlier          `json:"previous,omitempty"`   // the version before this one, where it differs in one of the last three
	Past       *Past             `json:"past,omitempty"`       // of the versions before this one; absent when nothing is told

	Attestation *DependencyProof `json:"attestation,omitempty"` // of its build; absent when it was not verified: Attested is what the registry says
	Signature   *DependencyProof `json:"signature,omitempty"`   // of the registry, over this version; absent when it was not verified
}

// DependencyProof is what became of the proofs of one kind about a published version. They
// speak of the archive that the registry publishes, never of the shipped files:
// Bound says what ties those to it.
type DependencyProof struct {
	Status     string    `json:"status"`               // "verified", "rejected", "missing"; "unverifiable" when it could not be had or not be checked here
	Kind       string    `json:"kind,omitempty"`       // as in the output of verify
	Identity   string    `json:"identity,omitempty"`   // who signed
	Issuer     string    `json:"issuer,omitempty"`     // who vouches for that name
	KeyID      string    `json:"keyId,omitempty"`      //
	Builder    string    `json:"builder,omitempty"`    // builder.id, as the signer says
	Repository string    `json:"repository,omitempty"` // that it was built from, as the certificate authority says
	Workflow   string    `json:"workflow,omitempty"`   //
	Commit     string    `json:"commit,omitempty"`     //
	File       string    `json:"file,omitempty"`       // of the release, where it has several
	Bound      string    `json:"bound,omitempty"`      // "lock-digest", "compared", "name-and-version"
	Reason     string    `json:"reason,omitempty"`     //
	Source     string    `json:"source,omitempty"`     // the address that it came from
	At         time.Time `json:"at,omitzero"`          // when that answered
}

// Release is a version and when it was published.
type Release struct {
	Version   string    `json:"version"`
	Published time.Time `json:"published,omitzero"`
}

// Past is what a registry says of the versions before one: those with a lower
// number that were not published later, and for a stable one only stable ones.
type Past struct {
	Attested   *Release `json:"attested,omitempty"`   // the newest that has an attestation of its build
	Run        int      `json:"run,omitempty"`        // how many have one, right before this version and without a gap
	Publishers int      `json:"publishers,omitempty"` // of how many the publisher is told
	Known      bool     `json:"known,omitempty"`      // one of them is by the publisher of this version
}

// Earlier is what a registry says of an earlier version of the package.
type Earlier struct {
	Version    string    `json:"version"`
	Published  time.Time `json:"published,omitzero"`
	Repository string    `json:"repository,omitempty"`
	Publisher  string    `json:"publisher,omitempty"`
	Attested   string    `json:"attested,omitempty"`
}
