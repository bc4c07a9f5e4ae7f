package registry

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

func standingDay(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// standingFacts makes facts of "version date flags" words: a date of "-" is not
// told, the flags are D for deprecated and Y for yanked.
func standingFacts(s System, name, list string) *Facts {
	f := &Facts{Package: Package{s, name}, Answer: Known, Source: "test", AsOf: standingDay("2026-11-20")}
	for _, line := range strings.Split(list, ",") {
		words := strings.Fields(line)
		v := Version{Version: words[0]}
		if len(words) > 1 && words[1] != "-" {
			v.Published = standingDay(words[1])
		}
		if len(words) > 2 {
			if strings.Contains(words[2], "D") {
				v.Deprecated = "use another"
			}
			if strings.Contains(words[2], "Y") {
				v.Yanked = "broken"
			}
		}
		f.Versions = append(f.Versions, v)
	}
	return f
}

func TestStanding(t *testing.T) {
	for _, c := range []struct {
		name    string
		system  System
		list    string
		version string
		want    string // known newest major minor behind majors minors unordered previous
	}{
		{"one major behind", NPM, "4.17.20 2020-08-13, 4.17.21 2021-02-20, 4.18.0 2024-01-01, 5.0.0 2025-01-01", "4.17.20", "true 5.0.0 4.18.0 4.17.21 3 1 1 0 -"},
		{"the newest", NPM, "1.0.0 2020-01-01, 1.1.0 2021-01-01", "1.1.0", "true 1.1.0 1.1.0 1.1.0 0 0 0 0 1.0.0"},
		{"pre-releases are not recommended", NPM, "1.0.0 2020-01-01, 2.0.0-rc.1 2021-01-01, 2.0.0-rc.2 2021-02-01", "1.0.0", "true 1.0.0 1.0.0 1.0.0 0 0 0 0 -"},
		{"a pre-release knows both", NPM, "1.0.0 2020-01-01, 2.0.0-rc.1 2021-01-01, 2.0.0-rc.2 2021-02-01, 2.0.0 2021-03-01", "2.0.0-rc.2", "true 2.0.0 2.0.0 2.0.0 1 0 1 0 2.0.0-rc.1"},
		{"a pre-release above the newest", NPM, "1.0.0 2020-01-01, 2.0.0-rc.1 2021-01-01", "2.0.0-rc.1", "true 1.0.0 - - 0 0 0 0 1.0.0"},
		{"below 1.0 the second number is the first", NPM, "0.3.1 2020-01-01, 0.3.2 2020-02-01, 0.4.0 2020-03-01, 0.5.0 2020-04-01", "0.3.1", "true 0.5.0 0.3.2 0.3.2 3 2 1 0 -"},
		{"from 0.x to whole numbers", NPM, "0.3.1 2020-01-01, 0.4.0 2020-02-01, 1.0.0 2020-03-01, 2.0.0 2020-04-01", "0.3.1", "true 2.0.0 0.3.1 0.3.1 3 2 0 0 -"},
		{"yanked and deprecated", PyPI, "1.0 2020-01-01, 1.1 2020-02-01 Y, 1.2 2020-03-01 D, 1.0.5 2020-04-01", "1.0", "true 1.0.5 1.0.5 1.0.5 1 0 1 0 -"},
		{"a yanked one was before", PyPI, "1.0 2020-01-01, 1.1 2020-02-01 Y, 1.2 2020-03-01", "1.2", "true 1.2 1.2 1.2 0 0 0 0 1.1"},
		{"everything deprecated", NPM, "1.0.0 2020-01-01 D, 2.0.0 2020-02-01 D", "1.0.0", "true - - - 0 0 0 0 -"},
		{"another spelling", PyPI, "1.0.0 2020-01-01, 1.1 2020-02-01", "1.0", "true 1.1 1.1 1.0.0 1 0 0 0 -"},
		{"PEP 440", PyPI, "1.0 2020-01-01, 1.1a1 2020-01-02, 1.1.dev3 2020-01-02, 1.0.post1 2020-01-03, 1.1c1 2020-01-04", "1.0", "true 1.0.post1 1.0.post1 1.0.post1 1 0 1 0 -"},
		{"an epoch is above", PyPI, "2019.1 2020-01-01, 1!0.9 2020-01-02", "2019.1", "true 1!0.9 2019.1 2019.1 1 1 0 0 -"},
		{"modules", Go, "v1.0.0 2020-01-01, v1.1.0 2020-02-01, v2.0.0+incompatible 2020-03-01, v1.2.0-rc1 2020-04-01", "1.0.0", "true v1.1.0 v1.1.0 v1.0.0 1 0 0 0 -"},
		{"before modules", Go, "v1.0.0 2020-01-01, v2.0.0+incompatible 2020-03-01, v3.0.0+incompatible 2020-04-01", "v2.0.0+incompatible", "true v3.0.0+incompatible v2.0.0+incompatible v2.0.0+incompatible 1 1 0 0 v1.0.0"},
		{"a pseudo-version", Go, "v1.0.0 2020-01-01, v1.1.0 2020-02-01", "v1.0.1-0.20200115000000-abcdefabcdef", "false v1.1.0 v1.1.0 v1.0.0 1 0 0 0 v1.0.0"},
		{"flavours", Maven, "32.0.0-android 2023-01-01, 32.0.0-jre 2023-01-01, 33.0.0-android 2024-01-01, 33.0.0-jre 2024-01-01", "32.0.0-android", "true 33.0.0-android 32.0.0-android 32.0.0-android 1 1 0 0 -"},
		{"no flavour goes on as jre", Maven, "20.0 2016-01-01, 33.0.0-android 2024-01-01, 33.0.0-jre 2024-01-01", "20.0", "true 33.0.0-jre 20.0 20.0 1 1 0 0 -"},
		{"words for a release", Maven, "5.0.0.Final 2020-01-01, 5.1.0.Final 2020-02-01, 5.2.0.CR1 2020-03-01, 6.0.0.Alpha2 2020-03-01, 5.1.1 2020-03-01", "5.0.0.Final", "true 5.1.1 5.1.1 5.0.0.Final 2 0 0 0 -"},
		{"dates are another scheme", Maven, "2.0 2012-01-01, 20030203.000550 2003-02-03, 2.1 2013-01-01", "2.0", "true 2.1 2.1 2.0 1 0 0 0 -"},
		{"what is no number", Maven, "r09 2011-01-01, 10.0 2012-01-01, 11.0 2012-02-01", "10.0", "true 11.0 10.0 10.0 1 1 0 1 -"},
		{"gems come once per processor", RubyGems, "1.0.0 2020-01-01, 1.1.0 2020-02-01, 1.1.0-java 2020-02-01, 1.1.0-x86_64-linux 2020-02-01, 1.2.0.rc1 2020-02-01", "1.0.0", "true 1.1.0 1.1.0 1.0.0 1 0 0 0 -"},
		{"not in the registry", NPM, "1.0.0 2020-01-01, 1.1.0 2020-02-01", "1.0.5", "false 1.1.0 1.1.0 1.0.0 1 0 0 0 1.0.0"},
		{"not a version", NPM, "1.0.0 2020-01-01", "latest", "false - - - 0 0 0 1 -"},
		{"no version", NPM, "1.0.0 2020-01-01", "", "false - - - 0 0 0 0 -"},
	} {
		s := standingFacts(c.system, "x", c.list).Standing(c.version)
		word := func(r Release) string {
			if r.Version == "" {
				return "-"
			}
			return r.Version
		}
		previous := "-"
		if s.Previous != nil {
			previous = s.Previous.Version
		}
		got := fmt.Sprint(s.Version, " ", word(s.Newest), " ", word(s.Major), " ", word(s.Minor), " ", s.Behind, s.MajorsBack, s.MinorBack, s.Unordered, " ", previous)
		if got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.name, c.version, got, c.want)
		}
	}
}

