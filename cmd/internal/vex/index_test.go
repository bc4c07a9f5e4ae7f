package vex

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestIndex holds that the index of products finds what a look at each of them
// does, over random statements about random functions.
func TestIndex(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	sum := func() string { return strings.Repeat(pick("a", "b", "c"), 64) }
	found := 0
	for range 400 {
		one := func() string {
			return pick(`"@id":"pkg:generic/`+pick("fn", "other")+pick("", "@1", "?checksum=sha256:"+sum())+`"`,
				`"@id":"pkg:oci/`+pick("fn", "App", "app")+pick("", "@sha256%3A"+sum(), "?repository_url=registry.example/app")+`"`,
				`"@id":"pkg:npm/`+pick("p", "q")+pick("", "@1", "@2", "?checksum=sha256:"+sum())+`"`,
				`"@id":"pkg:golang/example.com/main`+pick("", "@1", "?checksum=sha256:"+sum())+`"`,
				`"@id":"urn:x","hashes":{"sha-256":"`+sum()+`"`+pick("", `,"sha-512":"`+sum()+sum()+`"`)+`}`,
				`"@id":"pkg:npm/`+pick("p", "q")+`","hashes":{"sha-256":"`+sum()+`"}`)
		}
		var list []string
		for i := range 30 {
			parts := pick("", `,"subcomponents":[{`+one()+`}]`)
			list = append(list, fmt.Sprintf(`{"vulnerability":{"name":"CVE-%d"},"products":[{%s%s},{%s}],"status":"affected"}`, i%3, one(), parts, one()))
		}
		text := `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","timestamp":"2026-01-01T00:00:00Z","statements":[` + strings.Join(list, ",") + `]}`
		s, err := Read([]Document{{"d", []byte(text)}}, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		s.Wary = rnd.IntN(2) == 0
		r := finding.NewReport(pick("fn", "App", "x"), "t")
		r.Artifacts = []finding.Artifact{{Ref: "image:registry.example/app:1", Kind: pick("zip", "image"), Digest: "sha256:" + sum()}, {Digest: "sha256:" + sum()}}
		r.Components = []finding.Component{
			{PURL: "pkg:npm/p@1", Name: "p", Version: "1", Hashes: map[string]string{"sha256": sum()}, Locations: []finding.Location{{Artifact: rnd.IntN(2)}}},
			{PURL: "pkg:npm/q@2?checksum=sha256:" + sum(), Name: "q", Version: "2"},
			{PURL: "pkg:golang/example.com/main" + pick("", "@1"), Main: true},
			{PURL: "pkg:oci/app@sha256:" + sum()},
		}
		m := s.matcher(r)
		for i := range r.Components {
			c := m.packages[r.Components[i].PURL]
			for _, id := range []string{"CVE-0", "cve-1"} {
				var want []int
				for n, st := range s.statements {
					if slices.Contains(st.ids, strings.ToUpper(id)) && slices.ContainsFunc(st.products, func(p product) bool { return p.about(&m.function, c, s.Wary) }) {
						want = append(want, n)
					}
				}
				found += len(want)
				if got := m.find([]string{id}, c); !slices.Equal(got, want) {
					t.Fatalf("%s of %s: %v, want %v\n%s", id, c.PURL, got, want, text)
				}
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d matches: the test holds nothing", found)
	}
}

// TestFleetStatements holds that statements about each function of a large fleet
// are not all looked at for each of its findings.
func TestFleetStatements(t *testing.T) {
	var products []string
	for i := range 20_000 {
		products = append(products, fmt.Sprintf(`{"@id":"urn:x","hashes":{"sha-256":"%064x"}}`, i))
	}
	text := `{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","timestamp":"2026-01-01T00:00:00Z","statements":[
		{"vulnerability":{"name":"CVE-1"},"products":[` + strings.Join(products, ",") + `],"status":"affected"}]}`
	s, err := Read([]Document{{"d", []byte(text)}}, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	r := finding.NewReport("fn", "t")
	r.Artifacts = []finding.Artifact{{Digest: fmt.Sprintf("sha256:%064x", 77)}}
	m := s.matcher(r)
	if len(m.own) != 1 || m.own[0].product != 77 {
		t.Errorf("%d products are looked at", len(m.own))
	}
	if got := m.find([]string{"CVE-1"}, &pkg{Component: &finding.Component{PURL: "pkg:npm/a@1"}}); !slices.Equal(got, []int{0}) {
		t.Errorf("found %v", got)
	}
}
