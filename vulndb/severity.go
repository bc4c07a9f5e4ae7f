package vulndb

import (
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// The severities of a Group, worst first. They are the words of the JSON
// report.
const (
	WordCritical = "critical"
	WordHigh     = "high"
	WordMedium   = "medium"
	WordLow      = "low"
	WordNone     = "none"
	WordUnknown  = "unknown"
)

// Rate returns the base score (0 to 10) of a CVSS vector of version 2.0, 3.0,
// 3.1 or 4.0, and the version's major number. ok is false for anything else,
// a damaged vector included.
func Rate(vector string) (score float64, major int, ok bool) {
	vector = strings.TrimSpace(vector)
	if len(vector) > maxVector {
		return 0, 0, false
	}
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(vector)
		if err != nil {
			return 0, 0, false
		}
		return v.Score(), 4, true
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return 0, 0, false
		}
		return v.BaseScore(), 3, true
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return 0, 0, false
		}
		return v.BaseScore(), 3, true
	case strings.HasPrefix(vector, "AV:"), strings.HasPrefix(vector, "(AV:"):
		v, err := gocvss20.ParseVector(strings.Trim(vector, "()"))
		if err != nil {
			return 0, 0, false
		}
		return v.BaseScore(), 2, true
	}
	return 0, 0, false
}

// maxVector bounds a CVSS vector in bytes; a 4.0 vector with every metric has
// under 220.
const maxVector = 512

// WordOf returns the word for a CVSS score of the given major version, by the
// qualitative scales of CVSS 3.x and 4.0 (specification section "Qualitative
// Severity Rating Scale") and of the NVD for 2.0, which has no critical.
func WordOf(score float64, major int) string {
	switch {
	case score >= 9 && major > 2:
		return WordCritical
	case score >= 7:
		return WordHigh
	case score >= 4:
		return WordMedium
	case score > 0:
		return WordLow
	}
	if major == 2 {
		return WordLow // the NVD's scale for 2.0 begins with low
	}
	return WordNone
}

// NormalWord maps a rating in a database's own words to ours, or to "" when it
// says nothing.
func NormalWord(s string) string {
	switch strings.ToLower(strings.TrimRight(strings.TrimSpace(s), "*")) {
	case "critical":
		return WordCritical
	case "high", "important":
		return WordHigh
	case "medium", "moderate":
		return WordMedium
	case "low", "minor", "negligible":
		return WordLow
	case "none", "informational":
		return WordNone
	}
	return "" // "unimportant", "not yet assigned", "unspecified", "untriaged", ...
}

// wordRank orders words: 5 for critical down to 1 for none, 0 for the rest.
func wordRank(word string) int {
	switch word {
	case WordCritical:
		return 5
	case WordHigh:
		return 4
	case WordMedium:
		return 3
	case WordLow:
		return 2
	case WordNone:
		return 1
	}
	return 0
}

// rating is what one record says about how bad it is.
type rating struct {
	score  float64
	major  int // of CVSS; 0: no score
	vector string
	word   string
}

// rating reads the record's own ratings, or else those of the entry that
// matched: the OSV schema allows either place. Within one record CVSS 4 goes
// before 3 before 2, whatever the numbers are; of one version the highest.
func (m *Match) rating() rating {
	a := m.Advisory
	r := bestVector(a.Severities)
	words := []string{a.Word}
	for _, s := range a.Severities {
		if !strings.HasPrefix(s.Type, "CVSS") {
			words = append(words, s.Score)
		}
	}
	if m.Affected >= 0 && m.Affected < len(a.Affected) {
		e := &a.Affected[m.Affected]
		if r.major == 0 {
			r = bestVector(e.Severities)
		}
		words = append(words, e.Word)
		for _, s := range e.Severities {
			if !strings.HasPrefix(s.Type, "CVSS") {
				words = append(words, s.Score)
			}
		}
	}
	if r.major == 0 && a.Score > 0 && a.Score <= 10 {
		r.score = a.Score
		switch a.ScoreType {
		case "CVSS_V4":
			r.major = 4
		case "CVSS_V2":
			r.major = 2
		default:
			r.major = 3
		}
	}
	for _, w := range words {
		if n := NormalWord(w); wordRank(n) > wordRank(r.word) {
			r.word = n
		}
	}
	return r
}

func bestVector(list []Severity) rating {
	var best rating
	for _, s := range list {
		score, major, ok := Rate(s.Score)
		if ok && (major > best.major || major == best.major && score > best.score) {
			best = rating{score: score, major: major, vector: strings.TrimSpace(s.Score)}
		}
	}
	return best
}
