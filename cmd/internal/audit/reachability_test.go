package audit

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/reach"
)

// goRecords are two records of one flaw, of which only the Go database's names
// symbols, and one of another module.
var goRecords = map[string]string{
	"GO-2026-1": `{"id":"GO-2026-1","aliases":["CVE-2026-0009"],"modified":"2026-11-21T00:00:00Z",
		"affected":[{"package":{"ecosystem":"Go","name":"example.com/vuln"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.0"}]}],
		"ecosystem_specific":{"imports":[{"path":"example.com/vuln/lib","symbols":["Parse"]}]}}]}`,
	"GHSA-gggg-gggg-gggg": `{"id":"GHSA-gggg-gggg-gggg","aliases":["CVE-2026-0009"],"modified":"2026-11-21T00:00:00Z","database_specific":{"severity":"HIGH"},
		"affected":[{"package":{"ecosystem":"Go","name":"example.com/vuln"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.0"}]}]}]}`,
	"GHSA-hhhh-hhhh-hhhh": `{"id":"GHSA-hhhh-hhhh-hhhh","modified":"2026-11-21T00:00:00Z","database_specific":{"severity":"HIGH"},
		"affected":[{"package":{"ecosystem":"Go","name":"example.com/other"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.0"}]}]}]}`,
}

func goStore(t *testing.T) *vulndb.DB { return storeOf(t, "Go", goRecords) }

func golang(name string, paths ...string) sbom.Component {
	c := sbom.Component{PURL: sbom.PURL("Go", name, "v1.0.0"), Name: name, Version: "v1.0.0", Ecosystem: "Go", State: sbom.Live, Origin: sbom.OriginApp}
	for _, p := range paths {
		c.Occurrences = append(c.Occurrences, sbom.Occurrence{Path: p, State: sbom.Live})
		c.Evidence = append(c.Evidence, sbom.Evidence{Method: sbom.MethodBuildInfo, Confidence: 1, Path: p})
	}
	return c
}

// kept makes what a report keeps of a binary; its blob is its path.
func kept(path string) finding.GoBinary {
	return finding.GoBinary{Path: path, Digest: "sha256:" + path, Go: "go1.26.8", Blob: []byte(path)}
}

// says answers for each binary, by its path, with one state; "error" fails.
func says(states map[string]reach.State) Reacher {
	return func(_ context.Context, src reach.Source, list []*vulndb.Advisory) (*reach.Result, error) {
		state := states[string(src.Blob)]
		if state == "error" {
			return nil, errors.New("killed")
		}
		res := &reach.Result{Blob: src.Blob, Go: "go1.26.8"}
		for _, a := range list {
			ans := reach.Answer{ID: a.ID, State: state, Detail: "because"}
			if !namesImports(a) {
				ans.State = reach.Unknown
			}
			res.Answers = append(res.Answers, ans)
		}
		return res, nil
	}
}

