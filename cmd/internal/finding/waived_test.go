package finding

import (
	"testing"
	"time"
)

// TestLastDay holds that a waiver ends with the day that its author named, not
// with the one after it.
func TestLastDay(t *testing.T) {
	for text, want := range map[string]string{
		"2027-01-01T00:00:00Z":      "2026-12-31",
		"2027-01-01T00:00:01Z":      "2027-01-01",
		"2027-01-01T00:00:00+02:00": "2026-12-31",
		"2026-12-31T23:00:00-02:00": "2027-01-01",
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Waived{Expires: at}).LastDay(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
