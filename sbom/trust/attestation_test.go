package trust

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

var attestedAt = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestJudgeAttested(t *testing.T) {
	standing := func(change func(*registry.Standing)) *registry.Standing {
		s := &registry.Standing{Answer: registry.Known, Version: true, Source: "https://registry.example", AsOf: attestedAt, Repository: "github.com/acme/x", Publisher: "ada",
			Previous: &registry.Version{Version: "1.0.1", Repository: "github.com/acme/x", Publisher: "ada"},
			Past:     registry.Past{Publishers: 2, Known: true}}
		if change != nil {
			change(s)
		}
		return s
	}
	before := func(run int) func(*registry.Standing) {
		return func(s *registry.Standing) {
			s.Past.Attested, s.Past.Run = registry.Release{Version: "1.0.1"}, run
		}
	}
	missing, claimed := Proof{Status: ProofMissing}, Proof{Status: ProofClaimed}
	verified := Proof{Status: ProofVerified, Repository: "https://github.com/Acme/x", Signer: "https://github.com/acme/x/.github/workflows/release.yml@refs/tags/v1"}
	for _, test := range []struct {
		name string
		of   Attested
		want string // "rule weight", by lines; a ? after it: probable
		says string
	}{
		{name: "nothing known", of: Attested{}},
		{name: "as it should be", of: Attested{Standing: standing(before(2)), Provenance: verified, Signature: Proof{Status: ProofVerified}}},
		{name: "missing alone is no signal", of: Attested{Standing: standing(nil), Provenance: missing, Signature: missing}},
		{name: "rejected attestation", of: Attested{Standing: standing(nil), Provenance: Proof{Status: ProofRejected, Reason: "the statement is about another package"}},
			want: "attestation-rejected 3", says: "another package"},
		{name: "rejected signature", of: Attested{Standing: standing(nil), Signature: Proof{Status: ProofRejected, Reason: "the key did not sign this"}},
			want: "signature-rejected 3", says: "did not sign"},

		{name: "provenance lost", of: Attested{Standing: standing(before(1)), Provenance: missing}, want: "provenance-lost 2", says: "1.0.1 has one"},
		{name: "lost, not known whether", of: Attested{Standing: standing(before(1))}},
		{name: "lost, still claimed", of: Attested{Standing: standing(before(1)), Provenance: claimed}},
		{name: "lost before", of: Attested{Standing: standing(before(0)), Provenance: missing}, want: "provenance-lost 1", says: "any more"},
		{name: "returned", of: Attested{Standing: standing(nil), Provenance: verified}},

		{name: "first by its publisher", of: Attested{Provenance: missing, Standing: standing(func(s *registry.Standing) { s.Publisher, s.Past.Known = "eve", false })},
			want: "publisher-changed 1", says: "eve"},
		{name: "first by its publisher, attestation not known", of: Attested{Standing: standing(func(s *registry.Standing) { s.Publisher, s.Past.Known = "eve", false })}, want: "publisher-changed 1"},
		{name: "first by its publisher, attested", of: Attested{Provenance: claimed, Standing: standing(func(s *registry.Standing) { s.Publisher, s.Past.Known = "ci", false })}},
		{name: "a publisher of before", of: Attested{Provenance: missing, Standing: standing(func(s *registry.Standing) { s.Previous.Publisher = "bob" })}},
		{name: "first by its publisher, and lost", of: Attested{Provenance: missing, Standing: standing(func(s *registry.Standing) { before(1)(s); s.Publisher, s.Past.Known = "eve", false })},
			want: "provenance-lost 3\npublisher-changed 2"},
		{name: "repository changed by a first publisher", of: Attested{Provenance: missing, Standing: standing(func(s *registry.Standing) { s.Publisher, s.Past.Known, s.Repository = "eve", false, "github.com/eve/x" })},
			want: "publisher-changed 2\nrepository-changed 1"},
		{name: "first version of all", of: Attested{Provenance: missing, Standing: standing(func(s *registry.Standing) { s.Past, s.Previous = registry.Past{}, nil })}},

		{name: "repository changed", of: Attested{Standing: standing(func(s *registry.Standing) { s.Repository = "github.com/eve/x" })}, want: "repository-changed 1", says: "github.com/eve/x"},
		{name: "repository changed, built from there", of: Attested{Standing: standing(func(s *registry.Standing) { s.Repository = "github.com/eve/x" }), Provenance: Proof{Status: ProofVerified, Repository: "github.com/eve/x"}},
			want: "repository-changed 2"},
		{name: "repository changed, built from the old one", of: Attested{Standing: standing(func(s *registry.Standing) { s.Repository = "github.com/acme/y" }), Provenance: verified},
			want: "provenance-elsewhere 2\nrepository-changed 1"},
		{name: "repository spelled otherwise", of: Attested{Standing: standing(func(s *registry.Standing) { s.Repository = "git+ssh://git@github.com/ACME/x.git#main" })}},
		{name: "repository of an older line that lives on", of: Attested{Standing: standing(func(s *registry.Standing) {
			s.Repository, s.Published, s.Previous.Published = "github.com/eve/x", attestedAt, attestedAt.AddDate(0, 1, 0)
		})}},
		{name: "repository not told now", of: Attested{Standing: standing(func(s *registry.Standing) { s.Repository = "" })}},

		{name: "built elsewhere", of: Attested{Standing: standing(nil), Provenance: Proof{Status: ProofVerified, Repository: "https://github.com/eve/x"}},
			want: "provenance-elsewhere 2", says: "built from github.com/eve/x"},
		{name: "built elsewhere, Python", of: Attested{Component: "pkg:pypi/x@1", Standing: standing(nil), Provenance: Proof{Status: ProofVerified, Repository: "https://github.com/eve/x"}},
			want: "provenance-elsewhere 1?"},
		{name: "built from a source that is not told", of: Attested{Standing: standing(nil), Provenance: Proof{Status: ProofVerified}}},

		{name: "required and verified", of: Attested{Required: true, Provenance: verified}},
		{name: "required from here", of: Attested{Required: true, Sources: []string{"github.com/acme"}, Provenance: verified}},
		{name: "required from elsewhere", of: Attested{Required: true, Sources: []string{"github.com/acm", "github.com/acme/y"}, Provenance: verified}, want: "attestation-required 3", says: "built from"},
		{name: "required from somewhere, source not told", of: Attested{Required: true, Sources: []string{"github.com/acme"}, Provenance: Proof{Status: ProofVerified}}, want: "attestation-required 3"},
		{name: "required and missing", of: Attested{Required: true, Provenance: missing}, want: "attestation-required 3", says: "has none"},
		{name: "required and claimed", of: Attested{Required: true, Provenance: claimed}, want: "attestation-required 3", says: "not checked"},
		{name: "required and unknown", of: Attested{Required: true}, want: "attestation-required 3", says: "nobody could be asked"},
		{name: "required and rejected", of: Attested{Required: true, Provenance: Proof{Status: ProofRejected}}, want: "attestation-rejected 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.of.Component == "" {
				test.of.Component = "pkg:npm/x@1.0.2"
			}
			var got, titles []string
			for _, s := range JudgeAttested([]Attested{test.of}) {
				line := fmt.Sprintf("%s %d", s.Rule, s.Weight)
				if s.Probable {
					line += "?"
				}
				got, titles = append(got, line), append(titles, s.Title)
				if s.Component != test.of.Component || len(s.Evidence) != 1 || s.Evidence[0].Source != "registry" || strings.ContainsAny(s.Title, "\n\r") {
					t.Errorf("%+v", s)
				}
			}
			if strings.Join(got, "\n") != test.want || !strings.Contains(strings.Join(titles, "\n"), test.says) {
				t.Errorf("got %q, want %q; titles %q", got, test.want, titles)
			}
		})
	}
}

