package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// versionless gathers the packages of the function that advisories are about and
// whose version is not known, those in bundles and those without metadata: whether they are affected cannot be said, so that
// nobody may call the function clean.
type versionless struct {
	places []bundleAt
	names  map[bundleAt][]string
}

type bundleAt struct {
	artifact int
	path     string
	origin   sbom.Origin
	advice   string
}

// tellsVersion says, by ecosystem, what would tell the version of a package that
// was recognised by its code.
var tellsVersion = map[string]string{
	"npm":  "give the lockfile it was built with (--lockfile)",
	"PyPI": "leave the dist-info folders in the package",
}

// builtIn is the advice for what lies in the files of another npm package.
const builtIn = "the package was published with copies of them: its publisher knows which"

// adviceOn says what would tell the version of a component. Where a lockfile
// was asked already, to give one is no advice: what it said instead is.
func adviceOn(c sbom.Component) string {
	if len(c.Occurrences) > 0 && c.Ecosystem == "npm" && strings.Contains(c.Occurrences[0].Path, "node_modules/") {
		return builtIn
	}
	if c.Disputed {
		return "the evidence contradicts itself: ship the source map beside it"
	}
	for _, e := range c.Evidence {
		switch {
		case e.Method != sbom.MethodLockfile || c.Ecosystem != "npm":
		case e.Differs:
			return e.Path + ", which was given, does not list them: give the one that it was built with"
		default:
			return e.Path + " has several versions of each, and nothing in the bytes tells which one is inside: ship the source map beside it"
		}
	}
	return tellsVersion[c.Ecosystem]
}

// add takes a component with the findings about it. One that has a version, or
// that only a manifest names, is reported elsewhere.
func (v *versionless) add(c sbom.Component, found []finding.Finding) {
	advice := adviceOn(c)
	if c.Version != "" || advice == "" || c.State != sbom.Live || len(c.Occurrences) == 0 {
		return
	}
	if !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Certainty == finding.Possible }) {
		return
	}
	at := bundleAt{c.Occurrences[0].Artifact, c.Occurrences[0].Path, c.Origin, advice}
	if v.names == nil {
		v.names = map[bundleAt][]string{}
	}
	if v.names[at] == nil {
		v.places = append(v.places, at)
	}
	v.names[at] = append(v.names[at], c.Name)
}

// maxNames is how many packages one unknown names.
const maxNames = 5

func (v *versionless) unknowns() []finding.Unknown {
	var out []finding.Unknown
	for _, at := range v.places {
		names := v.names[at]
		slices.Sort(names)
		names = slices.Compact(names)
		list := strings.Join(names[:min(len(names), maxNames)], ", ")
		if n := len(names) - maxNames; n > 0 {
			list += fmt.Sprintf(" and %d more", n)
		}
		out = append(out, finding.Unknown{Artifact: at.artifact, Path: at.path, Kind: string(sbom.Opaque), Origin: string(at.origin), Code: true,
			Reason: "it holds packages with known advisories, and their versions are not known: " + list + "; " + at.advice})
	}
	return out
}
