package stale

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

const spam = `{"version":1,"products":[
 {"product":"spam","name":"Spam","kind":"framework","asOf":"2026-08-22","source":"https://ends.example/spam","packages":["pkg:npm/@spam/core","pkg:nuget/spam.core"],
  "cycles":[{"cycle":"4.20"},{"cycle":"4.10","end":"2027-03-01"},{"cycle":"4","end":"2026-01-01"},{"cycle":"3","end":"2025-01-01","extended":"2026-01-01"},{"cycle":"2","ended":true}]},
 {"product":"eggix","name":"Eggix","kind":"distribution","asOf":"2026-08-22","source":"https://ends.example/eggix","distro":"eggix-leap","cycles":[{"cycle":"12","end":"2026-07-11","extended":"2028-06-30"},{"cycle":"11","end":"2024-08-14"}]}]}`

func TestEnds(t *testing.T) {
	table, err := ParseRuntimes([]byte(spam))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, purl, version, now string
		want                     string // rule severity title [fixed]; "" nothing is said
	}{
		{"supported", "pkg:npm/%40spam/core@4.20.1", "4.20.1", "2026-11-28", ""},
		{"soon", "pkg:npm/%40spam/core@4.10.1", "4.10.1", "2026-11-28", "end-of-life-soon low is of Spam 4.10, which gets no security fixes from 2027-03-01 on [4.20]"},
		{"not soon yet", "pkg:npm/%40spam/core@4.10.1", "4.10.1", "2026-08-28", ""},
		{"a shorter line", "pkg:npm/%40spam/core@4.2.0", "4.2.0", "2026-11-28", "end-of-life medium is of Spam 4, which gets no security fixes any more: it ended on 2026-01-01 [4.20]"},
		{"extended", "pkg:npm/%40spam/core@3.1.0", "3.1.0", "2025-11-28", "end-of-life low is of Spam 3, which ended on 2025-01-01; until 2026-01-01 only a long-term team, or whoever is paid for it, makes security fixes [4.10 4.20]"},
		{"no longer extended", "pkg:npm/%40spam/core@3.1.0", "3.1.0", "2026-11-28", "end-of-life medium is of Spam 3, which gets no security fixes any more: it ended on 2025-01-01 [4.20]"},
		{"ended on a day that nobody knows", "pkg:nuget/Spam.Core@2.0.0", "2.0.0", "2026-11-28", "end-of-life medium is of Spam 2, which gets no security fixes any more [4.20]"},
		{"a line that is not listed", "pkg:npm/%40spam/core@1.0.0", "1.0.0", "2026-11-28", ""},
		{"no version", "pkg:npm/%40spam/core", "", "2026-11-28", ""},
		{"another package", "pkg:npm/%40spam/other@3.0.0", "3.0.0", "2026-11-28", ""},
		{"a distribution", "pkg:deb/eggix/tar@1.34?arch=amd64&distro=eggix-leap-11.2", "1.34", "2026-11-28", "end-of-life medium Eggix 11, which gets no security fixes any more: it ended on 2024-08-14 []"},
		{"a distribution with a long-term team", "pkg:rpm/eggix/tar@1.34?distro=eggix-leap-12&arch=amd64", "1.34", "2026-11-28", "end-of-life low Eggix 12, which ended on 2026-07-11; until 2028-06-30 only a long-term team, or whoever is paid for it, makes security fixes []"},
		{"another distribution", "pkg:apk/ham/tar@1.34?distro=ham-3.20", "1.34", "2026-11-28", ""},
		{"no distribution", "pkg:deb/eggix/tar@1.34", "1.34", "2026-11-28", ""},
	} {
		got := ""
		for _, e := range table.Ends([]sbom.Component{{PURL: c.purl, Version: c.version}, {PURL: c.purl, Version: c.version}}, on(c.now)) {
			n, ok := e.Note()
			if !ok {
				continue
			}
			got += fmt.Sprint(n.Rule, " ", n.Severity, " ", n.Title, " ", n.Fixed)
			if n.Source == "" || n.AsOf.IsZero() || n.From != "table" || (n.Component == "") == (n.About == "") || n.Detail == "" {
				t.Errorf("%s: a claim without its source: %+v", c.name, n)
			}
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	ends := table.Ends([]sbom.Component{{PURL: "pkg:npm/%40spam/core@4.20.1", Version: "4.20.1"}}, on("2027-08-23"))
	if n, ok := OldTables(ends); !ok || n.Rule != RuleTableOld || !strings.Contains(n.Title, "a table of 2026-08-22, which is more than 365 days old, is all that says these are supported: Spam 4.20") {
		t.Errorf("an old table is believed: %+v", n)
	}
	if _, ok := OldTables(table.Ends([]sbom.Component{{PURL: "pkg:npm/%40spam/core@4.1.0", Version: "4.1.0"}}, on("2027-08-23"))); ok {
		t.Error("a table is too old to say that something has ended")
	}
}

// TestEmbeddedProducts asks the tables of the program, one question each kind.
func TestEmbeddedProducts(t *testing.T) {
	table, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ purl, version, what string }{
		{"pkg:golang/stdlib@1.21.5", "go1.21.5", "Go 1.21 deprecated"},
		{"pkg:golang/stdlib@1.26.8", "1.26.8", "Go 1.26 supported"},
		{"pkg:generic/node@18.20.1", "18.20.1", "Node.js 18 deprecated"},
		{"pkg:generic/python@3.8.10", "3.8.10", "Python 3.8 deprecated"},
		{"pkg:deb/debian/tar@1.34?arch=amd64&distro=debian-10", "1.34", "Debian 10 deprecated"},
		{"pkg:deb/ubuntu/tar@1.34?arch=amd64&distro=ubuntu-24.04", "1.34", "Ubuntu 24.04 supported"},
		{"pkg:apk/alpine/busybox@1.36?distro=alpine-3.16.9", "1.36", "Alpine Linux 3.16 deprecated"},
		{"pkg:rpm/amzn/bash@5?distro=amzn-2", "5", "Amazon Linux 2 deprecated"},
		{"pkg:rpm/amzn/bash@5?distro=amzn-2023", "5", "Amazon Linux 2023 supported"},
		{"pkg:rpm/redhat/bash@5?distro=rhel-8.9", "5", "Red Hat Enterprise Linux 8 supported"},
		{"pkg:pypi/django@3.2.1", "3.2.1", "Django 3.2 deprecated"},
		{"pkg:npm/%40angular/core@12.0.0", "12.0.0", "Angular 12 deprecated"},
		{"pkg:npm/express@3.21.2", "3.21.2", "Express 3 deprecated"},
		{"pkg:npm/express@4.18.2", "4.18.2", "Express 4 supported"},
		{"pkg:npm/aws-sdk@2.1692.0", "2.1692.0", "AWS SDK for JavaScript 2 deprecated"},
		{"pkg:maven/org.springframework.boot/spring-boot@2.7.18", "2.7.18", "Spring Boot 2.7 deprecated"},
		{"pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1", "2.17.1", "Log4j 2 supported"},
		{"pkg:gem/rails@6.1.0", "6.1.0", "Ruby on Rails 6.1 deprecated"},
		{"pkg:nuget/Microsoft.NETCore.App@6.0.1", "6.0.1", ".NET 6 deprecated"},
	} {
		ends := table.Ends([]sbom.Component{{PURL: c.purl, Version: c.version}}, on("2026-11-22"))
		if len(ends) != 1 || ends[0].What()+" "+string(ends[0].Phase) != c.what {
			t.Errorf("%s: %+v, want %s", c.purl, ends, c.what)
		}
	}
	for _, p := range table.Products {
		if !strings.HasPrefix(p.Source, "https://") || len(p.Cycles) == 0 {
			t.Errorf("%s: source %q, %d lines", p.ID, p.Source, len(p.Cycles))
		}
		for _, c := range p.Cycles {
			if !c.Extended.IsZero() && !c.Extended.After(c.End) {
				t.Errorf("%s %s: extended until before its end", p.ID, c.Name)
			}
		}
	}
}

