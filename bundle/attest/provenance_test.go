package attest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
)

// TestProvenanceDemands asks one provenance for one thing at a time. The
// statement says what testdata/statement/v1_github.txtar says, unless form names another.
func TestProvenanceDemands(t *testing.T) {
	const builder = testSigner // this builder's id is its workflow
	for _, c := range []struct {
		name   string
		form   string
		demand Demand
		step   Step // "" verified
		says   string
		level  int
	}{
		{name: "nothing", level: 1},
		{name: "builder", demand: Demand{Builders: []Builder{{ID: builder}}}, level: 1},
		{name: "builder at its level", demand: Demand{Builders: []Builder{{ID: builder, MaxLevel: 3}}}, level: 3},
		{name: "builder with its signer", demand: Demand{Builders: []Builder{{ID: builder, Signer: testSigner, MaxLevel: 2}}}, level: 2},
		{name: "the best of two pairs", demand: Demand{Builders: []Builder{{ID: builder, MaxLevel: 1}, {ID: builder, Signer: testSigner, MaxLevel: 3}}}, level: 3},
		{name: "a better pair of another signer", demand: Demand{Builders: []Builder{{ID: builder, MaxLevel: 1}, {ID: builder, Signer: "other", MaxLevel: 3}}}, level: 1},
		{name: "builder prefix", demand: Demand{Builders: []Builder{{ID: strings.TrimSuffix(builder, "2")}}}, step: StepBuilder},
		{name: "builder suffix", demand: Demand{Builders: []Builder{{ID: builder + "2"}}}, step: StepBuilder},
		{name: "builder in another case", demand: Demand{Builders: []Builder{{ID: strings.ToUpper(builder)}}}, step: StepBuilder},
		{name: "builder with a slash", demand: Demand{Builders: []Builder{{ID: builder + "/"}}}, step: StepBuilder},
		{name: "another signer of the builder", demand: Demand{Builders: []Builder{{ID: builder, Signer: "someone"}}}, step: StepBuilder, says: "not when this signer"},
		{name: "an empty builder id trusts nobody", form: "v1_buildkit", demand: Demand{Builders: []Builder{{ID: ""}}}, step: StepBuilder},
		{name: "level 1", demand: Demand{MinLevel: 1}, level: 1},
		{name: "level 2 of an unknown pair", demand: Demand{MinLevel: 2}, step: StepLevel},
		{name: "level 3 of a pair at 2", demand: Demand{MinLevel: 3, Builders: []Builder{{ID: builder, MaxLevel: 2}}}, step: StepLevel},
		{name: "level 2 of a pair at 3", demand: Demand{MinLevel: 2, Builders: []Builder{{ID: builder, MaxLevel: 3}}}, level: 3},
		{name: "level 1 of no builder", form: "v1_buildkit", demand: Demand{MinLevel: 1}, step: StepLevel},

		{name: "source", demand: Demand{Source: "https://github.com/acme/orders"}, level: 1},
		{name: "source prefix", demand: Demand{Source: "https://github.com/acme/order"}, step: StepSource},
		{name: "source suffix", demand: Demand{Source: "https://github.com/acme/orders2"}, step: StepSource},
		{name: "source in another case", demand: Demand{Source: "https://github.com/Acme/orders"}, step: StepSource},
		{name: "source with a slash", demand: Demand{Source: "https://github.com/acme/orders/"}, step: StepSource},
		{name: "source with .git", demand: Demand{Source: "https://github.com/acme/orders.git"}, step: StepSource},
		{name: "source with git+", demand: Demand{Source: "git+https://github.com/acme/orders"}, step: StepSource},
		{name: "source without scheme", demand: Demand{Source: "github.com/acme/orders"}, step: StepSource},
		{name: "source over http", demand: Demand{Source: "http://github.com/acme/orders"}, step: StepSource},
		{name: "the source that was asked for, and no source said", form: "v01_cloudbuild_bucket", demand: Demand{Source: "https://github.com/acme/orders"}, step: StepSource, says: "does not say"},
		{name: "one of two possible sources", form: "v1_unknown_two_repositories", demand: Demand{Source: "https://git.acme.example/a"}, step: StepSource, says: "which of them was built"},
		{name: "a repository that a keyless build took in is no contradiction", form: "v1_buildkit_other_context", level: 0},
		{name: "and no source", form: "v1_buildkit_other_context", demand: Demand{Source: "https://github.com/acme/base"}, step: StepSource, says: "which of them was built"},
		{name: "source of a delegator", form: "v1_delegator", demand: Demand{Source: "https://github.com/acme/orders"}, level: 1},
		{name: "not the second source of a delegator", form: "v1_delegator", demand: Demand{Source: "https://github.com/acme/builder"}, step: StepSource},
		{name: "source not among the materials", form: "v02_no_materials", demand: Demand{Source: "https://github.com/acme/orders"}, step: StepSource, says: "materials"},
		{name: "source of a liar, the one that he names", form: "v1_github_liar", demand: Demand{Source: "https://github.com/acme/orders"}, step: StepSource},
		{name: "source of a liar, his own", form: "v1_github_liar", demand: Demand{Source: "https://github.com/mallory/orders"}, step: StepSource},
		{name: "a builder alone does not let its signer speak of others", form: "v1_github_liar", demand: Demand{Builders: []Builder{{ID: builder}}}, step: StepSource},
		{name: "a pair does", form: "v1_github_liar", demand: Demand{Source: "https://github.com/acme/orders", Builders: []Builder{{ID: builder, Signer: testSigner}}}, level: 1},
		{name: "but of one thing only", form: "v1_github_contradiction", demand: Demand{Builders: []Builder{{ID: builder, Signer: testSigner}}}, step: StepSource, says: "contradicts itself"},

		{name: "tag", demand: Demand{Tag: "v1.4.2"}, level: 1},
		{name: "tag prefix", demand: Demand{Tag: "v1.4"}, step: StepRef},
		{name: "tag suffix", demand: Demand{Tag: "v1.4.20"}, step: StepRef},
		{name: "tag in another case", demand: Demand{Tag: "V1.4.2"}, step: StepRef},
		{name: "tag as a ref", demand: Demand{Tag: "refs/tags/v1.4.2"}, step: StepRef},
		{name: "release of the major version", demand: Demand{Tag: "semver:v1"}, level: 1},
		{name: "release of the minor version", demand: Demand{Tag: "semver:v1.4"}, level: 1},
		{name: "release of another version", demand: Demand{Tag: "semver:v1.3"}, step: StepRef},
		{name: "a branch is no tag", form: "v1_container_based", demand: Demand{Tag: "main"}, step: StepRef},
		{name: "no ref said", form: "v02_gitlab", demand: Demand{Tag: "v1.4.2"}, step: StepRef, says: "does not say"},
		{name: "branch", form: "v1_container_based", demand: Demand{Branch: "main"}, level: 1},
		{name: "branch prefix", form: "v1_container_based", demand: Demand{Branch: "mai"}, step: StepRef},
		{name: "a tag is no branch", demand: Demand{Branch: "v1.4.2"}, step: StepRef},
		{name: "branch of the certificate, where the statement says none", form: "v1_gitlab", demand: Demand{Branch: "main"}, level: 1},

		{name: "workflow", demand: Demand{Workflow: ".github/workflows/release.yml"}, level: 1},
		{name: "workflow of a delegator", form: "v1_delegator", demand: Demand{Workflow: ".github/workflows/release.yml"}, level: 1},
		{name: "workflow by its name", demand: Demand{Workflow: "release.yml"}, step: StepWorkflow},
		{name: "workflow prefix", demand: Demand{Workflow: ".github/workflows/release.y"}, step: StepWorkflow},
		{name: "input", form: "v02_generator", demand: Demand{Inputs: map[string]string{"stage": "prod", "dry": "false"}}, level: 1},
		{name: "input with another value", form: "v02_generator", demand: Demand{Inputs: map[string]string{"stage": "pro"}}, step: StepWorkflow},
		{name: "input that was not given", form: "v02_generator", demand: Demand{Inputs: map[string]string{"Stage": "prod"}}, step: StepWorkflow},
		{name: "no inputs at all", demand: Demand{Inputs: map[string]string{"stage": "prod"}}, step: StepWorkflow},
		{name: "input of a delegator's caller", form: "v1_delegator", demand: Demand{Inputs: map[string]string{"stage": "prod", "artifact": "orders"}}, level: 1},
		{name: "substitution", form: "v1_cloudbuild", demand: Demand{Inputs: map[string]string{"_STAGE": "prod"}}, level: 1},

		{name: "package", form: "v02_npm", demand: Demand{Package: "pkg:npm/@acme/orders@1.4.2"}, level: 1},
		{name: "package of another version", form: "v02_npm", demand: Demand{Package: "pkg:npm/%40acme/orders@1.4.20"}, step: StepPackage},
		{name: "package in another case", form: "v02_npm", demand: Demand{Package: "pkg:npm/%40acme/Orders@1.4.2"}, step: StepPackage},
		{name: "package without scope", form: "v02_npm", demand: Demand{Package: "pkg:npm/orders@1.4.2"}, step: StepPackage},
		{name: "package of a subject without", demand: Demand{Package: "pkg:npm/orders@1.4.2"}, step: StepPackage, says: "names no package"},
		{name: "what is no package", form: "v02_npm", demand: Demand{Package: "orders"}, step: StepPackage},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := c.form
			if form == "" {
				form = "v1_github"
			}
			r := predicate(&Request{Subject: statementSubject(), Now: now, Demand: c.demand}, formOf(t, form))[0]
			if want := c.step == ""; (r.Status == Verified) != want || r.Step != c.step || !strings.Contains(r.Reason, c.says) {
				t.Fatalf("%s at step %q: %s (expected %q, found %q); want step %q, %q", r.Status, r.Step, r.Reason, r.Expected, r.Found, c.step, c.says)
			}
			if c.step == "" && r.Claims.Level != c.level {
				t.Errorf("level %d, want %d", r.Claims.Level, c.level)
			}
			if c.step != "" && r.Reason == "" {
				t.Error("no reason")
			}
		})
	}
}

