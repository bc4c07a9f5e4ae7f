package report_test

import (
	"io"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// The page of a fleet: beside it what the same fleet costs as JSON.
func BenchmarkHTML(b *testing.B) {
	doc := htmlFleet(100)
	for _, format := range []string{"json", "html"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			n := &htmlCounter{}
			for b.Loop() {
				n.n = 0
				if err := report.Write(n, format, doc, report.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n.n), "bytes")
		})
	}
}

type htmlCounter struct{ n int }

func (c *htmlCounter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

var _ io.Writer = (*htmlCounter)(nil)