func TestParseProductsIsStrict(t *testing.T) {
	for name, c := range map[string]struct{ old, new, says string }{
		"unknown key":        {`"end":"2027-03-01"`, `"eol":"2027-03-01"`, "eol"},
		"day that is none":   {`2027-03-01`, `2027-02-30`, "2027-02-30"},
		"extended that is":   {`"extended":"2026-01-01"`, `"extended":"soon"`, "soon"},
		"no asOf":            {`"asOf":"2026-08-22"`, `"asOf":""`, "asOf"},
		"no source":          {`https://ends.example/spam`, ``, "source"},
		"nothing shows it":   {`"distro":"eggix-leap",`, ``, "distro"},
		"a line twice":       {`{"cycle":"2"`, `{"cycle":"3"`, "twice"},
		"a product twice":    {`"product":"eggix"`, `"product":"spam"`, "twice"},
		"a package twice":    {`"pkg:nuget/spam.core"`, `"pkg:npm/@spam/core"`, "package"},
		"a package's number": {`pkg:npm/@spam/core`, `pkg:npm/@spam/core@1`, "without a version"},
	} {
		if _, err := ParseRuntimes([]byte(strings.Replace(spam, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

// TestOverProducts holds that a table of one's own replaces what it speaks of,
// by whatever name, and nothing else.
func TestOverProducts(t *testing.T) {
	own, err := ParseRuntimes([]byte(spam))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := ParseRuntimes([]byte(`{"version":1,"products":[{"product":"our-spam","name":"Our Spam","kind":"framework","asOf":"2027-01-01","source":"mine","packages":["pkg:npm/@spam/core"],"cycles":[{"cycle":"3"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ends := mine.Over(own).Ends([]sbom.Component{{PURL: "pkg:npm/%40spam/core@3.0.0", Version: "3.0.0"}, {PURL: "pkg:deb/x/y@1?distro=eggix-leap-11", Version: "1"}}, on("2026-11-28"))
	if len(ends) != 2 || ends[0].What() != "Eggix 11" || ends[1].What() != "Our Spam 3" || ends[1].Phase != Supported {
		t.Errorf("%+v", ends)
	}
}

func TestSDKs(t *testing.T) {
	table, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	rt, _ := table.Look("aws-lambda", "nodejs22.x", on("2026-11-28"))
	of := func(origin sbom.Origin, name, version string) sbom.Component {
		return sbom.Component{PURL: "pkg:" + name + "@" + version, Version: version, Origin: origin, Occurrences: []sbom.Occurrence{{Path: "var/runtime/x"}}}
	}
	published := func(purl, at string) map[string]*registry.Standing {
		return map[string]*registry.Standing{purl: {Published: on(at)}}
	}
	const s3 = "npm/%40aws-sdk/client-s3"
	for name, c := range map[string]struct {
		components []sbom.Component
		standings  map[string]*registry.Standing
		rt         *Answer
		want       string
	}{
		"older than the base image's": {[]sbom.Component{of(sbom.OriginApp, s3, "3.600.0"), of(sbom.OriginRuntime, s3, "3.632.0")}, nil, &rt, "is shipped with the function, while the runtime brings 3.632.0"},
		"newer":                       {[]sbom.Component{of(sbom.OriginApp, s3, "3.700.0"), of(sbom.OriginRuntime, s3, "3.632.0")}, published("pkg:"+s3+"@3.700.0", "2020-01-01"), &rt, ""},
		"not known":                   {[]sbom.Component{of(sbom.OriginApp, s3, "3.600.0")}, nil, &rt, ""},
		"nobody declared a runtime":   {[]sbom.Component{of(sbom.OriginApp, s3, "3.1.0")}, published("pkg:"+s3+"@3.1.0", "2021-01-14"), nil, ""},
		"older than the runtime":      {[]sbom.Component{of(sbom.OriginLayer, s3, "3.1.0")}, published("pkg:"+s3+"@3.1.0", "2021-01-14"), &rt, "is shipped with the function, and older than any that runtime nodejs22.x has brought"},
		"published shortly before":    {[]sbom.Component{of(sbom.OriginApp, s3, "3.600.0")}, published("pkg:"+s3+"@3.600.0", "2024-06-21"), &rt, ""},
		"no SDK":                      {[]sbom.Component{of(sbom.OriginApp, "npm/lodash", "4.17.20"), of(sbom.OriginRuntime, "npm/lodash", "4.17.21")}, published("pkg:npm/lodash@4.17.20", "2020-08-13"), &rt, ""},
		"boto3":                       {[]sbom.Component{of(sbom.OriginApp, "pypi/boto3", "1.20.1"), of(sbom.OriginBase, "pypi/boto3", "1.9.0"), of(sbom.OriginRuntime, "pypi/boto3", "1.36.3")}, nil, &rt, "is shipped with the function, while the runtime brings 1.36.3"},
	} {
		got := ""
		for _, n := range SDKs(c.components, c.standings, c.rt) {
			got += n.Title
			if n.Source == "" || n.From == "" || n.Component == "" || n.Rule != RuleSDK {
				t.Errorf("%s: %+v", name, n)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// BenchmarkEnds is a function with 400 packages on a distribution.
func BenchmarkEnds(b *testing.B) {
	table, err := Embedded()
	if err != nil {
		b.Fatal(err)
	}
	var components []sbom.Component
	for i := range 200 {
		components = append(components, sbom.Component{PURL: fmt.Sprintf("pkg:npm/%%40p/p%d@1.0.0", i), Version: "1.0.0"},
			sbom.Component{PURL: fmt.Sprintf("pkg:deb/debian/p%d@1.0.0?arch=amd64&distro=debian-12", i), Version: "1.0.0"})
	}
	for b.Loop() {
		table.Ends(components, on("2026-11-22"))
	}
}

// BenchmarkEmbedded is what the tables cost whoever asks them first.
func BenchmarkEmbedded(b *testing.B) {
	for b.Loop() {
		if _, err := ParseRuntimes(productsJSON); err != nil {
			b.Fatal(err)
		}
	}
}
