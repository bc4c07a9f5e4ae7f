package catalog

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/php"

	"github.com/fnaudit/fnaudit/sbom"
)

// composerInstalled finds the packages of vendor/composer/installed.json,
// which Composer writes next to what it installed.
func composerInstalled(ctx context.Context, a *artifact) {
	v := a.newView(a.opts.MaxManifest, func(p string) bool {
		return path.Base(p) == "installed.json" && path.Base(dirOf(p)) == "composer"
	})
	for i := range a.files {
		p := a.files[i].Path
		if path.Base(p) == "installed.php" && path.Base(dirOf(p)) == "composer" && !a.has(path.Join(dirOf(p), "installed.json")) {
			a.unknown(p, sbom.Unreadable, "the installed.json beside it is missing: the packages are not known", true)
		}
	}
	for _, p := range a.syft(ctx, php.NewComposerInstalledCataloger(), v) {
		if p.Name == "" {
			continue
		}
		at := primary(&p)
		vendor := dirOf(dirOf(at))
		f := found{
			typ: "composer", name: p.Name, version: p.Version, path: at, dir: path.Join(vendor, path.Clean("/"+p.Name)),
			method: sbom.MethodInstalled, confidence: 0.99, licenses: a.syftLicences(&p),
		}
		if m, ok := p.Metadata.(pkg.PhpComposerInstalledEntry); ok {
			ranges := map[string]string{}
			for _, name := range slices.Sorted(maps.Keys(m.Require)) {
				if strings.Contains(name, "/") { // "php" and "ext-json" are the platform
					f.requires = append(f.requires, name)
					ranges[name] = m.Require[name]
				}
			}
			f.ranges = ranges
		}
		a.owners.addDir(f.dir)
		a.add(f)
	}
}
