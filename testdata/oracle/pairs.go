package oracle

import (
	"cmp"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"

	osvpb "github.com/ossf/osv-schema/bindings/go/osvschema"
)

// perPackage bounds how many versions of one package are asked about, so that
// the few packages with hundreds of advisories leave time for the others.
const perPackage = 400

// fewest is how many versions a package is asked about at least: one with a
// single boundary gets versions of other packages beside it.
const fewest = 70

// versions returns versions at and around every boundary that the records of
// a package name: the boundaries themselves, what the ecosystem's grammar puts
// next to them, listed versions, other spellings, versions of other packages
// and strings that are no versions. The boundaries always come first; of the
// others it takes the same selection every time.
func (r *reference) versions(name string) []string {
	bounds, near := map[string]bool{}, map[string]bool{}
	for _, v := range r.byName[name] {
		for _, a := range v.GetAffected() {
			if a.GetPackage().GetName() != name {
				continue
			}
			for _, b := range boundaries(a) {
				bounds[b] = true
				for _, n := range around(r.ecosystem, b) {
					near[n] = true
				}
			}
			if n := len(a.GetVersions()); n > 0 {
				for _, i := range []int{0, n / 4, n / 2, n * 3 / 4, n - 1} {
					listed := a.GetVersions()[i]
					near[listed] = true
					for _, n := range around(r.ecosystem, listed) {
						near[n] = true
					}
				}
			}
		}
	}
	list := sorted(name, bounds)
	for _, v := range sorted(name, near) {
		if !bounds[v] {
			list = append(list, v)
		}
	}
	list = list[:min(len(list), perPackage)]
	for i := weigh(name, "others"); len(list) < fewest && len(r.bounds) > 0; i++ {
		list = append(list, r.bounds[i%uint64(len(r.bounds))])
	}
	return append(list, junk()...)
}

// boundaries returns the versions in the ordered ranges of an affected entry.
func boundaries(a *osvpb.Affected) []string {
	var list []string
	for _, g := range a.GetRanges() {
		if g.GetType() == osvpb.Range_GIT {
			continue
		}
		for _, e := range g.GetEvents() {
			for _, b := range []string{e.GetIntroduced(), e.GetFixed(), e.GetLastAffected(), e.GetLimit()} {
				if b != "" {
					list = append(list, b)
				}
			}
		}
	}
	return list
}

func weigh(name, version string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name + "@" + version))
	return h.Sum64()
}

// sorted orders versions in a way that favours none and never changes.
func sorted(name string, set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for v := range set {
		if v != "" {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(weigh(name, a), weigh(name, b)), strings.Compare(a, b))
	})
	return list
}

// junk is what stands in place of a version in real manifests.
func junk() []string { return []string{"latest", "0.0.0-unknown"} }

var digits = regexp.MustCompile(`\d+`)

// around returns versions next to a boundary: every number of it one up and
// one down, parts left off and put on, and what the ecosystem's grammar sorts
// just before and just after it.
func around(ecosystem, b string) []string {
	if b == "0" {
		return []string{"0.0.0", "0.0.1", "0.1"}
	}
	var list []string
	for i, at := range digits.FindAllStringIndex(b, 4) {
		n, err := strconv.Atoi(b[at[0]:at[1]])
		if err != nil {
			continue // a timestamp or a commit
		}
		list = append(list, b[:at[0]]+strconv.Itoa(n+1)+b[at[1]:])
		if n > 0 {
			list = append(list, b[:at[0]]+strconv.Itoa(n-1)+b[at[1]:])
		}
		if i < 2 {
			list = append(list, b[:at[0]]+strconv.Itoa(n+1)) // cut off: "1.2.3" gives "2" and "1.3"
		}
	}
	if i := strings.LastIndexByte(b, '.'); i > 0 {
		list = append(list, b[:i])
	}
	if i := strings.IndexAny(b, "-+"); i > 0 {
		list = append(list, b[:i])
	}
	list = append(list, b+".0", b+".1", strings.ToUpper(b))
	for _, tail := range tails(ecosystem) {
		list = append(list, b+tail)
	}
	for _, head := range heads(ecosystem) {
		list = append(list, head+b)
	}
	return list
}

// tails are what can stand behind a version, by the ecosystem's grammar.
func tails(ecosystem string) []string {
	switch ecosystem {
	case "PyPI": // PEP 440
		return []string{"a1", "b2", "rc1", "rc2", ".dev0", ".dev3", ".post1", ".post1.dev2", "a1.dev1", "+local.1", "-1", "-alpha.1", ".0.0"}
	case "RubyGems": // Gem::Version
		return []string{".a", ".rc1", ".pre", ".beta.2", ".0.0", "-x86_64-linux", ".1.rc1", "-java"}
	case "Maven": // ComparableVersion
		return []string{"-SNAPSHOT", "-alpha-1", "-beta2", "-M3", "-rc1", "-CR1", ".Final", "-GA", "-RELEASE", "-jre", "-android", "-sp1", ".RELEASE", "-1", "-b01", ".v20200101"}
	case "Go":
		return []string{"-rc.1", "-0", "+incompatible", "-0.20200101000000-abcdefabcdef", "-rc.1.0.20200101000000-abcdefabcdef", "-alpha", "+meta.1"}
	case "Packagist":
		return []string{"-dev", "-alpha1", "-RC1", "-beta2", "-p1", "-patch2", "-stable", "RC3", "+build"}
	case "Alpine": // apk versions
		return []string{"_alpha", "_alpha2", "_beta1", "_pre", "_rc1", "_cvs", "_git20200101", "_hg", "_p", "_p1", "-r0", "-r1", "-r99", "a", "_rc1_p2"}
	case "NuGet":
		return []string{"-preview.1", "-Preview.1", "-alpha", "-beta.11", "+build.5", ".0.0", "-rc.2.final"}
	}
	return []string{"-rc.1", "-alpha", "-alpha.1", "-0", "-beta.11", "+build", "-rc.1+build"}
}

// heads are what can stand before a version.
func heads(ecosystem string) []string {
	switch ecosystem {
	case "PyPI":
		return []string{"1!", "0!", "v"}
	case "RubyGems", "Maven", "Alpine":
		return nil
	case "npm":
		return []string{"v", "="}
	}
	return []string{"v"}
}
