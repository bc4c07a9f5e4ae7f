package vulndb

import (
	"fmt"
	"slices"
	"strings"
)

// String says a range in words: "from 1.0.0, fixed in 1.2.3".
func (r Range) String() string {
	if r.Type == Git {
		return "commits of " + r.Repo
	}
	var parts []string
	for _, e := range r.Events {
		switch {
		case e.Kind == Introduced && e.Version == "0":
			parts = append(parts, "from the first version")
		case e.Kind == Introduced:
			parts = append(parts, "from "+e.Version)
		case e.Kind == Fixed:
			parts = append(parts, "fixed in "+e.Version)
		case e.Kind == LastAffected:
			parts = append(parts, "up to and with "+e.Version)
		case e.Kind == Limit && e.Version != "*":
			parts = append(parts, "below "+e.Version)
		}
	}
	if len(parts) == 0 {
		return "no version"
	}
	return strings.Join(parts, ", ")
}

// String says an affected entry in words: the package, then its ranges.
func (a Affected) String() string {
	var parts []string
	for _, r := range a.Ranges {
		parts = append(parts, r.String())
	}
	if n := len(a.Versions); n == 1 {
		parts = append(parts, "version "+a.Versions[0])
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("%d versions listed one by one", n))
	}
	if len(parts) == 0 {
		parts = []string{"no version stated"}
	}
	return fmt.Sprintf("%s %s: %s", a.Ecosystem, a.Name, strings.Join(parts, "; "))
}

// Why says which statement of the record covers the version.
func (m Match) Why() string {
	if m.Exact {
		return fmt.Sprintf("%s is listed as affected", m.Package.Version)
	}
	return m.Because.String()
}

// EveryVersion says whether the record calls every version of the package
// affected, so that no version needs to be known.
func (m Match) EveryVersion() bool {
	if m.Affected < 0 || m.Affected >= len(m.Advisory.Affected) {
		return false
	}
	return slices.ContainsFunc(m.Advisory.Affected[m.Affected].Ranges, func(r Range) bool {
		return r.Type != Git && len(r.Events) == 1 && r.Events[0].Kind == Introduced && r.Events[0].Version == "0"
	})
}
