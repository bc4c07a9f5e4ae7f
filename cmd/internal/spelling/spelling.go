// Package spelling finds the word that was probably meant.
package spelling

import "strings"

// maxWord is the length in bytes over which a word is no misspelling of ours.
const maxWord = 64

// Nearest returns the word of words with the fewest edits to typed, letters in
// either case; "" when none is near enough: at most three edits, less than
// half of the word, and something of what was typed must be left. A word that starts with what was typed ("cyclonedx" for
// "cyclonedx-json"), or the other way round, is nearer than any misspelling. Of
// equally near words the first one wins.
func Nearest(typed string, words []string) string {
	typed = strings.ToLower(typed)
	if len(typed) > maxWord {
		return ""
	}
	for _, w := range words {
		if len(typed) >= 3 && (strings.HasPrefix(w, typed) || len(w) >= 3 && strings.HasPrefix(typed, w)) {
			return w
		}
	}
	best, fewest := "", 4
	for _, w := range words {
		if d := distance(typed, w); d < fewest && d < len(typed) && d*2 < max(len(w), 3) {
			best, fewest = w, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two byte strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
