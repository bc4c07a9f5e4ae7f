package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/javascript"

	"github.com/fnaudit/fnaudit/sbom"
)

// npmShown counts a manifest of the given size towards what syft is given. It
// returns how many bytes syft may be given, 0 for none: the size is a claim of
// the archive, so that the content may yet turn out to be longer.
func (a *artifact) npmShown(size int64) int64 {
	if size > maxShownManifest || a.shownText+size > maxShownText {
		return 0
	}
	a.shownText += max(size, 0)
	return size
}

// npmBySyft gives syft's cataloger a manifest that our own reader could read as
// m, and whose text is at hand. It changes nothing of the artifact.
//
// It is called for one manifest at a time, where that is being read: so no text
// is inflated or kept twice, and the helpers share the work. shown is what
// npmShown returned.
func (a *artifact) npmBySyft(ctx context.Context, p string, m *npmManifest, data []byte, shown int64) reading {
	switch {
	case int64(len(data)) > shown:
		return reading{withheld: "too much text"}
	case len(m.licenses) > maxShownLicenses, slices.ContainsFunc(m.licenses, func(l string) bool { return len(l) > maxLicence }):
		return reading{withheld: "its licences are too long"}
	}
	packages, err := caught(ctx, javascript.NewPackageCataloger(), a.viewOf(p, "", shown, data))
	if err != nil {
		return reading{} // it drops a manifest over any field that it does not expect; ours is read
	}
	return reading{packages: packages}
}

// npmFound is the package of a manifest. Its name is "" when the manifest has
// none.
func (a *artifact) npmFound(p string, m *npmManifest, syft reading) found {
	own := []found{{
		typ: "npm", name: m.name, version: m.version, path: p, method: sbom.MethodInstalled, confidence: 1,
		licenses: a.spdx(m.licenses...), requires: m.requires(), ranges: m.takes(),
	}}
	return a.repaired(syft, own, npmIdentity)[0]
}

// npmIdentity returns name and version as npm would publish them.
func npmIdentity(p *pkg.Package) (name, version string) {
	return strings.TrimSpace(p.Name), npmVersion(p.Version)
}
