package stale

import (
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Rule names a rule of this package. Users waive by these names: they never change.
type Rule string

// The rules about the age of a package.
const (
	RuleDeprecated Rule = "deprecated" // its publisher says not to use it
	RuleYanked     Rule = "yanked"     // its publisher took the version back
)

// Note is something that is past its time, or will be.
type Note struct {
	Rule      Rule
	Severity  string // "high", "medium", "low", "none"
	Component string // package URL; "" for the function
	Title     string // one line in plain words, without the package's name
	Fixed     []string
	Source    string    // who says so
	Detail    string    // in which words
	AsOf      time.Time // when that was current
}

// Limits say from where on something is noted. Zero values are the defaults.
type Limits struct {
	Unmaintained time.Duration // no release for so long; 0: DefaultUnmaintained
	Age          time.Duration // of the shipped version, when a newer one is there; 0: never noted for its age alone
}

// DefaultUnmaintained is how long a project may be silent.
const DefaultUnmaintained = 3 * 365 * 24 * time.Hour

// Judge says what is past its time of one component, by what a registry says of it.
func Judge(c *sbom.Component, s *registry.Standing, l Limits, now time.Time) []Note {
	var out []Note
	note := func(rule Rule, severity, title, detail string) {
		out = append(out, Note{Rule: rule, Severity: severity, Component: c.PURL, Title: title, Source: s.Source, Detail: detail, AsOf: s.AsOf})
	}
	if s.Deprecated != "" {
		note(RuleDeprecated, "low", "is deprecated: "+s.Deprecated, s.Deprecated)
	}
	if s.Yanked != "" {
		note(RuleYanked, "medium", "was taken back by its publisher: "+s.Yanked, s.Yanked)
	}
	return out
}
