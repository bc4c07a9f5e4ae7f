package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// maxElementBytes is the longest name of one file or folder: NAME_MAX of Linux,
// limits.h. No function platform can hold a longer one.
const maxElementBytes = 255

// CleanPath turns the name of an archive entry into a path that is safe and
// valid by fs.ValidPath. It is the one place where names are cleaned. Empty and
// "." elements vanish, as every extractor treats them. What could reach out of
// the tree or confuse a reader is escaped as %XX, byte by byte, and odd says
// why: NoticeTraversal for "..", a leading slash, a drive or a UNC name;
// NoticeName for an empty name, control or bidirectional characters, bytes that
// are not UTF-8, and backslashes; NoticeLimit for a name that is too long or
// too deep by the default Limits and was shortened. In an odd name a percent
// sign is escaped too, so that two odd names that differ stay different. With
// odd == "" the path differs from the name by vanished elements only.
func CleanPath(name string) (path string, odd NoticeKind) {
	return cleanPath(name, Limits{}.withDefaults())
}

func cleanPath(name string, lim Limits) (string, NoticeKind) {
	if name == "" {
		return "%", NoticeName
	}
	path := name
	odd := nameFault(name)
	if odd != "" {
		path = escapeName(name)
	}
	path = dropEmpty(path)
	if path == "" { // only dots and slashes: "." or "./"
		return "%2E", NoticeName
	}
	if len(path) > lim.MaxNameBytes || strings.Count(path, "/") >= lim.MaxPathDepth || longElement(path) {
		return shorten(name, path), NoticeLimit
	}
	return path, odd
}

// nameFault says whether name must be escaped, and why.
func nameFault(name string) NoticeKind {
	odd := NoticeKind("")
	back := false
	for i := 0; i < len(name); {
		c := name[i]
		switch {
		case c == '\\':
			back, odd = true, NoticeName
			i++
		case c < utf8.RuneSelf:
			if c < 0x20 || c == 0x7f {
				odd = NoticeName
			}
			i++
		default:
			r, n := utf8.DecodeRuneInString(name[i:])
			if !harmless(r, n) {
				odd = NoticeName
			}
			i += n
		}
	}
	as := name
	if back { // how Windows, and tools that follow it, read the name
		as = strings.ReplaceAll(name, `\`, "/")
	}
	if as[0] == '/' || drive(as) || as == ".." || strings.HasPrefix(as, "../") ||
		strings.HasSuffix(as, "/..") || strings.Contains(as, "/../") {
		return NoticeTraversal
	}
	return odd
}

// harmless reports whether a rune of n bytes may stand in a path: no broken
// UTF-8, no C1 control, none of the bidirectional controls that make a name
// read as another (Unicode TR 36, section 2.5), no line or paragraph separator.
func harmless(r rune, n int) bool {
	switch {
	case r == utf8.RuneError && n <= 1:
		return false
	case r >= 0x80 && r <= 0x9f, r == 0x2028, r == 0x2029:
		return false
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
		return false
	case r == 0xfeff:
		return false
	}
	return true
}

func drive(s string) bool {
	return len(s) >= 2 && s[1] == ':' && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z'
}

// escapeName writes an odd name with every troublesome byte as %XX.
func escapeName(name string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(name) + 16)
	esc := func(s string) {
		for i := range len(s) {
			b.WriteByte('%')
			b.WriteByte(hexDigits[s[i]>>4])
			b.WriteByte(hexDigits[s[i]&15])
		}
	}
	for name != "" && name[0] == '/' {
		esc("/")
		name = name[1:]
	}
	if drive(name) {
		b.WriteByte(name[0])
		esc(":")
		name = name[2:]
	}
	for i := 0; i < len(name); {
		if (i == 0 || name[i-1] == '/') && strings.HasPrefix(name[i:], "..") && (i+2 == len(name) || name[i+2] == '/') {
			esc("..")
			i += 2
			continue
		}
		c := name[i]
		n := 1
		bad := c == '%' || c == '\\' || c < 0x20 || c == 0x7f
		if c >= utf8.RuneSelf {
			var r rune
			r, n = utf8.DecodeRuneInString(name[i:])
			bad = !harmless(r, n)
		}
		if bad {
			esc(name[i : i+n])
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}

// dropEmpty removes empty and "." elements.
func dropEmpty(p string) string {
	if p[0] != '.' && p[0] != '/' && p[len(p)-1] != '/' && !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return p
	}
	elems := strings.Split(p, "/")
	keep := elems[:0]
	for _, e := range elems {
		if e != "" && e != "." {
			keep = append(keep, e)
		}
	}
	if len(keep) == len(elems) {
		return p
	}
	return strings.Join(keep, "/")
}

func longElement(p string) bool {
	if len(p) <= maxElementBytes {
		return false
	}
	for e := range strings.SplitSeq(p, "/") {
		if len(e) > maxElementBytes {
			return true
		}
	}
	return false
}

// shorten gives an over-long path a short stand-in that keeps the first
// folders, for a person, and the base name, for whoever recognises files by it.
// The digest of the name in between keeps it apart from every other.
func shorten(name, path string) string {
	const headElems, headBytes, baseBytes = 4, 40, 160
	var b strings.Builder
	base := path[strings.LastIndexByte(path, '/')+1:]
	n := 0
	for e := range strings.SplitSeq(path, "/") {
		if n == headElems || n+1 > strings.Count(path, "/") {
			break
		}
		b.WriteString(cut(e, headBytes))
		b.WriteByte('/')
		n++
	}
	sum := sha256.Sum256([]byte(name))
	b.WriteString("%~" + hex.EncodeToString(sum[:8]) + "/")
	if len(base) > baseBytes {
		b.WriteString(cut(base, baseBytes) + "%~")
	} else {
		b.WriteString(base)
	}
	return b.String()
}

// cut returns at most n bytes of s, ending at a rune boundary.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
