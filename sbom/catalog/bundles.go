package catalog

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// bundled is a JavaScript file that holds code of packages.
type bundled struct {
	path   string
	seen   jsbundle.Detection
	claims []jsbundle.Claim
	gaps   []jsbundle.Gap
	told   bool // the claims are all that is inside

	misnamed bool            // see jsbundle.Result
	asks     map[string]bool // likewise

	packages, own, glue, unknown int64 // bytes, see jsbundle.Result.Bytes; all 0 when nothing tells

	bound   string // the lockfile that says which packages can be inside, "" for none
	unbound string // why the lockfile does not that came with it, "" when there is none
	refused string // why the lockfile does not that was given, "" when there is none

	inside []*instance  // the packages that the claims come to
	shares []sbom.Share // of packages, of which that is known
}

// inspection is one script that is or may be a bundle, with what lies beside it.
type inspection struct {
	file      int
	look      scriptLook
	sourceMap string // path, "" when there is none
	licences  []string
	accounts  []string
}

// inspectBundles looks into the bundles among the scripts, several at a time.
// The companions are those that lie beside the script, never elsewhere.
func (a *artifact) inspectBundles(ctx context.Context) {
	var list []inspection
	for _, i := range slices.Sorted(maps.Keys(a.looks)) {
		l := a.looks[i]
		if l.err != nil {
			a.unread(a.files[i].Path, l.err)
			continue
		}
		in := inspection{file: i, look: l, sourceMap: a.mapOf(a.files[i].Path, l.seen)}
		if in.sourceMap == "" && !l.seen.Bundled() {
			continue
		}
		if l.seen.Bundled() {
			in.licences = a.beside(a.files[i].Path, licenceNames[:], ".LEGAL.txt", ".LICENSE.txt")
			in.accounts = a.beside(a.files[i].Path, accountNames[:], ".meta.json", "-meta.json")
		}
		list = append(list, in)
	}
	inOrder(ctx, a.helpers, len(list), func(i int, b *bundled, s *scratch) {
		*b = a.inspect(&list[i], s)
	}, func(_ int, b *bundled) {
		if b.seen.Bundled() {
			a.bundles = append(a.bundles, *b)
		}
	})
}

// mapOf returns the path of a script's source map, if it is there and within
// the limits: what the script names, or, of a bundle that names none, the file
// that bundlers write when they are told to hide it.
func (a *artifact) mapOf(p string, seen jsbundle.Detection) string {
	at := ""
	switch {
	case seen.Map != "":
		at = strings.TrimPrefix(path.Join(dirOf(p), path.Clean("/"+seen.Map)), "/")
	case seen.Bundled():
		at = p + ".map"
	}
	if at == "" || !a.has(at) || a.promise(a.size(at), a.opts.MaxScript) != nil {
		return ""
	}
	return at
}

// licenceNames are those of the licences of all bundles of a folder, as ncc and
// plugins of webpack and rollup write them.
var licenceNames = [...]string{"licenses.txt", "LICENSES.txt", "3rdpartylicenses.txt", "dependencies.txt"}

// accountNames are usual ones for what bundlers say about what they wrote.
var accountNames = [...]string{"meta.json", "metafile.json", "stats.json", "bom.json", "sbom.json", ".well-known/sbom"}

// beside returns the paths of files that are there and within the limits: of
// these names in the folder of a bundle, and its own name with a suffix.
func (a *artifact) beside(p string, names []string, suffixes ...string) []string {
	var out []string
	add := func(at string) {
		if a.has(at) && a.promise(a.size(at), a.opts.MaxLockfile) == nil {
			out = append(out, at)
		}
	}
	for _, s := range suffixes {
		add(p + s)
		if s[0] == '-' {
			add(strings.TrimSuffix(p, path.Ext(p)) + s)
		}
	}
	for _, n := range names {
		add(path.Join(dirOf(p), n))
	}
	return out
}

