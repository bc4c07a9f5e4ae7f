package policy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// SchemaFile is the name under which an editor looks for the schema beside a
// policy file.
const SchemaFile = "fnaudit-policy.schema.json"

// Template is a policy file that judges exactly as a built-in policy does, and
// in which every other setting stands as a comment: a line that starts with a
// single # is one. "" when there is no such built-in policy.
func Template(extends string) string {
	p, ok := Builtin(extends)
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, templateHead, extends, extends)
	for _, s := range append(shown(p), examples...) {
		b.WriteString("\n")
		for line := range strings.SplitSeq(s.says, "\n") {
			b.WriteString("## " + line + "\n")
		}
		for line := range strings.SplitSeq(s.yaml, "\n") {
			b.WriteString("# " + line + "\n")
		}
	}
	return b.String()
}

const templateHead = `# yaml-language-server: $schema=` + SchemaFile + `
## What this team demands of its functions. As it stands it judges exactly as
## %s does. A line that starts with a single # is a setting: take the # and
## the space away to use it. "fnaudit policy check" says what the file does then,
## "fnaudit policy schema" writes the schema that editors complete it with.
version: 1
extends: %s
`

// section is a part of the template: what it does, and how it is written.
type section struct{ says, yaml string }

// shown are the sections that show the values of the built-in policy: used as
// they are they change nothing.
func shown(p *Policy) []section {
	return []section{
		{"fail says from where on a finding fails; none switches a line off.", "fail:\n" + lineYAML(p.Fail)},
		{"warn says what is told and does not fail.", "warn:\n" + lineYAML(p.Warn)},
		{"unknown_severity is what a finding that nobody rated is judged as.", "unknown_severity: " + string(p.UnknownSeverity)},
		{"require names checks that must have run, else the verdict is incomplete; those of\nthe policy that is extended stay.", "require: " + flow(p.Require)},
		{"incomplete says which unknowns in code make a verdict incomplete, and from where\npackages must have a source of advisories.", "incomplete:\n  unknowns: " + flow(p.Unknowns) + "\n  unmatched: " + flow(p.Unmatched)},
		{"coverage is how much of the code must be accounted for, and of each bundle.", fmt.Sprintf("coverage:\n  minimum: %s\n  bundle: %s", shareYAML(p.Coverage.Minimum), shareYAML(p.Coverage.Bundle))},
		{"signature says what to make of one that is not verified: fail, incomplete, warn\nor ignore.", "signature:\n" + responsesYAML(p.Signature)},
		{"priority is how findings are put in order: what weighs how much.", "priority:\n  weights: " + weightsYAML(DefaultWeights())},
		{"provenance says the same of a signed statement about the build.", "provenance:\n" + responsesYAML(p.Provenance)},
	}
}

// examples are the sections that no built-in policy has.
var examples = []section{
	{"database is how old what is known may be: the advisory store, and the list of what\nis known to be exploited.", `database:
  max_age: 7d
  kev_max_age: 3d`},
	{"grace is how long a vulnerability that would fail only warns. Malware never waits.", `grace:
  critical: 2d
  high: 14d
  medium: 30d
  low: 90d
  known_exploited: 0d
  from: published`},
	{"licences says under which licences packages may be used, as SPDX identifiers.\nWith a list here what is not allowed fails, unless fail has another licence line.", `licences:
  allow: [MIT, Apache-2.0, ISC, "BSD-*"]
  deny: [AGPL-3.0-only]
  unknown: warn
  origins: [app, layer]
  packages:
    - component: pkg:npm/example
      licence: MIT
      reason: the project's site says so, its package does not`},
	{"vex says which statements of the documents that --vex names clear a finding.", `vex:
  accept: [vulnerable_code_not_present, vulnerable_code_not_in_execute_path, fixed]
  authors: [Example Security Team]`},
	{"stale is from when on a dependency is past its time.", `stale:
  unmaintained: 730d
  age: 365d`},
	{"facts is how much must be known of the packages from registries.", `facts:
  minimum: 90%
  max_age: 30d`},
	{"functions says what holds otherwise for some of them: by name (a pattern), tag,\nowner or platform. A later entry stands over an earlier one.", `functions:
  - match: {tag: internet-facing}
    fail: {severity: high}
  - match: {name: "internal-*"}
    warn: {stale: none}`},
	{"waivers accept a finding, or something unknown, until the end of a day. Without a\ncomponent one holds for every package.", `waivers:
  - id: CVE-2024-0001
    component: pkg:npm/example
    range: "<2.0"
    function: "orders-*"
    reason: the affected call is not reachable from our handler
    owner: team-orders
    expires: 2027-03-31
  - id: opaque
    path: "vendor/*.bin"
    reason: a model, not code
    owner: team-orders
    expires: 2027-03-31`},
	{"waivers_warn is how long before its end a waiver warns.", `waivers_warn: 14d`},
	{"dependencies says where packages may come from. Private names are published\nnowhere else.", `dependencies:
  private: ["@example/*"]
  registries:
    npm: [https://packages.example/npm/]
  layer_accounts: ["123456789012"]
  cool_down: 3d
  attestations:
    require: ["@example/*"]
    sources: [github.com/example]`},
	{"trust_roots names what is trusted without proof, by file or as the program brings it.", `trust_roots:
  public: {embedded: public-good}
  release-key: {public_key: release.pub}`},
	{"artifacts demands signatures or a provenance of artifacts. The first entry that\nmatches one applies to it.", `artifacts:
  - match: {kind: [zip, layer]}
    require:
      - any_of:
          - sigstore:
              root: public
              issuer: https://token.actions.githubusercontent.com
              san: https://github.com/example/orders/.github/workflows/release.yml@refs/heads/main
          - key: {root: release-key}`},
	{"gate is what \"fnaudit gate\" writes on a pass, and how old that may be at deploy\ntime.", `gate:
  max_age: 30d
  emit:
    verifier_id: https://example.com/fnaudit
    resource_uri: https://example.com/functions/{name}
    key: env://GATE_KEY`},
}