// TestRescanReach holds what the binaries of an earlier report make of a
// finding, of the check and of the verdict.
func TestRescanReach(t *testing.T) {
	for _, tt := range []struct {
		name     string
		at       []string // where the module is
		kept     []finding.GoBinary
		states   map[string]reach.State
		reach    string
		check    finding.CheckState
		decision finding.Decision
	}{
		{"absent", []string{"a"}, []finding.GoBinary{kept("a")}, map[string]reach.State{"a": reach.Absent}, "absent", finding.Ran, finding.Pass},
		{"present", []string{"a"}, []finding.GoBinary{kept("a")}, map[string]reach.State{"a": reach.Present}, "present", finding.Ran, finding.Fail},
		{"unknown", []string{"a"}, []finding.GoBinary{kept("a")}, map[string]reach.State{"a": reach.Unknown}, "unknown", finding.Ran, finding.Fail},
		{"present in one", []string{"a", "b"}, []finding.GoBinary{kept("a"), kept("b")}, map[string]reach.State{"a": reach.Absent, "b": reach.Present}, "present", finding.Ran, finding.Fail},
		{"unknown in one", []string{"a", "b"}, []finding.GoBinary{kept("a"), kept("b")}, map[string]reach.State{"a": reach.Absent, "b": reach.Unknown}, "unknown", finding.Ran, finding.Fail},
		{"absent in both", []string{"a", "b"}, []finding.GoBinary{kept("a"), kept("b")}, map[string]reach.State{"a": reach.Absent, "b": reach.Absent}, "absent", finding.Ran, finding.Pass},
		{"killed in one", []string{"a", "b"}, []finding.GoBinary{kept("a"), kept("b")}, map[string]reach.State{"a": reach.Absent, "b": "error"}, "unknown", finding.Failed, finding.Fail},
		{"one not kept", []string{"a", "b"}, []finding.GoBinary{kept("a")}, map[string]reach.State{"a": reach.Absent}, "unknown", finding.Ran, finding.Fail},
		{"blob too large", []string{"a"}, []finding.GoBinary{{Path: "a"}}, nil, "unknown", finding.Ran, finding.Fail},
		{"nothing kept", []string{"a"}, nil, nil, "unknown", finding.Skipped, finding.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pol, _ := policy.Builtin(policy.CI)
			a := &Auditor{DB: goStore(t), Policy: pol, Checks: All(), Now: now, Reach: says(tt.states)}
			rep, err := a.Rescan(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, &sbom.SBOM{Components: []sbom.Component{golang("example.com/vuln", tt.at...)}}, tt.kept, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(rep.Findings) != 1 || rep.Findings[0].Reach != tt.reach || rep.Findings[0].Severity != finding.High {
				t.Errorf("findings %+v", rep.Findings)
			}
			if got := state(rep, "reachability"); got != tt.check {
				t.Errorf("check %s, want %s", got, tt.check)
			}
			if rep.Verdict.Decision != tt.decision {
				t.Errorf("verdict %+v, want %s", rep.Verdict, tt.decision)
			}
			if len(rep.GoBinaries) != len(tt.kept) && tt.check != finding.Skipped {
				t.Errorf("kept %+v", rep.GoBinaries)
			}
		})
	}
}

func state(rep *finding.Report, check string) finding.CheckState {
	for _, s := range rep.Checks {
		if s.Check == check {
			return s.State
		}
	}
	return ""
}

// TestFailedReachIsIncomplete holds that a child that dies is no pass, although
// nothing is known against the function.
func TestFailedReachIsIncomplete(t *testing.T) {
	pol, _ := policy.Builtin(policy.CI)
	a := &Auditor{DB: goStore(t), Policy: pol, Checks: All(), Now: now, Reach: says(map[string]reach.State{"a": "error"})}
	c := golang("example.com/clean", "a")
	rep, err := a.Rescan(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, &sbom.SBOM{Components: []sbom.Component{c}}, []finding.GoBinary{kept("a")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Verdict.Decision != finding.Incomplete || !strings.Contains(strings.Join(rep.Verdict.Reasons, " "), `"reachability" failed: a: killed`) {
		t.Errorf("verdict %+v", rep.Verdict)
	}
	if len(rep.GoBinaries) != 1 || string(rep.GoBinaries[0].Blob) != "a" {
		t.Errorf("what was kept is lost: %+v", rep.GoBinaries)
	}
}

// TestWithoutSymbols holds that a record which names no symbols stays open.
func TestWithoutSymbols(t *testing.T) {
	pol, _ := policy.Builtin(policy.CI)
	a := &Auditor{DB: goStore(t), Policy: pol, Checks: All(), Now: now, Reach: says(map[string]reach.State{"a": reach.Absent})}
	rep, err := a.Rescan(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, &sbom.SBOM{Components: []sbom.Component{golang("example.com/other", "a")}}, []finding.GoBinary{kept("a")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) != 1 || rep.Findings[0].Reach != finding.ReachUnknown || rep.Verdict.Decision != finding.Fail {
		t.Errorf("%+v, verdict %+v", rep.Findings, rep.Verdict)
	}
}

// TestNoProgram holds that a build which cannot look says so and lowers nothing.
func TestNoProgram(t *testing.T) {
	pol, _ := policy.Builtin(policy.CI)
	a := &Auditor{DB: goStore(t), Policy: pol, Checks: All(), Now: now}
	rep, err := a.Rescan(t.Context(), bundle.Spec{Name: "f", Ref: "f.json"}, &sbom.SBOM{Components: []sbom.Component{golang("example.com/vuln", "a")}}, []finding.GoBinary{kept("a")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if state(rep, "reachability") != finding.Skipped || rep.Findings[0].Reach != finding.ReachUnknown || len(rep.GoBinaries) != 1 {
		t.Errorf("%+v", rep)
	}
}
