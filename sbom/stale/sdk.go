package stale

import (
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// sdk says whether a package is a platform's SDK, one that its runtimes bring:
// for those a shipped copy that is older is no choice but a left-over
// (docs.aws.amazon.com/lambda, "Runtime-included SDK versions" of each language).
func sdk(p registry.Package) bool {
	switch p.System {
	case registry.NPM:
		return p.Name == "aws-sdk" || strings.HasPrefix(p.Name, "@aws-sdk/") || strings.HasPrefix(p.Name, "@smithy/")
	case registry.PyPI:
		return p.Name == "boto3" || p.Name == "botocore" || p.Name == "s3transfer" || p.Name == "azure-functions"
	case registry.RubyGems:
		return strings.HasPrefix(p.Name, "aws-sdk")
	}
	return false
}

// SDKs notes each SDK that the function ships in a version below the one that
// its runtime brings. Which version a runtime brings depends on the day and the
// region, and no platform publishes a list of them, so it is known in two cases
// only: the runtime is part of what was read, as in a base image; or the shipped
// version was published so long before the runtime came that none it has ever
// brought is as old. Otherwise nothing is said. rt is what a table says of the
// declared runtime; nil: nothing.
func SDKs(components []sbom.Component, standings map[string]*registry.Standing, rt *Answer) []Note {
	brought := map[registry.Package]*sbom.Component{}
	var shipped []*sbom.Component
	for i := range components {
		c := &components[i]
		p, _, ok := registry.ParsePURL(c.PURL)
		if !ok || c.Version == "" || !sdk(p) {
			continue
		}
		switch c.Origin {
		case sbom.OriginApp, sbom.OriginLayer:
			shipped = append(shipped, c)
		case sbom.OriginRuntime, sbom.OriginBase:
			if best := brought[p]; best == nil || above(p, c.Version, best.Version) {
				brought[p] = c
			}
		}
	}
	var out []Note
	for _, c := range shipped {
		p, _, _ := registry.ParsePURL(c.PURL)
		if b := brought[p]; b != nil {
			if above(p, b.Version, c.Version) {
				out = append(out, Note{Rule: RuleSDK, Severity: "low", Component: c.PURL, From: "bytes", Source: pathOf(b), Detail: "the runtime brings " + b.Version, Fixed: []string{b.Version},
					Title: "is shipped with the function, while the runtime brings " + b.Version})
			}
			continue
		}
		if st := standings[c.PURL]; st != nil && rt != nil && before(st, rt) {
			out = append(out, Note{Rule: RuleSDK, Severity: "low", Probable: true, Component: c.PURL, From: "table", Source: rt.Source, AsOf: rt.AsOf,
				Detail: fmt.Sprintf("%s came on %s; this version was published on %s", rt.ID, rt.Released.Format(time.DateOnly), st.Published.Format(time.DateOnly)),
				Title:  fmt.Sprintf("is shipped with the function, and older than any that runtime %s has brought", rt.ID)})
		}
	}
	return out
}

// sdkMargin is how much older than a runtime the SDK may be that it brought on
// its first day. Those of AWS were under half a year old.
const sdkMargin = year * day

func before(st *registry.Standing, rt *Answer) bool {
	return !st.Published.IsZero() && !rt.Released.IsZero() && rt.Released.Sub(st.Published) > sdkMargin
}

func above(p registry.Package, a, b string) bool {
	c, ok := registry.Compare(p, a, b)
	return ok && c > 0
}

func pathOf(c *sbom.Component) string {
	if len(c.Occurrences) > 0 {
		return c.Occurrences[0].Path
	}
	return c.PURL
}
