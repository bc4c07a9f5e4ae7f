package report

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// The parts of osv-scanner's output (github.com/google/osv-scanner/v2/pkg/models
// v2.5.0, results.go) and of an OSV record (https://ossf.github.io/osv-schema/
// 1.7) that are written. They are our own types because that package brings
// protobuf and the extractors with it: 4 MB and 2 ms at each start. A test
// reads the output with the original.
type osvResults struct {
	Results []osvSource `json:"results"`
	Config  osvConfig   `json:"experimental_config"`
}

type osvConfig struct {
	Licenses struct {
		Summary   bool     `json:"summary"`
		Allowlist []string `json:"allowlist"`
	} `json:"licenses"`
}

type osvSource struct {
	Source struct {
		Path string `json:"path"`
		Type string `json:"type"`
	} `json:"source"`
	Packages []osvPackage `json:"packages"`
}

type osvPackage struct {
	Package struct {
		Name          string `json:"name"`
		OSPackageName string `json:"os_package_name,omitempty"`
		Version       string `json:"version"`
		Ecosystem     string `json:"ecosystem"`
	} `json:"package"`
	Vulnerabilities []osvRecord `json:"vulnerabilities,omitempty"`
	Groups          []osvGroup  `json:"groups,omitempty"`
}

type osvGroup struct {
	IDs         []string               `json:"ids"`
	Aliases     []string               `json:"aliases"`
	Analysis    map[string]osvAnalysis `json:"experimental_analysis,omitempty"` // only of what is proven not to be there: without it osv-scanner counts a group as called
	MaxSeverity string                 `json:"max_severity"`
}

type osvAnalysis struct {
	Called      bool `json:"called"`
	Unimportant bool `json:"unimportant"`
}

type osvRecord struct {
	SchemaVersion    string         `json:"schema_version"`
	ID               string         `json:"id"`
	Modified         string         `json:"modified,omitempty"`
	Published        string         `json:"published,omitempty"`
	Aliases          []string       `json:"aliases,omitempty"`
	Summary          string         `json:"summary,omitempty"`
	Severity         []osvSeverity  `json:"severity,omitempty"`
	Affected         []osvAffected  `json:"affected"`
	DatabaseSpecific map[string]any `json:"database_specific,omitempty"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		PURL      string `json:"purl,omitempty"`
	} `json:"package"`
	Ranges   []osvRange `json:"ranges,omitempty"`
	Versions []string   `json:"versions,omitempty"`
}

type osvRange struct {
	Type   string              `json:"type"`
	Events []map[string]string `json:"events"`
}

// writeOSV writes the packages that something is known against, as osv-scanner
// does. What was waived is left out, as osv-scanner leaves out what its
// configuration ignores. Each record holds what this program knows of the
// advisory: the affected range is the installed version up to the fix.
func writeOSV(w io.Writer, doc *finding.Document, _ Options) error {
	out := osvResults{Results: []osvSource{}}
	for _, r := range doc.Functions {
		src := osvSource{Packages: []osvPackage{}}
		src.Source.Path, src.Source.Type = cmp.Or(r.Target, r.Name), "artifact"
		components := index(r)
		byComponent := map[string]int{}
		for _, f := range slices.SortedFunc(slices.Values(r.Findings), finding.Compare) {
			if f.Waived != nil || f.Kind != finding.KindVulnerability && f.Kind != finding.KindMalware {
				continue
			}
			i, ok := byComponent[f.Component]
			if !ok {
				i = len(src.Packages)
				byComponent[f.Component] = i
				src.Packages = append(src.Packages, newOSVPackage(f, components[f.Component]))
			}
			src.Packages[i].add(f)
		}
		slices.SortFunc(src.Packages, func(a, b osvPackage) int {
			return cmp.Or(cmp.Compare(a.Package.Ecosystem, b.Package.Ecosystem), cmp.Compare(a.Package.Name, b.Package.Name), cmp.Compare(a.Package.Version, b.Package.Version))
		})
		if len(src.Packages) > 0 {
			out.Results = append(out.Results, src)
		}
	}
	return codec.WriteJSON(w, out)
}

func newOSVPackage(f finding.Finding, c finding.Component) osvPackage {
	var p osvPackage
	p.Package.Name = cmp.Or(c.Name, nameOf(f.Component))
	p.Package.Version = cmp.Or(c.Version, versionOf(f.Component))
	p.Package.Ecosystem = c.Ecosystem
	if c.Source != "" && c.Source != c.Name {
		p.Package.Name, p.Package.OSPackageName = c.Source, c.Name
	}
	return p
}

// add adds the records of a finding: one, or one for each advisory that the
// finding of a package with an unknown version folds.
func (p *osvPackage) add(f finding.Finding) {
	ids := []string{f.ID}
	aliases := f.Aliases
	if f.Rule == ruleVersionUnknown {
		ids, aliases = advisoryIDs(f), nil
	}
	for _, id := range ids {
		if slices.ContainsFunc(p.Vulnerabilities, func(v osvRecord) bool { return v.ID == id }) {
			continue
		}
		p.Vulnerabilities = append(p.Vulnerabilities, p.record(f, id, aliases))
		all := append([]string{id}, aliases...)
		slices.Sort(all)
		severity := ""
		if f.Score > 0 && id == f.ID {
			severity = strconv.FormatFloat(f.Score, 'f', 1, 64)
		}
		g := osvGroup{IDs: []string{id}, Aliases: slices.Compact(all), MaxSeverity: severity}
		if f.Reach == finding.ReachAbsent {
			g.Analysis = map[string]osvAnalysis{id: {}}
		}
		p.Groups = append(p.Groups, g)
	}
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

func (p *osvPackage) record(f finding.Finding, id string, aliases []string) osvRecord {
	v := osvRecord{
		SchemaVersion: "1.7.0", ID: id, Aliases: aliases, Modified: osvTime(f.Modified, f.Published), Published: osvTime(f.Published),
		DatabaseSpecific: map[string]any{
			"severity": strings.ToUpper(string(f.Severity)), "certainty": string(f.Certainty), "state": f.State, "fingerprint": f.Fingerprint,
		},
	}
	affected := osvAffected{}
	affected.Package.Ecosystem, affected.Package.Name, affected.Package.PURL = p.Package.Ecosystem, p.Package.Name, finding.Versionless(f.Component)
	if p.Package.Version != "" {
		affected.Versions = []string{p.Package.Version}
	}
	if id == f.ID {
		v.Summary = f.Title
		if typ := osvSeverityType(f.Vector); typ != "" {
			v.Severity = []osvSeverity{{Type: typ, Score: f.Vector}}
		}
	}
	if len(f.Fixed) > 0 {
		affected.Ranges = []osvRange{{Type: "ECOSYSTEM", Events: []map[string]string{
			{"introduced": cmp.Or(p.Package.Version, "0")}, {"fixed": f.Fixed[0]},
		}}}
	}
	v.Affected = []osvAffected{affected}
	return v
}

func osvSeverityType(vector string) string {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		return "CVSS_V4"
	case strings.HasPrefix(vector, "CVSS:3."):
		return "CVSS_V3"
	case strings.HasPrefix(vector, "AV:"):
		return "CVSS_V2"
	}
	return ""
}

// osvTime is the first time that is known, "" for none.
func osvTime(times ...*time.Time) string {
	for _, t := range times {
		if t != nil && !t.IsZero() {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return ""
}
