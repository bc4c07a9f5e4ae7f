package pystrip

import (
	"strconv"
	"strings"
)

// versionText returns a value as a version in the normal form of PEP 440, ""
// when it is none, or one that stands for "not known".
func versionText(v *value) string {
	switch v.form {
	case text, number:
		return Normal(v.text)
	case sequence:
		return tupleVersion(v.items)
	}
	return ""
}

// tupleVersion reads version tuples: (1, 2, 3), ("1", "2"), (1, 2, 3, "final",
// 0), (1, 2, 0, "rc", 1), (1, 2, None).
func tupleVersion(items []*value) string {
	if len(items) < 2 || len(items) > 7 {
		return ""
	}
	var b strings.Builder
	for i, item := range items {
		s, ok := item.plain()
		if !ok {
			return ""
		}
		if item.form == null || i >= 2 && (s == "final" || s == "f" || s == "") {
			break
		}
		_, err := strconv.Atoi(s)
		if i == 0 && err != nil {
			return ""
		}
		if i > 0 && err == nil && !letterBefore(items[i-1]) {
			b.WriteByte('.')
		} else if i > 0 && err != nil {
			if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "+") || len(s) > 10 {
				return Normal(b.String() + s)
			}
		}
		b.WriteString(s)
	}
	return Normal(b.String())
}

// letterBefore reports whether an element is the word in front of a number: "rc", 1.
func letterBefore(v *value) bool {
	if v.form != text {
		return false
	}
	_, err := strconv.Atoi(v.text)
	return err != nil
}

// Normal returns a version in the normal form of PEP 440
// (https://packaging.python.org/specifications/version-specifiers/#normalization),
// which is how metadata spells it: "2022.09.24" is 2022.9.24 and "1.0-RC1" is
// 1.0rc1. What follows a blank is left out. It is "" for what is no version, and
// for the placeholders that stand in a source tree: 0, 0.0.0, "+unknown".
func Normal(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	s = strings.ToLower(s)
	if len(s) > 100 {
		return ""
	}
	s = strings.TrimPrefix(s, "v")
	s, local, hasLocal := strings.Cut(s, "+")
	var b strings.Builder
	if epoch, rest, ok := strings.Cut(s, "!"); ok {
		if !digits(epoch) {
			return ""
		}
		if e := trimZeros(epoch); e != "0" {
			b.WriteString(e)
			b.WriteByte('!')
		}
		s = rest
	}
	release, s := numbers(s)
	if release == "" || strings.Trim(release, "0.") == "" {
		return ""
	}
	b.WriteString(release)
	for _, part := range suffixes {
		word, rest := part.cut(s)
		b.WriteString(word)
		s = rest
	}
	if s != "" {
		return ""
	}
	if hasLocal {
		local = strings.NewReplacer("-", ".", "_", ".").Replace(local)
		if local == "" || strings.Contains(local, "unknown") || strings.Trim(local, "abcdefghijklmnopqrstuvwxyz0123456789.") != "" {
			return ""
		}
		b.WriteString("+" + local)
	}
	return b.String()
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func trimZeros(s string) string {
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return "0"
}

// numbers cuts the release, "1.02.3", off a version.
func numbers(s string) (release, rest string) {
	var parts []string
	for {
		n := 0
		for n < len(s) && digit(s[n]) {
			n++
		}
		if n == 0 {
			break
		}
		parts = append(parts, trimZeros(s[:n]))
		s = s[n:]
		if len(s) < 2 || s[0] != '.' || !digit(s[1]) {
			break
		}
		s = s[1:]
	}
	return strings.Join(parts, "."), s
}

// suffix is one of the parts behind the release: its spellings, and how it is
// written.
type suffix struct {
	words  []string
	normal string
}

// suffixes stand in this order. The longer spellings come first.
var suffixes = []suffix{
	{[]string{"alpha", "a"}, "a"},
	{[]string{"beta", "b"}, "b"},
	{[]string{"preview", "pre", "rc", "c"}, "rc"},
	{[]string{"post", "rev", "r"}, ".post"},
	{[]string{"dev"}, ".dev"},
}

// cut takes the part off the start of s, if it is there, with the number
// behind it; none counts as 0.
func (p *suffix) cut(s string) (part, rest string) {
	if p.normal == ".post" && len(s) > 1 && s[0] == '-' && digits(s[1:2]) {
		n, rest := numberAt(s[1:])
		return ".post" + n, rest
	}
	at := strings.TrimLeft(s, ".-_")
	if len(s)-len(at) > 1 {
		return "", s
	}
	for _, w := range p.words {
		behind, ok := strings.CutPrefix(at, w)
		if !ok {
			continue
		}
		if t := strings.TrimLeft(behind, ".-_"); len(behind)-len(t) == 1 && t != "" && digit(t[0]) {
			behind = t
		}
		n, rest := numberAt(behind)
		return p.normal + n, rest
	}
	return "", s
}

func numberAt(s string) (n, rest string) {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return trimZeros(s[:i]), s[i:]
}
