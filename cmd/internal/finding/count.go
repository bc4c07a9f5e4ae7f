package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Count says how many there are of something, with the right form of its name:
// "1 package", "0 packages", "26,543 packages".
func Count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(n) + " " + many
}

// Thousands writes 26543 as 26,543.
func Thousands[N int | int64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// maxUnjudged is how many reasons Unjudged says.
const maxUnjudged = 4

// Unjudged says how many packages nothing judged and why, one sentence per
// reason, the most frequent first: "41 packages unjudged: no advisory source".
// The unknowns are those of kind unmatched that count.
func Unjudged(us []Unknown) []string {
	count := map[string]int{}
	for _, u := range us {
		count[UnjudgedReason(u)]++
	}
	var reasons []string
	for why := range count {
		reasons = append(reasons, why)
	}
	slices.SortFunc(reasons, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	var out []string
	rest := 0
	for i, why := range reasons {
		if i >= maxUnjudged && len(reasons) > maxUnjudged+1 {
			rest += count[why]
			continue
		}
		out = append(out, Count(count[why], "package", "packages")+" unjudged: "+why)
	}
	if rest > 0 {
		out = append(out, Count(rest, "package", "packages")+" unjudged for other reasons")
	}
	return out
}

// UnjudgedReason is the reason of an unknown of kind unmatched without what
// differs from package to package.
func UnjudgedReason(u Unknown) string {
	if u.Reason == "" || strings.HasPrefix(u.Reason, "no advisory source") {
		return "no advisory source"
	}
	return u.Reason
}
