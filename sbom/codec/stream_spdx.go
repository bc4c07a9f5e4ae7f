package codec

import (
	"bytes"
	"cmp"
	"io"
)

// spdxForm is SPDX as a Stream writes it.
type spdxForm struct{}

// The lists of a document, as its keys stand.
const (
	spdxPackages = iota
	spdxRelationships
)

func (spdxForm) make(text *bytes.Buffer, doc Document, f Function, ordinal int) (made madePart, err error) {
	e := newSPDXEncoder(doc)
	e.function(f, doc.Snapshot, ordinal)
	made.described, made.unknowns, made.texts = e.out.DocumentDescribes[0], e.unknowns, e.extracted
	if made.sizes[spdxPackages], err = putList(text, e.out.Packages); err != nil {
		return made, err
	}
	made.sizes[spdxRelationships], err = putList(text, e.out.Relationships)
	return made, err
}

func (spdxForm) encode(w io.Writer, doc Document) error { return EncodeSPDX(w, doc) }

func (spdxForm) frame(doc Document, parts []streamPart, texts map[string]string) (text []string, lists []int, err error) {
	e := newSPDXEncoder(doc)
	e.extracted = texts
	for _, p := range parts {
		e.unknowns += p.unknowns
		e.out.DocumentDescribes = append(e.out.DocumentDescribes, p.described)
	}
	e.frame(doc, cmp.Or(doc.Name, "functions"), SerialOf(identities(parts), doc.Snapshot))
	text, err = Frame(e.out, "\n  \"packages\": ", "\n  \"relationships\": ")
	return text, []int{spdxPackages, spdxRelationships}, err
}

func (spdxForm) place(text []byte, _ int) []byte { return text }
