package audit

import (
	"slices"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

// What a memo holds at most; then it starts anew. A record has some kilobytes.
const (
	maxMemoPackages = 50_000
	maxMemoRecords  = 10_000
)

// memo remembers what the store says of packages: of the thousands of functions
// of a run most have the same ones. It is safe for concurrent use.
type memo struct {
	mu      sync.Mutex
	matched map[string]*matched
	records int
	parents map[string]parentStep // see parentStep
}

// matched is what the store says of one version of a package, wherever it lies.
type matched struct {
	findings []finding.Finding // without what is of a component: see place
	problems []string
	affected *affected // nil: nothing is known against it

	steps *vulndb.Steps // where it can go; nil before that was looked for
}

// memoKey is all of a component that matching looks at.
func memoKey(c *sbom.Component) string {
	disputed := ""
	if c.Disputed {
		disputed = "disputed"
	}
	return strings.Join([]string{c.Ecosystem, c.Name, c.Version, c.SourceVersion, c.Source, disputed, strings.Join(c.Versions, "\x00")}, "\x01")
}

func (m *memo) get(key string) *matched {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.matched[key]
}

func (m *memo) put(key string, v *matched) {
	n := 0
	if v.affected != nil {
		for _, g := range v.affected.groups {
			n += len(g.Matches)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.matched == nil || len(m.matched) >= maxMemoPackages || m.records+n > maxMemoRecords {
		m.matched, m.records = map[string]*matched{}, 0
	}
	m.matched[strings.Clone(key)] = v
	m.records += n
}

// stepsOf is where a package can go, if that was looked for.
func (m *memo) stepsOf(v *matched) (vulndb.Steps, bool) {
	if v == nil {
		return vulndb.Steps{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v.steps == nil {
		return vulndb.Steps{}, false
	}
	return *v.steps, true
}

func (m *memo) keepSteps(v *matched, s vulndb.Steps) {
	if v != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		v.steps = &s
	}
}

// parentOf is what was found for a direct dependency, if that was looked for.
func (m *memo) parentOf(key string) (parentStep, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	step, ok := m.parents[key]
	return step, ok
}

func (m *memo) keepParent(key string, step parentStep) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.parents == nil || len(m.parents) >= maxMemoPackages {
		m.parents = map[string]parentStep{}
	}
	m.parents[key] = step
}

// place makes findings about a package those about a component.
func (v *matched) place(c *sbom.Component) []finding.Finding {
	if len(v.findings) == 0 {
		return nil
	}
	out := slices.Clone(v.findings)
	sure, where := certainty(*c), bytesEvidence(*c)
	for i := range out {
		f := &out[i]
		f.Component, f.State, f.Origin = c.PURL, string(c.State), string(c.Origin)
		if f.Certainty == "" {
			f.Certainty = sure
		}
		f.Evidence = slices.Concat(f.Evidence, where)
	}
	return out
}
