package trust

import (
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// Unplaced counts the packages of the kinds for which the policy lists
// registries, of which nothing says where they came from: they were not held
// against the list.
func Unplaced(of Of) int {
	n := 0
	for i := range of.Components {
		c := &of.Components[i]
		if of.Registries[typeOf(c.PURL)] != nil && !c.Main && !placed(c) {
			n++
		}
	}
	return n
}

func placed(c *sbom.Component) bool {
	for _, t := range c.Traits {
		switch t.Kind {
		case sbom.TraitResolved, sbom.TraitGit, sbom.TraitURL:
			if hostOf(strings.ToLower(t.Detail)) != "" {
				return true
			}
		case sbom.TraitFolder, sbom.TraitDevel:
			return true // from no registry
		}
	}
	return false
}

// pinned reports whether a reference names a commit: at least seven
// hexadecimal digits after "#", "@", "=" or "/", as npm, pip, Yarn, Cargo and
// the hosts of repositories write them.
func pinned(reference string) bool {
	reference, _, _ = strings.Cut(reference, "&")
	last := reference[strings.LastIndexAny(reference, "#@=/")+1:]
	if i := strings.IndexByte(last, '.'); i >= 0 && strings.HasPrefix(last[i:], ".tar") || strings.HasSuffix(last, ".zip") {
		last = last[:strings.IndexByte(last, '.')]
	}
	return len(last) >= 7 && strings.Trim(last, "0123456789abcdef") == ""
}

// plain reports whether a lower-case address is one without encryption.
func plain(address string) bool {
	address = strings.TrimPrefix(address, "git+")
	return strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "git://")
}

// inside reports whether a path leads to the project's own files.
func inside(reference string) bool {
	for _, prefix := range []string{"file:", "link:", "portal:", "workspace:"} {
		reference = strings.TrimPrefix(reference, prefix)
	}
	if strings.HasPrefix(reference, "/") || len(reference) > 1 && reference[1] == ':' {
		return false
	}
	for part := range strings.SplitSeq(reference, "/") {
		if part == ".." {
			return false
		}
	}
	return true
}

// hostOf returns the host of a lower-case address, with its port unless it is
// the usual one; "" when it has none.
func hostOf(address string) string {
	host, _, _ := hostPath(address)
	return host
}

// hostPath takes an address apart: "https://host/path", "git+ssh://git@host/path",
// "git@host:path", "github:owner/name".
func hostPath(address string) (host, at string, ok bool) {
	for prefix, host := range map[string]string{"github:": "github.com", "gitlab:": "gitlab.com", "bitbucket:": "bitbucket.org", "gist:": "gist.github.com"} {
		if rest, ok := strings.CutPrefix(address, prefix); ok {
			return host, "/" + rest, true
		}
	}
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case ok:
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		host, at = rest[:end], rest[end:]
	case strings.HasPrefix(address, "git@"):
		host, at, ok = strings.Cut(address, ":")
		at = "/" + at
	}
	if !ok || strings.HasPrefix(scheme, "file") {
		return "", "", false
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
	return host, at, host != ""
}

// listed reports whether an address is one of the list, or below one. An entry
// is a host, or an address with a path that must lead to it.
func listed(address string, list []string) bool {
	host, at, _ := hostPath(strings.ToLower(address))
	for _, entry := range list {
		entry = strings.ToLower(entry)
		if !strings.Contains(entry, "://") {
			entry = "https://" + entry
		}
		wantHost, wantPath, ok := hostPath(entry)
		wantPath = strings.TrimRight(wantPath, "/")
		if ok && host == wantHost && strings.HasPrefix(at, wantPath) && (len(at) == len(wantPath) || strings.IndexByte("/?#", at[len(wantPath)]) >= 0) && !strings.Contains(at, "/../") {
			return true
		}
	}
	return false
}
