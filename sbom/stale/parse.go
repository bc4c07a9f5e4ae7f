package stale

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// MaxRuntimesBytes is how large a table of runtimes may be.
const MaxRuntimesBytes = 1 << 20

// table is the JSON form of Runtimes.
type table struct {
	Version   int             `json:"version"`
	Platforms []tablePlatform `json:"platforms"`
}

type tablePlatform struct {
	Platform string         `json:"platform"`
	AsOf     string         `json:"asOf"`
	Source   string         `json:"source"`
	Complete bool           `json:"complete"`
	Runtimes []tableRuntime `json:"runtimes"`
}

type tableRuntime struct {
	ID          string   `json:"id"`
	Deprecated  string   `json:"deprecated"`
	BlockCreate string   `json:"blockCreate"`
	BlockUpdate string   `json:"blockUpdate"`
	Successors  []string `json:"successors"`
}

// ParseRuntimes reads a table of runtimes:
//
//	{"version": 1, "platforms": [{
//	  "platform": "aws-lambda", "asOf": "2026-08-22", "source": "where the dates come from", "complete": true,
//	  "runtimes": [{"id": "nodejs20.x", "deprecated": "2026-04-30", "blockCreate": "2027-02-01", "blockUpdate": "2027-03-03", "successors": []}]}]}
//
// It is strict: an unknown key, a date that is none, an id or a platform that
// comes twice, a missing source or date of the table are errors. A step without
// a date is one that is not scheduled; dates are days in UTC.
func ParseRuntimes(data []byte) (*Runtimes, error) {
	if len(data) > MaxRuntimesBytes {
		return nil, fmt.Errorf("%d bytes is over the limit of %d", len(data), MaxRuntimesBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var doc table
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	if doc.Version != 1 {
		return nil, fmt.Errorf("version is %d, this program knows version 1", doc.Version)
	}
	out := &Runtimes{}
	for _, p := range doc.Platforms {
		q, err := p.parse()
		if err != nil {
			return nil, fmt.Errorf("platform %q: %w", p.Platform, err)
		}
		out.Platforms = append(out.Platforms, q)
	}
	slices.SortFunc(out.Platforms, func(a, b Platform) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(out.Platforms); i++ {
		if out.Platforms[i].Name == out.Platforms[i-1].Name {
			return nil, fmt.Errorf("platform %q comes twice", out.Platforms[i].Name)
		}
	}
	if len(out.Platforms) == 0 {
		return nil, errors.New("the table lists no platform")
	}
	return out, nil
}

func (p tablePlatform) parse() (Platform, error) {
	out := Platform{Name: p.Platform, Source: p.Source, Complete: p.Complete}
	if p.Platform == "" || p.Source == "" {
		return out, errors.New("platform and source are required: a date that nobody can check is none")
	}
	var err error
	if out.AsOf, err = time.Parse(time.DateOnly, p.AsOf); err != nil {
		return out, fmt.Errorf("asOf: %q is not a date such as 2026-08-22", p.AsOf)
	}
	for _, r := range p.Runtimes {
		q := Runtime{ID: r.ID, Successors: r.Successors}
		if r.ID == "" {
			return out, errors.New("a runtime without an id")
		}
		for _, d := range []struct {
			key, text string
			to        *time.Time
		}{{"deprecated", r.Deprecated, &q.Deprecated}, {"blockCreate", r.BlockCreate, &q.BlockCreate}, {"blockUpdate", r.BlockUpdate, &q.BlockUpdate}} {
			if d.text == "" {
				continue
			}
			if *d.to, err = time.Parse(time.DateOnly, d.text); err != nil {
				return out, fmt.Errorf("runtime %q: %s: %q is not a date such as 2026-08-22", r.ID, d.key, d.text)
			}
		}
		out.Runtimes = append(out.Runtimes, q)
	}
	slices.SortFunc(out.Runtimes, func(a, b Runtime) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(out.Runtimes); i++ {
		if out.Runtimes[i].ID == out.Runtimes[i-1].ID {
			return out, fmt.Errorf("runtime %q comes twice", out.Runtimes[i].ID)
		}
	}
	return out, nil
}

// Over returns the tables of t, and those of under for platforms that t does
// not list. Either may be nil.
func (t *Runtimes) Over(under *Runtimes) *Runtimes {
	out := &Runtimes{}
	if t != nil {
		out.Platforms = slices.Clone(t.Platforms)
	}
	if under != nil {
		for _, p := range under.Platforms {
			if !slices.ContainsFunc(out.Platforms, func(q Platform) bool { return q.Name == p.Name }) {
				out.Platforms = append(out.Platforms, p)
			}
		}
	}
	slices.SortFunc(out.Platforms, func(a, b Platform) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
