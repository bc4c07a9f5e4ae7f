package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// warmQuestions are 400 packages with 150 versions on the average, some with
// 2,000, as the lists of functions with node_modules are.
func warmQuestions() ([]Question, []int) {
	questions, versions := make([]Question, 400), make([]int, 400)
	for i := range questions {
		n := 40 + i%160
		if i%40 == 0 {
			n = 2000 - i
		}
		versions[i] = n
		questions[i] = Question{Package{NPM, fmt.Sprintf("@scope/package-%d", i)}, fmt.Sprintf("%d.%d.%d", n/300, n/2%300/10, n/2%10)}
	}
	return questions, versions
}

// warmVersions are the versions of one package: with pre-releases, and with all
// that npm's registry tells when it is asked itself.
func warmVersions(n int, rich bool) []Version {
	out := make([]Version, n)
	for i := range out {
		v := &out[i]
		v.Version = fmt.Sprintf("%d.%d.%d", i/300, i%300/10, i%10)
		if i%17 == 0 {
			v.Version += "-beta.1"
		}
		v.Published = getDay.Add(time.Duration(i-n) * 24 * time.Hour)
		if i < n/3 {
			v.Deprecated = "this version is no longer supported, please use the next one"
		}
		if rich {
			v.Publisher, v.Repository, v.Attested = "someone", "github.com/a/b", Absent
			v.Licenses, v.Integrity = []string{"MIT"}, map[string]string{"sha512": strings.Repeat("ab", 64), "sha1": strings.Repeat("ab", 20)}
			v.Archive, v.Signatures = "https://registry.example/@scope/package/-/package.tgz", []Signature{{"SHA256:abc", strings.Repeat("x", 96)}}
			v.Requires = map[string]string{"a": "^1.0.0", "b": "^1.0.0", "c": "~2.0.0", "d": "*"}
		}
	}
	return out
}

// BenchmarkWarm400 learns the facts about 400 packages from the cache, and how
// the shipped versions stand: what a scan with a warm cache pays.
func BenchmarkWarm400(b *testing.B) {
	for _, from := range []string{"depsdev", "npm"} {
		b.Run(from, func(b *testing.B) {
			c := &Client{Dir: b.TempDir(), Now: func() time.Time { return getDay }}
			if from == "npm" {
				askNPM(c, "registry=https://registry.example/\n")
			}
			questions, versions := warmQuestions()
			total := 0
			for i, q := range questions {
				r := record{Facts: Facts{Answer: Known, AsOf: getDay, Source: "deps.dev", Versions: warmVersions(versions[i], from == "npm")}}
				if from == "depsdev" {
					v := r.Find(q.Version)
					if v == nil {
						v = &r.Versions[len(r.Versions)/2]
					}
					v.Licenses, v.Repository, r.looked = []string{"MIT"}, "github.com/a/b", map[string]time.Time{v.Version: getDay}
				}
				total += len(r.Versions)
				key := c.recordKey(q.Package, c.Config.For(q.Package))
				c.writeFile("facts", key, r.encode(key))
			}
			b.ResetTimer()
			for b.Loop() {
				standings, err := c.Standings(b.Context(), questions)
				if err != nil {
					b.Fatal(err)
				}
				for i := range standings {
					if s := &standings[i]; s.Answer != Known {
						b.Fatalf("%+v", s)
					}
				}
			}
			b.ReportMetric(float64(total)/400, "versions/package")
		})
	}
}

// coldServer answers for any package, slowly, and notes how many questions it
// ever had at once and over how many connections they came.
func coldServer(tb testing.TB, wait time.Duration) (c *Client, most, asked, connections *atomic.Int64) {
	most, asked, connections = new(atomic.Int64), new(atomic.Int64), new(atomic.Int64)
	var at atomic.Int64
	body := packageBody("NPM", "x", "1.0.0", "1.1.0", "2.0.0")
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := at.Add(1)
		defer at.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		asked.Add(1)
		time.Sleep(wait)
		switch path := r.URL.Path; {
		case strings.Contains(path, "/projects/"):
			io.WriteString(w, projectAlive)
		case strings.Contains(path, "/versions/"):
			io.WriteString(w, versionBody("github.com/a/"+fmt.Sprint(len(path)), ""))
		default:
			io.WriteString(w, body)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	tb.Cleanup(s.Close)
	return &Client{Dir: tb.TempDir(), Online: true, DepsDev: s.URL, Now: func() time.Time { return getDay }}, most, asked, connections
}

func coldQuestions() []Question {
	questions, _ := warmQuestions()
	for i := range questions {
		questions[i].Version = "1.1.0"
	}
	return questions
}

// TestColdIsPolite: 400 packages that nothing is known of are learnt with at
// most 8 connections.
func TestColdIsPolite(t *testing.T) {
	c, most, asked, connections := coldServer(t, time.Millisecond)
	facts, err := c.Ask(t.Context(), coldQuestions())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		if f.Answer != Known || f.Find("1.1.0").Licenses == nil {
			t.Fatalf("%+v", f)
		}
	}
	if m := most.Load(); m > maxPerHost {
		t.Errorf("%d questions at once", m)
	}
	if n := connections.Load(); n > 2*maxPerHost { // one may break and be replaced
		t.Errorf("%d connections", n)
	}
	if n := asked.Load(); n > 400*4 {
		t.Errorf("%d questions", n)
	}
}

// BenchmarkCold400 learns them from a server that answers in 50 ms.
func BenchmarkCold400(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		c, most, asked, _ := coldServer(b, 50*time.Millisecond)
		b.StartTimer()
		if _, err := c.Ask(b.Context(), coldQuestions()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(asked.Load()), "questions")
		b.ReportMetric(float64(most.Load()), "at-once")
	}
}

// TestStandingsAreThoseOfFacts: lists that are used again hold nothing of the
// package before, and a version is judged for each question about a package.
func TestStandingsAreThoseOfFacts(t *testing.T) {
	c := &Client{Dir: t.TempDir(), Now: func() time.Time { return getDay }}
	askNPM(c, "registry=https://registry.example/\n")
	questions, versions := warmQuestions()
	for i, q := range questions {
		if i%7 == 6 {
			continue // nobody knows it
		}
		r := record{Facts: Facts{Answer: Known, AsOf: getDay, Source: "x", Versions: warmVersions(versions[i], i%2 == 0)}}
		key := c.recordKey(q.Package, c.Config.For(q.Package))
		c.writeFile("facts", key, r.encode(key))
	}
	for _, q := range questions[:20] {
		questions = append(questions, Question{q.Package, "0.1.1"}, Question{q.Package, ""}, q)
	}
	for range 3 {
		facts, err := c.Ask(t.Context(), questions)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Standings(t.Context(), questions)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range questions {
			if want := facts[i].Standing(q.Version); !reflect.DeepEqual(got[i], want) {
				t.Fatalf("%v: %+v\nwant %+v", q, got[i], want)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := c.Standings(ctx, questions); !errors.Is(err, context.Canceled) || got != nil {
		t.Errorf("cancelled: %v", err)
	}
}
