package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Stale says from where on a dependency counts as past its time. A zero value
// is the default of package stale.
type Stale struct {
	Unmaintained time.Duration // no release of the project for so long
	Age          time.Duration // of the shipped version, where a newer one is there; 0: never for its age alone
}

// Facts is how much must be known of the packages from registries.
type Facts struct {
	Minimum float64       // share of the packages, 0 to 1; 0: nothing is demanded
	MaxAge  time.Duration // older answers count as not known; 0: any age
}

// Dependencies is what a policy says of dependencies. The zero value knows no
// private name and allows every registry.
type Dependencies struct {
	Private       []string            // patterns of package names that are published nowhere else; see MatchName
	Registries    map[string][]string // package URL type -> addresses that its packages may come from; a type that is absent: any
	LayerAccounts []string            // AWS accounts whose layers may be used; nil: any
	CoolDown      time.Duration       // a version must be published for so long; 0: no time
}

type fileStale struct {
	Unmaintained *string `yaml:"unmaintained"`
	Age          *string `yaml:"age"`
}

type fileFacts struct {
	Minimum any     `yaml:"minimum"` // a number, or a text such as "95%"; nil: left out
	MaxAge  *string `yaml:"max_age"`
}

type fileDependencies struct {
	Private       []string            `yaml:"private"`
	Registries    map[string][]string `yaml:"registries"`
	LayerAccounts []string            `yaml:"layer_accounts"`
	CoolDown      *string             `yaml:"cool_down"`
}

// dependencyKeys are the keys of the sections above, for suggestions.
var dependencyKeys = []string{"stale", "untrusted", "unmaintained", "age", "facts", "dependencies", "private", "registries", "layer_accounts", "cool_down"}

func (s *fileStale) apply(to *Stale) error {
	if s == nil {
		return nil
	}
	if err := duration(s.Unmaintained, &to.Unmaintained, "stale.unmaintained"); err != nil {
		return err
	}
	return duration(s.Age, &to.Age, "stale.age")
}

func (f *fileFacts) apply(to *Facts) error {
	if f == nil {
		return nil
	}
	return errors.Join(share(f.Minimum, &to.Minimum, "facts.minimum"), duration(f.MaxAge, &to.MaxAge, "facts.max_age"))
}

// factsGap says that too little is known of the packages from registries; "" if
// it is enough. What is not published by a registry is not counted, and neither
// is what a private name keeps from being asked.
func (p *Policy) factsGap(r *finding.Report, now time.Time) string {
	if p.Facts.Minimum == 0 {
		return ""
	}
	if s := r.Check("facts"); s.State != finding.Ran {
		return reason("what registries say is not known", s.Reason)
	}
	all, known, old := 0, 0, 0
	for _, c := range r.Components {
		if c.Facts == nil {
			continue
		}
		all++
		switch {
		case c.Facts.State == "unknown":
		case p.Facts.MaxAge > 0 && now.Sub(c.Facts.AsOf) > p.Facts.MaxAge:
			old++
		default:
			known++
		}
	}
	if all == 0 || float64(known) >= p.Facts.Minimum*float64(all) {
		return ""
	}
	text := fmt.Sprintf("what registries say is known of %d of %s; the policy demands %g%%", known, finding.Count(all, "package", "packages"), p.Facts.Minimum*100)
	if old > 0 {
		text += fmt.Sprintf(" (of %d it is older than %s)", old, days(p.Facts.MaxAge))
	}
	return text
}

func (d *fileDependencies) apply(to *Dependencies) error {
	if d == nil {
		return nil
	}
	to.Private, to.Registries, to.LayerAccounts = d.Private, d.Registries, d.LayerAccounts
	return duration(d.CoolDown, &to.CoolDown, "dependencies.cool_down")
}

func duration(s *string, to *time.Duration, key string) error {
	if s == nil {
		return nil
	}
	d, err := ParseDuration(*s)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	*to = d
	return nil
}

// ofDependency says whether a finding is about what a dependency is, not about
// an advisory.
func ofDependency(f finding.Finding) bool {
	return f.Kind == finding.KindStale || f.Kind == finding.KindUntrusted
}

// lookAt is the next step for what no newer version clears.
func lookAt(r *finding.Report, f finding.Finding) string {
	deep := ""
	if strings.HasPrefix(f.Rule, "integrity-") {
		deep = "--deep "
	}
	return "fnaudit scan " + deep + "--explain " + f.ID + " " + again(r) + "   # says why; put it right, or accept it with a waiver in the policy file"
}
