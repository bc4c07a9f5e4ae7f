package catalog

import (
	"bytes"
	"path"
	"strings"
)

// osRelease is what a root file system says about its distribution.
type osRelease struct {
	id      string // "debian", "opensuse-leap"; "" when not known
	version string // "12", "3.20.3"; "" for a rolling release
	name    string // as people write it
	path    string // of the file that says so
}

// maxRelease is how many bytes of a release file are read; real ones have 500.
const maxRelease = 64 << 10

// osReleaseAt reads the release of the root file system in dir
// (os-release(5), https://www.freedesktop.org/software/systemd/man/os-release.html).
// Old or cut down systems have only a file of their own.
func (a *artifact) osReleaseAt(dir string) osRelease {
	for _, p := range []string{"etc/os-release", "usr/lib/os-release"} {
		if data, ok := a.small(path.Join(dir, p)); ok {
			if r := parseOSRelease(data); r.id != "" {
				r.path = path.Join(dir, p)
				return r
			}
		}
	}
	for _, old := range []struct{ path, id string }{
		{"etc/alpine-release", "alpine"}, {"etc/debian_version", "debian"},
		{"etc/system-release", ""}, {"etc/redhat-release", ""}, {"etc/centos-release", "centos"},
	} {
		p := path.Join(dir, old.path)
		if data, ok := a.small(p); ok {
			if r := parseOldRelease(old.id, string(firstLine(data))); r.id != "" {
				r.path = p
				return r
			}
		}
	}
	return osRelease{}
}

// small reads a file that need not be there.
func (a *artifact) small(p string) ([]byte, bool) {
	if _, err := a.tree.Resolve(p); err != nil {
		return nil, false
	}
	data, err := a.read(p, maxRelease)
	if err != nil {
		a.unread(p, err)
		return nil, false
	}
	return data, true
}

func firstLine(data []byte) []byte {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSpace(line)
}

// parseOSRelease reads lines of the form KEY=value, the value as a shell
// quotes it. Of a repeated key the last counts, as it does for a shell.
func parseOSRelease(data []byte) osRelease {
	v := map[string]string{}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		v[key] = value
	}
	r := osRelease{id: plainWord(strings.ToLower(v["ID"])), version: plainWord(v["VERSION_ID"]), name: v["PRETTY_NAME"]}
	if r.id == "debian" && r.version == "" {
		r.version = debianSeries(v["VERSION_CODENAME"])
	}
	if r.id == "alpine" && strings.Contains(r.name, "edge") && r.version != "" && !strings.Contains(r.version, "_") {
		r.version += "_edge" // newer than any release
	}
	return r
}

// plainWord is s when it can be part of a package URL's "distro" as it is.
func plainWord(s string) string {
	if len(s) > 64 {
		return ""
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			return ""
		}
	}
	return s
}

// parseOldRelease reads the one line of a release file from before os-release:
// "3.20.3", "12.5", "bookworm/sid", "CentOS release 6.10 (Final)".
func parseOldRelease(id, line string) osRelease {
	r := osRelease{id: id, name: line}
	if id == "debian" {
		series, _, _ := strings.Cut(line, "/")
		if r.version = debianSeries(series); r.version != "" {
			return r
		}
	}
	for _, word := range strings.Fields(line) {
		if word[0] >= '0' && word[0] <= '9' {
			r.version = plainWord(word)
			break
		}
	}
	lower := strings.ToLower(line)
	for _, known := range []struct{ start, id string }{
		{"red hat", "rhel"}, {"centos", "centos"}, {"rocky", "rocky"}, {"almalinux", "almalinux"}, {"amazon", "amzn"}, {"fedora", "fedora"}, {"oracle", "ol"},
	} {
		if strings.HasPrefix(lower, known.start) {
			r.id = known.id
		}
	}
	return r
}

// debianSeries returns the number of a Debian release that does not say it
// itself: while it is in testing, os-release has only the name
// (distro-info-data, debian.csv, as of 2026-11).
func debianSeries(name string) string {
	switch name {
	case "buster":
		return "10"
	case "bullseye":
		return "11"
	case "bookworm":
		return "12"
	case "trixie":
		return "13"
	case "forky":
		return "14"
	}
	return ""
}

// distro is the value of a package URL's qualifier of that name: "debian-12".
func (r *osRelease) distro() string {
	if r.id == "" || r.version == "" {
		return r.id
	}
	return r.id + "-" + r.version
}

// namespace is what package URLs of the distribution's packages start with
// (purl-spec, PURL-TYPES.rst; the exceptions are those that syft makes).
func (r *osRelease) namespace(typ string) string {
	switch {
	case typ == "rpm" && r.id == "rhel":
		return "redhat"
	case strings.HasPrefix(r.id, "opensuse"):
		return "opensuse"
	}
	return strings.ToLower(r.id)
}
