package attest

import (
	"regexp"
	"strings"
	"sync"
)

// origin is what a URI of a provenance says of the source.
type origin struct {
	repository string // as Demand.Source is written: without "git+", ".git" and what follows
	ref        string // "refs/tags/v1.2.3"; "" not said, or not in full: "v1" may be a branch
	commit     string // "" not said
}

// commitPath is how Google Cloud Build wrote a commit into the URI of a source.
var commitPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)/commit/([0-9a-f]{40}|[0-9a-f]{64})$`) })

// parseOrigin takes a source URI apart: SPDX download locations
// ("git+https://host/o/r@ref", also with ".git" and with a part after "#"),
// BuildKit's "https://host/o/r.git#ref", Cloud Build's "https://host/o/r/commit/HASH".
// What it leaves is compared as text, case-sensitively.
func parseOrigin(uri string) origin {
	var o origin
	var behind string // "@" or "#": a ref, or a commit
	o.repository, behind, _ = strings.Cut(strings.TrimPrefix(uri, "git+"), "#")
	path := 0 // where it starts; an "@" before it belongs to the user name
	if i := strings.Index(o.repository, "://"); i >= 0 {
		path = i + len("://")
	}
	if i := strings.IndexByte(o.repository[path:], '/'); i >= 0 {
		path += i
	} else {
		path = len(o.repository)
	}
	if i := strings.IndexByte(o.repository[path:], '@'); i >= 0 {
		behind, o.repository = o.repository[path+i+1:], o.repository[:path+i]
	}
	switch {
	case strings.HasPrefix(behind, "refs/"):
		o.ref = behind
	case hexCommit().MatchString(behind):
		o.commit = behind
	}
	if m := commitPath().FindStringSubmatch(o.repository); m != nil {
		o.repository, o.commit = m[1], m[2]
	}
	o.repository = strings.TrimSuffix(o.repository, ".git")
	return o
}

// hexCommit is a git commit. GitLab writes one under "sha256", so the name of
// the algorithm does not say how long it is.
var hexCommit = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`) })

// commitOf is the commit in a digest set; "" when there is none.
func commitOf(set map[string]string) string {
	for _, alg := range []string{"gitCommit", "sha1", "sha256"} {
		if c := strings.ToLower(set[alg]); hexCommit().MatchString(c) {
			return c
		}
	}
	return ""
}

// The parts of a demanded version, and of a tag: what stands before the
// version must be the same text in both. Numbers without leading zeros, as
// Semantic Versioning 2.0.0 has them (items 2, 9 and 10).
var (
	demandedVersion = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(.*?)(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?$`)
	})
	taggedVersion = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$`)
	})
)

// tagMatches says whether a tag is a demanded one. "semver:v1" stands for every
// release 1.x.y, "semver:v1.2" for every 1.2.x and "semver:v1.2.3" for that
// release with any build metadata; "semver:api/v1" for tags like "api/v1.4.0".
// A pre-release is not a release. Anything else is an exact tag.
func tagMatches(demand, tag string) bool {
	version, ok := strings.CutPrefix(demand, "semver:")
	if !ok {
		return tag == demand
	}
	want := demandedVersion().FindStringSubmatch(version)
	if want == nil {
		return false
	}
	rest, ok := strings.CutPrefix(tag, want[1])
	got := taggedVersion().FindStringSubmatch(rest)
	if !ok || got == nil || got[4] != "" {
		return false
	}
	for i, n := range want[2:] {
		if n != "" && n != got[i+1] {
			return false
		}
	}
	return true
}
