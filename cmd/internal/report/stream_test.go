package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// streamed writes a document function by function, of which at the end only name
// and verdict are left.
func streamed(t *testing.T, format string, doc *finding.Document, opt report.Options, spool func() (report.Spool, error)) ([]byte, error) {
	t.Helper()
	head := *doc
	head.Functions, head.Warnings, head.Delta, head.Fleet, head.Summary = nil, nil, nil, nil, finding.Summary{}
	var b bytes.Buffer
	s, err := report.NewStream(&b, format, &head, opt, spool)
	if err != nil {
		return nil, err
	}
	end := *doc
	end.Functions = nil
	for i, r := range doc.Functions {
		p, err := s.Make(r, i)
		if err == nil {
			err = s.Add(p)
		}
		if err != nil {
			return nil, err
		}
		end.Functions = append(end.Functions, &finding.Report{Name: r.Name, Verdict: r.Verdict})
	}
	err = s.Close(&end)
	return b.Bytes(), err
}

func TestStreamIsWhole(t *testing.T) {
	docs := samples()
	docs["vex"], docs["rescanned"], docs["fleet"], docs["large"], docs["none"] = vexDocument(), htmlRescanned(), htmlFleet(15), large(), wrapDocument()
	docs["deployed"] = fleet("<b>text</b>\n\x1b[31m")
	docs["two"], docs["many"], docs["more"] = streamMany(2), streamMany(120), streamMany(200)
	hostile := wrapDocument(&finding.Report{
		Name: "\n  \"functions\": []", Target: "a\xffb\n      \"results\": []",
		Findings: []finding.Finding{
			{ID: "X-1", Rule: "r", Title: ",\n          \"suppressions\": [", Component: "pkg:npm/x@1"},
			{ID: "X-2", Rule: "s", Title: "\n          \"ruleIndex\": 0", Waived: &finding.Waived{Reason: "\n          ]\xff"}},
		},
		Unknowns: []finding.Unknown{{Path: "\n          \"toolExecutionNotifications\": []"}},
	})
	docs["hostile"] = hostile
	docs["compared"] = comparedDocument(finding.ComparedNew, finding.ComparedUpdated, finding.ComparedUnchanged)
	docs["not all compared"] = comparedDocument(finding.ComparedNew, "", finding.ComparedUnchanged)
	for name, doc := range docs {
		for _, format := range report.Formats() {
			if !report.Streams(format) {
				continue
			}
			t.Run(name+" "+format, func(t *testing.T) {
				n := 0
				got, err := streamed(t, format, doc, report.Options{}, func() (report.Spool, error) {
					n++
					return os.Create(filepath.Join(t.TempDir(), fmt.Sprint(n)))
				})
				if err != nil {
					t.Fatal(err)
				}
				want := write(t, format, doc, report.Options{})
				if !bytes.Equal(got, want) {
					i := 0
					for i < min(len(got), len(want)) && got[i] == want[i] {
						i++
					}
					t.Errorf("at byte %d of %d and %d: %.200q, want %.200q", i, len(got), len(want), got[max(i-40, 0):], want[max(i-40, 0):])
				}
			})
		}
	}
}

// fullSpool is on a disk that has no more room.
type fullSpool struct{ *strings.Reader }

var errNoSpace = errors.New("no space left on device")

func (fullSpool) Write([]byte) (int, error) { return 0, errNoSpace }

func TestStreamOnFullDisk(t *testing.T) {
	for _, format := range []string{"sarif", "html", "openvex", "cyclonedx-json", "spdx-json"} {
		_, err := streamed(t, format, large(), report.Options{}, func() (report.Spool, error) { return fullSpool{strings.NewReader("")}, nil })
		if !errors.Is(err, errNoSpace) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, err := streamed(t, "table", large(), report.Options{}, nil); err == nil {
		t.Error("the table, which shows all of few functions, was streamed")
	}
}

// streamMany are functions of which the formats that show some show some: of all
// verdicts, several of one name, in no order, and with lines of lockfiles.
func streamMany(n int) *finding.Document {
	random := rand.New(rand.NewPCG(uint64(n), 2))
	var list []*finding.Report
	for i := range n {
		r := failing()
		if i%3 == 0 {
			r = passing("p")
		}
		r.Name = fmt.Sprintf("fn-%03d", random.IntN(2*n))
		r.Target = fmt.Sprintf("%d.zip", i)
		r.Verdict.Decision = []finding.Decision{finding.Pass, finding.Incomplete, finding.Fail, finding.Fail}[random.IntN(4)]
		r.Verdict.Reasons = nil
		for j := range random.IntN(14) {
			r.Verdict.Reasons = append(r.Verdict.Reasons, fmt.Sprintf("reason %d of %d <b>", j, i))
		}
		if random.IntN(3) == 0 {
			r.Verdict.Warnings = []string{fmt.Sprintf("warning of %d", i)}
		}
		if random.IntN(3) == 0 {
			for j := range r.Components {
				r.Components[j].Listed = &finding.Listed{File: "package-lock.json", Line: j + 1}
			}
		}
		if random.IntN(2) == 0 {
			r.Calendar = []finding.Event{{Date: "2027-01-02", What: "nodejs20.x", Event: "runtime-deprecated", Consequence: "no more patches", Source: "a table"}}
		}
		if random.IntN(5) == 0 {
			r.Artifacts[0].Digest = digestB
		}
		list = append(list, r)
	}
	return wrapDocument(list...)
}

// TestStreamForgets: of functions that were written no format holds more than a
// little: what is live after many is what was live after some.
func TestStreamForgets(t *testing.T) {
	const some, many, most = 4, 18, 1 << 20
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, format := range report.Formats() {
		if !report.Streams(format) {
			continue
		}
		t.Run(format, func(t *testing.T) {
			head := large()
			head.Functions = nil
			s, err := report.NewStream(io.Discard, format, head, report.Options{}, func() (report.Spool, error) {
				return os.Create(filepath.Join(t.TempDir(), "spool"))
			})
			if err != nil {
				t.Fatal(err)
			}
			var before int64
			for i := range many {
				r := large().Functions[0]
				r.Name = fmt.Sprintf("fn-%03d", i)
				p, err := s.Make(r, i)
				if err == nil {
					err = s.Add(p)
				}
				if err != nil {
					t.Fatal(err)
				}
				if i == some {
					before = live()
				}
			}
			grown := live() - before
			t.Logf("%d KB for %d functions", grown>>10, many-some)
			if grown > most {
				t.Errorf("%d KB more are live after %d functions than after %d", grown>>10, many, some)
			}
			runtime.KeepAlive(s)
		})
	}
}
