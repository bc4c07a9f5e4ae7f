package stale

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// MaxRuntimesBytes is how large a table of runtimes may be.
const MaxRuntimesBytes = 1 << 20

// table is the JSON form of Runtimes.
type table struct {
	Version   int             `json:"version"`
	Platforms []tablePlatform `json:"platforms"`
	Products  []tableProduct  `json:"products"`
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
	Released    string   `json:"released"`
	Deprecated  string   `json:"deprecated"`
	BlockCreate string   `json:"blockCreate"`
	BlockUpdate string   `json:"blockUpdate"`
	Successors  []string `json:"successors"`
}

type tableProduct struct {
	Product  string       `json:"product"`
	Name     string       `json:"name"`
	Kind     string       `json:"kind"`
	AsOf     string       `json:"asOf"`
	Source   string       `json:"source"`
	Packages []string     `json:"packages"`
	Distro   string       `json:"distro"`
	Cycles   []tableCycle `json:"cycles"`
}

type tableCycle struct {
	Cycle    string `json:"cycle"`
	End      string `json:"end"`
	Ended    bool   `json:"ended"`
	Extended string `json:"extended"`
}

// ParseRuntimes reads a table of runtimes, of products, or of both:
//
//	{"version": 1, "platforms": [{
//	  "platform": "aws-lambda", "asOf": "2026-08-22", "source": "where the dates come from", "complete": true,
//	  "runtimes": [{"id": "nodejs20.x", "released": "2023-11-15", "deprecated": "2026-04-30", "blockCreate": "2027-02-01", "blockUpdate": "2027-03-03", "successors": []}]}],
//	 "products": [{
//	  "product": "django", "name": "Django", "kind": "framework", "asOf": "2026-08-22", "source": "where the dates come from",
//	  "packages": ["pkg:pypi/django"], "cycles": [{"cycle": "4.2", "end": "2026-04-30", "extended": "2027-04-30"}]}]}
//
// It is strict: an unknown key, a date that is none, an id, a platform or a
// product that comes twice, a missing source or date of the table are errors. A
// step without a date is one that is not scheduled; dates are days in UTC. A
// distribution has "distro" in place of "packages": its id in package URLs. A
// line that ended on a day that nobody knows has "ended": true.
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
	for _, p := range doc.Products {
		q, err := p.parse()
		if err != nil {
			return nil, fmt.Errorf("product %q: %w", p.Product, err)
		}
		out.Products = append(out.Products, q)
	}
	if len(out.Platforms)+len(out.Products) == 0 {
		return nil, errors.New("the table lists no platform and no product")
	}
	return out, out.index()
}

// index sorts the products and makes them easy to find.
func (t *Runtimes) index() error {
	slices.SortFunc(t.Products, func(a, b Product) int { return cmp.Compare(a.ID, b.ID) })
	t.byPackage, t.byDistro = map[string]*Product{}, map[string]*Product{}
	for i := range t.Products {
		p := &t.Products[i]
		if i > 0 && p.ID == t.Products[i-1].ID {
			return fmt.Errorf("product %q comes twice", p.ID)
		}
		for _, purl := range p.Packages {
			if other := t.byPackage[purl]; other != nil {
				return fmt.Errorf("package %s is of %q and of %q", purl, other.ID, p.ID)
			}
			t.byPackage[purl] = p
		}
		if p.Distro == "" {
			continue
		}
		if other := t.byDistro[p.Distro]; other != nil {
			return fmt.Errorf("distribution %s is of %q and of %q", p.Distro, other.ID, p.ID)
		}
		t.byDistro[p.Distro] = p
	}
	return nil
}

