package jsbundle

import (
	"cmp"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed awsversions.txt
var awsVersionsText string

// sdkRelease is a version 3.minor.patch of the SDK.
type sdkRelease struct{ minor, patch int }

func (r sdkRelease) before(other sdkRelease) bool {
	return r.minor < other.minor || r.minor == other.minor && r.patch < other.patch
}

func (r sdkRelease) String() string { return fmt.Sprintf("3.%d.%d", r.minor, r.patch) }

// What the table's law holds for: before sdkRanges each package depends on exact
// versions of the others; from sdkMoved on, those whose last release is at most
// sdkLastMoved live on under @smithy, and what is left of them nothing needs.
const (
	sdkMoved     = 363
	sdkLastMoved = 374
	sdkRanges    = 972
)

// sdkRun is a row of releases: first, and when last is more, each 3.N.0 to it.
type sdkRun struct {
	first sdkRelease
	last  int
}

// awsVersions is the table by the name behind the scope; runs are in order.
var awsVersions = sync.OnceValue(func() map[string][]sdkRun {
	all := map[string][]sdkRun{}
	for line := range strings.SplitSeq(awsVersionsText, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 || line[0] == '#' {
			continue
		}
		for _, f := range fields[1:] {
			var run sdkRun
			from, to, many := strings.Cut(f, "-")
			minor, patch, _ := strings.Cut(from, ".")
			run.first.minor, _ = strconv.Atoi(minor) // the table is ours; a test reads all of it
			run.first.patch, _ = strconv.Atoi(patch)
			run.last = run.first.minor
			if many {
				run.last, _ = strconv.Atoi(to)
			}
			all[fields[0]] = append(all[fields[0]], run)
		}
	}
	return all
})

// sdkVersion returns the version of a package of the SDK that clients of a
// release depend on, "" when the law does not hold for it.
func sdkVersion(base string, client sdkRelease) string {
	runs := awsVersions()[base]
	if len(runs) == 0 || client.minor >= sdkRanges || client.minor >= sdkMoved && runs[len(runs)-1].last <= sdkLastMoved {
		return ""
	}
	newest := ""
	for _, run := range runs {
		if client.before(run.first) {
			break
		}
		newest = run.first.String()
		if run.last > run.first.minor {
			newest = sdkRelease{minor: min(run.last, client.minor)}.String()
		}
	}
	return newest
}

// SDKVersions returns claims for the versions of the AWS SDK's packages that are
// proven to be in a bundle without one. They follow from the versions of the
// clients that are there, which say them: each release of the SDK depends on
// exact versions of its own packages. Clients of several releases must agree. Of
// several copies nothing tells which one it is: the claim then has no place.
func SDKVersions(claims []Claim) []Claim {
	versioned, places := map[string]bool{}, map[string]string{}
	copies := map[string]bool{}
	clients, below := map[sdkRelease]bool{}, map[sdkRelease]bool{}
	for _, c := range claims {
		versioned[c.Name] = versioned[c.Name] || c.Version != ""
		if known := places[c.Name]; known != "" && c.Path != "" && known != c.Path {
			copies[c.Name] = true
		}
		places[c.Name] = cmp.Or(places[c.Name], c.Path)
		if r, ok := parseRelease(c.Version); ok && strings.HasPrefix(c.Name, clientPrefix) {
			if serves(c.Name) {
				below[r] = true
			} else {
				clients[r] = true
			}
		}
	}
	if len(clients) == 0 {
		clients = below
	}
	var out []Claim
	for _, c := range claims {
		base, ok := strings.CutPrefix(c.Name, "@aws-sdk/")
		if !ok || versioned[c.Name] {
			continue
		}
		if version := agreed(base, clients); version != "" {
			c.Version, c.Method, c.Confidence, c.Detail = version, MethodClientVersion, min(c.Confidence, 0.85), "the release of the AWS SDK's clients depends on this version"
			if copies[c.Name] {
				c.Path = ""
			}
			out = append(out, c)
			versioned[c.Name] = true
		}
	}
	return out
}

// serves reports whether a client is one that all others bring along for their
// credentials: it may be older than they are, where it did not change.
func serves(client string) bool {
	switch strings.TrimPrefix(client, clientPrefix) {
	case "sts", "sso", "sso-oidc", "cognito-identity":
		return true
	}
	return false
}

// agreed returns the version that clients of all releases depend on.
func agreed(base string, clients map[sdkRelease]bool) string {
	one := ""
	for r := range clients {
		v := sdkVersion(base, r)
		if v == "" || one != "" && v != one {
			return ""
		}
		one = v
	}
	return one
}

// parseRelease reads "3.208.0"; false when it is another form.
func parseRelease(version string) (sdkRelease, bool) {
	rest, ok := strings.CutPrefix(version, "3.")
	minor, patch, dotted := strings.Cut(rest, ".")
	m, errM := strconv.Atoi(minor)
	p, errP := strconv.Atoi(patch)
	return sdkRelease{m, p}, ok && dotted && errM == nil && errP == nil
}
