package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/vulndb"
)

// maxKEV bounds the catalogue of known exploited vulnerabilities in bytes.
const maxKEV = 64 << 20

// parseKEV reads CISA's catalogue (its JSON Schema,
// https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json):
// dateReleased, count, and vulnerabilities with cveID, dateAdded, dueDate and
// knownRansomwareCampaignUse. It is strict: a list that is not quite what it
// should be may be one from which something is missing.
func parseKEV(r io.Reader) (*vulndb.List, time.Time, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxKEV+1))
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case len(b) > maxKEV:
		return nil, time.Time{}, fmt.Errorf("over %d bytes", maxKEV)
	case !utf8.Valid(b):
		return nil, time.Time{}, errors.New("it is not UTF-8")
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // which editors leave
	p := kevParser{dec: json.NewDecoder(bytes.NewReader(b)), list: vulndb.NewList(vulndb.FeedKEV), count: -1}
	if err := p.catalogue(); err != nil {
		return nil, time.Time{}, err
	}
	return p.list, p.released, nil
}

type kevParser struct {
	dec      *json.Decoder
	list     *vulndb.List
	released time.Time
	latest   time.Time // dateAdded
	entries  int
	count    int // as the catalogue says; -1: it does not
}

func (p *kevParser) catalogue() error {
	listed := false
	err := p.object(func(key string) (err error) {
		switch key {
		case "dateReleased":
			p.released, err = p.time(time.RFC3339)
		case "count":
			err = p.dec.Decode(&p.count)
		case "vulnerabilities":
			listed = true
			err = p.vulnerabilities()
		default:
			err = p.skip()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind its end")
	}
	switch {
	case !listed:
		return errors.New("it has no list of vulnerabilities")
	case p.released.IsZero():
		return errors.New("it does not say when it was released")
	case p.count >= 0 && p.count != p.entries:
		return fmt.Errorf("it says that it has %d entries, and has %d", p.count, p.entries)
	case p.latest.After(p.released.Add(2 * 24 * time.Hour)): // days are those of some time zone
		return fmt.Errorf("it was released on %s, and has an entry of %s", p.released.Format(time.DateOnly), p.latest.Format(time.DateOnly))
	}
	return nil
}

func (p *kevParser) vulnerabilities() error {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(errors.New("no list"), err)
	}
	for p.dec.More() {
		p.entries++
		if err := p.vulnerability(); err != nil {
			return fmt.Errorf("entry %d: %w", p.entries, err)
		}
	}
	_, err := p.dec.Token()
	return err
}

func (p *kevParser) vulnerability() error {
	var cve, ransomware string
	var e vulndb.Exploited
	err := p.object(func(key string) (err error) {
		switch key {
		case "cveID":
			cve, err = p.text()
		case "dateAdded":
			e.Added, err = p.time(time.DateOnly)
		case "dueDate":
			e.Due, err = p.time(time.DateOnly)
		case "knownRansomwareCampaignUse":
			ransomware, err = p.text()
		default:
			err = p.skip()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range []time.Time{e.Added, e.Due} {
		if !t.IsZero() && t.Year() < 2000 {
			return fmt.Errorf("the day %s cannot be", t.Format(time.DateOnly))
		}
	}
	e.Ransomware = ransomware == "Known"
	if e.Added.After(p.latest) {
		p.latest = e.Added
	}
	return p.list.AddExploited(cve, e)
}

// object calls field after each key, which must read or skip the value. A key
// that comes twice is an error: which of the two holds depends on who reads.
func (p *kevParser) object(field func(key string) error) error {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("no object"), err)
	}
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if seen[key] {
			return fmt.Errorf("the key %.40q comes twice", key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return err
}

func (p *kevParser) skip() error {
	var v json.RawMessage
	return p.dec.Decode(&v)
}

func (p *kevParser) text() (string, error) {
	t, err := p.dec.Token()
	s, ok := t.(string)
	if err == nil && !ok {
		err = errors.New("no text")
	}
	return s, err
}

func (p *kevParser) time(layout string) (time.Time, error) {
	s, err := p.text()
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is no time such as %s", s, layout)
	}
	return t.UTC(), nil
}
