package report

import (
	"net/url"
	"strings"
)

// artifactURI makes a URI reference of what the user called the artifact: a
// file URI of an absolute path, a relative reference otherwise.
func artifactURI(ref string) string {
	path := strings.ReplaceAll(ref, `\`, "/")
	u := url.URL{Path: path}
	if len(path) > 2 && path[1] == ':' && path[2] == '/' && letter(path[0]) {
		u.Path = "/" + path // a Windows drive
	}
	if strings.HasPrefix(u.Path, "/") {
		u.Path, u.Scheme = "/"+strings.TrimLeft(u.Path, "/"), "file"
	}
	return u.String()
}

// sarifEscape escapes what SARIF 3.11.5 and 3.11.6 give a meaning in message
// texts (placeholders and links), and what viewers that render them as HTML would.
func sarifEscape(s string) string {
	s = Escape(s)
	if !strings.ContainsAny(s, `\[]{}`) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '\\', '[', ']':
			b.WriteByte('\\')
		case '{', '}':
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// markdownEscape makes text plain in Markdown: every punctuation character of
// CommonMark 2.4 that starts something is escaped, "<" and "&" as entities.
func markdownEscape(s string) string {
	var b strings.Builder
	for _, r := range Escape(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]()#+!|~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
