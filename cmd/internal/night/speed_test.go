package night

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestDecodeMutated: of a text with mistakes everything that is read is read as
// encoding/json reads it.
func TestDecodeMutated(t *testing.T) {
	var doc finding.Document
	filled(reflect.ValueOf(&doc).Elem(), 0)
	var texts [][]byte
	for _, indent := range []string{"", "  ", "\t\t\t\t\t\t\t\t\t"} {
		text, err := json.MarshalIndent(doc, "", indent)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	r := rand.New(rand.NewPCG(7, 7))
	good := 0
	for n := range 240 {
		text := slices.Clone(texts[n%len(texts)])
		for range 1 + r.IntN(2) {
			i := r.IntN(len(text))
			switch c := ` 	"\,:{}[]0123456789.-xn`[r.IntN(24)]; r.IntN(3) {
			case 0:
				text[i] = c
			case 1:
				text = slices.Insert(text, i, c)
			case 2:
				text = slices.Delete(text, i, i+1)
			}
		}
		var got, want finding.Document
		if err := decode(string(text), &got); err != nil {
			continue
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("read, and encoding/json says %v:\n%s", err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read in another way than by encoding/json:\n%s", text)
		}
		good++
	}
	if good < 20 {
		t.Errorf("only %d texts could be read: the mistakes are too large to show anything", good)
	}
}

// TestDecodeKeepsApart: what is read from one text is not changed by the next,
// although they share room.
func TestDecodeKeepsApart(t *testing.T) {
	read := func(name string, n int) *finding.Report {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"id":"%s\u002d%d","aliases":["\"%s%d"],"evidence":[{"detail":"%s"}]}`, name, i, name, i, name))
		}
		rep := &finding.Report{}
		if err := decode(`{"findings":[`+strings.Join(list, ",")+`]}`, rep); err != nil {
			t.Fatal(err)
		}
		return rep
	}
	a := read("a", 300)
	b := read("b", 7)
	again := read("a", 300)
	if !reflect.DeepEqual(a, again) || b.Findings[6].ID != "b-6" || len(b.Findings) != 7 || cap(b.Findings) > 16 {
		t.Error("lists that were read one after another share memory")
	}
	b.Findings[0].Aliases = append(b.Findings[0].Aliases, "x")
	if b.Findings[1].Aliases[0] != `"b1` {
		t.Error("lists of one text share memory")
	}
}

// TestEightAtATime: quotes and brackets are found wherever they stand.
func TestEightAtATime(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		text := make([]byte, r.IntN(40))
		for i := range text {
			if text[i] = byte(r.IntN(256)); r.IntN(3) > 0 {
				text[i] = "!#Z\\|~;a\x80\xa2\xdb\xfb\xfd\x00 "[r.IntN(15)]
			}
		}
		for from := range len(text) + 1 {
			want := func(set string) int {
				for i := from; i < len(text); i++ {
					if strings.IndexByte(set, text[i]) >= 0 {
						return i
					}
				}
				return len(text)
			}
			if got := closing(text, from); got != want(`"`) {
				t.Fatalf("%q from %d: quote at %d", text, from, got)
			}
			if got := telling(text, from); got != want(`"{}[]`) {
				t.Fatalf("%q from %d: quote or bracket at %d", text, from, got)
			}
		}
	}
}

// slowPairs pairs findings as it is meant, whatever time it takes.
func slowPairs(old, list []finding.Finding) []int {
	keys := func(f *finding.Finding) []string {
		if f.Kind == finding.KindRuntime {
			return []string{string(f.Kind) + "\n" + f.ID}
		}
		var out []string
		if f.Fingerprint != "" {
			out = append(out, f.Fingerprint)
		}
		at := string(f.Kind) + "\n" + f.Rule + "\n" + finding.Versionless(f.Component) + "\n"
		out = append(out, at+f.ID)
		if f.Kind == finding.KindVulnerability || f.Kind == finding.KindMalware {
			for _, a := range f.Aliases {
				out = append(out, at+a)
			}
		}
		return out
	}
	taken, pair := make([]bool, len(old)), make([]int, len(list))
	for pass := range 2 {
		for i := range list {
			if pass == 0 {
				pair[i] = -1
			} else if pair[i] >= 0 {
				continue
			}
			best := -1
			for _, name := range keys(&list[i]) {
				for j := range old {
					switch {
					case taken[j] || !slices.Contains(keys(&old[j]), name):
					case old[j].Component == list[i].Component && (best < 0 || old[best].Component != list[i].Component):
						best = j
					case best < 0:
						best = j
					}
				}
			}
			if best >= 0 && (pass == 1 || old[best].Component == list[i].Component) {
				pair[i], taken[best] = best, true
			}
		}
	}
	return pair
}

