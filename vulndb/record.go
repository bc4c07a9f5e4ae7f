package vulndb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on one OSV record. What is over a limit that loses information makes
// the record unreadable; references are cut, because nothing is judged by them.
const (
	MaxRecord     = 16 << 20 // bytes of JSON; the largest real one has under 3 MiB
	MaxReferences = 16       // links kept of one record
	maxAffected   = 100_000  // affected entries of one record; the largest real one has some 1,000
	maxName       = 1024     // bytes of an id, ecosystem or package name
	maxSummary    = 512      // bytes of the summary that are kept
	maxWord       = 64       // bytes of a type or a rating in words
)

// ParseRecord reads one OSV record (https://ossf.github.io/osv-schema/). The
// error says what makes it unreadable; fields that nothing is judged by are
// left out when they are malformed.
func ParseRecord(data []byte) (*Advisory, error) { return parse(&scanner{data: data}) }

// parseView is ParseRecord without copies: the result shares the memory of
// data, and is of no use once that is written over. A build reads a record,
// writes it down and forgets it, and saves half of its allocations so.
func parseView(data []byte) (*Advisory, error) { return parse(&scanner{data: data, view: true}) }

func parse(s *scanner) (*Advisory, error) {
	if len(s.data) > MaxRecord {
		return nil, fmt.Errorf("parse advisory: over %d bytes", MaxRecord)
	}
	a := &Advisory{}
	var bad error
	if s.peek() != '{' {
		s.fail("no object")
	}
	s.object(func(key []byte) {
		switch string(key) {
		case "id":
			a.ID = s.string()
		case "modified":
			a.Modified = stamp(s.string())
		case "published":
			a.Published = stamp(s.string())
		case "withdrawn":
			// A date that cannot be read leaves the record standing: the wrong
			// way round it would hide the advisory.
			a.Withdrawn = stamp(s.string())
		case "aliases":
			a.Aliases = ids(s.strings())
		case "related":
			a.Related = ids(s.strings())
		case "upstream":
			a.Upstream = ids(s.strings())
		case "summary":
			a.Summary = clip(s.string(), maxSummary)
		case "severity":
			a.Severities = s.severities()
		case "references":
			a.References = s.references()
		case "affected":
			a.Affected = nil
			s.array(func() {
				if len(a.Affected) == maxAffected {
					s.fail("too many affected entries")
					return
				}
				e, err := s.affected()
				if err != nil && bad == nil {
					bad = fmt.Errorf("affected entry %d: %w", len(a.Affected), err)
				}
				a.Affected = append(a.Affected, e)
			})
		case "database_specific":
			s.databaseSpecific(a)
		default:
			s.skip()
		}
	})
	s.end()
	if s.err != nil {
		return nil, fmt.Errorf("parse advisory: %w", s.err)
	}
	if err := checkName("id", a.ID); err != nil {
		return nil, fmt.Errorf("parse advisory: %w", err)
	}
	if bad != nil {
		return nil, fmt.Errorf("parse advisory %s: %w", a.ID, bad)
	}
	return a, nil
}

// affected reads one entry of "affected". The error is about its content; a
// broken text is in s.err.
func (s *scanner) affected() (e Affected, err error) {
	s.object(func(key []byte) {
		switch string(key) {
		case "package":
			s.object(func(key []byte) {
				switch string(key) {
				case "ecosystem":
					e.Ecosystem = spellRelease(s.string())
				case "name":
					e.Name = s.string()
				default:
					s.skip()
				}
			})
		case "ranges":
			e.Ranges = nil
			s.array(func() {
				r, bad := s.versionRange()
				if err == nil {
					err = bad
				}
				e.Ranges = append(e.Ranges, r)
			})
		case "versions":
			e.Versions = s.strings()
		case "severity":
			e.Severities = s.severities()
		case "ecosystem_specific":
			s.ecosystemSpecific(&e)
		case "database_specific":
			s.maybeObject(func(key []byte) {
				if string(key) == "informational" { // RustSec
					e.Informational = clip(s.maybeString(), maxWord)
				} else {
					s.skip()
				}
			})
		default:
			s.skip()
		}
	})
	if e.Ecosystem != "" || e.Name != "" {
		err = errors.Join(err, checkName("ecosystem", e.Ecosystem), checkName("name", e.Name))
	}
	if Base(e.Ecosystem) != "Go" {
		e.Imports = nil
	}
	if Base(e.Ecosystem) != "crates.io" {
		e.Informational = ""
	}
	return e, err
}

