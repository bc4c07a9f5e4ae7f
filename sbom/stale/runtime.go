package stale

import (
	"cmp"
	_ "embed" // the table
	"slices"
	"strings"
	"sync"
	"time"
)

// runtimesJSON and productsJSON are the tables that the program brings; sources
// and dates are in them. To bring the products up to date, run
//
//	go test ./sbom/stale -run TestProductsOf -endoflife CHECKOUT -as-of DATE
//
// with a checkout of github.com/endoflife-date/endoflife.date; the runtimes are
// edited by hand, from the pages that they name.
var (
	//go:embed runtimes.json
	runtimesJSON []byte
	//go:embed products.json
	productsJSON []byte
)

// embedded are the parsed tables: nobody pays for them who asks for no end.
var embedded = sync.OnceValues(func() (*Runtimes, error) {
	runtimes, err := ParseRuntimes(runtimesJSON)
	if err != nil {
		return nil, err
	}
	products, err := ParseRuntimes(productsJSON)
	if err != nil {
		return nil, err
	}
	return runtimes.Over(products), nil
})

// Embedded returns the tables that the program brings.
func Embedded() (*Runtimes, error) { return embedded() }

// Runtimes is when the runtimes of platforms end, and the products that
// functions are made of. It is safe for concurrent use.
type Runtimes struct {
	Platforms []Platform // sorted by name
	Products  []Product  // sorted by id

	byPackage map[string]*Product // versionless package URL
	byDistro  map[string]*Product
}

// Platform is the table of one platform, as of one day.
type Platform struct {
	Name     string // "aws-lambda"
	AsOf     time.Time
	Source   string    // where the dates come from
	Complete bool      // it lists every runtime that there was at AsOf
	Runtimes []Runtime // sorted by id
}

// Runtime is one line. A zero time is a step for which no date is known.
type Runtime struct {
	ID          string    // as the platform writes it: "nodejs20.x"
	Released    time.Time // the first day on which a function could have it
	Deprecated  time.Time // from this day on nobody patches it
	BlockCreate time.Time // from this day on no function can be created with it
	BlockUpdate time.Time // from this day on the code of a function that has it cannot be updated
	Successors  []string  // what to move to, when it is not a later version of the same language
}

// Phase is where in its life a runtime is. The zero value is "not known".
type Phase string

// The phases.
const (
	Unknown    Phase = ""
	Supported  Phase = "supported"
	Soon       Phase = "soon" // deprecated within SoonDays
	Deprecated Phase = "deprecated"
	Blocked    Phase = "blocked" // a fix cannot be shipped any more
)

// SoonDays is how many days ahead the end of a runtime is said: time enough to
// plan the move of a whole company.
const SoonDays = 180

// OldDays is the age in days from which a table is no longer believed when it
// says that a runtime is supported: platforms announce an end half a year ahead.
const OldDays = 365

// Answer is what a table says about one runtime at one time.
type Answer struct {
	Runtime
	Phase      Phase
	AsOf       time.Time
	Source     string
	Complete   bool     // an unknown runtime is one that did not exist at AsOf
	Old        bool     // the table is more than OldDays old at the time asked about
	Successors []string // supported runtimes to move to, oldest first
}

// Look says what the table knows of a runtime at the time now. ok is false when
// the platform is not in the table.
func (t *Runtimes) Look(platform, id string, now time.Time) (a Answer, ok bool) {
	i, ok := slices.BinarySearchFunc(t.Platforms, platform, func(p Platform, name string) int { return cmp.Compare(p.Name, name) })
	if !ok {
		return Answer{}, false
	}
	p := &t.Platforms[i]
	a = Answer{Runtime: Runtime{ID: id}, AsOf: p.AsOf, Source: p.Source, Complete: p.Complete, Old: now.Sub(p.AsOf) > OldDays*24*time.Hour}
	j, known := slices.BinarySearchFunc(p.Runtimes, id, func(r Runtime, id string) int { return cmp.Compare(r.ID, id) })
	if known {
		a.Runtime = p.Runtimes[j]
		a.Phase = a.Runtime.phase(now)
		a.Successors = p.successors(a.Runtime, now)
	}
	return a, true
}

func (r Runtime) phase(now time.Time) Phase {
	reached := func(day time.Time) bool { return !day.IsZero() && !now.Before(day) }
	switch {
	case reached(r.BlockUpdate):
		return Blocked
	case reached(r.Deprecated):
		return Deprecated
	case reached(r.Deprecated.AddDate(0, 0, -SoonDays)) && !r.Deprecated.IsZero():
		return Soon
	}
	return Supported
}

// successors lists supported runtimes to move to: those that the line names,
// else later ones of the same language.
func (p *Platform) successors(r Runtime, now time.Time) []string {
	var out []string
	for _, s := range p.Runtimes {
		if s.phase(now) != Supported || s.ID == r.ID {
			continue
		}
		if len(r.Successors) > 0 && slices.Contains(r.Successors, s.ID) ||
			len(r.Successors) == 0 && language(s.ID) == language(r.ID) && s.Deprecated.After(r.Deprecated) {
			out = append(out, s.ID)
		}
	}
	slices.SortFunc(out, natural)
	return out
}

// language is an id without its version: "python3.12" is of "python".
func language(id string) string {
	if i := strings.IndexAny(id, "0123456789."); i >= 0 {
		return id[:i]
	}
	return id
}

// natural orders ids with the numbers in them as numbers: java8, java11.
func natural(a, b string) int {
	for a != "" && b != "" {
		na, nb := leading(a), leading(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// leading counts the digits that a text starts with.
func leading(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
