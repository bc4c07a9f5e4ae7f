package stale

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Rule names a rule of this package. Users waive by these names: they never change.
type Rule string

// The rules about the age of a package, by what a registry says of it. Each
// says how strong it is and why.
const (
	// RuleBehind: a higher stable version is there. None by itself, because an
	// older line can be maintained; low when it is two majors behind, or one and
	// a year, because fixes for it become rare then.
	RuleBehind Rule = "behind"
	// RuleOld: the version is older than the policy's limit, and a newer one is
	// there. Low: the policy asks for it; without a limit it is never said.
	RuleOld Rule = "old-version"
	// RuleUnmaintained: the project published nothing for Limits.Unmaintained.
	// None by itself, because small projects are finished one day, and a function
	// has dozens of them. Low when a known vulnerability of it has no fix, because
	// nobody is there to make one, and when somebody set the limit.
	RuleUnmaintained Rule = "unmaintained"
	// RuleDeprecated: its publisher says not to use it. Low: it is said of
	// versions that work as well as of those that do not; the words are shown.
	RuleDeprecated Rule = "deprecated"
	// RuleYanked: its publisher took the version back (Go: retracted it). Medium:
	// that is done for what is broken, unsafe or published by mistake.
	RuleYanked Rule = "yanked"
	// RuleWithdrawn: the registry had the version and no longer has it. Medium:
	// whole versions are removed for malware, for secrets in them, or by mistake.
	// What a registry does not list, and does not say that it ever had, is no
	// matter of age: package trust speaks of it.
	RuleWithdrawn Rule = "withdrawn"
	// RuleArchived: the repository of its project is archived, so that nothing
	// will be fixed there. Low: it says nothing about this version's code.
	RuleArchived Rule = "archived"
	// RuleSDK: the function ships an SDK that the runtime brings in a newer
	// version. Low: the shipped copy is the one that is loaded.
	RuleSDK Rule = "sdk-behind-runtime"
)

// Note is something that is past its time, or will be.
type Note struct {
	Rule      Rule
	Severity  string      // "high", "medium", "low", "none"
	Probable  bool        // it may have a harmless reason
	Component string      // package URL; "" for the function
	About     string      // what it is about when that is no component: "debian 11"
	Origin    sbom.Origin // of that; "" for the function itself
	Title     string      // one line in plain words, without the package's name
	Fixed     []string
	From      string    // what kind of source it is: "registry", "table", "bytes"
	Source    string    // who says so
	Detail    string    // in which words
	AsOf      time.Time // when that was current
}

// Limits say from where on something is noted. Zero values are the defaults.
type Limits struct {
	Unmaintained time.Duration // no release for so long; 0: DefaultUnmaintained
	Unfixed      bool          // a known vulnerability of the component has no fix
	Age          time.Duration // of the shipped version, when a newer one is there; 0: never noted for its age alone
}

// DefaultUnmaintained is how long a project may be silent.
const DefaultUnmaintained = 3 * 365 * day

const (
	day  = 24 * time.Hour
	year = 365 // days
)

// Judge says what is past its time of one component, by what a registry says
// of it. What the registry did not tell is not known, and nothing is said of it.
func Judge(c *sbom.Component, s *registry.Standing, l Limits, now time.Time) []Note {
	if s.Answer != registry.Known {
		return nil
	}
	var out []Note
	up := upgrades(c, s)
	note := func(n Note) {
		n.Component, n.From, n.Source, n.AsOf = c.PURL, "registry", s.Source, s.AsOf
		out = append(out, n)
	}
	switch s.Yanked {
	case "":
	case registry.Unpublished:
		note(Note{Rule: RuleWithdrawn, Severity: "medium", Title: "was taken off its registry after it was published", Fixed: up, Detail: s.Yanked})
	default:
		note(Note{Rule: RuleYanked, Severity: "medium", Title: yankedTitle(c, s), Fixed: up, Detail: s.Yanked})
	}
	if s.Deprecated != "" {
		title := "is deprecated by its publisher"
		if s.Deprecated != "deprecated" {
			title += ": " + oneLine(s.Deprecated)
		}
		note(Note{Rule: RuleDeprecated, Severity: "low", Title: title, Fixed: up, Detail: s.Deprecated})
	}
	if s.Archived != "" {
		note(Note{Rule: RuleArchived, Severity: "low", Title: "comes from an archived project (" + oneLine(s.Archived) + "): nothing will be fixed there", Detail: s.Archived})
	}
	limit := cmp.Or(l.Unmaintained, DefaultUnmaintained)
	if quiet := now.Sub(s.Last.Published); !s.Last.Published.IsZero() && quiet > limit && s.Archived == "" && s.Deprecated == "" {
		n := Note{Rule: RuleUnmaintained, Severity: "none", Detail: "last release " + released(s.Last),
			Title: fmt.Sprintf("comes from a project that has released nothing for %s: the last was %s", span(quiet), released(s.Last))}
		if l.Unfixed {
			n.Title += "; a known vulnerability of it has no fix"
		}
		if l.Unfixed || l.Unmaintained > 0 {
			n.Severity = "low"
		}
		note(n)
	}
	if s.Behind == 0 {
		return out
	}
	if age := now.Sub(s.Published); l.Age > 0 && !s.Published.IsZero() && age > l.Age {
		note(Note{Rule: RuleOld, Severity: "low", Fixed: up, Detail: "published " + s.Published.Format(time.DateOnly),
			Title: fmt.Sprintf("was published %s ago, on %s, and %s is there; the policy allows %s", span(age), s.Published.Format(time.DateOnly), s.Newest.Version, span(l.Age))})
	}
	severity := "none"
	if days := behindDays(s); s.MajorsBack > 1 || s.MajorsBack == 1 && days >= year {
		severity = "low"
	}
	if len(up) > 1 && up[0] == s.Minor.Version && s.Minor.Version != s.Major.Version {
		up = up[1:] // that is hardly less behind
	}
	note(Note{Rule: RuleBehind, Severity: severity, Title: behindTitle(s, up), Fixed: up, Detail: behindDetail(s)})
	return out
}