// inspect reads a script and its companions. A script that was no bundle by
// itself is one if its map was made from files of packages.
func (a *artifact) inspect(in *inspection, s *scratch) bundled {
	p := a.files[in.file].Path
	b := bundled{path: p, seen: in.look.seen}
	var c jsbundle.Companions
	if in.sourceMap != "" {
		data, err := a.readPromised(in.sourceMap, a.opts.MaxScript, &scratch{})
		if err != nil {
			b.gaps = append(b.gaps, jsbundle.Gap{Path: in.sourceMap, Offset: -1, Reason: "its source map could not be read: " + err.Error()})
		} else {
			c.Map, c.MapPath = data, in.sourceMap
		}
		if !b.seen.Bundled() {
			if !jsbundle.MapNamesPackages(data) {
				return bundled{}
			}
			b.seen = mapped()
		}
	}
	for _, at := range in.licences {
		if data, err := a.readPromised(at, a.opts.MaxLockfile, &scratch{}); err == nil {
			c.Licences = append(c.Licences, jsbundle.Companion{Path: at, Text: data})
		}
	}
	for _, at := range in.accounts {
		if data, err := a.readPromised(at, a.opts.MaxLockfile, &scratch{}); err == nil {
			c.Accounts = append(c.Accounts, jsbundle.Companion{Path: at, Text: data})
		}
	}
	src := in.look.src
	if src == nil {
		var err error
		if src, err = a.readPromised(p, a.opts.MaxScript, s); err != nil {
			b.gaps = append(b.gaps, jsbundle.Gap{Offset: -1, Reason: err.Error()})
			return b
		}
	}
	in.look.src = nil
	if c.Map == nil {
		c.Map = jsbundle.InlineMap(jsbundle.MapReference(src))
	}
	res := jsbundle.Inspect(p, src, c)
	b.claims, b.gaps, b.told = res.Claims, append(b.gaps, res.Gaps...), res.Told
	b.misnamed, b.asks = res.Misnamed, res.Asks
	b.packages, b.own, b.glue, b.unknown = res.Bytes()
	return b
}

// reason says what a bundle is and why it does not tell all that is inside.
func (b *bundled) reason() string {
	what := fmt.Sprintf("bundled JavaScript (%s): %s", b.seen.Bundler, b.seen.Mark)
	if b.seen.Bundler == "minified" {
		what = "minified JavaScript: " + b.seen.Mark
	}
	for i, g := range b.gaps {
		if i == 3 {
			break
		}
		what += "; " + g.Reason
		if g.Offset >= 0 {
			what += fmt.Sprintf(" at byte %d", g.Offset)
		}
	}
	for _, why := range []string{b.refused, b.unbound} {
		if why != "" && !b.telling() && b.bound == "" {
			what += "; " + why
		}
	}
	return what
}

// attributed is the part of a bundle's code that must be told: below it the
// verdict is incomplete, unless a lockfile bounds what is inside.
const attributed = 0.8

// telling reports whether enough of a bundle is told, and nothing else stands in
// the way of believing it.
func (b *bundled) telling() bool {
	if b.told {
		return true
	}
	known := b.packages + b.own + b.glue
	return len(b.gaps) == 1 && b.unknown > 0 && // the gap is that of the unknown bytes
		float64(known) >= attributed*float64(known+b.unknown)
}

// bundledPackages adds the packages that evidence shows to be in the bundles,
// with their versions as far as a lockfile or the evidence itself has them.
// Those that no bundle tells are left to the lockfiles' own declarations.
func (a *artifact) bundledPackages(locks []lock) {
	for i := range a.bundles {
		b := &a.bundles[i]
		for _, f := range join(b, a.versionsFor(b.path, locks)) {
			a.add(f)
		}
		a.phantoms(b, a.versionsFor(b.path, locks))
		a.disputes(b)
	}
}

// loneBundles does for an archive in which no lockfile is read what the step for
// lockfiles does: only those that were given speak for its bundles.
func loneBundles(_ context.Context, a *artifact) {
	a.bundledPackages(nil)
	a.origins(nil)
	have := map[string]bool{}
	for i := range a.found {
		have[a.found[i].purl()] = true
	}
	a.declareGiven(have)
	a.bind()
}

// bundles are those of one artifact.
type bundles []bundled

// untold reports whether a bundle in dir does not tell all that is inside.
func (s bundles) untold(dir string) bool {
	return slices.ContainsFunc(s, func(b bundled) bool { return !b.telling() && below(b.path, dir) })
}

// hold reports whether the packages of a lockfile are in bundles rather than to
// be installed: more than half of what the project asks for to run, as
// [installed] counts, is in bundles that tell all.
func (s bundles) hold(l *lock) bool {
	if l.typ != "npm" {
		return false
	}
	inside := map[string]bool{}
	for i := range s {
		if b := &s[i]; b.telling() && below(b.path, l.dir) {
			for j := range b.claims {
				inside[b.claims[j].Name] = true
			}
		}
	}
	there, all := l.present(func(e *lockEntry) bool { return inside[e.name] || inside[e.folder()] })
	return 2*there > all
}

// opaqueBundles reports the bundles that do not tell all that is inside. A
// lockfile can bound one, see [artifact.bind]. One that tells
// something is not opaque: how much of it must be told is the policy's affair.
func (a *artifact) opaqueBundles() {
	for i := range a.bundles {
		b := &a.bundles[i]
		if b.told {
			continue
		}
		switch {
		case b.telling():
			a.unknown(b.path, sbom.Unattributed, b.reason(), false)
		case b.bound != "":
			a.unknown(b.path, sbom.Unattributed, b.reason()+"; what is not found in it is taken from "+b.bound, false)
		case b.packages+b.own+b.glue > 0:
			a.unknown(b.path, sbom.Unattributed, b.reason(), true)
		default:
			a.unknown(b.path, sbom.Opaque, b.reason(), true)
		}
	}
}
