package oracle

import (
	"slices"
	"strings"

	osvpb "github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/proto"

	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/version"
)

// Causes of a difference. The first three are flaws of osv-scalibr's local
// matcher; the others are rules of registries and tools that it does not
// follow.
const (
	causeGit   = "it gives up at the first GIT range of an affected entry"
	causePanic = "it panics on a version that it cannot parse"
	causeLimit = "it ignores limit events"
	causeName  = "it compares names by spelling: NuGet ignores case, PyPI normalises (PEP 503)"

	causeNoVersion = "it reads a version into what is none; we say possibly affected"
	causeSpelling  = "it compares versions by spelling: tools write a leading v or =, lockfiles a gem's platform; neither is part of the version"
	causeOrder     = "its order lacks a rule of the registry's own tool: Composer fills up to four numbers and drops build metadata; apk places _cvs above none"
	causeLocal     = "it places a local version above every bound; PEP 440 ignores the local part where the bound has none"
)

// difference is one record on which the two do not agree about a version.
type difference struct {
	record  *osvpb.Vulnerability
	name    string
	version string
	ours    bool // we say that it is affected
	maybe   bool // we say that it may be: the version cannot be judged
}

// explain names the cause of a difference, or "". It takes the cause out of
// the record or out of the version and asks the reference again: only if the
// two agree then, that was it.
func (r *reference) explain(d difference) string {
	v, name, ours := d.record, d.name, d.ours
	agrees := func(changed *osvpb.Vulnerability) bool { return r.says(changed, name, d.version, ours) }
	if _, panicked := r.match([]*osvpb.Vulnerability{v}, name, d.version); panicked {
		return causePanic
	}
	if d.maybe && !ours {
		return causeNoVersion
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
	return r.explainVersion(d, noGit)
}

// explainVersion looks for the cause in the version's spelling. The record is
// without its GIT ranges, because both causes may be there.
func (r *reference) explainVersion(d difference, record *osvpb.Vulnerability) string {
	plain := version.Clean(r.ecosystem, d.name, d.version)
	if plain != d.version && r.says(record, d.name, plain, d.ours) {
		return causeSpelling
	}
	if again := respelled(record, r.ecosystem); r.says(again, d.name, version.Spell(r.ecosystem, plain), d.ours) {
		return causeOrder
	}
	if public, local := version.Public(r.ecosystem, plain); local && r.says(record, d.name, public, d.ours) {
		return causeLocal
	}
	if named, changed := r.renamed(record, d.name); changed {
		return r.explainVersion(d, named)
	}
	return ""
}

// respelled writes the bounds and versions of a record as the order needs them.
func respelled(v *osvpb.Vulnerability, ecosystem string) *osvpb.Vulnerability {
	c := proto.Clone(v).(*osvpb.Vulnerability)
	for _, a := range c.GetAffected() {
		for i, listed := range a.Versions {
			a.Versions[i] = version.Spell(ecosystem, listed)
		}
		for _, g := range a.GetRanges() {
			for _, e := range g.GetEvents() {
				for _, bound := range []*string{&e.Introduced, &e.Fixed, &e.LastAffected} {
					if *bound != "" && *bound != "0" {
						*bound = version.Spell(ecosystem, *bound)
					}
				}
			}
		}
	}
	return c
}

// says reports whether the reference calls a version affected, or not, as asked.
func (r *reference) says(v *osvpb.Vulnerability, name, version string, affected bool) bool {
	ids, panicked := r.match([]*osvpb.Vulnerability{v}, name, version)
	return !panicked && (len(ids) > 0) == affected
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
