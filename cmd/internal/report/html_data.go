package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// How much of one function the page holds; -o json has the rest. Lists longer
// than these are of odd artifacts, and nobody reads them on a page.
const (
	maxHTMLPlaces   = 12   // places, evidence and traits of one component
	maxHTMLUnknowns = 1000 // unknowns, and files with code that nobody could name
	maxHTMLShares   = 40   // packages of one bundle
	htmlBlockSize   = 96 << 10
)

// htmlRun is what the page knows of the run as a whole.
type htmlRun struct {
	Day      string            `json:"day"` // of the judgement: what ages are counted from
	Tool     finding.Tool      `json:"tool"`
	Database finding.Database  `json:"database"`
	Policy   finding.PolicyRef `json:"policy"`
	JudgedAt time.Time         `json:"judgedAt"`
	Warnings []string          `json:"warnings,omitempty"`
	Delta    *htmlDelta        `json:"delta,omitempty"`
	Fleet    *finding.Fleet    `json:"fleet,omitempty"`
	Rules    map[string]string `json:"rules,omitempty"` // what each rule that occurs is about, where no advisory says it
	Help     map[string]string `json:"help,omitempty"`  // and what to do
	Summary  finding.Summary   `json:"summary"`
}

// htmlFunction is what lists, filters and charts need of a function. Components
// and findings are indexes: fleets share most of theirs, so each is there once.
type htmlFunction struct {
	Name         string          `json:"name"`
	Target       string          `json:"target,omitempty"`
	Platform     string          `json:"platform,omitempty"`
	Runtime      string          `json:"runtime,omitempty"`
	Architecture string          `json:"architecture,omitempty"`
	Owner        string          `json:"owner,omitempty"`
	Tags         []string        `json:"tags,omitempty"`
	Verdict      finding.Verdict `json:"verdict"`
	CodeBytes    int64           `json:"code,omitempty"`
	UnknownBytes int64           `json:"dark,omitempty"` // of the code nobody could name
	Unknowns     int             `json:"unknowns,omitempty"`
	Vetted       bool            `json:"vetted,omitempty"`
	Components   []int32         `json:"components"`
	Findings     []int32         `json:"findings"`
	Calendar     []finding.Event `json:"calendar,omitempty"`
	Upgrades     []htmlUpgrade   `json:"upgrades,omitempty"`
	Block        int             `json:"block"` // that holds its details
	Index        int             `json:"index"` // in that block
}

// htmlUpgrade is an upgrade that names findings by their place in the function.
type htmlUpgrade struct {
	finding.Upgrade
	Clears  []int `json:"clears"`
	Remains []int `json:"remains,omitempty"`
}

// htmlComponent is what all functions that have a component share.
type htmlComponent struct {
	PURL         string   `json:"purl,omitempty"`
	Name         string   `json:"name"`
	Version      string   `json:"version,omitempty"`
	Versions     []string `json:"versions,omitempty"`
	Disputed     bool     `json:"disputed,omitempty"`
	Ecosystem    string   `json:"ecosystem,omitempty"`
	Main         bool     `json:"main,omitempty"`
	State        string   `json:"state"`
	Origin       string   `json:"origin,omitempty"`
	Licenses     []string `json:"licenses,omitempty"`
	Upgrade      string   `json:"upgrade,omitempty"`
	UpgradeMinor string   `json:"upgradeMinor,omitempty"`
}

// htmlPlaces is what differs from function to function: where a component
// lies, and how it was recognised.
type htmlPlaces struct {
	Source    string             `json:"source,omitempty"`
	Locations []finding.Location `json:"locations,omitempty"`
	Evidence  []finding.Proof    `json:"evidence,omitempty"`
	Traits    []finding.Trait    `json:"traits,omitempty"`
	BroughtBy []string           `json:"broughtBy,omitempty"`
	Listed    *finding.Listed    `json:"listed,omitempty"`
	Resolved  string             `json:"resolved,omitempty"`
	Facts     *finding.Facts     `json:"facts,omitempty"`
	More      int                `json:"more,omitempty"` // places that are left out
}