func TestRepository(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"x":                               "",
		"acme/x":                          "github.com/acme/x",
		"github:acme/x":                   "github.com/acme/x",
		"gitlab:acme/x":                   "gitlab.com/acme/x",
		"gist:11081aaa281":                "",
		"github.com/Acme/X":               "github.com/acme/x",
		"https://github.com/acme/x.git":   "github.com/acme/x",
		"https://www.github.com/acme/x/":  "github.com/acme/x",
		"git+https://github.com/acme/x":   "github.com/acme/x",
		"git+ssh://git@github.com/acme/x": "github.com/acme/x",
		"ssh://git@github.com:acme/x.git": "github.com/acme/x",
		"ssh://git@git.example:2222/a/x":  "git.example/a/x",
		"git@github.com:acme/x.git":       "github.com/acme/x",
		"git://github.com/acme/x.git#v1":  "github.com/acme/x",
		"https://user:secret@git.example/a/x?token=1":     "git.example/a/x",
		"https://github.com/acme/x/tree/main/packages/y":  "github.com/acme/x",
		"https://github.com/acme/x/issues":                "github.com/acme/x",
		"https://gitlab.com/g/sub/x/-/tree/main/y":        "gitlab.com/g/sub/x",
		"https://gitlab.com/g/sub/wikibase":               "gitlab.com/g/sub/wikibase",
		"https://github.com/acme/%78":                     "github.com/acme/x",
		"https://github.com/acme/../eve/x":                "github.com/acme/eve",
		"https://github.com":                              "",
		"file:///home/ada/x":                              "",
		"https://localhost/x/y":                           "",
		"javascript:alert(1)":                             "",
		"https://github.com/acme/x%0a":                    "",
		strings.Repeat("a/", maxRepository):               "",
		"https://git.example/" + strings.Repeat("../", 9): "",
	} {
		if got := Repository(text); got != want {
			t.Errorf("%q: got %q, want %q", clip(text), got, want)
		}
	}
}

func FuzzRepository(f *testing.F) {
	f.Add("git+ssh://git@github.com:acme/x.git#main")
	f.Add("https://user@[::1]:99/a/b")
	f.Fuzz(func(t *testing.T, text string) {
		once := Repository(text)
		if strings.ContainsAny(once, "\n\r\x00") || strings.Contains(once, "://") {
			t.Errorf("%q -> %q", text, once)
		}
	})
}
