package vex

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// bom is what a CycloneDX document lists, by bom-ref.
type bom struct {
	serial  string // "urn:uuid:…" without the prefix; "" when it has none
	version string
	main    *thing // the product that all of it is about; nil: none
	mainRef string
	refs    map[string]thing
	at      time.Time
}

// cycloneDX reads the vulnerabilities of a CycloneDX document
// (https://cyclonedx.org/docs/1.6/json/, "vulnerabilities") that have an analysis.
// One with metadata.component speaks for that product, and for its packages in it.
func (r *reader) cycloneDX(root node) error {
	spec, err := root.at("specVersion").text()
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"1.4", "1.5", "1.6", "1.7"}, spec) {
		return fmt.Errorf("specVersion: this program reads the vulnerabilities of CycloneDX 1.4 to 1.7, not of %q", line(spec, 20))
	}
	b, err := r.bom(root)
	if err != nil {
		return err
	}
	list, err := root.at("vulnerabilities").list()
	if err != nil {
		return err
	}
	if !root.at("vulnerabilities").there() {
		return errors.New("vulnerabilities: it has none, so it states nothing")
	}
	for _, n := range list {
		if err := r.cycloneDXVulnerability(n, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) bom(root node) (*bom, error) {
	b := &bom{refs: map[string]thing{}}
	meta := root.at("metadata")
	serial, err1 := root.at("serialNumber").name()
	at, err2 := meta.at("timestamp").time()
	author, err3 := authorOf(meta)
	if err := firstError(err1, err2, err3); err != nil {
		return nil, err
	}
	b.serial, b.at, r.author = strings.ToLower(strings.TrimPrefix(serial, "urn:uuid:")), at, author
	if v := root.at("version"); v.there() {
		b.version = fmt.Sprint(v.value)
	}
	if main := meta.at("component"); main.there() {
		t, ref, err := cycloneDXThing(main)
		if err != nil {
			return nil, err
		}
		if t.empty() {
			r.ignore(main, "it has neither a package URL nor a digest, and no function is known by a version: what is said of the packages in it is about no function")
		}
		b.main, b.mainRef = &t, ref
		if err := r.components(b, main.at("components")); err != nil {
			return nil, err
		}
	}
	return b, r.components(b, root.at("components"))
}

// authorOf is who a document says it is from; "" when it does not.
func authorOf(meta node) (string, error) {
	var names []node
	for _, key := range []string{"supplier", "manufacturer", "manufacture"} {
		names = append(names, meta.at(key).at("name"))
	}
	authors, err := meta.at("authors").list()
	if err != nil {
		return "", err
	}
	for _, a := range authors {
		names = append(names, a.at("name"))
	}
	for _, n := range append(names, meta.at("component").at("publisher")) {
		if s, err := n.sentence(); err != nil || s != "" {
			return s, err
		}
	}
	return "", nil
}

// components takes in a list of components, and those within them.
func (r *reader) components(b *bom, n node) error {
	list, err := n.list()
	if err != nil {
		return err
	}
	if err := r.took(len(list)); err != nil {
		return err
	}
	for _, c := range list {
		t, ref, err := cycloneDXThing(c)
		if err != nil {
			return err
		}
		if _, twice := b.refs[ref]; twice || ref != "" && ref == b.mainRef {
			return c.wrong("the bom-ref %q comes twice", line(ref, 100))
		}
		if ref != "" {
			b.refs[ref] = t
		}
		if err := r.components(b, c.at("components")); err != nil {
			return err
		}
	}
	return nil
}

// cycloneDXThing reads what names a component. Without a package URL or a digest
// that is its name, which only a function is known by, and only where it names
// no version: nobody can say which version a function is of.
func cycloneDXThing(n node) (t thing, ref string, err error) {
	if !n.isObject() {
		return t, "", n.wrong("it must be an object")
	}
	ref, err1 := n.at("bom-ref").name()
	purl, err2 := n.at("purl").name()
	name, err3 := n.at("name").name()
	version, err4 := n.at("version").name()
	hashes, err5 := n.at("hashes").list()
	if err := firstError(err1, err2, err3, err4, err5); err != nil {
		return t, "", err
	}
	given := map[string]string{}
	for _, h := range hashes {
		algorithm, err1 := h.at("alg").name()
		content, err2 := h.at("content").name()
		if err := firstError(err1, err2); err != nil {
			return t, "", err
		}
		given[algorithm] = content
	}
	if len(given) > 0 {
		t.hashes = hashesOf(given)
	}
	if n.at("versionRange").there() { // of 1.7: not one version, and which ones is not read
		return thing{hashes: t.hashes}, ref, nil
	}
	t.addPURL(purl)
	if len(t.purls)+len(t.hashes) == 0 && version == "" {
		t.name = name
	}
	return t, ref, nil
}

// states are the words of CycloneDX for how far an analysis is.
var states = map[string]string{
	"resolved": finding.VEXFixed, "resolved_with_pedigree": finding.VEXFixed, "exploitable": finding.VEXAffected, "in_triage": finding.VEXInvestigated,
	"false_positive": finding.VEXNotAffected, "not_affected": finding.VEXNotAffected,
}

// justified are the words of CycloneDX that say the same as one of OpenVEX. The
// others stay as they are.
var justified = map[string]string{
	"code_not_present": finding.VEXCodeNotPresent, "code_not_reachable": finding.VEXNotExecuted, "protected_by_mitigating_control": finding.VEXMitigated,
	"requires_configuration": "", "requires_dependency": "", "requires_environment": "",
	"protected_by_compiler": "", "protected_at_runtime": "", "protected_at_perimeter": "",
}

func (r *reader) cycloneDXVulnerability(n node, b *bom) error {
	if !n.isObject() {
		return n.wrong("it must be an object")
	}
	s := statement{author: r.author}
	analysis := n.at("analysis")
	if !analysis.there() {
		return nil // a plain bill of vulnerabilities states nothing
	}
	if !analysis.isObject() {
		return analysis.wrong("it must be an object")
	}
	state, err1 := analysis.at("state").word(sorted(states)...)
	why, err2 := analysis.at("justification").word(sorted(justified)...)
	detail, err3 := analysis.at("detail").sentence()
	name, ids, err4 := cycloneDXNames(n)
	if err := firstError(err1, err2, err3, err4); err != nil {
		return err
	}
	s.status, s.justification, s.text, s.name, s.ids = states[state], why, detail, name, ids
	if same := justified[why]; same != "" {
		s.justification = same
	}
	s.at = b.at
	for _, when := range []node{n.at("updated"), analysis.at("firstIssued"), analysis.at("lastUpdated")} {
		t, err := when.time()
		if err != nil {
			return err
		}
		if !t.IsZero() && (when.place != n.at("updated").place || b.at.IsZero()) {
			s.at = t
		}
	}
	if len(s.ids) == 0 {
		return n.wrong("it has no id")
	}
	list, err := n.at("affects").list()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		r.ignore(n, "it names no component (affects)")
		return nil
	}
	return r.cycloneDXAffects(n, s, list, b)
}

