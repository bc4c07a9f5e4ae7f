package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	words := []string{"table", "json", "jsonl", "cyclonedx-json", "severity", "id", "require", "fail", strings.Repeat("x", maxWord)}
	for typed, want := range map[string]string{
		"json": "json", "JSON": "json", "jsn": "json", "tabel": "table", "cyclonedx": "cyclonedx-json", "severty": "severity",
		"severities": "severity", "requires": "require", "failed": "fail", "i": "", "ix": "id", "xml": "", "": "", "\xff\xfe": "",
		"tab": "table", "ta": "", "identifier": "", strings.Repeat("x", maxWord-1): strings.Repeat("x", maxWord), strings.Repeat("x", maxWord+1): "",
	} {
		if got := Nearest(typed, words); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 2}, {"flaw", "lawn", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