func TestParseOrigin(t *testing.T) {
	const commit = "4f1d3c0b9a8e7d6c5b4a39281706f5e4d3c2b1a0"
	for uri, want := range map[string]origin{
		"git+https://github.com/acme/orders@refs/tags/v1":         {"https://github.com/acme/orders", "refs/tags/v1", ""},
		"git+https://github.com/acme/orders.git@refs/heads/a@b":   {"https://github.com/acme/orders", "refs/heads/a@b", ""},
		"https://github.com/acme/orders.git#refs/heads/main":      {"https://github.com/acme/orders", "refs/heads/main", ""},
		"https://github.com/acme/orders.git#main":                 {"https://github.com/acme/orders", "", ""},
		"git+https://github.com/acme/orders@v1":                   {"https://github.com/acme/orders", "", ""},
		"git+https://github.com/acme/orders@" + commit:            {"https://github.com/acme/orders", "", commit},
		"https://github.com/acme/orders/commit/" + commit:         {"https://github.com/acme/orders", "", commit},
		"https://github.com/acme/orders/commit/" + commit[1:]:     {"https://github.com/acme/orders/commit/" + commit[1:], "", ""},
		"git+ssh://git@github.com/acme/orders.git@refs/heads/x":   {"ssh://git@github.com/acme/orders", "refs/heads/x", ""},
		"https://user:pw@host.example":                            {"https://user:pw@host.example", "", ""},
		"https://github.com/acme/orders/":                         {"https://github.com/acme/orders/", "", ""},
		"HTTPS://GitHub.com/acme/orders":                          {"HTTPS://GitHub.com/acme/orders", "", ""},
		"":                                                        {},
		"@":                                                       {"@", "", ""},
		"git@github.com:acme/orders.git":                          {"git@github.com:acme/orders", "", ""},
		"git+git+https://github.com/acme/orders":                  {"git+https://github.com/acme/orders", "", ""},
		"https://github.com/acme/orders.git.git":                  {"https://github.com/acme/orders.git", "", ""},
		"git+https://github.com/acme/orders@refs/tags/v1#subpath": {"https://github.com/acme/orders", "refs/tags/v1", ""},
	} {
		if got := parseOrigin(uri); got != want {
			t.Errorf("%q: %+v, want %+v", uri, got, want)
		}
	}
}

