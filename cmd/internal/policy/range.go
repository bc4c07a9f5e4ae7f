package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/vulndb/version"
)

// Range is a range of versions: all of its bounds hold. The zero value holds
// every version, and also that nobody knows it.
type Range []Bound

// Bound is one end of a range.
type Bound struct {
	Operator string // "<", "<=", ">", ">=", "="
	Version  string
}

// maxBounds is how many bounds a range may have.
const maxBounds = 8

// parseRange reads a range as in ">=1.0, <2.0", or one version.
func parseRange(text string) (Range, error) {
	var out Range
	for part := range strings.SplitSeq(text, ",") {
		b := Bound{Operator: "=", Version: strings.TrimSpace(part)}
		for _, operator := range []string{"<=", ">=", "<", ">", "="} {
			if rest, ok := strings.CutPrefix(b.Version, operator); ok {
				b = Bound{operator, strings.TrimSpace(rest)}
				break
			}
		}
		if b.Version == "" || len(b.Version) > version.MaxLength || strings.ContainsAny(b.Version, " <>=|^*!") || wildcard(b.Version) {
			return nil, fmt.Errorf("range: %q is not a range of versions: write it as \"<4.17.21\" or \">=1.0, <2.0\"", clip(text))
		}
		if out = append(out, b); len(out) > maxBounds {
			return nil, fmt.Errorf("range: more than %d bounds", maxBounds)
		}
	}
	return out, nil
}

// wildcard says whether a version is one of npm's patterns, 1.x or ~1.2. Orders of
// versions would take it for a version, and place it where nobody meant it to be.
func wildcard(text string) bool {
	return text[0] == '~' || slices.ContainsFunc(strings.Split(text, "."), func(part string) bool { return strings.EqualFold(part, "x") })
}

// String writes a range as a policy file does.
func (r Range) String() string {
	var parts []string
	for _, b := range r {
		parts = append(parts, strings.TrimPrefix(b.Operator, "=")+b.Version)
	}
	return strings.Join(parts, ", ")
}

// holds says whether every version that a component can have is in the range,
// in the order of its ecosystem. A version that is not known, or that nobody can
// place, is in no range.
func (r Range) holds(c *finding.Component) bool {
	if len(r) == 0 {
		return true
	}
	if c == nil {
		return false
	}
	candidates := c.Versions
	if c.Version != "" {
		candidates = []string{c.Version}
	}
	for _, v := range candidates {
		for _, b := range r {
			if !b.holds(c, v) {
				return false
			}
		}
	}
	return len(candidates) > 0
}

func (b Bound) holds(c *finding.Component, text string) bool {
	have, err := version.Parse(c.Ecosystem, c.Name, text)
	if err != nil {
		return false
	}
	end, err := version.Parse(c.Ecosystem, c.Name, b.Version)
	if err != nil {
		return false
	}
	order, err := have.Compare(end)
	if err != nil {
		return false
	}
	switch b.Operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}
