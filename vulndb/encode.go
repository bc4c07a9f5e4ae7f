package vulndb

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// The encoding of one advisory inside a block: strings are a length and
// bytes, lists a count and items, numbers unsigned varints. There is no
// version in it; the file's format version covers it.

func encodeAdvisory(b []byte, a *Advisory) []byte {
	b = putString(b, a.ID)
	for _, t := range []time.Time{a.Published, a.Modified, a.Withdrawn} {
		b = putTime(b, t)
	}
	for _, list := range [][]string{a.Aliases, a.Related, a.Upstream, a.CWEs} {
		b = putStrings(b, list)
	}
	b = putString(b, a.Summary)
	b = putString(b, a.Word)
	b = binary.AppendUvarint(b, uint64(math.Round(a.Score*100)))
	b = putString(b, a.ScoreType)
	b = putSeverities(b, a.Severities)
	b = binary.AppendUvarint(b, uint64(len(a.References)))
	for _, r := range a.References {
		b = putString(putString(b, r.Type), r.URL)
	}
	b = binary.AppendUvarint(b, uint64(len(a.Affected)))
	for i := range a.Affected {
		b = encodeAffected(b, &a.Affected[i])
	}
	return b
}

func encodeAffected(b []byte, e *Affected) []byte {
	b = putString(putString(b, e.Ecosystem), e.Name)
	b = binary.AppendUvarint(b, uint64(len(e.Ranges)))
	for i := range e.Ranges {
		r := &e.Ranges[i]
		b = putString(putString(b, string(r.Type)), r.Repo)
		b = binary.AppendUvarint(b, uint64(len(r.Events)))
		for _, ev := range r.Events {
			b = append(b, kindByte(ev.Kind))
			b = putString(b, ev.Version)
		}
	}
	b = putStrings(b, e.Versions)
	b = putSeverities(b, e.Severities)
	b = putString(putString(b, e.Word), e.Informational)
	b = binary.AppendUvarint(b, uint64(len(e.Imports)))
	for _, im := range e.Imports {
		b = putStrings(putString(b, im.Path), im.Symbols)
		b = putStrings(putStrings(b, im.GOOS), im.GOARCH)
	}
	return b
}

func kindByte(k EventKind) byte {
	switch k {
	case Introduced:
		return 'i'
	case Fixed:
		return 'f'
	case LastAffected:
		return 'a'
	}
	return 'l'
}

func putString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func putStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = putString(b, s)
	}
	return b
}

func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendUvarint(b, 0)
	}
	return binary.AppendUvarint(b, uint64(t.Unix())+1)
}

func putSeverities(b []byte, list []Severity) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = putString(putString(b, s.Type), s.Score)
	}
	return b
}

var errEncoding = errors.New("a record's encoding is broken")

// decoder reads an encoded advisory. Strings share the memory of s. Once
// something does not fit, bad is set and every read returns nothing.
type decoder struct {
	s   string
	bad bool
}

func decodeAdvisory(s string) (*Advisory, error) {
	d := decoder{s: s}
	a := &Advisory{ID: d.string()}
	for _, t := range []*time.Time{&a.Published, &a.Modified, &a.Withdrawn} {
		*t = d.time()
	}
	for _, list := range []*[]string{&a.Aliases, &a.Related, &a.Upstream, &a.CWEs} {
		*list = d.strings()
	}
	a.Summary = d.string()
	a.Word = d.string()
	a.Score = float64(d.uint()) / 100
	a.ScoreType = d.string()
	a.Severities = d.severities()
	if n := d.count(2); n > 0 {
		a.References = make([]Reference, n)
		for i := range a.References {
			a.References[i] = Reference{d.string(), d.string()}
		}
	}
	if n := d.count(8); n > 0 {
		a.Affected = make([]Affected, n)
		for i := range a.Affected {
			d.affected(&a.Affected[i])
		}
	}
	if d.bad || d.s != "" || a.ID == "" {
		return nil, errEncoding
	}
	return a, nil
}

func (d *decoder) affected(e *Affected) {
	e.Ecosystem, e.Name = d.string(), d.string()
	if n := d.count(3); n > 0 {
		e.Ranges = make([]Range, n)
		for i := range e.Ranges {
			r := &e.Ranges[i]
			r.Type, r.Repo = RangeType(d.string()), d.string()
			if n := d.count(2); n > 0 {
				r.Events = make([]Event, n)
				for j := range r.Events {
					r.Events[j] = Event{d.kind(), d.string()}
				}
			}
		}
	}
	e.Versions = d.strings()
	e.Severities = d.severities()
	e.Word, e.Informational = d.string(), d.string()
	if n := d.count(4); n > 0 {
		e.Imports = make([]Import, n)
		for i := range e.Imports {
			e.Imports[i] = Import{d.string(), d.strings(), d.strings(), d.strings()}
		}
	}
}

func (d *decoder) kind() EventKind {
	if len(d.s) == 0 {
		d.bad = true
		return ""
	}
	c := d.s[0]
	d.s = d.s[1:]
	switch c {
	case 'i':
		return Introduced
	case 'f':
		return Fixed
	case 'a':
		return LastAffected
	case 'l':
		return Limit
	}
	d.bad = true
	return ""
}

func (d *decoder) uint() uint64 {
	var x uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		x |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.s = d.s[i+1:]
			return x
		}
	}
	d.s, d.bad = "", true
	return 0
}

// count reads the length of a list whose items take at least size bytes each,
// so that a broken count cannot allocate more than the input justifies.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.s)/size) {
		d.s, d.bad = "", true
		return 0
	}
	return int(n)
}

func (d *decoder) string() string {
	n := d.uint()
	if n > uint64(len(d.s)) {
		d.s, d.bad = "", true
		return ""
	}
	v := d.s[:n]
	d.s = d.s[n:]
	return v
}

func (d *decoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) time() time.Time {
	n := d.uint()
	if n == 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(n-1), 0).UTC()
}

func (d *decoder) severities() []Severity {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	list := make([]Severity, n)
	for i := range list {
		list[i] = Severity{d.string(), d.string()}
	}
	return list
}