// TestMatcher: findings are paired as the slow way does it.
func TestMatcher(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	some := func() []finding.Finding {
		out := make([]finding.Finding, r.IntN(12))
		for i := range out {
			f := &out[i]
			f.Kind = finding.Kind(pick("vulnerability", "vulnerability", "malware", "runtime", "stale"))
			f.Rule, f.ID, f.Component, f.Fingerprint = pick("r", "r", "s"), pick("A", "B", "C"), pick("", "pkg:npm/a@1", "pkg:npm/a@2", "pkg:npm/b@1"), pick("", "p", "q", "s", "t")
			for range r.IntN(3) {
				f.Aliases = append(f.Aliases, pick("A", "B", "C", "D"))
			}
		}
		return out
	}
	for range 4000 {
		old, list := some(), some()
		m, got := newMatcher(old), make([]int, len(list))
		for i := range list {
			got[i] = m.same(&list[i])
		}
		for i := range list {
			if got[i] < 0 {
				got[i] = m.alike(&list[i])
			}
		}
		if want := slowPairs(old, list); !slices.Equal(got, want) {
			t.Fatalf("%v, not %v\n%+v\n%+v", got, want, old, list)
		}
	}
}

// versions is a report with so many versions of one package, each with the same
// advisory.
func versions(n int, first, digest string) *finding.Report {
	rep := finding.NewReport("f", "t")
	rep.Artifacts = []finding.Artifact{{Digest: digest}}
	for i := range n {
		v := fmt.Sprintf("%s.%d.%d", first, i/1000, i%1000)
		purl := "pkg:npm/a@" + v
		rep.Components = append(rep.Components, finding.Component{PURL: purl, Name: "a", Version: v, Ecosystem: "npm"})
		rep.Findings = append(rep.Findings, finding.Finding{Kind: finding.KindVulnerability, Rule: "known-vulnerability", ID: "A-1", Component: purl, Fingerprint: "same"})
		if i%2 > 0 {
			rep.Findings[i].ID, rep.Findings[i].Fingerprint = "A-"+v, v
		}
	}
	return rep
}

// TestCompareManyVersions: fifty thousand versions of one package are compared
// in a moment. What looks at each of them for each takes hours.
func TestCompareManyVersions(t *testing.T) {
	const n = 50_000
	decide := func(*finding.Report, finding.Database, time.Time) finding.Verdict { return finding.Verdict{} }
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	side := func(r *finding.Report) Side { return Side{Report: r, At: now} }
	if got := Compare(side(versions(n, "1", "d")), side(versions(n, "1", "d")), decide); len(got) != 0 {
		t.Errorf("%d changes of what is the same", len(got))
	}
	got := Compare(side(versions(n, "1", "d")), side(versions(n, "2", "e")), decide)
	fixed := 0
	for _, c := range got {
		if c.Cause == finding.CauseFixed {
			fixed++
			if len(c.After) > 1000 || !strings.HasPrefix(c.After, "2.0.0, 2.0.1, ") || !strings.HasSuffix(c.After, " and 49,950 more") {
				t.Fatalf("the versions that are there now: %s", c.After)
			}
		}
	}
	if fixed != n/2 {
		t.Errorf("%d are fixed, and not %d", fixed, n/2)
	}
	for i := range got {
		got[i].Function, got[i].Detail = "f", strings.Clone(got[i].Detail)
	}
	if kept := ownChanges(got); !reflect.DeepEqual(kept, got) {
		t.Error("changes that are kept are others")
	}
}

func BenchmarkDecode(b *testing.B) {
	rep := versions(400, "1", "d")
	for i := range rep.Findings {
		rep.Findings[i].Evidence = []finding.Evidence{{Source: "advisory", Locator: "A-1", Detail: "the version is below 3 (<3)"}}
	}
	text, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var r finding.Report
		if err := decode(string(text), &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	text, err := json.MarshalIndent(versions(400, "1", "d"), "", "  ")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s := &splitter{buf: text, end: true}
		if _, _, err := s.value(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	decide := func(*finding.Report, finding.Database, time.Time) finding.Verdict { return finding.Verdict{} }
	before, now := Side{Report: versions(400, "1", "d")}, Side{Report: versions(400, "2", "e")}
	b.ReportAllocs()
	for b.Loop() {
		Compare(before, now, decide)
	}
}