func sorted(words map[string]string) []string {
	var out []string
	for w := range words {
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}

func cycloneDXNames(n node) (name string, ids []string, err error) {
	name, err = n.at("id").name()
	if err != nil {
		return "", nil, err
	}
	references, err := n.at("references").list()
	if err != nil {
		return "", nil, err
	}
	if len(references) > maxNames {
		return "", nil, n.wrong("more than %d references", maxNames)
	}
	var aliases []string
	for _, ref := range references {
		id, err := ref.at("id").name()
		if err != nil {
			return "", nil, err
		}
		aliases = append(aliases, id)
	}
	ids = idsOf(name, "", aliases)
	if name == "" && len(ids) > 0 {
		name = ids[0]
	}
	return name, ids, nil
}

// cycloneDXAffects makes a statement of what is said of each component, and one
// more where single versions of it have another status.
func (r *reader) cycloneDXAffects(n node, s statement, list []node, b *bom) error {
	if err := r.took(len(list)); err != nil {
		return err
	}
	byStatus := map[string][]product{}
	for _, a := range list {
		ref, err := a.at("ref").name()
		if err != nil {
			return err
		}
		p, ok := b.product(ref)
		if !ok {
			r.ignore(a, fmt.Sprintf("%q is neither in the document nor a package URL", line(ref, 100)))
			continue
		}
		sets, err := r.versions(a.at("versions"))
		if err != nil {
			return err
		}
		if len(sets) == 0 {
			byStatus["affected"] = append(byStatus["affected"], p)
		}
		for _, set := range sets {
			one := p
			one.versions = []versionSet{set}
			byStatus[set.status] = append(byStatus[set.status], one)
		}
	}
	return r.addByStatus(n, s, byStatus)
}

// addByStatus adds the statement for the products that the analysis is about,
// and what the versions say for those that it is not.
func (r *reader) addByStatus(n node, s statement, byStatus map[string][]product) error {
	if ps := byStatus["affected"]; len(ps) > 0 {
		if s.status == "" {
			r.ignore(n, "its analysis has no state")
		} else {
			one := s
			one.products = ps
			if err := r.add(n, one); err != nil {
				return err
			}
		}
	}
	if ps := byStatus["unaffected"]; len(ps) > 0 {
		one := s
		one.status, one.justification, one.products = finding.VEXNotAffected, "", ps
		one.text = cmp.Or(s.text, "the document lists the version as unaffected")
		if err := r.add(n, one); err != nil {
			return err
		}
	}
	if ps := byStatus["unknown"]; len(ps) > 0 {
		one := s
		one.status, one.justification, one.products = finding.VEXInvestigated, "", ps
		return r.add(n, one)
	}
	return nil
}

func (r *reader) versions(n node) ([]versionSet, error) {
	list, err := n.list()
	if err != nil {
		return nil, err
	}
	if err := r.took(len(list)); err != nil {
		return nil, err
	}
	var out []versionSet
	for _, v := range list {
		version, err1 := v.at("version").name()
		text, err2 := v.at("range").name()
		status, err3 := v.at("status").word("affected", "unaffected", "unknown")
		if err := firstError(err1, err2, err3); err != nil {
			return nil, err
		}
		set := versionSet{version: version, status: cmp.Or(status, "affected")}
		if text != "" {
			if set.scheme, set.bounds, err = parseVers(text); err != nil {
				return nil, v.at("range").wrong("%w", err)
			}
			if err := r.took(len(set.bounds)); err != nil {
				return nil, err
			}
		}
		if (version == "") == (text == "") {
			return nil, v.wrong("it must have a version or a range")
		}
		out = append(out, set)
	}
	return out, nil
}

// product is what a reference is to: the product of the document, a component in
// it, a BOM-Link to either, or a package URL.
func (b *bom) product(ref string) (product, bool) {
	if rest, ok := strings.CutPrefix(ref, "urn:cdx:"); ok {
		of, fragment, _ := strings.Cut(rest, "#")
		if text, err := url.PathUnescape(fragment); err == nil {
			fragment = text
		}
		serial, version, _ := strings.Cut(of, "/")
		own := b.serial != "" && strings.ToLower(serial) == b.serial && (version == b.version || version == "")
		switch {
		case own && fragment == "" && b.main != nil:
			return product{thing: *b.main}, true
		case own:
			ref = fragment
		case strings.HasPrefix(fragment, "pkg:"):
			return b.within(thingOf(fragment))
		default:
			return product{}, false
		}
	}
	if ref != "" && ref == b.mainRef {
		return product{thing: *b.main}, true
	}
	if t, ok := b.refs[ref]; ok {
		return b.within(t)
	}
	if strings.HasPrefix(ref, "pkg:") {
		return b.within(thingOf(ref))
	}
	return product{}, false
}

func thingOf(purl string) (t thing) {
	t.addPURL(purl)
	return t
}

// within is a component, in the document's product where it has one.
func (b *bom) within(t thing) (product, bool) {
	t.name = "" // a package is not known by its name alone
	if t.empty() {
		return product{}, false
	}
	if b.main == nil {
		return product{thing: t}, true
	}
	return product{thing: *b.main, parts: []thing{t}}, true
}
