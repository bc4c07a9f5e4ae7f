package vulndb

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on one OSV record. What is over a limit that loses information makes
// the record unreadable; references are cut, because nothing is judged by them.
const (
	MaxRecord     = 16 << 20 // bytes of JSON; the largest real one has under 3 MiB
	MaxReferences = 16       // links kept of one record
	maxName       = 1024     // bytes of an id, ecosystem or package name
	maxSummary    = 512      // bytes of the summary that are kept
)

// record is the part of an OSV record (https://ossf.github.io/osv-schema/)
// that the store keeps. Free-form objects are read leniently afterwards.
type record struct {
	ID               string          `json:"id"`
	Modified         string          `json:"modified"`
	Published        string          `json:"published"`
	Withdrawn        *string         `json:"withdrawn"`
	Aliases          []string        `json:"aliases"`
	Related          []string        `json:"related"`
	Upstream         []string        `json:"upstream"`
	Summary          string          `json:"summary"`
	Severity         []Severity      `json:"severity"`
	Affected         []affected      `json:"affected"`
	References       []Reference     `json:"references"`
	DatabaseSpecific json.RawMessage `json:"database_specific"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Ranges []struct {
		Type   string `json:"type"`
		Repo   string `json:"repo"`
		Events []struct {
			Introduced   *string `json:"introduced"`
			Fixed        *string `json:"fixed"`
			LastAffected *string `json:"last_affected"`
			Limit        *string `json:"limit"`
		} `json:"events"`
	} `json:"ranges"`
	Versions          []string        `json:"versions"`
	Severity          []Severity      `json:"severity"`
	EcosystemSpecific json.RawMessage `json:"ecosystem_specific"`
	DatabaseSpecific  json.RawMessage `json:"database_specific"`
}

// ParseRecord reads one OSV record. The error says what makes it unreadable;
// fields that nothing is judged by are left out when they are malformed.
func ParseRecord(data []byte) (*Advisory, error) {
	if len(data) > MaxRecord {
		return nil, fmt.Errorf("parse advisory: over %d bytes", MaxRecord)
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("parse advisory: %w", err)
	}
	if err := checkName("id", r.ID); err != nil {
		return nil, fmt.Errorf("parse advisory: %w", err)
	}
	a := &Advisory{
		ID:         r.ID,
		Aliases:    ids(r.Aliases),
		Related:    ids(r.Related),
		Upstream:   ids(r.Upstream),
		Summary:    clip(r.Summary, maxSummary),
		Severities: severities(r.Severity),
		Published:  stamp(r.Published),
		Modified:   stamp(r.Modified),
	}
	if r.Withdrawn != nil && *r.Withdrawn != "" {
		// A date that cannot be read leaves the record standing: the wrong way
		// round it would hide the advisory.
		a.Withdrawn = stamp(*r.Withdrawn)
	}
	a.databaseSpecific(r.DatabaseSpecific)
	a.Affected = make([]Affected, 0, len(r.Affected))
	for i := range r.Affected {
		e, err := r.Affected[i].entry()
		if err != nil {
			return nil, fmt.Errorf("parse advisory %s: affected entry %d: %w", r.ID, i, err)
		}
		a.Affected = append(a.Affected, e)
	}
	a.References = references(r.References)
	return a, nil
}

func (f *affected) entry() (Affected, error) {
	e := Affected{Ecosystem: f.Package.Ecosystem, Name: f.Package.Name, Versions: f.Versions, Severities: severities(f.Severity)}
	if e.Ecosystem != "" || e.Name != "" {
		if err := errors.Join(checkName("ecosystem", e.Ecosystem), checkName("name", e.Name)); err != nil {
			return e, err
		}
	}
	for _, g := range f.Ranges {
		r := Range{Type: RangeType(g.Type), Repo: g.Repo}
		switch r.Type {
		case Git:
			e.Ranges = append(e.Ranges, Range{Type: Git, Repo: g.Repo})
			continue
		case SemVer, Ecosystem:
		default:
			return e, fmt.Errorf("range type %q is not of the OSV schema", clip(g.Type, 40))
		}
		for _, ev := range g.Events {
			n := len(r.Events)
			r.add(Introduced, ev.Introduced)
			r.add(Fixed, ev.Fixed)
			r.add(LastAffected, ev.LastAffected)
			r.add(Limit, ev.Limit)
			if len(r.Events) == n {
				return e, errors.New("range event without a version")
			}
		}
		e.Ranges = append(e.Ranges, r)
	}
	e.ecosystemSpecific(f.EcosystemSpecific)
	e.databaseSpecific(f.DatabaseSpecific)
	return e, nil
}

func (r *Range) add(kind EventKind, v *string) {
	if v != nil && *v != "" {
		r.Events = append(r.Events, Event{kind, *v})
	}
}

// databaseSpecific reads the record's free-form object: GitHub's severity word
// and weaknesses, rubysec's scores without vectors.
func (a *Advisory) databaseSpecific(raw json.RawMessage) {
	m := object(raw)
	a.Word = text(m["severity"])
	a.CWEs = texts(m["cwe_ids"])
	for _, s := range []struct{ key, kind string }{
		{"cvss_v4_score", "CVSS_V4"}, {"cvss_v3_score", "CVSS_V3"}, {"cvss_v2_score", "CVSS_V2"}, {"cvss_score", "CVSS_V3"},
	} {
		if f := number(m[s.key]); f > 0 && f <= 10 {
			a.Score, a.ScoreType = f, s.kind
			return
		}
	}
}

// ecosystemSpecific reads what the Go database and distributions add.
func (e *Affected) ecosystemSpecific(raw json.RawMessage) {
	m := object(raw)
	e.Word = text(m["severity"])
	if e.Word == "" {
		e.Word = text(m["urgency"]) // Debian
	}
	if Base(e.Ecosystem) != "Go" || m["imports"] == nil {
		return
	}
	var imports []struct {
		Path    string   `json:"path"`
		Symbols []string `json:"symbols"`
	}
	if json.Unmarshal(m["imports"], &imports) != nil {
		return
	}
	for _, im := range imports {
		e.Imports = append(e.Imports, Import{im.Path, im.Symbols})
	}
}

// databaseSpecific reads what RustSec adds.
func (e *Affected) databaseSpecific(raw json.RawMessage) {
	if Base(e.Ecosystem) == "crates.io" {
		e.Informational = text(object(raw)["informational"])
	}
}

func references(list []Reference) []Reference {
	if len(list) > MaxReferences {
		// A stable sort keeps the advisory and the fix, which people want first.
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b Reference) int { return b2i(plain(a)) - b2i(plain(b)) })
		list = list[:MaxReferences]
	}
	return list
}

func plain(r Reference) bool { return r.Type != "ADVISORY" && r.Type != "FIX" && r.Type != "EVIDENCE" }

func severities(list []Severity) []Severity {
	out := list[:0]
	for _, s := range list {
		if s.Score != "" && len(s.Score) <= maxVector && len(s.Type) <= 64 {
			out = append(out, s)
		}
	}
	return out
}

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

func object(raw json.RawMessage) map[string]json.RawMessage {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil || len(s) > 64 {
		return ""
	}
	return s
}

func texts(raw json.RawMessage) []string {
	var list []string
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return ids(list)
}

func number(raw json.RawMessage) float64 {
	f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || f != f {
		return 0
	}
	return f
}
