package audit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// records is a small npm feed: name of the file -> OSV record.
var records = map[string]string{
	"GHSA-aaaa-aaaa-aaaa": `{"id":"GHSA-aaaa-aaaa-aaaa","aliases":["CVE-2026-0001"],"summary":"one","modified":"2026-11-21T00:00:00Z",
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"npm","name":"pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}`,
	"GHSA-bbbb-bbbb-bbbb": `{"id":"GHSA-bbbb-bbbb-bbbb","summary":"two","modified":"2026-11-21T00:00:00Z","database_specific":{"severity":"MODERATE"},
		"affected":[{"package":{"ecosystem":"npm","name":"pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.2.0"},{"fixed":"1.3.0"}]}]}]}`,
	"NSWG-1": `{"id":"NSWG-1","aliases":["CVE-2026-0001"],"modified":"2026-11-21T00:00:00Z",
		"affected":[{"package":{"ecosystem":"npm","name":"pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.9"}]}]}]}`,
	"MAL-2026-1": `{"id":"MAL-2026-1","summary":"steals","modified":"2026-11-21T00:00:00Z",
		"affected":[{"package":{"ecosystem":"npm","name":"evil"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`,
}

func openStore(t *testing.T) *vulndb.DB { return storeOf(t, "npm", records) }

