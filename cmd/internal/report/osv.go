package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/osv-scanner/v2/pkg/models"
	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// osvSchemaVersion is that of the records: https://ossf.github.io/osv-schema/.
const osvSchemaVersion = "1.7.0"

// writeOSV writes the packages that something is known against, in the very
// types that osv-scanner writes, so that what reads its output reads ours. What
// was waived or cleared by VEX is left out, as osv-scanner leaves out what its configuration
// ignores. Each record holds what this program knows of the advisory: the
// affected range is the installed version up to the fix.
func writeOSV(w io.Writer, doc *finding.Document, _ Options) error {
	out := models.VulnerabilityResults{Results: []models.PackageSource{}}
	for _, r := range doc.Functions {
		src, err := osvSource(r)
		if err != nil {
			return err
		}
		if len(src.Packages) > 0 {
			out.Results = append(out.Results, src)
		}
	}
	return codec.WriteJSON(w, out)
}

// osvSource is what a function adds; it has no packages when nothing is known
// against them.
func osvSource(r *finding.Report) (models.PackageSource, error) {
	src := models.PackageSource{Source: models.SourceInfo{Path: cmp.Or(r.Target, r.Name), Type: models.SourceTypeArtifact}}
	components := index(r)
	byComponent := map[string]int{}
	for _, f := range slices.SortedFunc(slices.Values(r.Findings), finding.Compare) {
		if f.Waived != nil || f.Cleared() || f.Kind != finding.KindVulnerability && f.Kind != finding.KindMalware {
			continue
		}
		i, ok := byComponent[f.Component]
		if !ok {
			i = len(src.Packages)
			byComponent[f.Component] = i
			src.Packages = append(src.Packages, models.PackageVulns{Package: osvPackage(f, components[f.Component])})
		}
		if err := addOSV(&src.Packages[i], f); err != nil {
			return src, err
		}
	}
	slices.SortFunc(src.Packages, func(a, b models.PackageVulns) int {
		return cmp.Or(cmp.Compare(a.Package.Ecosystem, b.Package.Ecosystem), cmp.Compare(a.Package.Name, b.Package.Name), cmp.Compare(a.Package.Version, b.Package.Version))
	})
	return src, nil
}

func osvPackage(f finding.Finding, c finding.Component) models.PackageInfo {
	p := models.PackageInfo{
		Name: cmp.Or(c.Name, nameOf(f.Component)), Version: cmp.Or(c.Version, versionOf(f.Component)), Ecosystem: c.Ecosystem,
	}
	if c.Source != "" && c.Source != c.Name {
		p.Name, p.OSPackageName = c.Source, c.Name
	}
	return p
}

// addOSV adds the records of a finding: one, or one for each advisory that the
// finding of a package with an unknown version folds.
func addOSV(p *models.PackageVulns, f finding.Finding) error {
	ids := []string{f.ID}
	aliases := f.Aliases
	if f.Rule == ruleVersionUnknown {
		ids, aliases = advisoryIDs(f), nil
	}
	for _, id := range ids {
		if slices.ContainsFunc(p.Vulnerabilities, func(v *osvschema.Vulnerability) bool { return v.GetId() == utf8Only(id) }) {
			continue
		}
		v, err := osvRecord(p.Package, f, id, aliases)
		if err != nil {
			return fmt.Errorf("write %s as an OSV record: %w", id, err)
		}
		p.Vulnerabilities = append(p.Vulnerabilities, v)
		all := append([]string{v.GetId()}, v.GetAliases()...)
		slices.Sort(all)
		severity := ""
		if f.Score > 0 && id == f.ID {
			severity = strconv.FormatFloat(f.Score, 'f', 1, 64)
		}
		g := models.GroupInfo{IDs: []string{v.GetId()}, Aliases: slices.Compact(all), MaxSeverity: severity}
		if f.Reach == finding.ReachAbsent { // without it osv-scanner counts a group as called
			g.ExperimentalAnalysis = map[string]models.AnalysisInfo{v.GetId(): {}}
		}
		p.Groups = append(p.Groups, g)
	}
	return nil
}

// advisoryIDs are the advisories that a folded finding stands for.
func advisoryIDs(f finding.Finding) []string {
	var ids []string
	for _, e := range f.Evidence {
		if e.Source == "advisory" && e.Locator != "" {
			ids = append(ids, e.Locator)
		}
	}
	if len(ids) == 0 {
		ids = []string{f.ID}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func osvRecord(p models.PackageInfo, f finding.Finding, id string, aliases []string) (*osvschema.Vulnerability, error) {
	more, err := structpb.NewStruct(map[string]any{
		"severity": utf8Only(strings.ToUpper(string(f.Severity))), "certainty": utf8Only(string(f.Certainty)),
		"state": utf8Only(f.State), "fingerprint": utf8Only(f.Fingerprint),
	})
	if err != nil {
		return nil, err
	}
	affected := &osvschema.Affected{Package: &osvschema.Package{
		Ecosystem: utf8Only(p.Ecosystem), Name: utf8Only(p.Name), Purl: utf8Only(finding.Versionless(f.Component)),
	}}
	if p.Version != "" {
		affected.Versions = []string{utf8Only(p.Version)}
	}
	if len(f.Fixed) > 0 {
		affected.Ranges = []*osvschema.Range{{Type: osvschema.Range_ECOSYSTEM, Events: []*osvschema.Event{
			{Introduced: utf8Only(cmp.Or(p.Version, "0"))}, {Fixed: utf8Only(f.Fixed[0])},
		}}}
	}
	v := &osvschema.Vulnerability{
		SchemaVersion: osvSchemaVersion, Id: utf8Only(id), Modified: osvTime(f.Modified, f.Published), Published: osvTime(f.Published),
		Affected: []*osvschema.Affected{affected}, DatabaseSpecific: more,
	}
	for _, a := range aliases {
		v.Aliases = append(v.Aliases, utf8Only(a))
	}
	if id == f.ID {
		v.Summary = utf8Only(f.Title)
		if typ := osvSeverityType(f.Vector); typ != osvschema.Severity_UNSPECIFIED {
			v.Severity = []*osvschema.Severity{{Type: typ, Score: utf8Only(f.Vector)}}
		}
	}
	return v, nil
}

// utf8Only replaces what is not UTF-8, as encoding/json does: a record refuses
// it as a whole, and a name out of an artifact must not stop the report.
func utf8Only(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func osvSeverityType(vector string) osvschema.Severity_Type {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		return osvschema.Severity_CVSS_V4
	case strings.HasPrefix(vector, "CVSS:3."):
		return osvschema.Severity_CVSS_V3
	case strings.HasPrefix(vector, "AV:"):
		return osvschema.Severity_CVSS_V2
	}
	return osvschema.Severity_UNSPECIFIED
}

// osvTime is the first time that is known and that a record can hold, nil for none.
func osvTime(times ...*time.Time) *timestamppb.Timestamp {
	for _, t := range times {
		if t == nil || t.IsZero() {
			continue
		}
		if ts := timestamppb.New(t.Truncate(time.Second)); ts.IsValid() {
			return ts
		}
	}
	return nil
}