// htmlFinding is a finding without its evidence, which is in the details.
type htmlFinding struct {
	finding.Finding
	Fingerprint string   `json:"fingerprint,omitempty"` // differs in every function: left out
	Evidence    []string `json:"evidence,omitempty"`    // left out
	Component   string   `json:"component,omitempty"`   // set when of is -1
	Of          int32    `json:"of"`                    // index of the component; -1 for none
	Score       float64  `json:"score,omitempty"`
	Vector      string   `json:"vector,omitempty"`
	Aliases     []string `json:"aliases,omitempty"`
	Fixed       []string `json:"fixed,omitempty"`
	KEV         bool     `json:"kev,omitempty"`
	EPSS        float64  `json:"epss,omitempty"`
	Priority    int      `json:"priority,omitempty"`

	Waived *finding.Waived `json:"waived,omitempty"`
}

// htmlDetail is what only the page of one function shows.
type htmlDetail struct {
	Handler      string                `json:"handler,omitempty"`
	Guessed      []string              `json:"guessed,omitempty"`
	Artifacts    []finding.Artifact    `json:"artifacts,omitempty"`
	Coverage     *finding.Coverage     `json:"coverage,omitempty"`
	Declared     *finding.Declared     `json:"declared,omitempty"`
	Vetted       *finding.Vetted       `json:"vetted,omitempty"`
	Deployed     []finding.Deployed    `json:"deployed,omitempty"`
	Unknowns     []finding.Unknown     `json:"unknowns,omitempty"`
	Absent       []finding.Absent      `json:"absent,omitempty"`
	Checks       []finding.Status      `json:"checks,omitempty"`
	Attestations []finding.Attestation `json:"attestations,omitempty"`
	GoBinaries   []finding.GoBinary    `json:"goBinaries,omitempty"`
	Traits       []finding.Trait       `json:"traits,omitempty"`
	Places       []htmlPlaces          `json:"places,omitempty"`   // by component
	Evidence     [][]finding.Evidence  `json:"evidence,omitempty"` // by finding
	More         map[string]int        `json:"more,omitempty"`     // how many of a list are left out
}

// htmlData writes the blocks of data. What is shown first is gathered,
// compressed, until the end; the details of functions are written as they come.
type htmlData struct {
	w          io.Writer
	functions  *htmlBlock
	components *htmlTable
	findings   *htmlTable
	details    *htmlBlock
	blocks     int // of details that are written

	rules, help map[string]string // by rule
}

func newHTMLData(w io.Writer) *htmlData {
	return &htmlData{w: w, functions: newHTMLBlock(), components: newHTMLTable(), findings: newHTMLTable(), details: newHTMLBlock(), rules: map[string]string{}, help: map[string]string{}}
}

// function adds one function.
func (d *htmlData) function(r *finding.Report) error {
	f := htmlFunction{
		Name: r.Name, Target: r.Target, Platform: r.Platform, Runtime: r.Runtime, Architecture: r.Architecture, Owner: r.Owner, Tags: r.Tags,
		Verdict: r.Verdict, Unknowns: len(r.Unknowns), Vetted: r.Vetted != nil, Calendar: r.Calendar,
		Components: make([]int32, 0, len(r.Components)), Findings: make([]int32, 0, len(r.Findings)), Block: d.blocks, Index: d.details.n,
	}
	if c := r.Coverage; c != nil {
		f.CodeBytes, f.UnknownBytes = c.CodeBytes, c.UnknownBytes
	}
	byPURL := make(map[string]int32, len(r.Components))
	for i := range r.Components {
		n, err := d.components.add(htmlComponentOf(&r.Components[i]))
		if err != nil {
			return err
		}
		byPURL[r.Components[i].PURL] = n
		f.Components = append(f.Components, n)
	}
	place := make(map[string]int, len(r.Findings))
	for i := range r.Findings {
		d.rule(&r.Findings[i])
		n, err := d.findings.add(htmlFindingOf(&r.Findings[i], byPURL))
		if err != nil {
			return err
		}
		place[r.Findings[i].Fingerprint] = i
		f.Findings = append(f.Findings, n)
	}
	for _, u := range r.Upgrades {
		f.Upgrades = append(f.Upgrades, htmlUpgrade{u, htmlIndexes(place, u.Clears), htmlIndexes(place, u.Remains)})
	}
	if err := d.functions.add(f); err != nil {
		return err
	}
	if err := d.details.add(htmlDetailOf(r)); err != nil {
		return err
	}
	if d.details.raw >= htmlBlockSize {
		return d.flush()
	}
	return nil
}

