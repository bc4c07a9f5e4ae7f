package resolve

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxComposerClauses bounds what is asked of one version.
const maxComposerClauses = 100

// errComposer says that a constraint cannot be answered by numbers: a branch, an
// alias, or none at all.
var errComposer = errors.New("it is no constraint of numbers")

// composerClause is one bound of a constraint.
type composerClause struct {
	op string // one of ">=", "<=", "<>", ">", "<", "="
	v  version.Version
}

// acceptsComposer answers Accepts for Composer
// (https://getcomposer.org/doc/articles/versions.md#writing-version-constraints):
// one of the parts between "||" has to hold, and in a part everything that commas
// or blanks divide. What it says of branches is not known.
func acceptsComposer(rng, to string) (ok, known bool) {
	v, err := version.Parse("Packagist", "", to)
	if err != nil || !startsWithDigit(strings.TrimPrefix(strings.ToLower(to), "v")) {
		return false, false
	}
	clauses := 0
	for part := range strings.SplitSeq(strings.ReplaceAll(rng, "||", "|"), "|") {
		bounds, err := composerPart(part)
		if clauses += len(bounds); err != nil || clauses > maxComposerClauses {
			return false, false
		}
		holds := true
		for _, b := range bounds {
			c, err := v.Compare(b.v)
			if err != nil {
				return false, false
			}
			holds = holds && b.holds(c)
		}
		ok = ok || holds
	}
	return ok, true
}

// holds says whether a clause holds for a version that compares so with its own.
func (b composerClause) holds(c int) bool {
	switch b.op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case "<>":
		return c != 0
	case ">":
		return c > 0
	case "<":
		return c < 0
	}
	return c == 0
}

// composerPart reads what has to hold together; nothing is no constraint.
func composerPart(part string) ([]composerClause, error) {
	words := composerWords(part)
	if len(words) == 3 && words[1] == "-" {
		return composerHyphen(words[0], words[2])
	}
	if len(words) == 0 || len(words) > maxComposerClauses {
		return nil, errComposer
	}
	var out []composerClause
	for _, w := range words {
		bounds, err := composerBounds(w)
		if err != nil {
			return nil, err
		}
		out = append(out, bounds...)
	}
	return out, nil
}

// composerWords divides at commas and blanks, and joins an operator with what
// follows it.
func composerWords(part string) []string {
	var out []string
	op := ""
	for _, w := range strings.Fields(strings.ReplaceAll(part, ",", " ")) {
		if w = op + w; strings.Trim(w, "<>=!~^") == "" {
			op = w
			continue
		}
		op = ""
		out = append(out, w)
	}
	if op != "" {
		return nil
	}
	return out
}

// composerHyphen reads "1.0 - 2.0", where a bound of fewer than three numbers
// stands for all that begin so.
func composerHyphen(from, to string) ([]composerClause, error) {
	low, err := composerClauseOf(">=", from)
	if err != nil {
		return nil, err
	}
	if numbers, plain := composerNumbers(to); plain && len(numbers) < 3 {
		high, err := composerNext(numbers, len(numbers))
		return []composerClause{low, high}, err
	}
	high, err := composerClauseOf("<=", to)
	return []composerClause{low, high}, err
}

// composerBounds reads one word: an operator with a version, a version, or one
// with a wildcard.
func composerBounds(w string) ([]composerClause, error) {
	w, _, _ = strings.Cut(w, "@") // which stability is allowed
	for _, op := range []string{"^", "~"} {
		if text, ok := strings.CutPrefix(w, op); ok {
			return composerAbout(op, text)
		}
	}
	op := ""
	for _, known := range []string{">=", "<=", "<>", "!=", "==", ">", "<", "="} {
		if text, ok := strings.CutPrefix(w, known); ok {
			op, w = known, text
			break
		}
	}
	text := strings.TrimLeft(w, "vV")
	if i := strings.IndexAny(text, "*xX"); i >= 0 && strings.Trim(text[i:], ".*xX") == "" {
		if op != "" {
			return nil, errComposer
		}
		return composerWildcard(text[:i])
	}
	switch op {
	case "", "==":
		op = "="
	case "!=":
		op = "<>"
	}
	b, err := composerClauseOf(op, w)
	return []composerClause{b}, err
}

// composerAbout reads "^1.2.3", which goes to the next number at the first place
// that is not 0, and "~1.2.3", which goes to the next at the last place but one.
func composerAbout(op, text string) ([]composerClause, error) {
	low, err := composerClauseOf(">=", text)
	if err != nil {
		return nil, err
	}
	numbers, _ := composerNumbers(text)
	if len(numbers) == 0 {
		return nil, errComposer
	}
	at := max(len(numbers)-1, 1)
	if op == "^" {
		at = slices.IndexFunc(numbers[:min(len(numbers), 3)], func(n int) bool { return n != 0 }) + 1
		if at == 0 {
			at = min(len(numbers), 3)
		}
	}
	high, err := composerNext(numbers, at)
	return []composerClause{low, high}, err
}

// composerWildcard reads what stands before the wildcard: "1.2." of "1.2.*".
func composerWildcard(before string) ([]composerClause, error) {
	if before == "" {
		return nil, nil // all versions
	}
	numbers, plain := composerNumbers(strings.TrimSuffix(before, "."))
	if !plain || len(numbers) > 3 || !strings.HasSuffix(before, ".") {
		return nil, errComposer
	}
	low, err := composerClauseOf(">=", strings.TrimSuffix(before, "."))
	if err != nil {
		return nil, err
	}
	high, err := composerNext(numbers, len(numbers))
	return []composerClause{low, high}, err
}

// composerNext is what lies below the next number at a place, counted from 1.
func composerNext(numbers []int, at int) (composerClause, error) {
	if at < 1 || at > len(numbers) {
		return composerClause{}, errComposer
	}
	parts := make([]string, at)
	for i := range at {
		parts[i] = strconv.Itoa(numbers[i])
	}
	parts[at-1] = strconv.Itoa(numbers[at-1] + 1)
	return composerClauseOf("<", strings.Join(parts, "."))
}

// composerNumbers are the numbers that a version begins with, four at most, and
// whether it has nothing else.
func composerNumbers(text string) (numbers []int, plain bool) {
	rest := strings.TrimLeft(text, "vV")
	for len(numbers) < 4 {
		end := 0
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(rest[:end])
		if err != nil {
			return numbers, false
		}
		numbers, rest = append(numbers, n), rest[end:]
		if rest == "" {
			return numbers, true
		}
		if rest[0] != '.' {
			return numbers, false
		}
		rest = rest[1:]
	}
	return numbers, false
}

// composerClauseOf reads the version of a bound. A bound without a stability of
// its own that begins or ends what is accepted lies before all pre-releases of
// its version, as Composer has it.
func composerClauseOf(op, text string) (composerClause, error) {
	text = strings.TrimLeft(text, "vV")
	if !startsWithDigit(text) {
		return composerClause{}, errComposer
	}
	numbers, plain := composerNumbers(text)
	if lower := strings.ToLower(text); !plain && strings.HasSuffix(lower, "dev") && len(numbers) < 3 || strings.Contains(lower, "x-dev") || strings.ContainsAny(text, "#*") {
		return composerClause{}, errComposer // a branch
	}
	if plain && (op == ">=" || op == "<") {
		text += "-dev"
	}
	v, err := version.Parse("Packagist", "", text)
	return composerClause{op, v}, err
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