// yankedTitle uses the word of the ecosystem.
func yankedTitle(c *sbom.Component, s *registry.Standing) string {
	title := "was yanked by its publisher"
	if strings.HasPrefix(c.PURL, "pkg:golang/") {
		title = "was retracted by its author"
	}
	if s.Yanked != "yanked" && s.Yanked != "retracted" {
		title += ": " + oneLine(s.Yanked)
	}
	return title
}

// behindTitle says how far behind, and what there is on the way up.
func behindTitle(s *registry.Standing, up []string) string {
	title := "is " + count(s.Behind, "version")
	if s.MajorsBack > 0 {
		title = "is " + count(s.MajorsBack, "major version") + " (" + count(s.Behind, "release") + ")"
	}
	if days := behindDays(s); days > 0 {
		title += " and " + count(days, "day")
	}
	title += " behind " + s.Newest.Version
	if s.MajorsBack == 0 || s.Major.Version == "" {
		return title
	}
	if len(up) > 0 && up[0] != s.Newest.Version {
		return title + "; " + s.Major.Version + " is the newest of its own major"
	}
	return title + "; it is the newest of its own major"
}

// behindDetail names the versions and their dates.
func behindDetail(s *registry.Standing) string {
	parts := []string{"newest " + released(s.Newest)}
	if s.Major.Version != "" && s.Major.Version != s.Newest.Version {
		parts = append(parts, "newest of its major "+released(s.Major))
	}
	if s.Minor.Version != "" && s.Minor.Version != s.Major.Version {
		parts = append(parts, "newest of its minor "+released(s.Minor))
	}
	if !s.Published.IsZero() {
		parts = append(parts, "this one was published "+s.Published.Format(time.DateOnly))
	}
	return strings.Join(parts, ", ")
}

// behindDays is how many days lie between this version and the newest; 0 when a
// date is not known, or when this one is a later release of an older line.
func behindDays(s *registry.Standing) int {
	if s.Published.IsZero() || s.Newest.Published.IsZero() {
		return 0
	}
	return max(0, int(s.Newest.Published.Sub(s.Published)/day))
}

// upgrades are the versions to go to, the nearest first.
func upgrades(c *sbom.Component, s *registry.Standing) []string {
	if s.Behind == 0 {
		return nil
	}
	p, _, _ := registry.ParsePURL(c.PURL)
	var out []string
	for _, to := range []string{s.Minor.Version, s.Major.Version, s.Newest.Version} {
		if way, ok := registry.Compare(p, to, c.Version); ok && way > 0 && !slices.Contains(out, to) {
			out = append(out, to)
		}
	}
	return out
}

func released(r registry.Release) string {
	if r.Published.IsZero() {
		return r.Version
	}
	return r.Version + " of " + r.Published.Format(time.DateOnly)
}

// span is a length of time in the words of people.
func span(d time.Duration) string {
	days := int(d / day)
	if days < 2*year {
		return count(days, "day")
	}
	return fmt.Sprintf("%d years", days/year)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// maxWords is how many bytes of a publisher's words a title repeats.
const maxWords = 200

// oneLine makes a title's words of a publisher's text.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "…"
}
