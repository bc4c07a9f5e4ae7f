// Package finding is the vocabulary of a result: report, finding, evidence,
// severity, verdict. It imports nothing but the standard library, so that
// every other part of the program can speak it. The types are the JSON report
// that users rely on: a field is added, never renamed or removed.
package finding

import "time"

// SchemaVersion is the version of the JSON report.
const SchemaVersion = "1"

// Document is the JSON report of one run: what was judged, against what, and the result per function.
type Document struct {
	SchemaVersion string      `json:"schemaVersion"`
	Tool          Tool        `json:"tool"`
	Database      Database    `json:"database"`
	Policy        PolicyRef   `json:"policy"`
	JudgedAt      time.Time   `json:"judgedAt"` // --at, else SOURCE_DATE_EPOCH, else the database's builtAt: never the wall clock, so that the same input gives the same bytes
	Functions     []*Report   `json:"functions"`
	Warnings      []string    `json:"warnings,omitempty"` // about the run: waivers that nothing needs, VEX statements that match nothing
	VEX           []VEXSource `json:"vex,omitempty"`      // documents that the run was given, by file
	Delta         *Delta      `json:"delta,omitempty"`    // of a rescan: what differs from the reports before
	Fleet         *Fleet      `json:"fleet,omitempty"`    // what exports say is deployed
	Summary       Summary     `json:"summary"`
}

// Tool names the program that wrote a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Database says what was known, and as of when.
type Database struct {
	ID         string               `json:"id"`      // "sha256:…": digest over the store's sources
	BuiltAt    time.Time            `json:"builtAt"` // the newest asOf of its sources, never the time of the build
	Records    int                  `json:"records"`
	Starter    bool                 `json:"starter"` // the embedded starter set: never complete
	Ecosystems map[string]Ecosystem `json:"ecosystems"`
	Feeds      []Feed               `json:"feeds,omitempty"` // what is known beside the advisories, by name; absent: nothing is
}

// Feed is a list beside the advisories that says more about them.
type Feed struct {
	Name    string    `json:"name"` // "kev", "epss"
	Records int       `json:"records"`
	AsOf    time.Time `json:"asOf"` // as the list itself says
	Source  string    `json:"source"`
	Digest  string    `json:"digest"` // "sha256:…"
}

// Ecosystem is the part of the database that covers one OSV ecosystem.
type Ecosystem struct {
	Records int       `json:"records"`
	AsOf    time.Time `json:"asOf"`
	Source  string    `json:"source"`
	Unread  int       `json:"unread,omitempty"` // advisories of the source that could not be read

	// Sources says what the records were merged from, when that is more than
	// one source: lowest precedence first. AsOf is the oldest of theirs then.
	Sources []DatabaseSource `json:"sources,omitempty"`
}

// DatabaseSource is one of several sources of an ecosystem's advisories.
type DatabaseSource struct {
	Name    string    `json:"name"`
	Source  string    `json:"source"`
	Digest  string    `json:"digest"` // "sha256:…" of the file compiled from this source alone
	Records int       `json:"records"`
	AsOf    time.Time `json:"asOf"`
	Unread  int       `json:"unread,omitempty"`
}

// PolicyRef names the policy that judged.
type PolicyRef struct {
	Name   string `json:"name"`             // "builtin:ci" or the file's path
	Digest string `json:"digest,omitempty"` // "sha256:…" of a policy file
}

// Summary counts verdicts.
type Summary struct {
	Functions  int `json:"functions"`
	Pass       int `json:"pass"`
	Fail       int `json:"fail"`
	Incomplete int `json:"incomplete"`
}

