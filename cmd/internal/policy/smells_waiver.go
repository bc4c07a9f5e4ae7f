package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/spelling"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb/version"
)

// packageTypes are the types of package URLs that components of a report have.
var packageTypes = []string{"npm", "pypi", "golang", "maven", "gem", "cargo", "nuget", "composer", "hex", "pub", "deb", "apk", "rpm", "generic", "oci", "docker", "github"}

// matchesNone says why no component can be the waiver's; "" when one can.
func (w Waiver) matchesNone() string {
	typ, _, _ := strings.Cut(strings.TrimPrefix(w.Component, "pkg:"), "/")
	switch {
	case w.Component == "":
		return ""
	case strings.Contains(w.Component, "*"), strings.Contains(w.Component, "%2A"):
		return "has * in its component, which is no pattern, so it accepts nothing: name the package"
	case !slices.Contains(packageTypes, typ) && sbom.Ecosystem(typ, "") == "":
		if near := spelling.Nearest(typ, packageTypes); near != "" {
			return fmt.Sprintf("is for packages of the type %q, of which there are none: did you mean %q?", clip(typ), near)
		}
	}
	return w.Range.holdsNone(sbom.Ecosystem(typ, ""))
}

// holdsNone says why no version of an ecosystem is in the range; "" when one may
// be, and where nobody knows how the ecosystem orders its versions.
func (r Range) holdsNone(ecosystem string) string {
	if ecosystem == "" {
		return ""
	}
	for _, b := range r {
		if _, err := version.Parse(ecosystem, "", b.Version); err != nil {
			return fmt.Sprintf("has %q in its range, which is no version of %s, so it accepts nothing", clip(b.Version), ecosystem)
		}
	}
	for _, low := range r {
		for _, high := range r {
			if low.Operator[0] != '<' && high.Operator[0] != '>' && disjoint(ecosystem, low, high) {
				return "has a range that no version is in, so it accepts nothing"
			}
		}
	}
	return ""
}

// disjoint says whether nothing is both in a bound from below, or one version, and
// in one from above, or one version.
func disjoint(ecosystem string, low, high Bound) bool {
	a, err1 := version.Parse(ecosystem, "", low.Version)
	b, err2 := version.Parse(ecosystem, "", high.Version)
	if err1 != nil || err2 != nil {
		return false
	}
	order, err := a.Compare(b)
	return err == nil && (order > 0 || order == 0 && (low.Operator == ">" || high.Operator == "<"))
}