func TestTagMatches(t *testing.T) {
	for _, c := range []struct {
		demand, tag string
		want        bool
	}{
		{"v1.2.3", "v1.2.3", true}, {"v1", "v1.2.3", false}, {"v1.2.3", "v1.2.3+1", false},
		{"semver:v1", "v1.2.3", true}, {"semver:v1", "v1.0.0", true}, {"semver:v1", "v10.0.0", false}, {"semver:v1", "v1", false},
		{"semver:v1", "v1.2", false}, {"semver:v1", "1.2.3", false}, {"semver:1", "1.2.3", true}, {"semver:1", "v1.2.3", false},
		{"semver:v1.2", "v1.2.9", true}, {"semver:v1.2", "v1.20.0", false}, {"semver:v1.2.3", "v1.2.3", true}, {"semver:v1.2.3", "v1.2.30", false},
		{"semver:v1.2.3", "v1.2.3+build.5", true}, {"semver:v1", "v1.2.3-rc.1", false}, {"semver:v1", "v1.2.3-rc.1+b", false}, {"semver:v1.2.3", "v1.2.3-rc.1", false},
		{"semver:v1", "v01.2.3", false}, {"semver:v1", "v1.02.3", false}, {"semver:v01", "v1.2.3", false}, {"semver:v0", "v0.1.0", true},
		{"semver:api/v1", "api/v1.4.0", true}, {"semver:api/v1", "v1.4.0", false}, {"semver:v1", "api/v1.4.0", false}, {"semver:release-2024/v1", "release-2024/v1.0.1", true},
		{"semver:", "v1.2.3", false}, {"semver:v", "v1.2.3", false}, {"semver:v1-rc", "v1.0.0-rc", false}, {"semver:v1", "v1.2.3 ", false}, {"semver:v1", "v1.2.3\n", false},
		{"semver:V1", "v1.2.3", false}, {"SEMVER:v1", "v1.2.3", false}, {"semver:v1.2.3.4", "v1.2.3", false},
	} {
		if got := tagMatches(c.demand, c.tag); got != c.want {
			t.Errorf("%q for %q: %v", c.tag, c.demand, got)
		}
	}
}