func (s *scanner) versionRange() (r Range, err error) {
	s.object(func(key []byte) {
		switch string(key) {
		case "type":
			r.Type = RangeType(s.string())
		case "repo":
			r.Repo = s.string()
		case "events":
			r.Events = nil
			s.array(func() {
				n := len(r.Events)
				s.object(func(key []byte) {
					switch k := EventKind(key); k {
					case Introduced, Fixed, LastAffected, Limit:
						if v := s.string(); v != "" {
							r.Events = append(r.Events, Event{k, v})
						}
					default:
						s.skip()
					}
				})
				if len(r.Events) == n && err == nil {
					err = errors.New("range event without a version")
				}
			})
		default:
			s.skip()
		}
	})
	switch r.Type {
	case Git:
		return Range{Type: Git, Repo: r.Repo}, nil
	case SemVer, Ecosystem:
		return r, err
	}
	return r, fmt.Errorf("range type %q is not of the OSV schema", clip(string(r.Type), maxWord))
}

// databaseSpecific reads the record's free-form object: GitHub's severity word
// and weaknesses, rubysec's scores without vectors.
func (s *scanner) databaseSpecific(a *Advisory) {
	best := 0
	score := func(kind string, preference int) {
		if f := s.maybeNumber(); f > 0 && f <= 10 && preference > best {
			a.Score, a.ScoreType, best = f, kind, preference
		}
	}
	s.maybeObject(func(key []byte) {
		switch string(key) {
		case "severity":
			a.Word = clip(s.maybeString(), maxWord)
		case "cwe_ids":
			a.CWEs = ids(s.maybeStrings())
		case "cvss_v4_score":
			score("CVSS_V4", 4)
		case "cvss_v3_score":
			score("CVSS_V3", 3)
		case "cvss_v2_score":
			score("CVSS_V2", 2)
		case "cvss_score":
			score("CVSS_V3", 1)
		default:
			s.skip()
		}
	})
}

// ecosystemSpecific reads what the Go database and distributions add.
func (s *scanner) ecosystemSpecific(e *Affected) {
	urgency := ""
	s.maybeObject(func(key []byte) {
		switch string(key) {
		case "severity":
			e.Word = clip(s.maybeString(), maxWord)
		case "urgency": // Debian
			urgency = clip(s.maybeString(), maxWord)
		case "imports":
			if s.peek() != '[' {
				s.skip()
				return
			}
			s.array(func() {
				var im Import
				s.maybeObject(func(key []byte) {
					switch string(key) {
					case "path":
						im.Path = s.maybeString()
					case "symbols":
						im.Symbols = s.maybeStrings()
					case "goos":
						im.GOOS = s.maybeStrings()
					case "goarch":
						im.GOARCH = s.maybeStrings()
					default:
						s.skip()
					}
				})
				e.Imports = append(e.Imports, im)
			})
		default:
			s.skip()
		}
	})
	if e.Word == "" {
		e.Word = urgency
	}
}

func (s *scanner) severities() []Severity {
	var list []Severity
	s.array(func() {
		var v Severity
		s.object(func(key []byte) {
			switch string(key) {
			case "type":
				v.Type = s.string()
			case "score":
				v.Score = s.string()
			default:
				s.skip()
			}
		})
		if v.Score != "" && len(v.Score) <= maxVector && len(v.Type) <= maxWord {
			list = append(list, v)
		}
	})
	return list
}

func (s *scanner) references() []Reference {
	var list []Reference
	s.array(func() {
		var r Reference
		s.object(func(key []byte) {
			switch string(key) {
			case "type":
				r.Type = s.string()
			case "url":
				r.URL = s.string()
			default:
				s.skip()
			}
		})
		list = append(list, r)
	})
	return references(list)
}

func references(list []Reference) []Reference {
	if len(list) > MaxReferences {
		// A stable sort keeps the advisory and the fix, which people want first.
		slices.SortStableFunc(list, func(a, b Reference) int { return b2i(plain(a)) - b2i(plain(b)) })
		list = list[:MaxReferences]
	}
	return list
}

func plain(r Reference) bool { return r.Type != "ADVISORY" && r.Type != "FIX" && r.Type != "EVIDENCE" }

// ids drops what can be no id.
func ids(list []string) []string {
	out := list[:0]
	for _, s := range list {
		if checkName("id", s) == nil {
			out = append(out, s)
		}
	}
	return out
}

func checkName(what, s string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", what)
	}
	if len(s) > maxName {
		return fmt.Errorf("%s is over %d bytes", what, maxName)
	}
	for _, c := range s {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return fmt.Errorf("%s %q holds a control character or is not UTF-8", what, clip(s, 80))
		}
	}
	return nil
}

func stamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// clip cuts s to at most n bytes at a rune's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " ") + "…"
}