func TestStandingDates(t *testing.T) {
	for _, c := range []struct{ name, list, first, last string }{
		{"whatever its number", "2.0.0 2022-01-01, 1.0.1 2023-05-01, 1.0.0 2020-01-01", "2020-01-01", "1.0.1"},
		{"one without a date may be later", "1.0.0 2020-01-01, 2.0.0 -", "", ""},
		{"one without a date is older", "1.0.0 -, 2.0.0 2020-01-01", "", "2.0.0"},
		{"the future is no date", "1.0.0 2020-01-01, 2.0.0 2199-01-01", "", ""},
		{"nor is the far past", "1.0.0 1900-01-01, 2.0.0 2020-01-01", "", "2.0.0"},
		{"none", "1.0.0 -", "", ""},
	} {
		s := standingFacts(NPM, "x", c.list).Standing("1.0.0")
		first := ""
		if !s.First.IsZero() {
			first = s.First.Format(time.DateOnly)
		}
		if first != c.first || s.Last.Version != c.last {
			t.Errorf("%s: first %q last %q, want %q %q", c.name, first, s.Last.Version, c.first, c.last)
		}
	}
}

// TestStandingUnknown holds that nothing is said where nobody answered.
func TestStandingUnknown(t *testing.T) {
	for _, a := range []Answer{Unknown, Absent} {
		f := standingFacts(NPM, "x", "1.0.0 2020-01-01, 2.0.0 2020-01-01")
		f.Answer = a
		if s := f.Standing("1.0.0"); s.Version || s.Behind != 0 || s.Newest.Version != "" || s.Answer != a {
			t.Errorf("%v: %+v", a, s)
		}
	}
	if s := (&Facts{Answer: Known, AsOf: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).AddDate(5, 0, 0)}).Standing("1"); !s.AsOf.IsZero() {
		t.Errorf("a year that JSON cannot hold: %v", s.AsOf)
	}
}