func TestPURL(t *testing.T) {
	for text, want := range map[string]pkg{
		"pkg:npm/%40acme/orders@1.0.0":        {"npm", "@acme/orders", "1.0.0", ""},
		"pkg:npm/@acme/orders@1.0.0":          {"npm", "@acme/orders", "1.0.0", ""},
		"pkg:npm/@acme/orders":                {"npm", "@acme/orders", "", ""},
		"pkg:NPM/orders@1.0.0-rc.1%2Bb":       {"npm", "orders", "1.0.0-rc.1+b", ""},
		"pkg://npm/orders@1.0.0":              {"npm", "orders", "1.0.0", ""},
		"pkg:npm/orders@1.0.0?a=b#sub/path":   {"npm", "orders", "1.0.0", "a=b"},
		"pkg:pypi/Acme_Orders@1.0":            {"pypi", "acme-orders", "1.0", ""},
		"pkg:golang/github.com/acme/x@v1.0.0": {"golang", "github.com/acme/x", "v1.0.0", ""},
	} {
		got, err := parsePURL(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
		if again, err := parsePURL(got.String()); err != nil || again.name != got.name || again.version != got.version {
			t.Errorf("%q written as %q reads as %+v, %v", text, got.String(), again, err)
		}
	}
	for _, text := range []string{"", "npm/orders", "pkg:", "pkg:npm", "pkg:npm/", "pkg:npm/%zz@1", "pkg:npm/a@%zz", "PKG:npm/orders"} {
		if p, err := parsePURL(text); err == nil {
			t.Errorf("%q was read as %+v", text, p)
		}
	}
	for file, want := range map[string]string{
		"acme_orders-1.4.2-py3-none-any.whl":            "pkg:pypi/acme-orders@1.4.2",
		"acme_orders-1.4.2-1-cp312-cp312-linux_x86.whl": "pkg:pypi/acme-orders@1.4.2",
		"acme-orders-1.4.2.tar.gz":                      "pkg:pypi/acme-orders@1.4.2",
		"acme_orders-1.4.2.zip":                         "pkg:pypi/acme-orders@1.4.2",
		"acme_orders-1.4.2.whl":                         "",
		"-1.4.2.tar.gz":                                 "",
		"orders.exe":                                    "",
	} {
		p, ok := pythonFile(file)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%q: %v %v, want %q", file, p, ok, want)
		}
	}
}