// Report is the result for one function.
type Report struct {
	Name         string        `json:"name"`
	Target       string        `json:"target"`
	Platform     string        `json:"platform"`
	Runtime      string        `json:"runtime"`
	Handler      string        `json:"handler"`
	Architecture string        `json:"architecture"`
	Guessed      []string      `json:"guessed,omitempty"` // which of the four above were guessed from content
	Owner        string        `json:"owner,omitempty"`
	Tags         []string      `json:"tags,omitempty"`
	Declared     *Declared     `json:"declared,omitempty"` // by a descriptor
	Vetted       *Vetted       `json:"vetted,omitempty"`   // a package or a lockfile that is not in yet, rather than a function
	Deployed     []Deployed    `json:"deployed,omitempty"` // where it runs, by exports; of a function that nobody scanned all that is known
	Artifacts    []Artifact    `json:"artifacts"`
	Coverage     *Coverage     `json:"coverage,omitempty"`
	Components   []Component   `json:"components"`
	Absent       []Absent      `json:"absent,omitempty"` // packages of a lockfile that are not there
	Traits       []Trait       `json:"traits,omitempty"` // of files that belong to no component
	Unknowns     []Unknown     `json:"unknowns"`
	Findings     []Finding     `json:"findings"`
	GoBinaries   []GoBinary    `json:"goBinaries,omitempty"`
	Attestations []Attestation `json:"attestations,omitempty"`
	Calendar     []Event       `json:"calendar,omitempty"` // what ends within a year, by day
	Upgrades     []Upgrade     `json:"upgrades,omitempty"` // what to do, worst first
	Checks       []Status      `json:"checks"`
	Verdict      Verdict       `json:"verdict"`

	NameFound bool `json:"-"` // the name is that of a file in a folder
}

// NameClaimed says whether what is audited gives the function its name, rather
// than whoever runs the program.
func (r *Report) NameClaimed() bool { return r.Declared != nil || r.NameFound }

// Artifact is one judged artifact.
type Artifact struct {
	Ref    string `json:"ref"`
	Kind   string `json:"kind"`
	Digest string `json:"digest"`
	Size   int64  `json:"size"`  // bytes as shipped
	Mount  string `json:"mount"` // "/var/task", "/opt"
	Image  *Image `json:"image,omitempty"`
}

// Image is what the configuration of a container image says, as far as the
// rules about the platform look at it.
type Image struct {
	BaseLayers  int       `json:"baseLayers,omitempty"`  // how many layers belong to the base image; 0: not known
	BaseGuessed bool      `json:"baseGuessed,omitempty"` // where it ends was concluded, not declared
	BaseCreated time.Time `json:"baseCreated,omitzero"`  // of the newest layer of the base
	Environment []string  `json:"environment,omitempty"` // names, never values
}

// Coverage says how many bytes of code are whose. All are bytes after
// decompression; code is what a runtime or processor executes. Attributed, own
// and unknown bytes add up to the code.
type Coverage struct {
	CodeBytes       int64          `json:"codeBytes"`
	AttributedBytes int64          `json:"attributedBytes"` // of packages, of the bundler, of the base image and the runtime
	OwnBytes        int64          `json:"ownBytes"`        // of the team
	UnknownBytes    int64          `json:"unknownBytes"`
	Unattributed    []Unattributed `json:"unattributed"` // files with unknown bytes, by artifact and path
	Bundles         []Bundle       `json:"bundles,omitempty"`
}

// Told is the share of n bytes of code of which it is known whose they are, 0
// to 1. No code at all is told.
func Told(code, unknown int64) float64 {
	if code <= 0 {
		return 1
	}
	return 1 - float64(min(max(unknown, 0), code))/float64(code)
}

// Unattributed is code of which nobody could say whose it is.
type Unattributed struct {
	Artifact int    `json:"artifact,omitempty"` // index
	Path     string `json:"path"`
	Bytes    int64  `json:"bytes"`
	Reason   string `json:"reason"`
}

// Bundle is a file that a bundler wrote, or that looks as if: code of many
// packages in one.
type Bundle struct {
	Artifact        int           `json:"artifact"` // index
	Path            string        `json:"path"`
	Bundler         string        `json:"bundler"` // "webpack", "minified", ...
	CodeBytes       int64         `json:"codeBytes"`
	AttributedBytes int64         `json:"attributedBytes"`
	OwnBytes        int64         `json:"ownBytes"`
	UnknownBytes    int64         `json:"unknownBytes"`
	Lockfile        string        `json:"lockfile,omitempty"` // that says which packages it can hold
	Refused         string        `json:"refused,omitempty"`  // why a lockfile that was given does not say so
	Packages        []BundleShare `json:"packages,omitempty"` // what the attributed bytes are made of, the largest first
}

// BundleShare is the part of one package in a bundle, or of the bundler itself.
type BundleShare struct {
	Name      string `json:"name"`
	Component string `json:"component,omitempty"` // purl; "" for the bundler
	Bytes     int64  `json:"bytes"`
}

// Absent is a production package of a lockfile that is proven not to be in the
// function: every byte of the bundles that the lockfile speaks for is told, and
// none is of this package.
type Absent struct {
	PURL       string           `json:"purl"`
	Name       string           `json:"name"`
	Version    string           `json:"version"`
	Ecosystem  string           `json:"ecosystem"`
	Lockfile   string           `json:"lockfile"`
	Bundles    []string         `json:"bundles"`    // paths of the bundles that were told
	Advisories []AbsentAdvisory `json:"advisories"` // what would apply if it were there
}

