package vex

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Limits of what all documents of a run say.
const (
	MaxDocuments  = 200
	maxStatements = 100_000 // of a document
	maxProducts   = 200_000 // of a document, with their parts
	maxNames      = 1000    // names and aliases of one vulnerability
)

// statement is what a document says of one vulnerability in some products.
type statement struct {
	source        int // index of its document
	place         string
	name          string   // of the vulnerability, as the document spells it
	ids           []string // in upper case: name and aliases
	status        string   // as OpenVEX has it
	justification string   // OpenVEX's word, or CycloneDX's where OpenVEX has none
	text          string   // one line
	author        string
	at            time.Time // zero: the document does not say
	products      []product
	names         []int // of the products, by index in the set
}

// clears says whether the statement would have a finding not count.
func (s *statement) clears() bool { return finding.ClearingVEX(s.status) }

// Set is what all documents of a run say. It is safe for concurrent use once it
// is made. A nil set says nothing.
type Set struct {
	// Wary makes the set believe no name that the audited files give themselves:
	// a function is then named by its digest, or by whoever runs the program. A
	// release gate is wary.
	Wary bool

	documents  []finding.VEXSource
	statements []statement
	byID       map[string][]int
	names      map[string]int // of products -> index
	named      [][]ref        // by that index: the products of the name, in the order of the statements
	ignored    []string       // statements that cannot be followed, and why
}

// ref is a product of a statement, both by index.
type ref struct{ statement, product int32 }

// Document is a file of statements.
type Document struct {
	Name string // as it was given
	Data []byte
}

// Read reads documents. What is wrong with one is an error that says where; a
// statement that is whole but says too little to be followed is a remark of the
// run. now is the clock that judges: nothing is cleared by what is said later.
func Read(docs []Document, now time.Time) (*Set, error) {
	if len(docs) > MaxDocuments {
		return nil, fmt.Errorf("%d VEX documents: the limit is %d", len(docs), MaxDocuments)
	}
	docs = slices.Clone(docs)
	slices.SortStableFunc(docs, func(a, b Document) int { return strings.Compare(a.Name, b.Name) })
	s := &Set{byID: map[string][]int{}, names: map[string]int{}}
	for _, d := range docs {
		if len(d.Data) > MaxBytes {
			return nil, fmt.Errorf("read VEX %s: %d bytes is over the limit of %d", d.Name, len(d.Data), MaxBytes)
		}
		if err := s.read(d, now); err != nil {
			return nil, fmt.Errorf("read VEX %s: %w", d.Name, err)
		}
	}
	slices.Sort(s.ignored)
	return s, nil
}

func (s *Set) read(d Document, now time.Time) error {
	sum := sha256.Sum256(d.Data)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if slices.ContainsFunc(s.documents, func(o finding.VEXSource) bool { return o.Digest == digest }) {
		return nil // it says nothing new
	}
	root, err := decode(d.Data)
	if err != nil {
		return err
	}
	r := reader{name: d.Name, source: len(s.documents), now: now}
	format, err := r.document(root)
	if err != nil {
		return err
	}
	s.documents = append(s.documents, finding.VEXSource{Source: d.Name, Digest: digest, Format: format, Author: r.author, Statements: len(r.statements)})
	s.ignored = append(s.ignored, r.ignored...)
	for _, st := range r.statements {
		for _, id := range st.ids {
			s.byID[id] = append(s.byID[id], len(s.statements))
		}
		for n, p := range st.products {
			at := ref{int32(len(s.statements)), int32(n)}
			for _, name := range namesOf(p.thing) {
				st.names = append(st.names, s.index(name, at))
			}
			for _, name := range digestedNames(p.thing) {
				s.index(name, at)
			}
		}
		s.statements = append(s.statements, st)
	}
	return nil
}

// index takes in a product under one of its names, and returns the index of that.
func (s *Set) index(name string, at ref) int {
	i, ok := s.names[name]
	if !ok {
		i = len(s.names)
		s.names[name], s.named = i, append(s.named, nil)
	}
	s.named[i] = append(s.named[i], at)
	return i
}

// Documents names what was read, sorted by file.
func (s *Set) Documents() []finding.VEXSource {
	if s == nil {
		return nil
	}
	return s.documents
}

// Overrides are the documents as they change what a policy is: sorted, and by
// their digests alone.
func (s *Set) Overrides() []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, d := range s.documents {
		out = append(out, "vex="+d.Digest)
	}
	slices.Sort(out)
	return out
}

// reader reads one document.
type reader struct {
	name       string
	source     int
	now        time.Time
	author     string
	products   int // so far
	statements []statement
	ignored    []string
}

// document reads the root of a document and says which format it is.
func (r *reader) document(root node) (format string, err error) {
	context, isContext := root.at("@context").value.(string)
	format, _ = root.at("bomFormat").value.(string)
	switch {
	case isContext && (context == "https://openvex.dev/ns" || strings.HasPrefix(context, "https://openvex.dev/ns/v")):
		return "openvex", r.openVEX(root, context)
	case format == "CycloneDX":
		return "cyclonedx", r.cycloneDX(root)
	case !root.isObject():
		return "", errors.New("it is no JSON object: a document is OpenVEX or CycloneDX as JSON")
	}
	return "", errors.New("it is neither OpenVEX (@context) nor CycloneDX (bomFormat)")
}

// ignore remembers a statement that is not followed.
func (r *reader) ignore(at node, why string) {
	r.ignored = append(r.ignored, fmt.Sprintf("%s: %s is ignored: %s", r.name, at.place, why))
}

// add takes in a statement, unless it says too little to be followed.
func (r *reader) add(at node, s statement) error {
	s.source, s.place = r.source, at.place
	late := s.at.After(r.now.Add(24 * time.Hour))
	switch {
	case len(s.products) == 0:
		r.ignore(at, "it names no product")
		return nil
	case s.status == finding.VEXNotAffected && s.justification == "" && s.text == "":
		r.ignore(at, "it says not_affected of "+line(s.name, 100)+" without a justification or an impact statement, and one of them is required")
		return nil
	case late && s.clears():
		r.ignore(at, "it is of "+s.at.Format(time.DateOnly)+", after the clock that judges")
		return nil
	case late:
		s.at = r.now
	}
	if s.status == finding.VEXFixed {
		s.products = slices.DeleteFunc(s.products, func(p product) bool { return !p.names() })
		if len(s.products) == 0 {
			r.ignore(at, "it says that "+line(s.name, 100)+" is fixed, and not in which version of the product")
			return nil
		}
	}
	if len(r.statements) == maxStatements {
		return fmt.Errorf("more than %d statements", maxStatements)
	}
	r.statements = append(r.statements, s)
	return nil
}

// names says whether a product is one version of something.
func (p *product) names() bool {
	if len(p.versions) > 0 {
		return true
	}
	for _, t := range p.parts {
		if !t.exact() {
			return false
		}
	}
	return p.parts != nil || p.exact()
}

// took counts products against the limit.
func (r *reader) took(n int) error {
	if r.products += n; r.products > maxProducts {
		return fmt.Errorf("more than %d products", maxProducts)
	}
	return nil
}

// idsOf are the ids of a vulnerability: its name, the last part of its IRI, its
// aliases. In upper case, as they are compared.
func idsOf(name, iri string, aliases []string) []string {
	last := iri[strings.LastIndexAny(iri, "/#:=")+1:]
	if text, err := url.PathUnescape(last); err == nil {
		last = text
	}
	var out []string
	seen := map[string]bool{"": true}
	for _, id := range append([]string{name, last}, aliases...) {
		if id = strings.ToUpper(strings.TrimSpace(id)); !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
