// Package version orders the versions of one package, by the rules of the
// ecosystem that the package comes from.
//
// The orders themselves are those of osv-scalibr's semantic package, the same
// ones that osv-scanner uses. This package adds what that one leaves open: the
// ecosystems it does not know, spellings that an installed package has and an
// advisory does not ("=1.2.3", "go1.21.5", "2.0.1+cu118"), a bound on length,
// and an error for what is not a version at all. It keeps no state; everything
// is safe for concurrent use.
package version

import (
	"errors"
	"fmt"

	"github.com/google/osv-scalibr/semantic"
)

// MaxLength is the longest version that is parsed, in bytes. Comparing takes
// time that grows with the square of the digits, so that length is a cost an
// attacker could choose. The longest version in real advisories has 66 bytes.
const MaxLength = 256

// ErrInvalid is wrapped by the error for a string that is not a version in its
// ecosystem. ErrUnordered is wrapped by the error for an ecosystem whose
// versions have no known order.
var (
	ErrInvalid   = errors.New("not a version")
	ErrUnordered = errors.New("no known order")
)

// Version is one parsed version. The zero value is not a version and compares
// with nothing; use Parse.
type Version struct {
	text   string
	scheme string
	parsed semantic.Version
}

// String returns the version in the spelling that was compared.
func (v Version) String() string { return v.text }

// Parse reads a version of a package of an ecosystem (as OSV spells it, with
// or without its ":release"). name is the package's name and may be empty; it
// matters for Go's standard library, whose versions have a spelling of their
// own. The error wraps ErrInvalid or ErrUnordered.
func Parse(ecosystem, name, s string) (Version, error) {
	clean := Clean(ecosystem, name, s)
	scheme := Scheme(ecosystem)
	if scheme == "" {
		return Version{}, fmt.Errorf("versions of %s: %w", ecosystem, ErrUnordered)
	}
	if why := junk(scheme, clean); why != "" {
		return Version{}, fmt.Errorf("%s version %q: %w: %s", ecosystem, clip(s), ErrInvalid, why)
	}
	return parse(ecosystem, scheme, clean)
}

// ParseEvent reads a version out of an advisory's range. It accepts what Parse
// takes for junk if the ecosystem's order can place it nevertheless, because
// an advisory's author meant something by it.
func ParseEvent(ecosystem, s string) (Version, error) {
	scheme := Scheme(ecosystem)
	if scheme == "" {
		return Version{}, fmt.Errorf("versions of %s: %w", ecosystem, ErrUnordered)
	}
	if s == "" || len(s) > MaxLength {
		return Version{}, fmt.Errorf("%s version %q: %w", ecosystem, clip(s), ErrInvalid)
	}
	return parse(ecosystem, scheme, s)
}

// parse runs the ecosystem's parser. A panic of that parser (it was not
// written for hostile input) becomes an error, so that one odd version cannot
// end the scan of everything else.
func parse(ecosystem, scheme, s string) (v Version, err error) {
	defer func() {
		if recover() != nil {
			v, err = Version{}, fmt.Errorf("%s version %q: %w", ecosystem, clip(s), ErrInvalid)
		}
	}()
	p, err := semantic.Parse(spell(scheme, s), scheme)
	if err != nil {
		return Version{}, fmt.Errorf("%s version %q: %w", ecosystem, clip(s), ErrInvalid)
	}
	return Version{text: s, scheme: scheme, parsed: p}, nil
}

// Compare returns -1, 0 or +1 as v is below, equal to or above w. The error
// wraps ErrInvalid; it is not nil when the two are not of one order, or when
// the order finds only while comparing that one of them is no version.
func (v Version) Compare(w Version) (c int, err error) {
	defer func() {
		if recover() != nil {
			c, err = 0, fmt.Errorf("compare %q with %q: %w", clip(v.text), clip(w.text), ErrInvalid)
		}
	}()
	if v.parsed == nil || w.parsed == nil || v.scheme != w.scheme {
		return 0, fmt.Errorf("compare %q with %q: %w", clip(v.text), clip(w.text), ErrInvalid)
	}
	c, err = v.parsed.Compare(w.parsed)
	if err != nil {
		return 0, fmt.Errorf("compare %q with %q: %w", clip(v.text), clip(w.text), ErrInvalid)
	}
	return c, nil
}

// clip shortens a string for an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
