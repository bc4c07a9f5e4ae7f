package catalog

import (
	"context"
	"strings"

	"github.com/anchore/syft/syft/pkg/cataloger/binary"

	"github.com/fnaudit/fnaudit/sbom"
)

// knownBinaries recognises interpreters and libraries that came without a
// package manager, as in a custom runtime, by the version strings in them.
// Files that a package owns are left to that package: a wheel's own copy of a
// library is part of the wheel. So are those whose build information was read.
func knownBinaries(ctx context.Context, a *artifact) {
	v := &view{a: a, set: map[string]bool{}, mime: map[string]string{}}
	for i := range a.executables {
		e := &a.executables[i]
		if e.unsafe != "" || e.packed || e.evident || a.owners.owns(e.path) {
			continue
		}
		v.files = append(v.files, e.path)
		v.set[e.path] = true
		v.mime[e.path] = e.mime
	}
	if len(v.files) == 0 {
		return
	}
	cfg := binary.DefaultClassifierCatalogerConfig()
	for _, p := range a.syft(ctx, binary.NewClassifierCataloger(cfg), v) {
		typ, name := "generic", p.Name
		if t, n, ok := purlName(p.PURL); ok {
			typ, name = t, n
		}
		for _, l := range p.Locations.ToSlice() {
			at := clean(l.RealPath)
			a.evident(at)
			a.add(found{
				typ: typ, name: name, version: p.Version, path: at, method: sbom.MethodBinary, confidence: 0.8,
				detail: "version string in " + at, licenses: a.syftLicences(&p),
			})
		}
	}
}

// purlName returns type and name of a package URL that syft's table holds.
func purlName(purl string) (typ, name string, ok bool) {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return "", "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "@")
	typ, name, ok = strings.Cut(rest, "/")
	return typ, name, ok && typ != "" && name != "" && !strings.Contains(name, "%")
}
