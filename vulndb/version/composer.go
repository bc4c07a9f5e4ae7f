package version

import "strings"

// composer spells a version as Composer does before it compares: without a
// leading "v" and without build metadata, with four numbers, and with one word
// for each stability, so that 9.0 and 9.0.0 are one version and 9.0.0-beta1 is
// below 9.0. PHP's version_compare, which semantic follows, takes the two for
// different. What does not have this form (a branch, a date with other
// letters) is returned as it was.
//
// Source: getcomposer.org/doc/articles/versions.md ("Stability constraints")
// and the behaviour of composer/semver 3.3, asked on 2026-11-25 about 100,000
// generated pairs.
func composer(s string) string {
	rest := trimV(s)
	rest, _, _ = strings.Cut(rest, "+")
	var numbers []string
	for len(numbers) < 4 {
		n := digits(rest)
		if n == 0 {
			break
		}
		numbers, rest = append(numbers, rest[:n]), rest[n:]
		if len(rest) < 2 || rest[0] != '.' || digits(rest[1:]) == 0 {
			break
		}
		rest = rest[1:]
	}
	if len(numbers) == 0 || digits(rest) > 0 {
		return s
	}
	if len(numbers) == 1 && len(numbers[0]) > 5 { // a date; Composer leaves its length alone
		return s
	}
	for len(numbers) < 4 {
		numbers = append(numbers, "0")
	}
	tail, ok := composerStability(rest)
	if !ok {
		return s
	}
	return strings.Join(numbers, ".") + tail
}

// stabilities are the words that Composer knows, longer ones before those that
// they begin with, and how it spells them.
var stabilities = [...]struct{ word, spelled string }{
	{"stable", ""}, {"beta", "-beta"}, {"b", "-beta"}, {"rc", "-RC"}, {"alpha", "-alpha"}, {"a", "-alpha"},
	{"patch", "-patch"}, {"pl", "-patch"}, {"p", "-patch"},
}

// composerStability spells what follows the numbers: a separator, a word, a
// number of the word, and "dev".
func composerStability(s string) (tail string, ok bool) {
	rest := strings.ToLower(s)
	if body, dev := strings.CutSuffix(rest, "dev"); dev && (body == "" || strings.ContainsAny(body[len(body)-1:], ".-_0123456789") || composerWord(body)) {
		tail = "-dev"
		rest = strings.TrimRight(body, ".-_")
	}
	if rest == "" {
		return tail, true
	}
	if rest = strings.TrimLeft(rest[:1], "._-") + rest[1:]; rest == "" { // "1." is 1
		return tail, true
	}
	for _, st := range stabilities {
		after, found := strings.CutPrefix(rest, st.word)
		if !found {
			continue
		}
		after = strings.TrimLeft(after, ".-")
		if strings.Trim(after, "0123456789.-") != "" {
			continue
		}
		if st.spelled == "" {
			return tail, true
		}
		return st.spelled + after + tail, true
	}
	return "", false
}

func composerWord(s string) bool {
	for _, st := range stabilities {
		if strings.HasSuffix(s, st.word) {
			return true
		}
	}
	return false
}

// digits counts the digits that a string begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
