package vex

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxBounds is how many comparators a range may have.
const maxBounds = 1000

// versionSet is some versions of a package and what a document says of them.
type versionSet struct {
	version string // one version, or
	scheme  string // a range: by whose order of versions
	bounds  []bound
	status  string // of CycloneDX: "affected", "unaffected", "unknown"
}

// bound is a comparator of a range.
type bound struct{ operator, version string }

// parseVers reads a range as in "vers:npm/>=1.0.0|<2.0.0"
// (https://github.com/package-url/vers-spec).
func parseVers(text string) (scheme string, out []bound, err error) {
	rest, ok := strings.CutPrefix(text, "vers:")
	scheme, list, found := strings.Cut(rest, "/")
	if !ok || !found || list == "" || scheme == "" {
		return "", nil, fmt.Errorf("%q is no range such as vers:npm/>=1.0.0|<2.0.0", line(text, 100))
	}
	for part := range strings.SplitSeq(list, "|") {
		if len(out) == maxBounds {
			return "", nil, fmt.Errorf("a range of more than %d comparators", maxBounds)
		}
		b := bound{"=", strings.TrimSpace(part)}
		for _, operator := range []string{"<=", ">=", "!=", "<", ">", "="} {
			if v, ok := strings.CutPrefix(b.version, operator); ok {
				b = bound{operator, strings.TrimSpace(v)}
				break
			}
		}
		v, err := url.PathUnescape(b.version)
		if err != nil || v == "" || len(v) > version.MaxLength {
			return "", nil, fmt.Errorf("%q has a version that cannot be read", line(text, 100))
		}
		b.version = v
		out = append(out, b)
	}
	if len(out) > 1 && slices.ContainsFunc(out, func(b bound) bool { return b.version == "*" }) {
		return "", nil, fmt.Errorf("%q: * stands alone", line(text, 100))
	}
	if (scheme == "all" || scheme == "none") && out[0].version != "*" {
		return "", nil, fmt.Errorf("%q: after %s stands *", line(text, 100), scheme)
	}
	return strings.ToLower(scheme), out, nil
}

// orders says whether a scheme of ranges orders the versions of a type of
// packages: that of the type, one under another name, or one that is nobody's.
func orders(scheme, typ string) bool {
	switch scheme {
	case typ, "all", "generic":
		return true
	case "alpine":
		return typ == "apk"
	case "debian":
		return typ == "deb"
	case "semver":
		return typ == "npm" || typ == "cargo" || typ == "golang"
	}
	return false
}

// has says whether a version of a package is in the set. A version that is not
// known, or that nobody can place, is in none.
func (s versionSet) has(c *pkg) bool {
	if c.Version == "" {
		return false
	}
	if len(s.bounds) == 0 {
		return spelled(c.purl.typ, s.version) == spelled(c.purl.typ, c.Version) || s.version == c.purl.version
	}
	if !orders(s.scheme, c.purl.typ) {
		return false // also "none"
	}
	if len(s.bounds) == 1 && s.bounds[0].version == "*" {
		return true
	}
	have, err := version.Parse(c.Ecosystem, c.Name, c.Version)
	if err != nil {
		return false
	}
	type ordered struct {
		bound
		v     version.Version
		order int // of have to it
	}
	var ends []ordered
	for _, b := range s.bounds {
		v, err := version.Parse(c.Ecosystem, c.Name, b.version)
		if err != nil {
			return false
		}
		order, err := have.Compare(v)
		if err != nil {
			return false
		}
		switch {
		case b.operator == "!=" && order == 0:
			return false
		case b.operator == "=" && order == 0:
			return true
		case b.operator != "!=" && b.operator != "=":
			ends = append(ends, ordered{b, v, order})
		}
	}
	bad := false
	slices.SortStableFunc(ends, func(a, b ordered) int {
		order, err := a.v.Compare(b.v)
		bad = bad || err != nil
		return order
	})
	if bad || len(ends) == 0 {
		return false
	}
	// Sorted, ends open and close intervals in turn; the first may close one that
	// is open below, the last open one that is open above. Two of a kind in a row
	// are no range.
	in, opened := false, true
	for i, e := range ends {
		opens := e.operator[0] == '>'
		if i > 0 && opens == (ends[i-1].operator[0] == '>') {
			return false
		}
		fits := e.holds(e.order)
		switch {
		case opens:
			opened = fits
			in = in || fits && i == len(ends)-1
		case opened && fits:
			in = true
		}
	}
	return in
}

// holds says whether a version that stands in an order to the bound's fits it.
func (b bound) holds(order int) bool {
	switch b.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}
