package registry

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// What registries say is written by strangers: the functions here bring it into
// a shape that can be kept and compared.

// Bounds on what is kept of an answer. More versions than maxVersions is an
// error, since which ones matter is not known; text and lists are cut.
const (
	maxVersions = 100_000 // the longest lists of the real registries have about 15,000
	maxText     = 512     // bytes of a message, a name, an address
	maxList     = 100     // names, licences, scripts
	maxRequires = 2_000   // packages that one version needs
	maxInner    = 1 << 18 // bytes of an object or list within an answer that is read as a whole: in memory it takes ten times as much
)

// Published dates outside of these were not told: before the oldest registry
// there was nothing to publish on, and nothing is published after it was read
// (but clocks differ).
const (
	firstYear = 1995
	maxAhead  = 48 * time.Hour
)

// sane returns a publication date in whole seconds, as they are kept, or zero
// for one that cannot be true.
func sane(t, read time.Time) time.Time {
	if t.Year() < firstYear || t.Unix() > latestEver || !read.IsZero() && t.After(read.Add(maxAhead)) {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// date reads a date of RFC 3339; zero when it is none, or cannot be true.
func date(s string, read time.Time) time.Time {
	if len(s) > 64 {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return sane(t, read)
}

// plain returns text in one line without control characters, cut at maxText bytes.
func plain(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar, unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxText {
		s = strings.TrimSpace(strings.ToValidUTF8(s[:maxText-len("…")], "")) + "…"
	}
	return s
}

// versionText says whether something can be a version at all.
func versionText(s string) bool {
	return s != "" && len(s) <= version.MaxLength && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r)
	})
}

// ordered sorts versions by the order of an ecosystem. Those that are no
// versions there come first, as the registry lists them.
func ordered(ecosystem string, list []Version) []Version {
	type one struct {
		v      Version
		parsed version.Version
		bad    bool
	}
	all := make([]one, len(list))
	for i, v := range list {
		parsed, err := version.Parse(ecosystem, "", v.Version)
		all[i] = one{v, parsed, err != nil}
	}
	slices.SortStableFunc(all, func(a, b one) int {
		switch {
		case a.bad && b.bad:
			return 0
		case a.bad:
			return -1
		case b.bad:
			return 1
		}
		c, _ := a.parsed.Compare(b.parsed)
		return c
	})
	for i := range all {
		list[i] = all[i].v
	}
	return list
}

// text reads a JSON string; "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// texts reads a JSON object of strings; what is no string is left out, nil when
// it is no object, or too large to be an honest one.
func texts(raw json.RawMessage) map[string]string {
	if len(raw) == 0 || raw[0] != '{' || len(raw) > maxInner {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := make(map[string]string, len(all))
	for k, v := range all {
		if len(v) > 0 && v[0] == '"' {
			out[k] = text(v)
		}
	}
	return out
}

// list reads the first maxList elements of a JSON list; nil when it is none, or
// too large to be an honest one.
func list(raw json.RawMessage) []json.RawMessage {
	var all []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || len(raw) > maxInner || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all[:min(len(all), maxList)]
}

// yes says whether a JSON value is true.
func yes(raw json.RawMessage) bool { return string(raw) == "true" }

// sri reads Subresource Integrity ("sha512-BASE64 sha1-BASE64"): algorithm ->
// hexadecimal digest; what is none is left out.
func sri(s string) map[string]string {
	out := map[string]string{}
	for _, one := range strings.Fields(s) {
		alg, value, _ := strings.Cut(one, "-")
		value, _, _ = strings.Cut(value, "?")
		sum, err := base64.StdEncoding.DecodeString(value)
		if err == nil && digestSize(alg) == len(sum) && len(sum) > 0 {
			out[alg] = hex.EncodeToString(sum)
		}
	}
	return out
}

// hexSum returns a hexadecimal digest of an algorithm in lower case; "" when it is none.
func hexSum(alg, s string) string {
	sum, err := hex.DecodeString(s)
	if err != nil || len(sum) == 0 || len(sum) != digestSize(alg) {
		return ""
	}
	return strings.ToLower(s)
}

// digestSize is the length of an algorithm's digests in bytes; 0 for one that is not used.
func digestSize(alg string) int {
	switch alg {
	case "sha1":
		return 20
	case "sha256":
		return 32
	case "sha384":
		return 48
	case "sha512":
		return 64
	}
	return 0
}

// forges are the short names of source hosts in npm's manifests.
var forges = map[string]string{"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "gist": "gist.github.com"}

// repository brings the address of a source repository into the form
// "github.com/a/b": no scheme, login, ".git", or folder within; "" for none.
func repository(raw string) string {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxText {
		return ""
	}
	if short, rest, ok := strings.Cut(raw, ":"); ok && forges[short] != "" {
		raw = "https://" + forges[short] + "/" + rest
	}
	if !strings.Contains(raw, "://") {
		switch user, rest, ok := strings.Cut(raw, "@"); {
		case ok && strings.Contains(rest, ":") && !strings.Contains(user, "/"): // git@host:a/b
			raw = "ssh://" + strings.Replace(rest, ":", "/", 1)
		case strings.Count(raw, "/") == 1 && !strings.Contains(raw[:strings.IndexByte(raw, '/')], "."): // a/b
			raw = "https://github.com/" + raw
		default:
			raw = "https://" + strings.TrimPrefix(raw, "//")
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || !strings.Contains(u.Hostname(), ".") {
		return ""
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	path := strings.Trim(u.Path, "/")
	parts := strings.Split(path, "/")
	if (host == "github.com" || host == "bitbucket.org") && len(parts) > 2 {
		parts = parts[:2]
	}
	if i := slices.Index(parts, "-"); host == "gitlab.com" && i > 0 { // gitlab.com/a/b/-/tree/main
		parts = parts[:i]
	}
	path = strings.TrimSuffix(strings.Join(parts, "/"), ".git")
	if path == "" {
		return ""
	}
	if host == "github.com" { // whose names have no case
		path = strings.ToLower(path)
	}
	return plain(host + "/" + path)
}
