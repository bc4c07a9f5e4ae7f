package codec

import (
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// maxExpression is the length in bytes from which on a declared licence is
// taken as text: the longest expressions in real packages have a few hundred.
const maxExpression = 1000

// licenseID returns the SPDX identifier that s spells in whatever case, as
// SPDX 2.3 annex D says that case does not count.
func licenseID(s string) (string, bool) {
	if ok, id := spdxlicenses.IsActiveLicense(s); ok {
		return id, true
	}
	if ok, id := spdxlicenses.IsDeprecatedLicense(s); ok {
		return id, true
	}
	return "", false
}

// licenseExpression returns s as a valid SPDX licence expression (SPDX 2.3
// annex D) with the identifiers and operators in their own case. References to
// licences that the list does not have (LicenseRef-, DocumentRef-) are not
// valid here, because no document of ours could say what they mean.
func licenseExpression(s string) (string, bool) {
	if len(s) > maxExpression {
		return "", false
	}
	if id, ok := licenseID(s); ok {
		return id, true
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "(", " ( "), ")", " ) ")
	words := strings.Fields(s)
	out := make([]string, 0, len(words))
	depth := 0
	operand := true // what comes next is a licence, not an operator
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch upper := strings.ToUpper(word); {
		case word == "(":
			if !operand {
				return "", false
			}
			depth++
		case word == ")":
			if operand || depth == 0 {
				return "", false
			}
			depth--
		case upper == "AND" || upper == "OR":
			if operand {
				return "", false
			}
			operand, word = true, upper
		case upper == "WITH":
			if operand || i+1 == len(words) || out[len(out)-1] == ")" || i > 1 && words[i-2] != "(" && !operator(words[i-2]) {
				return "", false
			}
			ok, exception := spdxlicenses.IsException(words[i+1])
			if !ok {
				return "", false
			}
			out = append(out, "WITH")
			word = exception
			i++
		default:
			id, plus := strings.CutSuffix(word, "+")
			known, ok := licenseID(word) // "GPL-2.0+" is itself a (deprecated) identifier
			if !ok && plus {
				if known, ok = licenseID(id); ok {
					known += "+"
				}
			}
			if !ok || !operand {
				return "", false
			}
			operand, word = false, known
		}
		out = append(out, word)
	}
	if operand || depth != 0 {
		return "", false
	}
	s = strings.Join(out, " ")
	return strings.ReplaceAll(strings.ReplaceAll(s, "( ", "("), " )", ")"), true
}

func operator(word string) bool {
	word = strings.ToUpper(word)
	return word == "AND" || word == "OR"
}

// enclosed says whether one pair of parentheses is around all of s.
func enclosed(s string) bool {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i > 0 && i == len(s)-1
		}
	}
	return false
}
