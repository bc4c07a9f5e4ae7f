package report_test

import (
	"fmt"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"os"
	"testing"
)

func TestShow(t *testing.T) {
	if os.Getenv("SHOW") == "" {
		t.Skip()
	}
	w := 80
	fmt.Sscan(os.Getenv("W"), &w)
	report.Write(os.Stdout, os.Getenv("FMT"), samples()[os.Getenv("SHOW")], report.Options{Width: w, Verbose: os.Getenv("V") != "", Color: os.Getenv("C") != "", Quiet: os.Getenv("Q") != ""})
}
