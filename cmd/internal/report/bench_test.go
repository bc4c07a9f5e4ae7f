package report_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// large is a function of 400 packages, a quarter of which have three findings.
func large() *finding.Document {
	r := failing()
	for i := range 400 {
		c := component("npm", fmt.Sprintf("package-%03d", i), "1.2.3")
		c.Requires = []string{fmt.Sprintf("package-%03d", (i+1)%400), "lodash"}
		c.Hashes["sha512"] = fmt.Sprintf("%0128x", i)
		r.Components = append(r.Components, c)
		for j := range 3 {
			if i%4 == 0 {
				r.Findings = append(r.Findings, vulnerability(c, fmt.Sprintf("GHSA-%04d-%04d-aaaa", i, j), finding.High, 7.5, "Something is wrong in this package", "1.2.4"))
			}
		}
	}
	r.Sort()
	return wrapDocument(r)
}

func BenchmarkWrite(b *testing.B) {
	doc := large()
	for _, format := range report.Formats() {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := report.Write(io.Discard, format, doc, report.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
