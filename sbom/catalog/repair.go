package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/anchore/syft/syft/pkg"
)

// What syft is given of one artifact, each far above what is real and far below
// what would take it seconds or hundreds of megabytes. More is read by our own
// readers alone, and the evidence says so.
const (
	maxShownManifest = 128 << 10 // bytes of one package.json
	maxShownText     = 16 << 20  // bytes of all of them; at worst syft takes 0.4 µs for each
	maxShownLicenses = 16        // licences of one package.json, each of at most maxLicence bytes
	maxShownList     = 5_000     // modules or crates of one executable
	maxShownLists    = 50_000    // of all executables
	maxShownEdges    = 20_000    // dependencies between the crates of one executable
)

// reading is what one of syft's catalogers made of one file.
type reading struct {
	packages []pkg.Package
	withheld string // why it was not given the file; "" when it was
}

// shownTo runs one of syft's catalogers on a file whose packages our own reader
// has read too. So what it cannot read is no gap, and only a cataloger that
// never came back is reported.
func (a *artifact) shownTo(ctx context.Context, c pkg.Cataloger, v *view) reading {
	packages, err := a.within(ctx, c, v)
	if e, ok := err.(*limitError); ok {
		a.unread(v.files[0], fmt.Errorf("%s: %w", c.Name(), e))
	}
	return reading{packages: packages}
}

// takes counts n packages of an executable towards what syft is given, and says
// why not when that is too much.
func (a *artifact) takes(n int) (withheld string) {
	if n > maxShownList || a.shownLists+n > maxShownLists {
		return "it lists too many packages"
	}
	a.shownLists += n
	return ""
}

// repaired returns the packages of one file. What syft and our own reader both
// found is one package with one evidence. What syft dropped or got wrong is as
// our own reader read it, with evidence that says so. What only syft has is not
// in the file: it makes a main module up where the build information names none.
//
// identity returns name and version of a package of syft's as the ecosystem
// spells them.
func (a *artifact) repaired(r reading, own []found, identity func(*pkg.Package) (name, version string)) []found {
	type id struct{ name, version string }
	listed := map[id][]*pkg.Package{}
	versions := map[string][]string{}
	for i := range r.packages {
		p := &r.packages[i]
		name, version := identity(p)
		listed[id{name, version}] = append(listed[id{name, version}], p)
		versions[name] = append(versions[name], version)
	}
	for i := range own {
		f := &own[i]
		k := id{f.name, f.version}
		if both := listed[k]; len(both) > 0 {
			listed[k] = both[1:]
			if len(f.licenses) == 0 {
				f.licenses = a.syftLicences(both[0])
			}
			continue
		}
		others := versions[f.name]
		switch {
		case r.withheld != "":
			f.note("not given to syft: " + r.withheld)
		case len(others) == 0:
			f.note("syft drops it; taken from our own reading")
		case !slices.Contains(others, f.version):
			f.note(fmt.Sprintf("syft reads its version as %q", clip(others[0])))
		}
	}
	return own
}

// note adds to the detail of the evidence.
func (f *found) note(s string) {
	if f.detail != "" {
		f.detail += "; "
	}
	f.detail += s
}