// rule notes what the rule of a finding means.
func (d *htmlData) rule(f *finding.Finding) {
	switch _, ok := d.rules[f.Rule]; {
	case ok:
	case f.OfDependency():
		any := finding.Finding{Kind: f.Kind, Rule: f.Rule} // without what is said of one package
		rule := strings.Clone(f.Rule)                      // of a report that need not stay
		d.rules[rule], d.help[rule] = dependencyTitle(any), dependencyHelp(any)
	case f.OfTrust():
		d.help[strings.Clone(f.Rule)] = trustHelp(f.Rule)
	}
}

// flush writes the details that are waiting.
func (d *htmlData) flush() error {
	if d.details.n == 0 {
		return nil
	}
	d.blocks++
	return d.details.write(d.w, fmt.Sprintf("details-%d", d.blocks-1))
}

// close writes what is left, and what is said of the run.
func (d *htmlData) close(doc *finding.Document, opt Options) error {
	if err := d.flush(); err != nil {
		return err
	}
	if doc.Fleet != nil {
		for _, drift := range doc.Fleet.Drift {
			d.rule(&finding.Finding{Kind: finding.KindDrift, Rule: drift.Rule})
		}
	}
	run := newHTMLBlock()
	if err := run.add(htmlRun{htmlDay(opt.Now), doc.Tool, doc.Database, doc.Policy, doc.JudgedAt, doc.Warnings, htmlDeltaOf(doc.Delta), doc.Fleet, d.rules, d.help, doc.Summary}); err != nil {
		return err
	}
	for _, b := range []struct {
		id    string
		block *htmlBlock
	}{{"components", d.components.block}, {"findings", d.findings.block}, {"functions", d.functions}, {"run", run}} {
		if err := b.block.write(d.w, b.id); err != nil {
			return err
		}
	}
	return nil
}

func htmlComponentOf(c *finding.Component) htmlComponent {
	return htmlComponent{c.PURL, c.Name, c.Version, c.Versions, c.Disputed, c.Ecosystem, c.Main, c.State, c.Origin, c.Licenses, c.Upgrade, c.UpgradeMinor}
}

func htmlFindingOf(f *finding.Finding, byPURL map[string]int32) htmlFinding {
	h := htmlFinding{Finding: *f, Of: -1, Score: f.Score, Vector: f.Vector, Aliases: f.Aliases, Fixed: f.Fixed, KEV: f.KEV, EPSS: f.EPSS, Priority: f.Priority, Waived: f.Waived}
	if n, ok := byPURL[f.Component]; ok {
		h.Of = n
	} else {
		h.Component = f.Component
	}
	return h
}

func htmlDetailOf(r *finding.Report) htmlDetail {
	d := htmlDetail{
		Handler: r.Handler, Guessed: r.Guessed, Artifacts: r.Artifacts, Declared: r.Declared, Vetted: r.Vetted, Deployed: r.Deployed, Checks: r.Checks, Attestations: r.Attestations,
		Places: make([]htmlPlaces, len(r.Components)), Evidence: make([][]finding.Evidence, len(r.Findings)), More: map[string]int{},
	}
	d.Unknowns = htmlFirst(r.Unknowns, maxHTMLUnknowns, "unknowns", d.More)
	d.Absent = htmlFirst(r.Absent, maxHTMLUnknowns, "absent", d.More)
	d.Traits = htmlFirst(r.Traits, maxHTMLUnknowns, "traits", d.More)
	for _, b := range r.GoBinaries {
		b.Blob = nil // as large as the rest of the page, and for programs
		d.GoBinaries = append(d.GoBinaries, b)
	}
	if r.Coverage != nil {
		c := *r.Coverage
		c.Unattributed = htmlFirst(c.Unattributed, maxHTMLUnknowns, "unattributed", d.More)
		c.Bundles = append([]finding.Bundle{}, htmlFirst(c.Bundles, maxHTMLUnknowns, "bundles", d.More)...)
		for i := range c.Bundles {
			c.Bundles[i].Packages = c.Bundles[i].Packages[:min(len(c.Bundles[i].Packages), maxHTMLShares)]
		}
		d.Coverage = &c
	}
	for i := range r.Components {
		d.Places[i] = htmlPlacesOf(&r.Components[i])
	}
	for i := range r.Findings {
		d.Evidence[i] = r.Findings[i].Evidence[:min(len(r.Findings[i].Evidence), maxHTMLUnknowns)]
	}
	return d
}

