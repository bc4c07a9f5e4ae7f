package oracle

import (
	"slices"
	"strings"

	osvpb "github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/proto"

	"github.com/fnaudit/fnaudit/vulndb"
)

// Causes of a difference. The first three are flaws of osv-scalibr's local
// matcher; the fourth is a rule of two registries that it does not follow.
const (
	causeGit   = "it gives up at the first GIT range of an affected entry"
	causePanic = "it panics on a version that it cannot parse"
	causeLimit = "it ignores limit events"
	causeName  = "it compares names by spelling: NuGet ignores case, PyPI normalises (PEP 503)"
)

// explain names the cause of the difference about one record, or "". It takes
// the cause out of the record and asks the reference again: only if the two
// agree then, that was it.
func (r *reference) explain(v *osvpb.Vulnerability, name, version string, ours bool) string {
	agrees := func(changed *osvpb.Vulnerability) bool {
		ids, panicked := r.match([]*osvpb.Vulnerability{changed}, name, version)
		return !panicked && (len(ids) > 0) == ours
	}
	if _, panicked := r.match([]*osvpb.Vulnerability{v}, name, version); panicked {
		return causePanic
	}
	noGit, hasGit := withoutGit(v)
	if hasGit && agrees(noGit) {
		return causeGit
	}
	if named, changed := r.renamed(v, name); changed {
		if agrees(named) {
			return causeName
		}
		if both, hasGit := withoutGit(named); hasGit && agrees(both) {
			return causeName
		}
	}
	if hasLimit(v) && !ours {
		return causeLimit // a limit can only take versions away
	}
	return ""
}

func withoutGit(v *osvpb.Vulnerability) (*osvpb.Vulnerability, bool) {
	c := proto.Clone(v).(*osvpb.Vulnerability)
	found := false
	for _, a := range c.GetAffected() {
		n := len(a.Ranges)
		a.Ranges = slices.DeleteFunc(a.Ranges, func(g *osvpb.Range) bool { return g.GetType() == osvpb.Range_GIT })
		found = found || len(a.Ranges) != n
	}
	return c, found
}

// renamed gives the entries of the same package the spelling that was asked for.
func (r *reference) renamed(v *osvpb.Vulnerability, name string) (*osvpb.Vulnerability, bool) {
	if r.ecosystem != "NuGet" && r.ecosystem != "PyPI" {
		return v, false
	}
	spelled := name
	if r.ecosystem == "PyPI" {
		spelled = vulndb.NormalName(r.ecosystem, name) // what the reference makes of the package's own name
	}
	c := proto.Clone(v).(*osvpb.Vulnerability)
	changed := false
	for _, a := range c.GetAffected() {
		base, _, _ := strings.Cut(a.GetPackage().GetEcosystem(), ":")
		if n := a.GetPackage().GetName(); base == r.ecosystem && n != spelled && vulndb.NormalName(r.ecosystem, n) == vulndb.NormalName(r.ecosystem, name) {
			a.Package.Name = spelled
			changed = true
		}
	}
	return c, changed
}

func hasLimit(v *osvpb.Vulnerability) bool {
	for _, a := range v.GetAffected() {
		for _, g := range a.GetRanges() {
			for _, e := range g.GetEvents() {
				if e.GetLimit() != "" {
					return true
				}
			}
		}
	}
	return false
}
