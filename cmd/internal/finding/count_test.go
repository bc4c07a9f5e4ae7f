package finding

import (
	"fmt"
	"slices"
	"testing"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 ecosystems", 1: "1 ecosystem", 2: "2 ecosystems", 999: "999 ecosystems", 1000: "1,000 ecosystems", 1234567: "1,234,567 ecosystems"} {
		if got := Count(n, "ecosystem", "ecosystems"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestUnjudged(t *testing.T) {
	us := []Unknown{{Reason: "no advisory source covers rpm packages"}, {Reason: "no advisory source covers generic packages"}, {Reason: "the store has no advisories for Debian:12"}}
	want := []string{"2 packages unjudged: no advisory source", "1 package unjudged: the store has no advisories for Debian:12"}
	if got := Unjudged(us); !slices.Equal(got, want) {
		t.Errorf("Unjudged = %q, want %q", got, want)
	}
	for i := range 10 {
		us = append(us, Unknown{Reason: fmt.Sprintf("reason %d", i)})
	}
	if got := Unjudged(us); len(got) != maxUnjudged+1 || got[maxUnjudged] != "8 packages unjudged for other reasons" {
		t.Errorf("Unjudged of many reasons = %q", got)
	}
}
