package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// maxBilled is how many packages a finding about a bill of materials names on
// each side.
const maxBilled = 10

// compareBills holds the signed bills of materials of an artifact against what
// was found in its bytes, and says in the records what a statement is worth.
func (s *Subject) compareBills(a *Auditor, one *signed) {
	for i := range one.records {
		if one.records[i].Kind == string(attest.KindVulnerability) {
			one.records[i].Reason = scanned(one.records[i], a.Now)
		}
	}
	for _, r := range one.bills {
		named, err := packagesOf(r)
		reason := "its signer states what is inside; it could not be compared with the bytes: "
		if err != nil {
			reason += err.Error()
		} else {
			missing, more := s.against(named, one.artifact)
			reason = one.compared(r, len(named), missing, more)
		}
		for i := range one.records {
			if rec := &one.records[i]; rec.Kind == string(attest.KindSBOM) && rec.Source == r.Source && rec.Digest == r.Digest {
				rec.Reason = reason
			}
		}
	}
}

// compared says how a bill of materials compares, and adds the finding when it differs.
func (one *signed) compared(r attest.Result, named int, missing, more []string) string {
	if len(missing)+len(more) == 0 {
		return fmt.Sprintf("its signer states what is inside, and the bytes agree: %s", finding.Count(named, "package", "packages"))
	}
	var said []string
	if n := len(missing); n > 0 {
		said = append(said, fmt.Sprintf("%s named and not in the bytes", finding.Count(n, "package is", "packages are")))
	}
	if n := len(more); n > 0 {
		said = append(said, fmt.Sprintf("%s in the bytes and not named", finding.Count(n, "package is", "packages are")))
	}
	how := strings.Join(said, ", ")
	name := baseName(one.ref)
	f := finding.Finding{Kind: finding.KindProvenance, Rule: policy.RuleSBOMDiffers, ID: policy.RuleSBOMDiffers + ":" + name, Severity: finding.Low, Certainty: finding.Certain,
		Origin: one.origin(), Title: fmt.Sprintf("the signed bill of materials of %s differs from its bytes: %s", name, how)}
	if len(more) > 0 { // what nobody declared may have come in after the build
		f.Severity = finding.Medium
	}
	for _, side := range []struct {
		word  string
		names []string
	}{{"named and not in the bytes", missing}, {"in the bytes and not named", more}} {
		if len(side.names) > 0 {
			f.Evidence = append(f.Evidence, finding.Evidence{Source: string(attest.KindSBOM), Locator: cmp.Or(r.Source, one.ref), Artifact: one.artifact,
				Detail: fmt.Sprintf("%s: %s", side.word, firstNames(side.names))})
		}
	}
	one.differ = append(one.differ, f)
	return "its signer states what is inside, and the bytes differ: " + how
}

func firstNames(names []string) string {
	if len(names) <= maxBilled {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxBilled], ", "), len(names)-maxBilled)
}

// packageSet holds the versions of packages, by package URL without version. A
// package of unknown version has "" among them.
type packageSet map[string]map[string]bool

func (p packageSet) add(purl string, versions ...string) {
	if p[purl] == nil {
		p[purl] = map[string]bool{}
	}
	for _, v := range versions {
		p[purl][v] = true
	}
}

// has says whether the set holds a package in a version; an unknown version on
// either side is as good as the same.
func (p packageSet) has(purl, version string) bool {
	versions, ok := p[purl]
	return ok && (version == "" || versions[""] || versions[version])
}

// list names the packages as NAME@VERSION.
func (p packageSet) list() []string {
	var out []string
	for _, purl := range slices.Sorted(maps.Keys(p)) {
		for _, v := range slices.Sorted(maps.Keys(p[purl])) {
			name := purl
			if v != "" {
				name += "@" + v
			}
			out = append(out, name)
		}
	}
	return out
}

// packagesOf reads the packages that a statement names. What has no package
// URL is a file or a system, and no package; what only a manifest declares need
// not be in the bytes.
func packagesOf(r attest.Result) (packageSet, error) {
	doc, err := codec.Decode(bytes.NewReader(r.Statement.Predicate), 0)
	if err != nil {
		return nil, err
	}
	out := packageSet{}
	for _, f := range doc.Functions {
		for _, c := range f.SBOM.Components {
			if c.State != sbom.Declared && c.State != sbom.Provided && !c.Main {
				addComponent(out, c)
			}
		}
	}
	return out, nil
}

func addComponent(to packageSet, c sbom.Component) {
	purl := finding.Versionless(c.PURL)
	switch typ, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/"); typ {
	case "", "generic", "oci", "docker", "swid", "file": // an image, a file, a system: no package of an ecosystem
		return
	}
	if c.Version == "" && len(c.Versions) > 0 {
		to.add(purl, c.Versions...)
		return
	}
	to.add(purl, c.Version)
}

// against lists what a bill of materials names and the function does not hold,
// and what the artifact holds and the bill does not name.
func (s *Subject) against(named packageSet, artifact int) (missing, more []string) {
	all, here := packageSet{}, packageSet{}
	for _, c := range s.SBOM.Components {
		addComponent(all, c)
		if c.Main || c.State != sbom.Live && c.State != sbom.Shadowed || !slices.ContainsFunc(c.Occurrences, func(o sbom.Occurrence) bool { return o.Artifact == artifact }) {
			continue
		}
		if c.Version == "" && slices.ContainsFunc(c.Versions, func(v string) bool { return named.has(finding.Versionless(c.PURL), v) }) {
			continue // one of the candidates is named
		}
		addComponent(here, c)
	}
	return lacking(named, all), lacking(here, named)
}

// lacking lists what is in one set and not in the other.
func lacking(in, from packageSet) []string {
	out := packageSet{}
	for purl, versions := range in {
		for v := range versions {
			if !from.has(purl, v) {
				out.add(purl, v)
			}
		}
	}
	return out.list()
}

// scanned says of a vulnerability attestation how old it is and what it lists.
func scanned(rec finding.Attestation, now time.Time) string {
	if rec.Status != attest.Verified.String() {
		return rec.Reason
	}
	out := "its signer states what a scan found"
	if rec.StatedAt != nil {
		out += ", " + age(now.Sub(*rec.StatedAt)) + " ago"
	} else {
		out += ", and not when"
	}
	if rec.Vulnerabilities != nil {
		out += ": " + finding.Count(*rec.Vulnerabilities, "vulnerability", "vulnerabilities")
	}
	return out
}

func age(d time.Duration) string {
	if d < 48*time.Hour {
		return finding.Count(int(max(d, 0)/time.Hour), "hour", "hours")
	}
	return finding.Count(int(d/(24*time.Hour)), "day", "days")
}