// TestPlainOrder holds the short way of comparing plain numbers against each
// ecosystem's own order.
func TestPlainOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for system, ecosystem := range ecosystems {
		o := orderOf(Package{system, "x"})
		parts := 3
		text := func() string {
			s := []string{}
			for range parts {
				s = append(s, fmt.Sprint(r.IntN(4)))
			}
			return strings.Join(s, ".")
		}
		for range 2000 {
			if system != NPM && system != Go && system != Cargo {
				parts = 1 + r.IntN(4)
			}
			a, b := text(), text()
			x, err := version.Parse(ecosystem, "x", a)
			if err != nil {
				t.Fatal(err)
			}
			y, err := version.Parse(ecosystem, "x", b)
			if err != nil {
				t.Fatal(err)
			}
			want, err := x.Compare(y)
			if err != nil {
				t.Fatal(err)
			}
			m, n := o.number(a), o.number(b)
			if !m.plain || !n.plain || !m.stable {
				t.Fatalf("%s: %s or %s is not plain", system, a, b)
			}
			if got := o.compare(&m, &n); got != want {
				t.Fatalf("%s: %s to %s is %d, want %d", system, a, b, got, want)
			}
		}
	}
}

// FuzzStanding holds that no list of versions makes it panic or recommend what
// is not there.
func FuzzStanding(f *testing.F) {
	f.Add("npm", "1.0.0 2.0.0-rc.1 x 99999999999999999999999.1 1.2.3.4.5", "1.0.0")
	f.Add("pypi", "1!2.0 1.0+cu118 1.0.post1 v1", "1.0")
	f.Add("maven", "1.0-SNAPSHOT 20040616 1.x ${v} 1.0.Final", "1.0")
	f.Fuzz(func(t *testing.T, system, list, own string) {
		p := Facts{Package: Package{System(system), "x"}, Answer: Known}
		for _, s := range strings.Fields(list) {
			p.Versions = append(p.Versions, Version{Version: s})
		}
		s := p.Standing(own)
		if s.Behind > len(p.Versions) || s.Behind > 0 && s.Newest.Version == "" {
			t.Fatalf("%+v", s)
		}
		for _, r := range []Release{s.Newest, s.Major, s.Minor} {
			if r.Version != "" && p.Find(r.Version) == nil {
				t.Fatalf("%q is recommended and not there", r.Version)
			}
		}
	})
}

// BenchmarkStanding is a function with 400 packages of 150 versions each, one
// in eight a pre-release: it must stay far below the 50 ms that staleness may
// add to a scan.
func BenchmarkStanding(b *testing.B) {
	facts := make([]*Facts, 400)
	for i := range facts {
		f := &Facts{Package: Package{NPM, fmt.Sprint("p", i)}, Answer: Known, AsOf: standingDay("2026-11-20")}
		for j := range 150 {
			v := Version{Version: fmt.Sprintf("%d.%d.%d", j/50, j/10, j%10), Published: standingDay("2015-01-01").AddDate(0, 0, j*20)}
			if j%8 == 0 {
				v.Version += "-beta.1"
			}
			f.Versions = append(f.Versions, v)
		}
		facts[i] = f
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range facts {
			f.Standing("1.6.1")
		}
	}
}
