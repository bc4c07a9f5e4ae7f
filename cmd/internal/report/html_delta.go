package report

import "github.com/fnaudit/fnaudit/cmd/internal/finding"

// htmlDelta is what the page knows of a delta: what changed, once for all the
// functions where it did.
type htmlDelta struct {
	Before    finding.DeltaSide `json:"before"`
	Count     int               `json:"count"`     // of single changes
	Functions int               `json:"functions"` // that have any
	Turned    int               `json:"turned"`    // verdicts
	Changes   []htmlChange      `json:"changes"`
	Summary   []finding.Tally   `json:"summary"`
	Unread    int               `json:"unread,omitempty"` // reports of which nothing is known
}

// htmlChange is a finding.Together.
type htmlChange struct {
	Cause     finding.Cause    `json:"cause"`
	ID        string           `json:"id,omitempty"`
	Component string           `json:"component,omitempty"`
	Severity  finding.Severity `json:"severity,omitempty"`
	Before    string           `json:"before,omitempty"`
	After     string           `json:"after,omitempty"`
	Detail    string           `json:"detail"`
	Also      []string         `json:"also,omitempty"`
	Functions []string         `json:"functions"`
	Turned    []htmlTurned     `json:"turned,omitempty"`
}

type htmlTurned struct {
	Before    finding.Decision `json:"before"`
	After     finding.Decision `json:"after"`
	Functions []string         `json:"functions"`
}

// htmlDeltaOf is nil where there is no delta.
func htmlDeltaOf(d *finding.Delta) *htmlDelta {
	if d == nil {
		return nil
	}
	out := &htmlDelta{Before: d.Before, Count: len(d.Changes), Functions: finding.ChangedFunctions(d.Changes), Changes: []htmlChange{}, Summary: d.Summary, Unread: d.Unread}
	for _, g := range finding.GroupChanges(d.Changes) {
		c := htmlChange{g.Cause, g.ID, g.Component, g.Severity, g.Before, g.After, g.Detail, g.Also, g.Functions, nil}
		for _, t := range g.Turned {
			out.Turned += len(t.Functions)
			c.Turned = append(c.Turned, htmlTurned{t.Before, t.After, t.Functions})
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}
