package vex

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// openVEX reads an OpenVEX document
// (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md). Those of 0.0.x
// name a vulnerability and products by text alone.
func (r *reader) openVEX(root node, context string) error {
	version := strings.TrimPrefix(strings.TrimPrefix(context, "https://openvex.dev/ns"), "/v")
	if version != "" && version != "0.2.0" && !strings.HasPrefix(version, "0.0.") {
		return fmt.Errorf("@context: this program knows OpenVEX 0.2.0 and 0.0.x, not %s", line(version, 50))
	}
	author, err1 := root.at("author").sentence()
	first, err2 := root.at("timestamp").time()
	updated, err3 := root.at("last_updated").time()
	list, err4 := root.at("statements").list()
	if err := firstError(err1, err2, err3, err4); err != nil {
		return err
	}
	switch {
	case first.IsZero():
		return errors.New("timestamp: it is missing")
	case author == "":
		return errors.New("author: it is missing")
	case !root.at("statements").there():
		return errors.New("statements: they are missing")
	}
	r.author = author
	if updated.IsZero() {
		updated = first
	}
	for _, n := range list {
		s, err := r.openVEXStatement(n, updated)
		if err != nil {
			return err
		}
		if err := r.add(n, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) openVEXStatement(n node, documented time.Time) (s statement, err error) {
	if !n.isObject() {
		return s, n.wrong("it must be an object")
	}
	first, err1 := n.at("timestamp").time()
	updated, err2 := n.at("last_updated").time()
	impact, err3 := n.at("impact_statement").sentence()
	action, err4 := n.at("action_statement").sentence()
	notes, err5 := n.at("status_notes").sentence()
	s = statement{author: r.author, at: documented, text: cmp.Or(impact, action)}
	s.status, err = n.at("status").word(finding.VEXNotAffected, finding.VEXAffected, finding.VEXFixed, finding.VEXInvestigated)
	if err := firstError(err, err1, err2, err3, err4, err5); err != nil {
		return s, err
	}
	if s.status == "" {
		return s, n.wrong("it has no status")
	}
	s.justification, err = n.at("justification").word(finding.VEXJustifications()...)
	if err != nil {
		return s, err
	}
	if s.text == "" && (s.justification != "" || s.status != finding.VEXNotAffected) {
		s.text = notes // they say how it is known, and stand in for nothing that is required
	}
	switch {
	case !updated.IsZero():
		s.at = updated
	case !first.IsZero():
		s.at = first
	}
	if s.name, s.ids, err = openVEXVulnerability(n.at("vulnerability")); err != nil {
		return s, err
	}
	s.products, err = r.openVEXProducts(n)
	return s, err
}

func openVEXVulnerability(n node) (name string, ids []string, err error) {
	if _, ok := n.value.(string); ok {
		name, err = n.name()
		ids = idsOf(name, "", nil)
	} else {
		var iri string
		var aliases []string
		name, iri, aliases, err = vulnerabilityNames(n)
		ids = idsOf(name, iri, aliases)
	}
	if err == nil && len(ids) == 0 {
		err = n.wrong("it names no vulnerability")
	}
	if name == "" && err == nil {
		name = ids[0]
	}
	return name, ids, err
}

func vulnerabilityNames(n node) (name, iri string, aliases []string, err error) {
	if n.there() && !n.isObject() {
		return "", "", nil, n.wrong("it must be an object")
	}
	name, err1 := n.at("name").name()
	iri, err2 := n.at("@id").name()
	list, err3 := n.at("aliases").list()
	if err := firstError(err1, err2, err3); err != nil {
		return "", "", nil, err
	}
	if len(list) > maxNames {
		return "", "", nil, n.wrong("more than %d aliases", maxNames)
	}
	for _, a := range list {
		text, err := a.name()
		if err != nil {
			return "", "", nil, err
		}
		aliases = append(aliases, text)
	}
	return name, iri, aliases, nil
}

// openVEXProducts reads the products of a statement. In 0.0.x the subcomponents
// stand beside them, and are those of each.
func (r *reader) openVEXProducts(n node) ([]product, error) {
	list, err := n.at("products").list()
	if err != nil {
		return nil, err
	}
	if err := r.took(len(list)); err != nil {
		return nil, err
	}
	shared, err := r.openVEXParts(n.at("subcomponents"))
	if err != nil {
		return nil, err
	}
	var out []product
	for _, one := range list {
		t, err := r.openVEXThing(one)
		if err != nil {
			return nil, err
		}
		parts, err := r.openVEXParts(one.at("subcomponents"))
		if err != nil {
			return nil, err
		}
		if parts == nil {
			parts = shared
		}
		out = append(out, product{thing: t, parts: parts})
	}
	return out, nil
}

// openVEXParts reads subcomponents; nil when there is no list of them. An empty
// list names none, as if it were not there.
func (r *reader) openVEXParts(n node) ([]thing, error) {
	list, err := n.list()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if err := r.took(len(list)); err != nil {
		return nil, err
	}
	out := make([]thing, len(list))
	for i, one := range list {
		if out[i], err = r.openVEXThing(one); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// openVEXThing reads what names a product or a subcomponent. An @id that is no
// package URL, and a CPE, name nothing that is found in bytes.
func (r *reader) openVEXThing(n node) (t thing, err error) {
	if text, ok := n.value.(string); ok {
		t.addPURL(text)
		if t.empty() {
			r.ignore(n, fmt.Sprintf("%q is no package URL, and nothing in a function is known by it", line(text, 100)))
		}
		return t, nil
	}
	if !n.isObject() {
		return t, n.wrong("it must be an object or text")
	}
	id, err1 := n.at("@id").name()
	identifiers := n.at("identifiers")
	if identifiers.there() && !identifiers.isObject() {
		return t, identifiers.wrong("it must be an object")
	}
	purl, err2 := identifiers.at("purl").name()
	hashes, err3 := hashNodes(n.at("hashes"))
	if err := firstError(err1, err2, err3); err != nil {
		return t, err
	}
	t.addPURL(id)
	t.addPURL(purl)
	t.hashes = hashes
	if t.empty() {
		r.ignore(n, "it has neither a package URL nor a digest: nothing in a function is known by an IRI or a CPE")
	}
	return t, nil
}

// addPURL adds a package URL, if it is one.
func (t *thing) addPURL(text string) {
	if p, ok := parsePURL(text); ok {
		t.purls = append(t.purls, p)
	}
}

// hashNodes reads an object of digests by algorithm.
func hashNodes(n node) (map[string]string, error) {
	if !n.there() {
		return nil, nil
	}
	object, ok := n.value.(map[string]any)
	if !ok {
		return nil, n.wrong("it must be an object")
	}
	given := map[string]string{}
	for algorithm := range object {
		value, err := n.at(algorithm).name()
		if err != nil {
			return nil, err
		}
		given[algorithm] = value
	}
	return hashesOf(given), nil
}
