package codec

import (
	"bytes"
	"io"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// cycloneDXForm is CycloneDX as a Stream writes it. The references of a function
// begin with its place among all, which is known at the end: until then a mark
// stands there that nobody could guess who made an artifact.
type cycloneDXForm struct{ mark string }

// The lists of a document, as its keys stand.
const (
	cycloneDXComponents = iota
	cycloneDXDependencies
	cycloneDXCompositions
	cycloneDXVulnerabilities
)

func (c cycloneDXForm) make(text *bytes.Buffer, _ Document, f Function, _ int) (made madePart, err error) {
	e := &cycloneDX{taken: map[string]bool{}}
	main := e.nested(f, c.mark+"/")
	if made.sizes[cycloneDXComponents], err = putList(text, []cdx.Component{main}); err != nil {
		return made, err
	}
	if made.sizes[cycloneDXDependencies], err = putList(text, e.dependencies); err != nil {
		return made, err
	}
	if made.sizes[cycloneDXCompositions], err = putList(text, e.compositions); err != nil {
		return made, err
	}
	made.sizes[cycloneDXVulnerabilities], err = putList(text, e.vulnerabilities)
	return made, err
}

func (cycloneDXForm) encode(w io.Writer, doc Document) error { return EncodeCycloneDX(w, doc) }

func (cycloneDXForm) frame(doc Document, parts []streamPart, _ map[string]string) (text []string, lists []int, err error) {
	bom := cycloneDXFrame(doc, SerialOf(identities(parts), doc.Snapshot))
	bom.Metadata.Component = cycloneDXRun(doc)
	bom.Components = &[]cdx.Component{} // the key is always there
	bom.Dependencies = emptyList[cdx.Dependency](holds(parts, cycloneDXDependencies))
	bom.Compositions = emptyList[cdx.Composition](holds(parts, cycloneDXCompositions))
	bom.Vulnerabilities = emptyList[cdx.Vulnerability](holds(parts, cycloneDXVulnerabilities))
	var marks []string
	for k, key := range []string{"components", "dependencies", "compositions", "vulnerabilities"} {
		if k == cycloneDXComponents || holds(parts, k) {
			lists, marks = append(lists, k), append(marks, "\n  \""+key+"\": ")
		}
	}
	text, err = Frame(bom, marks...)
	return text, lists, err
}

// emptyList is a list whose key is written although it is empty; nil when it is not there.
func emptyList[T any](there bool) *[]T {
	if !there {
		return nil
	}
	return &[]T{}
}

func (c cycloneDXForm) place(text []byte, i int) []byte {
	return bytes.ReplaceAll(text, []byte(c.mark), []byte(cycloneDXPrefix(i)))
}