// TestProvenanceKeyless: the repository in a provenance is compared with the one
// in the certificate of whoever signed it.
func TestProvenanceKeyless(t *testing.T) {
	l := newLab(t)
	artifact := []byte("orders")
	s := labSubject(artifact)
	digest, err := s.Digest("sha256")
	if err != nil {
		t.Fatal(err)
	}
	statement := func(source, ref string) []byte {
		return fmt.Appendf(nil, `{"_type":%q,"subject":[{"name":"orders","digest":{"sha256":%q}}],"predicateType":%q,"predicate":{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1",`+
			`"externalParameters":{"workflow":{"repository":%q,"ref":%q,"path":".github/workflows/release.yml"}}},"runDetails":{"builder":{"id":"https://builder.example"}}}}`,
			statementV1, digest, provenanceV1, source, ref)
	}
	const mine, others = "https://github.com/acme/orders", "https://github.com/acme/other"
	pair := []Builder{{ID: "https://builder.example", Signer: labIdentity, MaxLevel: 3}}
	for _, c := range []struct {
		name        string
		source, ref string
		demand      Demand
		want        Status
		step        Step
	}{
		{"its own source", mine, "refs/tags/v1.2.3", Demand{Source: mine, Tag: "v1.2.3"}, Verified, ""},
		{"its own source with its pair", mine, "refs/tags/v1.2.3", Demand{Source: mine, Builders: pair, MinLevel: 3}, Verified, ""},
		{"another source, and that one is demanded", others, "refs/tags/v1.2.3", Demand{Source: others}, Rejected, StepSource},
		{"another source, and its own is demanded", others, "refs/tags/v1.2.3", Demand{Source: mine}, Rejected, StepSource},
		{"another tag", mine, "refs/tags/v1.2.4", Demand{Tag: "v1.2.4"}, Rejected, StepRef},
		{"another source, and the pair is trusted with it", others, "refs/tags/v1.2.3", Demand{Source: others, Builders: pair}, Verified, ""},
		{"the pair is of another builder", others, "refs/tags/v1.2.3", Demand{Source: others, Builders: []Builder{{ID: "https://builder.example/", Signer: labIdentity}}}, Rejected, StepBuilder},
		{"the pair is of another signer", others, "refs/tags/v1.2.3", Demand{Source: others, Builders: []Builder{{ID: "https://builder.example", Signer: labIdentity + "x"}}}, Rejected, StepSource},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := keyless(l.trust(true, false, true))
			d.Source, d.Tag, d.Builders, d.MinLevel = c.demand.Source, c.demand.Tag, c.demand.Builders, c.demand.MinLevel
			data, err := protojson.Marshal(l.bundle(order{statement: statement(c.source, c.ref)}))
			if err != nil {
				t.Fatal(err)
			}
			out, err := Verify(t.Context(), Request{Subject: s, Evidence: []Evidence{{Source: "bundle", Data: data}}, Demand: d, Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(out.Results, func(r Result) bool {
				return r.Status == c.want && r.Step == c.step && (c.want != Verified || r.Kind == KindProvenance)
			})
			if out.Status != c.want || i < 0 {
				t.Errorf("%s, want %s at step %q: %+v", out.Status, c.want, c.step, out.Results)
			}
		})
	}
}