// storeOf is a store of advisories of one ecosystem, by their ids.
func storeOf(t *testing.T, ecosystem string, records map[string]string) *vulndb.DB {
	t.Helper()
	feed, dir := t.TempDir(), t.TempDir()
	for id, text := range records {
		if err := os.WriteFile(filepath.Join(feed, id+".json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	u, err := vulndb.Begin(t.Context(), dir, vulndb.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if err := u.Put(t.Context(), vulndb.Input{Ecosystem: ecosystem, Archive: feed, Folder: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := vulndb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func auditor(t *testing.T) *Auditor {
	pol, _ := policy.Builtin(policy.CI)
	return &Auditor{DB: openStore(t), Policy: pol, Checks: All(), Now: now}
}

func npm(name, version string, more ...func(*sbom.Component)) sbom.Component {
	c := sbom.Component{PURL: sbom.PURL("npm", name, version), Name: name, Version: version, Ecosystem: "npm", State: sbom.Live, Origin: sbom.OriginApp,
		Occurrences: []sbom.Occurrence{{Path: "node_modules/" + name + "/package.json", State: sbom.Live}},
		Evidence:    []sbom.Evidence{{Method: sbom.MethodInstalled, Confidence: 1, Path: "node_modules/" + name + "/package.json"}}}
	for _, f := range more {
		f(&c)
	}
	return c
}

func judge(t *testing.T, components ...sbom.Component) *finding.Report {
	t.Helper()
	rep, err := auditor(t).Components(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, &sbom.SBOM{Components: components}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestAliasesAreOneFinding(t *testing.T) {
	rep := judge(t, npm("pad", "1.0.0"))
	if len(rep.Findings) != 1 {
		t.Fatalf("%d findings, want one for the two records of CVE-2026-0001: %+v", len(rep.Findings), rep.Findings)
	}
	f := rep.Findings[0]
	if f.ID != "GHSA-aaaa-aaaa-aaaa" || !slices.Equal(f.Aliases, []string{"CVE-2026-0001", "NSWG-1"}) || f.Severity != finding.Critical || f.Certainty != finding.Certain {
		t.Errorf("finding %+v", f)
	}
	if want := "1.3.0"; rep.Components[0].Upgrade != want {
		t.Errorf("upgrade %q, want %q: 1.2.0 clears this finding and brings another", rep.Components[0].Upgrade, want)
	}
}

func TestUnknownVersionFoldsAndNeverFails(t *testing.T) {
	rep := judge(t, npm("pad", ""))
	if len(rep.Findings) != 1 {
		t.Fatalf("%d findings, want one that folds all: %+v", len(rep.Findings), rep.Findings)
	}
	f := rep.Findings[0]
	if f.Certainty != finding.Possible || f.Rule != policy.RuleVersionUnknown || f.Title != "pad, version unknown: 2 advisories, all fixed in 1.3.0" {
		t.Errorf("finding %+v", f)
	}
	if rep.Verdict.Decision == finding.Fail {
		t.Error("a possible finding failed builtin:ci")
	}
}

func TestCandidateVersions(t *testing.T) {
	both := judge(t, npm("pad", "", func(c *sbom.Component) { c.Versions = []string{"1.0.0", "1.1.0"} }))
	if len(both.Findings) != 1 || both.Findings[0].Certainty != finding.Probable {
		t.Errorf("both candidates are affected, the finding is probable: %+v", both.Findings)
	}
	one := judge(t, npm("pad", "", func(c *sbom.Component) { c.Versions = []string{"1.0.0", "9.0.0"} }))
	if len(one.Findings) != 1 || one.Findings[0].Certainty != finding.Possible {
		t.Errorf("one of two candidates is affected, the finding is possible: %+v", one.Findings)
	}
}

func TestMalwareOfEveryVersionNeedsNone(t *testing.T) {
	rep := judge(t, npm("evil", ""))
	if len(rep.Findings) != 1 || rep.Findings[0].Kind != finding.KindMalware || rep.Verdict.Decision != finding.Fail {
		t.Errorf("findings %+v, verdict %+v", rep.Findings, rep.Verdict)
	}
}

func TestUncoveredIsNeverClean(t *testing.T) {
	for name, c := range map[string]sbom.Component{
		"no OSV ecosystem": {PURL: "pkg:generic/openssl@3.0.2", Name: "openssl", Version: "3.0.2", State: sbom.Live, Origin: sbom.OriginApp},
		"store lacks it":   {PURL: "pkg:gem/rack@1.0.0", Name: "rack", Version: "1.0.0", Ecosystem: "RubyGems", State: sbom.Live, Origin: sbom.OriginApp},
	} {
		rep := judge(t, c)
		if len(rep.Unknowns) != 1 || rep.Unknowns[0].Kind != "unmatched" || rep.Unknowns[0].PURL != c.PURL {
			t.Errorf("%s: unknowns %+v", name, rep.Unknowns)
		}
		if rep.Verdict.Decision != finding.Incomplete {
			t.Errorf("%s: verdict %+v", name, rep.Verdict)
		}
	}
}

func TestTheFunctionItselfIsNoPackage(t *testing.T) {
	rep := judge(t, npm("evil", "1.0.0", func(c *sbom.Component) { c.Main = true }))
	if len(rep.Findings) != 0 || rep.Verdict.Decision != finding.Pass {
		t.Errorf("a function that shares its name with a package: %+v %+v", rep.Findings, rep.Verdict)
	}
}

// Whatever goes wrong inside is in the report, and the verdict is not a pass.
func TestFailuresAreRecorded(t *testing.T) {
	ok := func(context.Context, bundle.Spec) (*bundle.Function, error) { return &bundle.Function{Name: "f"}, nil }
	empty := func(context.Context, *bundle.Function) (*sbom.SBOM, error) { return &sbom.SBOM{}, nil }
	for name, tc := range map[string]struct {
		change func(*Auditor)
		check  string
		reason string
	}{
		"open": {func(a *Auditor) {
			a.Open = func(context.Context, bundle.Spec) (*bundle.Function, error) { return nil, errors.New("no zip") }
		}, "open", "no zip"},
		"catalog error": {func(a *Auditor) {
			a.Catalog = func(context.Context, *bundle.Function) (*sbom.SBOM, error) { return nil, errors.New("broken") }
		}, "catalog", "broken"},
		"catalog panic": {func(a *Auditor) {
			a.Catalog = func(context.Context, *bundle.Function) (*sbom.SBOM, error) { panic("boom") }
		}, "catalog", "boom"},
		"check panic": {func(a *Auditor) {
			a.Checks = []Check{{Name: "vulnerability", Run: func(context.Context, *Auditor, *Subject) (Result, error) { panic("boom") }}}
		}, "vulnerability", "boom"},
		"check error": {func(a *Auditor) {
			a.Checks = []Check{{Name: "vulnerability", Run: func(context.Context, *Auditor, *Subject) (Result, error) { return Result{}, errors.New("half") }}}
		}, "vulnerability", "half"},
	} {
		t.Run(name, func(t *testing.T) {
			a := auditor(t)
			a.Open, a.Catalog = ok, empty
			tc.change(a)
			rep, err := a.Function(t.Context(), bundle.Spec{Name: "f", Ref: "f.zip"})
			if err != nil {
				t.Fatal(err)
			}
			if s := rep.Check(tc.check); s.State != finding.Failed || !strings.Contains(s.Reason, tc.reason) {
				t.Errorf("check %s: %+v", tc.check, s)
			}
			if rep.Verdict.Decision != finding.Incomplete {
				t.Errorf("verdict %+v", rep.Verdict)
			}
		})
	}
}

func TestCancelledIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := auditor(t).Components(ctx, bundle.Spec{Name: "f"}, &sbom.SBOM{Components: []sbom.Component{npm("pad", "1.0.0")}}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestBytesAreNeededForArchives(t *testing.T) {
	rep := judge(t)
	if s := rep.Check("archive"); s.State != finding.Skipped || s.Reason == "" {
		t.Errorf("archive check of a bill of materials: %+v", s)
	}
}

func TestEveryNoticeIsRated(t *testing.T) {
	for kind, o := range oddities {
		if o.title == "" || o.severity == "" {
			t.Errorf("%s has no title or severity", kind)
		}
	}
}
