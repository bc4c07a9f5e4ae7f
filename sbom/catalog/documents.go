package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// document is a bill of materials that lies in the artifact.
type document struct {
	path       string
	tool       string // that made it, "" when it does not say
	part       bool   // it is about one installed package, not about the function
	components []sbom.Component
}

// Bounds of what is read of bills of materials in one artifact.
const (
	maxDocuments     = 64
	maxDocument      = 16 << 20 // bytes of one
	maxDocumentBytes = 64 << 20 // of all of them
	maxStatements    = 50_000   // components of all of them
)

// documents reads the bills of materials that the artifact brings. What they
// say is compared with the bytes when the artifacts are put together: nothing
// that such a document says, or fails to say, makes anything cleaner. So one
// that cannot be read is shown, and is no gap in what was judged.
func documents(ctx context.Context, a *artifact) {
	read, statements, size := 0, 0, int64(0)
	for i := range a.files {
		p := a.files[i].Path
		sure, named := documentNamed(p)
		if !named || a.files[i].Link != "" || a.failed[p] {
			continue
		}
		part := pep770(p)
		if !part && (inNodeModules(p) || a.owners.owns(p) || underTestFolder(dirOf(p))) {
			continue // it is about the package that it was published with, as its author had it
		}
		if ctx.Err() != nil {
			return
		}
		read, size = read+1, size+a.files[i].Size
		if read > maxDocuments || statements > maxStatements || size > maxDocumentBytes {
			a.unknown(p, sbom.Limit, fmt.Sprintf("more than %d bills of materials, %d bytes or %d components of them: the rest was not read", maxDocuments, maxDocumentBytes, maxStatements), false)
			return
		}
		d, err := a.document(p)
		switch {
		case errors.Is(err, codec.ErrFormat) && !sure:
		case err != nil:
			a.unknown(p, sbom.Unreadable, "bill of materials: "+err.Error(), false)
		default:
			d.part = part
			statements += len(d.components)
			a.documents = append(a.documents, d)
		}
	}
}

// documentNamed reports whether a path is one where bills of materials lie, and
// whether nothing else has such a name: in a distribution's metadata (PEP 770),
// in .well-known (draft-ietf-opsawg-sbom-access), by the names that CycloneDX
// and SPDX recommend, and those that tools write by default.
func documentNamed(p string) (sure, named bool) {
	base := strings.ToLower(path.Base(p))
	if pep770(p) || p == ".well-known/sbom" || strings.HasSuffix(p, "/.well-known/sbom") {
		return true, true
	}
	for _, suffix := range []string{".cdx.json", ".cyclonedx.json", ".spdx.json", ".syft.json"} {
		if strings.HasSuffix(base, suffix) {
			return true, true
		}
	}
	return false, base == "bom.json" || base == "sbom.json" || base == "syft.json"
}

// pep770 reports whether a path is a bill of materials in the metadata of an
// installed Python distribution (https://peps.python.org/pep-0770/).
func pep770(p string) bool {
	dir := dirOf(p)
	return path.Base(dir) == "sboms" && strings.HasSuffix(strings.ToLower(dirOf(dir)), ".dist-info")
}

func (a *artifact) document(p string) (document, error) {
	data, err := a.read(p, maxDocument)
	if err != nil {
		return document{}, err
	}
	doc, err := codec.Decode(bytes.NewReader(data), maxDocument)
	if err != nil {
		return document{}, err
	}
	d := document{path: p, tool: doc.Tool}
	for _, c := range doc.SBOM().Components {
		if c.PURL != "" && !c.Main {
			d.components = append(d.components, sbom.Component{PURL: c.PURL, Name: c.Name, Version: c.Version, Ecosystem: c.Ecosystem, Source: c.Source, SourceVersion: c.SourceVersion})
		}
	}
	return d, nil
}
