package codec

import (
	"fmt"

	"github.com/fnaudit/fnaudit/sbom"
)

// FromPURL returns the component that a package URL names: name as the
// ecosystem spells it, version, OSV ecosystem, and for distributions the
// source package of the "upstream" qualifier.
func FromPURL(s string) (sbom.Component, error) {
	p, ok := parsePURL(s)
	if !ok {
		return sbom.Component{}, fmt.Errorf("%q is not a package URL", s)
	}
	source, version := p.source()
	return sbom.Component{PURL: s, Name: p.packageName(), Version: p.fullVersion(), Ecosystem: p.ecosystem(""), Source: source, SourceVersion: version}, nil
}
