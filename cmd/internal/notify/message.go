package notify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Filter says which changes are told. The zero value is all of them.
type Filter struct {
	Causes   []finding.Cause  // empty: all
	Severity finding.Severity // the lowest that is told; "": any
}

// tells reports whether a change is told. One of a verdict is, whatever its
// severity: a low flaw that is exploited fails a function. One without a
// severity cannot be held against a lowest one.
func (f Filter) tells(c finding.Change) bool {
	if len(f.Causes) > 0 && !slices.Contains(f.Causes, c.Cause) {
		return false
	}
	return f.Severity == "" || c.Severity == "" || c.Decision != nil || c.Severity.Rank() >= f.Severity.Rank()
}

// message is what there is to tell, before it is put into a receiver's form.
type message struct {
	id      string // of exactly these changes since exactly those reports
	doc     *finding.Document
	changes []finding.Change // worst first, as in the delta
	tally   []finding.Tally  // of all of them
}

// newMessage returns what a document tells; nil for nothing.
func newMessage(doc *finding.Document, f Filter) (*message, error) {
	if doc.Delta == nil {
		return nil, nil
	}
	m := &message{doc: doc}
	for _, c := range doc.Delta.Changes {
		if f.tells(c) {
			m.changes = append(m.changes, c)
			m.count(c.Cause)
		}
	}
	if len(m.changes) == 0 {
		return nil, nil
	}
	order := map[finding.Cause]int{}
	for i, t := range doc.Delta.Summary {
		order[t.Cause] = i
	}
	slices.SortStableFunc(m.tally, func(a, b finding.Tally) int { return order[a.Cause] - order[b.Cause] })
	return m, m.identify()
}

func (m *message) count(c finding.Cause) {
	for i := range m.tally {
		if m.tally[i].Cause == c {
			m.tally[i].Count++
			return
		}
	}
	m.tally = append(m.tally, finding.Tally{Cause: c, Count: 1})
}

// identify sets the id: a digest over the changes and over what they are changes
// from. The sentences are left out, for an age in one is another tomorrow; so is
// what is known today, for what changed is in the changes.
func (m *message) identify() error {
	plain := slices.Clone(m.changes)
	for i := range plain {
		plain[i].Detail = ""
	}
	b, err := json.Marshal(struct {
		Before  finding.DeltaSide
		Changes []finding.Change
	}{m.doc.Delta.Before, plain})
	if err != nil {
		return fmt.Errorf("encode what changed: %w", err)
	}
	sum := sha256.Sum256(b)
	m.id = "fnaudit_" + base64.RawURLEncoding.EncodeToString(sum[:])
	return nil
}

// Body is the JSON that the webhook gets. Fields are added, never renamed.
type Body struct {
	Type      string    `json:"type"`      // EventType
	Timestamp time.Time `json:"timestamp"` // the clock that judged
	Data      Data      `json:"data"`
}

// EventType is the type of every message.
const EventType = "fnaudit.rescan.changed"

// Data is what changed.
type Data struct {
	Tool      finding.Tool      `json:"tool"`
	Database  string            `json:"database"` // id of the store
	Policy    finding.PolicyRef `json:"policy"`
	Before    finding.DeltaSide `json:"before"`
	Summary   finding.Summary   `json:"summary"` // verdicts of all functions of the run
	Functions int               `json:"functions"`
	Causes    []finding.Tally   `json:"causes"`
	Changes   []finding.Change  `json:"changes"` // worst first
	More      int               `json:"more"`    // changes that the limits leave out of the list
}

// Limits of a body: what receivers and their proxies take.
const (
	maxChanges = 500
	maxBody    = 256 << 10 // bytes
)

// body encodes a message for the webhook, with as many changes as fit.
func (m *message) body() ([]byte, error) {
	d := Data{
		Tool: m.doc.Tool, Database: m.doc.Database.ID, Policy: m.doc.Policy, Before: m.doc.Delta.Before, Summary: m.doc.Summary,
		Functions: finding.ChangedFunctions(m.changes), Causes: m.tally,
	}
	for n := min(len(m.changes), maxChanges); ; n /= 2 {
		d.Changes, d.More = m.changes[:n], len(m.changes)-n
		b, err := json.Marshal(Body{Type: EventType, Timestamp: m.doc.JudgedAt.UTC(), Data: d})
		if err != nil {
			return nil, fmt.Errorf("encode what changed: %w", err)
		}
		if len(b) <= maxBody || n == 0 {
			return b, nil
		}
	}
}
