package oracle

import (
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"

	osvpb "github.com/ossf/osv-schema/bindings/go/osvschema"
)

// perPackage bounds how many versions of one package are asked about.
const perPackage = 14

// versions returns versions at and around every boundary that the records of
// a package name: the versions themselves, neighbours, pre- and post-releases.
// When there are more than perPackage it takes the same selection every time.
func (r *reference) versions(name string) []string {
	set := map[string]bool{}
	add := func(v string) {
		if v == "" {
			return
		}
		set[v] = true
	}
	for _, v := range r.byName[name] {
		for _, a := range v.GetAffected() {
			if a.GetPackage().GetName() != name {
				continue
			}
			for _, g := range a.GetRanges() {
				if g.GetType() == osvpb.Range_GIT {
					continue
				}
				for _, e := range g.GetEvents() {
					for _, b := range []string{e.GetIntroduced(), e.GetFixed(), e.GetLastAffected(), e.GetLimit()} {
						add(b)
						for _, n := range around(r.ecosystem, b) {
							add(n)
						}
					}
				}
			}
			if n := len(a.GetVersions()); n > 0 {
				for _, i := range []int{0, n / 2, n - 1} {
					add(a.GetVersions()[i])
				}
			}
		}
	}
	list := make([]string, 0, len(set))
	for v := range set {
		list = append(list, v)
	}
	weight := func(v string) uint64 {
		h := fnv.New64a()
		h.Write([]byte(name + "@" + v))
		return h.Sum64()
	}
	slices.SortFunc(list, func(a, b string) int {
		if wa, wb := weight(a), weight(b); wa != wb {
			if wa < wb {
				return -1
			}
			return 1
		}
		return 0
	})
	return list[:min(len(list), perPackage)]
}

// around returns versions next to a boundary.
func around(ecosystem, b string) []string {
	if b == "" || b == "0" {
		return []string{"0.0.1"}
	}
	var list []string
	digits := regexp.MustCompile(`\d+`).FindAllStringIndex(b, -1)
	if len(digits) > 0 {
		last := digits[len(digits)-1]
		if n, err := strconv.Atoi(b[last[0]:last[1]]); err == nil {
			list = append(list, b[:last[0]]+strconv.Itoa(n+1)+b[last[1]:])
			if n > 0 {
				list = append(list, b[:last[0]]+strconv.Itoa(n-1)+b[last[1]:])
			}
		}
		if n, err := strconv.Atoi(b[digits[0][0]:digits[0][1]]); err == nil && digits[0][0] == 0 {
			list = append(list, strconv.Itoa(n+1)+".0.0")
		}
	}
	switch ecosystem {
	case "PyPI":
		list = append(list, b+"rc1", b+".dev0", b+".post1", b+".0")
	case "RubyGems":
		list = append(list, b+".rc1", b+".pre", b+".0")
	case "Maven":
		list = append(list, b+"-SNAPSHOT", b+"-rc1", b+".Final", b+".1", b+"-jre")
	case "Go":
		list = append(list, "v"+b, b+"-rc.1", b+"+incompatible", b+"-0.20200101000000-abcdefabcdef")
	case "Packagist":
		list = append(list, b+"-RC1", b+"-beta2", b+"-p1", "v"+b)
	case "NuGet":
		list = append(list, b+"-preview.1", b+".0", b+".1")
	default:
		list = append(list, b+"-rc.1", b+"-alpha", b+"+build")
	}
	return list
}
