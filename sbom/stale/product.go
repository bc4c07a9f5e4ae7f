package stale

import (
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
)

// Product is when the release lines of something end that a function is made
// of: a language, a distribution, a framework, a library.
type Product struct {
	ID       string // "django"
	Name     string // as people write it: "Django"
	Kind     string // "language", "distribution", "framework", "library"
	AsOf     time.Time
	Source   string   // where the dates come from
	Packages []string // package URLs without a version that show it
	Distro   string   // of a distribution: its id in the distro qualifier of package URLs ("debian")
	Cycles   []Cycle  // in the order of the table
}

// Cycle is one release line. A zero time is a step for which no date is known.
type Cycle struct {
	Name     string    // the start of its version numbers: "4.2"
	End      time.Time // from this day on there are no security fixes for everybody
	Extended time.Time // until this day somebody makes fixes beyond that: a long-term team, or for money
	Ended    bool      // it has ended, on a day that is not known
}

// phase is where in its life a release line is. No line is ever Blocked.
func (c Cycle) phase(now time.Time) Phase {
	if c.Ended {
		return Deprecated
	}
	return Runtime{Deprecated: c.End}.phase(now)
}

// line returns the release line of a version: the longest name that its number
// starts with. ok is false for a line that the table does not list.
func (p *Product) line(version string) (c Cycle, ok bool) {
	for _, x := range p.Cycles {
		if len(x.Name) > len(c.Name) && startsWith(version, x.Name) {
			c, ok = x, true
		}
	}
	return c, ok
}

// startsWith says whether a version is of a release line: 4.2.1 is of 4.2 and
// of 4, 4.20 is not of 4.2.
func startsWith(version, line string) bool {
	rest, ok := strings.CutPrefix(version, line)
	return ok && (rest == "" || rest[0] < '0' || rest[0] > '9')
}

// successors lists the release lines that are supported and above one, lowest first.
func (p *Product) successors(c Cycle, now time.Time) []string {
	var out []string
	for _, x := range p.Cycles {
		if x.phase(now) == Supported && natural(c.Name, x.Name) < 0 {
			out = append(out, x.Name)
		}
	}
	slices.SortFunc(out, natural)
	return out
}

// End is a release line that a function has.
type End struct {
	Product    *Product
	Cycle      Cycle
	Phase      Phase
	Component  string      // package URL of the first package that shows it; "" for a distribution
	Version    string      // that was matched
	Origin     sbom.Origin // of that package, or of the first one of the distribution
	Extended   bool        // somebody makes fixes beyond its end
	Old        bool        // the table is more than OldDays old
	Successors []string
}

// What names the release line: "Django 4.2".
func (e *End) What() string { return e.Product.Name + " " + e.Cycle.Name }