func (p tableProduct) parse() (Product, error) {
	out := Product{ID: p.Product, Name: p.Name, Kind: p.Kind, Source: p.Source, Packages: p.Packages, Distro: p.Distro}
	if p.Product == "" || p.Name == "" || p.Kind == "" || p.Source == "" {
		return out, errors.New("product, name, kind and source are required: a date that nobody can check is none")
	}
	if len(p.Packages) == 0 && p.Distro == "" {
		return out, errors.New("neither packages nor distro: nothing would show it")
	}
	for _, purl := range p.Packages {
		if !strings.HasPrefix(purl, "pkg:") || strings.ContainsAny(purl, "?#") || versionless(purl) != purl {
			return out, fmt.Errorf("packages: %q is not a package URL without a version", purl)
		}
	}
	var err error
	if out.AsOf, err = date("asOf", p.AsOf); err != nil {
		return out, err
	}
	seen := map[string]bool{}
	for _, c := range p.Cycles {
		if c.Cycle == "" || seen[c.Cycle] {
			return out, fmt.Errorf("cycle %q is empty or comes twice", c.Cycle)
		}
		seen[c.Cycle] = true
		q := Cycle{Name: c.Cycle, Ended: c.Ended}
		if c.End != "" {
			if q.End, err = date("end", c.End); err != nil {
				return out, fmt.Errorf("cycle %q: %w", c.Cycle, err)
			}
		}
		if c.Extended != "" {
			if q.Extended, err = date("extended", c.Extended); err != nil {
				return out, fmt.Errorf("cycle %q: %w", c.Cycle, err)
			}
		}
		out.Cycles = append(out.Cycles, q)
	}
	return out, nil
}

func date(key, text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fmt.Errorf("%s: %q is not a date such as 2026-08-22", key, text)
	}
	return t, nil
}

func (p tablePlatform) parse() (Platform, error) {
	out := Platform{Name: p.Platform, Source: p.Source, Complete: p.Complete}
	if p.Platform == "" || p.Source == "" {
		return out, errors.New("platform and source are required: a date that nobody can check is none")
	}
	var err error
	if out.AsOf, err = date("asOf", p.AsOf); err != nil {
		return out, err
	}
	for _, r := range p.Runtimes {
		q := Runtime{ID: r.ID, Successors: r.Successors}
		if r.ID == "" {
			return out, errors.New("a runtime without an id")
		}
		for _, d := range []struct {
			key, text string
			to        *time.Time
		}{{"released", r.Released, &q.Released}, {"deprecated", r.Deprecated, &q.Deprecated}, {"blockCreate", r.BlockCreate, &q.BlockCreate}, {"blockUpdate", r.BlockUpdate, &q.BlockUpdate}} {
			if d.text == "" {
				continue
			}
			if *d.to, err = date(d.key, d.text); err != nil {
				return out, fmt.Errorf("runtime %q: %w", r.ID, err)
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

// Over returns the tables of t, and those of under for platforms and products
// that t does not list. Either may be nil.
func (t *Runtimes) Over(under *Runtimes) *Runtimes {
	out := &Runtimes{}
	if t != nil {
		out.Platforms, out.Products = slices.Clone(t.Platforms), slices.Clone(t.Products)
	}
	if under != nil {
		for _, p := range under.Platforms {
			if !slices.ContainsFunc(out.Platforms, func(q Platform) bool { return q.Name == p.Name }) {
				out.Platforms = append(out.Platforms, p)
			}
		}
		for _, p := range under.Products {
			if !slices.ContainsFunc(out.Products, p.instead) {
				out.Products = append(out.Products, p)
			}
		}
	}
	slices.SortFunc(out.Platforms, func(a, b Platform) int { return cmp.Compare(a.Name, b.Name) })
	out.index() // no error: neither table had one, and what both have was left out
	return out
}

// instead says whether q speaks for something that p speaks for too.
func (p Product) instead(q Product) bool {
	return p.ID == q.ID || p.Distro != "" && p.Distro == q.Distro ||
		slices.ContainsFunc(p.Packages, func(purl string) bool { return slices.Contains(q.Packages, purl) })
}