// AbsentAdvisory is an advisory about a package that is not there.
type AbsentAdvisory struct {
	ID       string   `json:"id"`
	Aliases  []string `json:"aliases"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
}

// Component is one package inside the function.
type Component struct {
	PURL          string            `json:"purl"`
	Name          string            `json:"name"`
	Version       string            `json:"version,omitempty"`
	Versions      []string          `json:"versions,omitempty"`
	Disputed      bool              `json:"disputed,omitempty"` // the versions contradict each other
	Ecosystem     string            `json:"ecosystem"`
	Source        string            `json:"source,omitempty"`        // source package name (distributions)
	SourceVersion string            `json:"sourceVersion,omitempty"` // of the source package, where it differs from version
	Main          bool              `json:"main,omitempty"`          // the function itself
	State         string            `json:"state"`
	Origin        string            `json:"origin"`
	Licenses      []string          `json:"licenses"`
	Locations     []Location        `json:"locations"`
	Hashes        map[string]string `json:"hashes"`
	Resolved      string            `json:"resolved,omitempty"` // where a lockfile says it came from
	Requires      []string          `json:"requires,omitempty"`
	Ranges        map[string]string `json:"ranges,omitempty"`       // what it declares to take of the packages that it requires, by name; none of those that do not say
	Traits        []Trait           `json:"traits,omitempty"`       // how it came here
	Facts         *Facts            `json:"facts,omitempty"`        // what a registry says of it; absent when no registry was asked
	Listed        *Listed           `json:"listed,omitempty"`       // where a lockfile that was given names it
	Upgrade       string            `json:"upgrade,omitempty"`      // lowest version that clears every finding about it; "" when there is none
	UpgradeMinor  string            `json:"upgradeMinor,omitempty"` // the version with the same first number that clears most; "" when none clears any, or it is Upgrade
	BroughtBy     []string          `json:"broughtBy,omitempty"`    // purls of the direct dependencies that bring it; empty when it is one, or that is not known
	Confidence    float64           `json:"confidence,omitempty"`   // in name and version, 0 to 1: all evidence together
	Evidence      []Proof           `json:"evidence"`               // strongest first
}

// Listed is a line of a lockfile.
type Listed struct {
	File string `json:"file"` // as it was given, with "/"
	Line int    `json:"line"` // from 1
}

// Trait is something about how a component came here, as sbom.Trait.
type Trait struct {
	Kind     string `json:"kind"`
	Artifact int    `json:"artifact,omitempty"`
	Path     string `json:"path,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// Location is one place where a component lies.
type Location struct {
	Artifact int    `json:"artifact"`
	Layer    string `json:"layer,omitempty"`
	Path     string `json:"path"`
	State    string `json:"state"`
}

// Proof says how a component was recognised.
type Proof struct {
	Method     string  `json:"method"`
	Confidence float64 `json:"confidence"`         // 0 to 1
	Artifact   int     `json:"artifact,omitempty"` // index
	Path       string  `json:"path,omitempty"`
	Detail     string  `json:"detail,omitempty"`
	Differs    bool    `json:"differs,omitempty"` // it shows the package and says another version
}

// Unknown is one thing that the report cannot say, and why.
type Unknown struct {
	Artifact int     `json:"artifact"`
	Path     string  `json:"path"`
	Kind     string  `json:"kind"`
	Reason   string  `json:"reason"`
	Code     bool    `json:"code,omitempty"`      // the bytes are code or name code
	Origin   string  `json:"origin,omitempty"`    // of the component, for kind unmatched
	PURL     string  `json:"component,omitempty"` // for kind unmatched
	Check    string  `json:"check,omitempty"`     // that found it; absent: it was not known when the function was opened and listed
	Waived   *Waived `json:"waived,omitempty"`
}

// GoBinary is what is kept of a Go binary that was looked into, so that a later
// run can ask about other advisories without it.
type GoBinary struct {
	Artifact  int    `json:"artifact"`
	Path      string `json:"path"`
	Digest    string `json:"digest"`            // "sha256:…" of the binary
	Go        string `json:"go"`                // toolchain, "go1.26.8"
	Stripped  bool   `json:"stripped"`          // it has no symbol table
	Functions int    `json:"functions"`         // in its function table
	Partial   string `json:"partial,omitempty"` // why a function that is not listed may still be there
	Blob      []byte `json:"blob,omitempty"`    // base64 of gzip of what "govulncheck -mode extract" writes; absent when too large
}

// Finding is one thing that is wrong, or may be.
type Finding struct {
	Fingerprint string     `json:"fingerprint"`
	Kind        Kind       `json:"kind"`
	Rule        string     `json:"rule"`
	ID          string     `json:"id"`
	Aliases     []string   `json:"aliases"`
	Severity    Severity   `json:"severity"`
	Certainty   Certainty  `json:"certainty"`
	Score       float64    `json:"score"` // CVSS base score, 0 to 10; 0 when no vector is known
	Vector      string     `json:"vector"`
	Component   string     `json:"component"`        // purl
	State       string     `json:"state,omitempty"`  // of the component
	Origin      string     `json:"origin,omitempty"` // of the component
	Title       string     `json:"title"`
	Fixed       []string   `json:"fixed"` // versions that clear it, lowest first
	Reach       string     `json:"reach"`
	KEV         bool       `json:"kev"`
	EPSS        float64    `json:"epss"`
	Priority    int        `json:"priority"`                 // 0 to 100, by the policy's weights
	Why         string     `json:"priorityReason,omitempty"` // one sentence: what made the priority
	FirstSeen   *time.Time `json:"firstSeen,omitempty"`      // in an earlier report of the function; absent without one
	Baseline    bool       `json:"baseline,omitempty"`       // an earlier report that the run was given has it: it does not count
	Compared    Compared   `json:"compared,omitempty"`       // with the baseline that the run was given; absent without one
	Rescanned   Compared   `json:"-"`                        // with the report that a rescan compares with; in JSON the delta says it
	GraceUntil  *time.Time `json:"graceUntil,omitempty"`     // until then the policy only warns
	VEX         *VEX       `json:"vex,omitempty"`            // what a statement says of it
	Exploited   *Exploited `json:"exploited,omitempty"`      // with KEV: what the catalogue says
	Percentile  float64    `json:"epssPercentile,omitempty"` // 0 to 1
	Counts      Decision   `json:"counts,omitempty"`         // what it alone makes of the verdict: "fail", "incomplete", "pass" for a warning; absent when the policy does not look at it
	Published   *time.Time `json:"published,omitempty"`
	Modified    *time.Time `json:"modified,omitempty"`
	Evidence    []Evidence `json:"evidence"`
	Waived      *Waived    `json:"waived"`
}

// Compared is what a finding is against an earlier report; "" where there is none
// to compare with.
type Compared string

// What a finding can be against an earlier report.
const (
	ComparedNew       Compared = "new"       // that has no such finding
	ComparedUpdated   Compared = "updated"   // that has it, and something of it is another that changes how it is judged
	ComparedUnchanged Compared = "unchanged" // that has it
)

// Evidence is one reason for a finding: who says it, where, and in which words.
type Evidence struct {
	Source   string     `json:"source"`             // "advisory", "bytes", "archive", ...
	Locator  string     `json:"locator"`            // advisory id, or path inside the artifact
	Detail   string     `json:"detail"`             // the range that matched, the value that was read
	At       *time.Time `json:"at,omitempty"`       // when the source was current
	Artifact int        `json:"artifact,omitempty"` // index, for a locator that is a path
}

// Waived says who accepted a finding, why and until when.
type Waived struct {
	Reason  string    `json:"reason"`
	Owner   string    `json:"owner"`
	Expires time.Time `json:"expires"` // the first moment at which it no longer holds
}

// LastDay is the last day on which it holds, in UTC, as its author wrote it.
func (w *Waived) LastDay() string { return w.Expires.Add(-time.Nanosecond).UTC().Format(time.DateOnly) }

// Status says what became of one check.
type Status struct {
	Check  string     `json:"check"`
	State  CheckState `json:"state"`
	Reason string     `json:"reason,omitempty"`
	At     *time.Time `json:"at,omitempty"` // of a result that an earlier report recorded: when; absent: it is of this run
}

// Verdict is the decision about one function.
type Verdict struct {
	Decision Decision `json:"decision"`
	Reasons  []string `json:"reasons"` // in the order in which a person fixes them
	Warnings []string `json:"warnings,omitempty"`
	Next     string   `json:"next,omitempty"` // the one next step, for a fail or an incomplete
}