// lineYAML writes a line with every key, so that each is there to be changed.
func lineYAML(l Line) string {
	severity := func(s finding.Severity) string {
		switch s {
		case "":
			return "none"
		case finding.None:
			return "any"
		}
		return string(s)
	}
	top := severity(l.Severity)
	if l.Any {
		top = "any"
	}
	var b strings.Builder
	for _, x := range []struct{ key, value, says string }{
		{"malware", fmt.Sprint(l.Malware), "every malicious package"},
		{"known_exploited", fmt.Sprint(l.KnownExploit), "what is known to be exploited"},
		{"fixable", severity(l.Fixable), "a vulnerability of this severity or worse, with a fix"},
		{"severity", top, "the same, fix or no fix"},
		{"certainty", string(cmp.Or(l.Certainty, finding.Probable)), "what is less certain does not count"},
		{"absent", fmt.Sprint(l.Absent), "count what the linker left out, too"},
		{"archive", severity(l.Archive), "oddities of the archive"},
		{"runtime", string(cmp.Or(l.Runtime, "none")), "a runtime that is blocked, deprecated, soon to be, any"},
		{"stale", severity(l.Stale), "dependencies past their time"},
		{"untrusted", severity(l.Untrusted), "dependencies that something speaks against"},
		{"licence", severity(l.Licence), "licences that are not allowed"},
		{"exposure", severity(l.Exposure), "who may call a function, what it may do"},
		{"drift", severity(l.Drift), "what is deployed and was not judged"},
	} {
		if x.key == "licence" && x.value == "none" {
			continue // written out it would keep the lists of licences from drawing their line
		}
		fmt.Fprintf(&b, "  %-24s # %s\n", x.key+": "+x.value, x.says)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// flow writes a list; a component of unknown origin is counted as the app's and has no word.
func flow(list []string) string {
	var words []string
	for _, w := range list {
		if w != "" {
			words = append(words, w)
		}
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func responsesYAML(r Responses) string {
	return fmt.Sprintf("  rejected: %s\n  missing: %s\n  unverifiable: %s", r.Of("rejected"), r.Of("missing"), r.Of("unverifiable"))
}

func shareYAML(f float64) string { return fmt.Sprintf("%g%%", f*100) }

func weightsYAML(w Weights) string {
	return fmt.Sprintf("{severity: %d, kev: %d, epss: %d, reach: %d, certainty: %d, exposure: %d, fix: %d}", w.Severity, w.KEV, w.EPSS, w.Reach, w.Certainty, w.Exposure, w.Fix)
}

// durationYAML writes a duration as a policy file does.
func durationYAML(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	text := d.String()
	for _, empty := range []string{"m0s", "h0m"} {
		if cut, ok := strings.CutSuffix(text, empty); ok {
			text = cut + empty[:1]
		}
	}
	return text
}
