package stale

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	checkout = flag.String("endoflife", "", "checkout of github.com/endoflife-date/endoflife.date from which to rewrite products.json")
	asOf     = flag.String("as-of", "", "day of the checkout, 2026-08-22")
)

// TestProductsOf rewrites products.json from a checkout of endoflife.date: the
// dates of the products that it lists, each by its id. What has another source
// stays as it is. Without the flags it holds that the file is written as it
// would write it.
func TestProductsOf(t *testing.T) {
	var doc table
	if err := json.Unmarshal(productsJSON, &doc); err != nil {
		t.Fatal(err)
	}
	if *checkout != "" {
		if _, err := time.Parse(time.DateOnly, *asOf); err != nil {
			t.Fatalf("-as-of: %v", err)
		}
		for i := range doc.Products {
			p := &doc.Products[i]
			if !strings.HasPrefix(p.Source, "https://endoflife.date/") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(*checkout, "products", p.Product+".md"))
			if err != nil {
				t.Fatal(err)
			}
			if p.AsOf, p.Cycles = *asOf, cyclesOf(string(text)); len(p.Cycles) == 0 {
				t.Fatalf("%s: no release lines", p.Product)
			}
		}
	}
	got := writeProducts(doc)
	if *checkout != "" {
		if err := os.WriteFile("products.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, productsJSON) {
		t.Error("products.json is not written as the test writes it")
	}
}

var cycleLine = regexp.MustCompile(`^\s*(?:- )?\s*(releaseCycle|eol|eoes):\s*"?([^"#]*?)"?\s*(?:#.*)?$`)

// cyclesOf reads the release lines from the head of a page: "eol" is the end
// for everybody, "eoes" that of extended support; "true" is a day that nobody knows.
func cyclesOf(page string) []tableCycle {
	_, body, _ := strings.Cut(page, "\nreleases:")
	body, _, _ = strings.Cut(body, "\n---")
	var out []tableCycle
	for _, l := range strings.Split(body, "\n") {
		m := cycleLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		_, notDay := time.Parse(time.DateOnly, m[2])
		switch last := len(out) - 1; {
		case m[1] == "releaseCycle":
			out = append(out, tableCycle{Cycle: m[2]})
		case last < 0:
		case m[1] == "eol" && notDay == nil:
			out[last].End = m[2]
		case m[1] == "eol":
			out[last].Ended = m[2] == "true"
		case notDay == nil:
			out[last].Extended = m[2]
		}
	}
	for i := range out {
		if out[i].Extended <= out[i].End || out[i].End == "" {
			out[i].Extended = ""
		}
	}
	return out
}

// writeProducts writes a line for each release line, so that a change is seen
// as one.
func writeProducts(doc table) []byte {
	quote := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return strings.ReplaceAll(string(text), `","`, `", "`)
	}
	var b bytes.Buffer
	b.WriteString("{\n  \"version\": 1,\n  \"products\": [\n")
	for i, p := range doc.Products {
		fmt.Fprintf(&b, "    {\"product\": %s, \"name\": %s, \"kind\": %s, \"asOf\": %s, \"source\": %s", quote(p.Product), quote(p.Name), quote(p.Kind), quote(p.AsOf), quote(p.Source))
		if len(p.Packages) > 0 {
			b.WriteString(", \"packages\": " + quote(p.Packages))
		}
		if p.Distro != "" {
			b.WriteString(", \"distro\": " + quote(p.Distro))
		}
		b.WriteString(", \"cycles\": [\n")
		for j, c := range p.Cycles {
			b.WriteString("      {\"cycle\": " + quote(c.Cycle))
			if c.End != "" {
				b.WriteString(", \"end\": " + quote(c.End))
			}
			if c.Ended {
				b.WriteString(", \"ended\": true")
			}
			if c.Extended != "" {
				b.WriteString(", \"extended\": " + quote(c.Extended))
			}
			b.WriteString("}" + comma(j, len(p.Cycles)))
		}
		b.WriteString("    ]}" + comma(i, len(doc.Products)))
	}
	b.WriteString("  ]\n}\n")
	return b.Bytes()
}

func comma(i, n int) string {
	if i < n-1 {
		return ",\n"
	}
	return "\n"
}

func TestCyclesOf(t *testing.T) {
	got := fmt.Sprint(cyclesOf("---\ntitle: x\n\nreleases:\n  - releaseCycle: \"2.1\"\n    eol: false # soon\n    eoes: 2027-01-01\n\n  -   releaseCycle: \"2.0\"\n    eol: 2026-01-01\n    eoes: 2027-01-01\n  - releaseCycle: \"1\"\n    eol: true\n---\n    eol: 2020-01-01\n"))
	if want := "[{2.1  false } {2.0 2026-01-01 false 2027-01-01} {1  true }]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
