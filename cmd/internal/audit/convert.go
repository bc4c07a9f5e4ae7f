package audit

import (
	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

// Database describes a store as a report does.
func Database(db *vulndb.DB) finding.Database {
	s := db.Snapshot()
	out := finding.Database{ID: s.ID, BuiltAt: s.BuiltAt.UTC(), Starter: s.Starter, Ecosystems: map[string]finding.Ecosystem{}}
	for _, src := range s.Sources {
		out.Records += src.Records
		eco := finding.Ecosystem{Records: src.Records, AsOf: src.AsOf.UTC(), Source: src.URL, Unread: src.Unread}
		for _, p := range src.Parts {
			eco.Sources = append(eco.Sources, finding.DatabaseSource{Name: p.Origin(), Source: p.URL, Digest: p.Digest, Records: p.Records, AsOf: p.AsOf.UTC(), Unread: p.Unread})
		}
		out.Ecosystems[src.Ecosystem] = eco
	}
	out.Feeds = Feeds(s)
	return out
}

// Feeds describes what a store holds beside its advisories, by name.
func Feeds(s vulndb.Snapshot) []finding.Feed {
	var out []finding.Feed
	for _, f := range s.Feeds {
		out = append(out, finding.Feed{Name: f.Name, Records: f.Records, AsOf: f.AsOf.UTC(), Source: f.URL, Digest: f.Digest})
	}
	return out
}

// Inventory returns the report of a function that was catalogued and not
// judged, as the sbom command shows it.
func Inventory(f *bundle.Function, bom *sbom.SBOM) *finding.Report {
	rep := finding.NewReport(f.Name, f.Spec.Ref)
	declare(rep, f.Spec)
	rep.Ran("open", nil)
	rep.Ran("catalog", nil)
	describe(rep, f)
	addSBOM(rep, bom)
	rep.Verdict.Reasons = []string{"not judged: only a bill of materials was asked for"}
	rep.Sort()
	return rep
}

func describe(rep *finding.Report, f *bundle.Function) {
	rep.Name, rep.Platform, rep.Runtime, rep.Handler, rep.Architecture = f.Name, string(f.Platform), f.Runtime, f.Handler, f.Arch
	rep.Guessed = f.Guessed
	for _, l := range f.Layers {
		mount := ""
		if l.Mount != "" {
			mount = "/" + l.Mount
		}
		rep.Artifacts = append(rep.Artifacts, finding.Artifact{Ref: l.Ref, Kind: string(l.Kind), Digest: string(l.Digest), Size: l.Size, Mount: mount})
	}
	if len(rep.Artifacts) > 0 {
		rep.Artifacts[0].Image = imageOf(f)
	}
}

func addSBOM(rep *finding.Report, bom *sbom.SBOM) {
	for _, c := range bom.Components {
		out := finding.Component{
			PURL: c.PURL, Name: c.Name, Version: c.Version, Versions: c.Versions, Disputed: c.Disputed, Ecosystem: c.Ecosystem, Source: c.Source, SourceVersion: c.SourceVersion, Main: c.Main,
			State: string(c.State), Origin: string(c.Origin), Licenses: notNil(c.Licenses), Hashes: c.Hashes,
			Resolved: c.Resolved, Requires: c.Requires, Ranges: c.Ranges, Confidence: c.Confidence, Locations: []finding.Location{}, Evidence: []finding.Proof{},
		}
		if out.Hashes == nil {
			out.Hashes = map[string]string{}
		}
		for _, o := range c.Occurrences {
			out.Locations = append(out.Locations, finding.Location{Artifact: o.Artifact, Layer: string(o.Layer), Path: o.Path, State: string(o.State)})
		}
		for _, t := range c.Traits {
			out.Traits = append(out.Traits, traitOf(t))
		}
		for _, e := range c.Evidence {
			out.Evidence = append(out.Evidence, finding.Proof{Method: e.Method, Confidence: e.Confidence, Artifact: e.Artifact, Path: e.Path, Detail: e.Detail, Differs: e.Differs})
		}
		rep.Components = append(rep.Components, out)
	}
	for _, t := range bom.Traits {
		rep.Traits = append(rep.Traits, traitOf(t))
	}
	rep.Coverage = coverageOf(bom.Coverage)
	for _, a := range bom.Absent {
		rep.Absent = append(rep.Absent, finding.Absent{
			PURL: a.PURL, Name: a.Name, Version: a.Version, Ecosystem: a.Ecosystem, Lockfile: a.Lockfile,
			Bundles: notNil(a.Bundles), Advisories: []finding.AbsentAdvisory{},
		})
	}
	for _, u := range bom.Unknowns {
		rep.Unknowns = append(rep.Unknowns, finding.Unknown{Artifact: u.Artifact, Path: u.Path, Kind: string(u.Kind), Reason: u.Reason, Origin: string(u.Origin), Code: u.Code})
	}
}

func traitOf(t sbom.Trait) finding.Trait {
	return finding.Trait{Kind: string(t.Kind), Artifact: t.Artifact, Path: t.Path, Detail: t.Detail}
}

// coverageOf turns a coverage into that of a report; nil stays nil.
func coverageOf(c *sbom.Coverage) *finding.Coverage {
	if c == nil {
		return nil
	}
	out := &finding.Coverage{CodeBytes: c.Code, AttributedBytes: c.Attributed, OwnBytes: c.Own, UnknownBytes: c.Unknown, Unattributed: []finding.Unattributed{}}
	for _, f := range c.Files {
		if f.Unknown > 0 {
			out.Unattributed = append(out.Unattributed, finding.Unattributed{Artifact: f.Artifact, Path: f.Path, Bytes: f.Unknown, Reason: f.Reason})
		}
		if f.Bundle == "" {
			continue
		}
		b := finding.Bundle{
			Artifact: f.Artifact, Path: f.Path, Bundler: f.Bundle, CodeBytes: f.Code, AttributedBytes: f.Attributed, OwnBytes: f.Own, UnknownBytes: f.Unknown, Lockfile: f.Bound, Refused: f.Refused,
		}
		for _, s := range f.Shares {
			b.Packages = append(b.Packages, finding.BundleShare{Name: s.Name, Component: s.PURL, Bytes: s.Bytes})
		}
		out.Bundles = append(out.Bundles, b)
	}
	return out
}
