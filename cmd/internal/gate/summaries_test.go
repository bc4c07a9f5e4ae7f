package gate

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// Wherever the type begins in the payload, one of the marks is in its base64.
func TestSummaryMarks(t *testing.T) {
	has := func(payload string) bool {
		text := []byte(base64.StdEncoding.EncodeToString([]byte(payload)))
		return slices.ContainsFunc(summaryMarks(), func(mark []byte) bool { return bytes.Contains(text, mark) })
	}
	for before := range 7 {
		for after := range 7 {
			payload := strings.Repeat("{", before) + SummaryType + strings.Repeat("}", after)
			if !has(payload) {
				t.Errorf("%q: no mark", payload)
			}
			if payload = strings.Repeat("{", before) + VulnerabilityType + SBOMType + strings.Repeat("}", after); has(payload) {
				t.Errorf("%q: a mark", payload)
			}
		}
	}
	for _, mark := range summaryMarks() {
		if len(mark) < 16 {
			t.Errorf("the mark %q is too short to tell anything", mark)
		}
	}
}
