package report

import (
	"fmt"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Feeds says in one line which lists beside the advisories were known, and as of
// when. One that is missing is named: a finding that is not marked as exploited
// says nothing then.
func Feeds(list []finding.Feed) string {
	known := map[string]string{}
	for _, f := range list {
		known[f.Name] = f.AsOf.UTC().Format(time.DateOnly)
	}
	exploited, epss := "not known, for the store has no list of them", "not known"
	if day := known["kev"]; day != "" {
		exploited = "list of " + day
	}
	if day := known["epss"]; day != "" {
		epss = "of " + day
	}
	return fmt.Sprintf("Known exploited: %s; EPSS: %s", exploited, epss)
}

// feedFacts are the lists as properties of a document: "kev of 2026-11-20,
// sha256:…".
func feedFacts(list []finding.Feed) []string {
	out := []string{}
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s of %s, %s", f.Name, f.AsOf.UTC().Format(time.DateOnly), f.Digest))
	}
	return out
}