func htmlPlacesOf(c *finding.Component) htmlPlaces {
	p := htmlPlaces{BroughtBy: c.BroughtBy, Listed: c.Listed, Resolved: c.Resolved, Facts: c.Facts}
	if c.Source != c.Name {
		p.Source = c.Source
	}
	p.Locations = c.Locations[:min(len(c.Locations), maxHTMLPlaces)]
	p.Evidence = c.Evidence[:min(len(c.Evidence), maxHTMLPlaces)]
	p.Traits = c.Traits[:min(len(c.Traits), maxHTMLPlaces)]
	p.More = len(c.Locations) - len(p.Locations)
	return p
}

// htmlFirst is the start of a list; more says how much of it is left out.
func htmlFirst[T any](list []T, n int, name string, more map[string]int) []T {
	if len(list) <= n {
		return list
	}
	more[name] = len(list) - n
	return list[:n]
}

// htmlIndexes are the places of findings; one that is not there has none.
func htmlIndexes(place map[string]int, fingerprints []string) []int {
	out := []int{}
	for _, f := range fingerprints {
		if i, ok := place[f]; ok {
			out = append(out, i)
		}
	}
	return out
}

// htmlTable is a list in which each value is once.
type htmlTable struct {
	block *htmlBlock
	seen  map[string]int32 // JSON -> index
}

func newHTMLTable() *htmlTable {
	return &htmlTable{block: newHTMLBlock(), seen: map[string]int32{}}
}

// add returns the index of v.
func (t *htmlTable) add(v any) (int32, error) {
	text, err := htmlJSON(v)
	if err != nil {
		return 0, err
	}
	if n, ok := t.seen[string(text)]; ok {
		return n, nil
	}
	n := int32(t.block.n)
	t.seen[string(text)] = n
	return n, t.block.append(text)
}

// htmlBlock is a JSON list, compressed while it grows.
type htmlBlock struct {
	buf bytes.Buffer
	gz  *gzip.Writer
	n   int // values
	raw int // bytes before compression
}

func newHTMLBlock() *htmlBlock {
	b := &htmlBlock{}
	b.gz, _ = gzip.NewWriterLevel(&b.buf, gzip.BestSpeed) // fails for a level that there is not
	return b
}

func (b *htmlBlock) add(v any) error {
	text, err := htmlJSON(v)
	if err != nil {
		return err
	}
	return b.append(text)
}

func (b *htmlBlock) append(text []byte) error {
	before := ","
	if b.n == 0 {
		before = "["
	}
	b.n++
	b.raw += len(text)
	if _, err := io.WriteString(b.gz, before); err != nil {
		return err
	}
	_, err := b.gz.Write(text)
	return err
}

// write writes the block as an element that no browser runs, and empties it.
// Base64 has no character that ends one.
func (b *htmlBlock) write(w io.Writer, id string) error {
	end := "]"
	if b.n == 0 {
		end = "[]"
	}
	if _, err := io.WriteString(b.gz, end); err != nil {
		return err
	}
	if err := b.gz.Close(); err != nil {
		return err
	}
	fmt.Fprintf(w, "<script type=\"application/gzip\" id=\"%s\">", id)
	enc := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := enc.Write(b.buf.Bytes()); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	b.buf.Reset()
	b.gz.Reset(&b.buf)
	b.n, b.raw = 0, 0
	_, err := io.WriteString(w, "</script>\n")
	return err
}
