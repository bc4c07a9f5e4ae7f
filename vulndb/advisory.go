package vulndb

import "time"

// Package is one installed package, as a question to the store.
type Package struct {
	Ecosystem string // as OSV spells it, with its release if it has one: "npm", "Debian:12", "Alpine:v3.20"
	Name      string // as the ecosystem spells it: "@scope/name", "group:artifact"
	Version   string // "" when not known
	Source    string // name of the source package it was built from (distributions), else ""
}

// Severity is one rating as an advisory publishes it.
type Severity struct {
	Type  string // "CVSS_V2", "CVSS_V3", "CVSS_V4", or a distribution's own such as "Ubuntu"
	Score string // a CVSS vector; for other types a word
}

// EventKind says what a range's event states about its version.
type EventKind string

// The kinds of event of the OSV schema.
const (
	Introduced   EventKind = "introduced"
	Fixed        EventKind = "fixed"
	LastAffected EventKind = "last_affected"
	Limit        EventKind = "limit"
)

// Event is one event of a range.
type Event struct {
	Kind    EventKind
	Version string // "0" in an Introduced event stands for "from the first version on", "*" in a Limit for no limit
}

// RangeType says how the versions of a range are ordered.
type RangeType string

// The range types of the OSV schema.
const (
	SemVer    RangeType = "SEMVER"
	Ecosystem RangeType = "ECOSYSTEM"
	Git       RangeType = "GIT" // commits; the store keeps the repository and drops the events
)

// Range is one range of affected versions.
type Range struct {
	Type   RangeType
	Repo   string // of a Git range
	Events []Event
}

// Import is one import path of a Go module that an advisory is about.
type Import struct {
	Path    string
	Symbols []string // empty: the whole package
	GOOS    []string // operating systems on which it is affected; empty: all
	GOARCH  []string // processors on which it is affected; empty: all
}

// Affected is what an advisory says about one package.
type Affected struct {
	Ecosystem     string // with its release if it has one
	Name          string // "" for an entry that only names a repository
	Ranges        []Range
	Versions      []string // affected versions listed one by one
	Severities    []Severity
	Word          string   // a rating in words (ecosystem_specific.severity or urgency)
	Informational string   // RustSec: "unmaintained", "unsound", "notice"; "" for a vulnerability
	Imports       []Import // Go only
}

// Reference is a link of an advisory.
type Reference struct{ Type, URL string }

// Advisory is one OSV record without its long description.
type Advisory struct {
	ID         string
	Aliases    []string // ids of the same flaw in other databases
	Related    []string // ids of similar flaws
	Upstream   []string // ids of the flaws that a distribution's record is about
	Summary    string
	Severities []Severity
	Word       string  // database_specific.severity, as published
	Score      float64 // a CVSS score published without its vector, 0 to 10; 0 when there is none
	ScoreType  string  // "CVSS_V4", "CVSS_V3" or "CVSS_V2" for Score, else ""
	CWEs       []string
	Affected   []Affected
	References []Reference // at most MaxReferences
	Published  time.Time   // zero when not stated
	Modified   time.Time
	Withdrawn  time.Time // zero for a record that stands
}

// Match is one advisory that holds for one package.
type Match struct {
	Advisory *Advisory
	Package  Package
	Affected int      // index into Advisory.Affected of the entry that matched
	Because  Range    // the interval that holds the version: its Introduced event and, if there is one, the event that ends it; zero when Exact
	Exact    bool     // the version is listed one by one; no range holds it
	Fixed    []string // versions that end the intervals, lowest first; empty when no fix is known
}

// Result is what the store says about one package.
type Result struct {
	Matches []Match // sorted by id of the advisory

	// Unversioned holds every advisory of the name that the version cannot
	// rule out, because there is no version, it is no version in this
	// ecosystem, or the advisory's range cannot be read. Each is possible, none
	// is proven. Sorted by id; no advisory is in both lists.
	Unversioned []Match

	// Problems says what could not be judged, in words. An empty Matches with
	// problems is not "no advisory".
	Problems []string
}
