package policy

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/spelling"
	"github.com/fnaudit/fnaudit/sbom/trust"
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
	Private       []string            // patterns of package names that are published nowhere else, as trust.ParseNames reads them
	Registries    map[string][]string // package URL type -> addresses that its packages may come from; a type that is absent: any
	LayerAccounts []string            // AWS accounts whose layers may be used; nil: any
	CoolDown      time.Duration       // a version must be published for so long; 0: no time
	Attestations  Attestations
}

// Attestations says which packages must come with a verified attestation of
// their build. The zero value demands none: most packages have none yet.
type Attestations struct {
	Require []string // patterns of package names, as trust.ParseNames reads them
	Sources []string // repositories, or owners of repositories, that they may be built from; nil: any
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
	Attestations  *fileAttestations   `yaml:"attestations"`
}

type fileAttestations struct {
	Require []string `yaml:"require"`
	Sources []string `yaml:"sources"`
}

func (a *fileAttestations) apply(to *Attestations) error {
	if a == nil {
		return nil
	}
	to.Require, to.Sources = a.Require, a.Sources
	const key = "dependencies.attestations"
	var errs []error
	if len(a.Require) == 0 {
		errs = append(errs, fmt.Errorf("%s.require: the list is empty: name packages, as in @corp/*, or leave %s out", key, key))
	}
	for i := range a.Require {
		if _, err := trust.ParseNames(a.Require[i : i+1]); err != nil {
			errs = append(errs, fmt.Errorf("%s.require[%d]: %w", key, i, err))
		}
	}
	if a.Sources != nil && len(a.Sources) == 0 {
		errs = append(errs, fmt.Errorf("%s.sources: the list is empty: name a repository or its owner, or leave it out to allow any", key))
	}
	for i, text := range a.Sources {
		if trust.Repository(text) == "" {
			errs = append(errs, fmt.Errorf("%s.sources[%d]: %q is no repository and no owner of some: write it as github.com/corp or github.com/corp/name", key, i, text))
		}
	}
	return errors.Join(errs...)
}

// dependencyKeys are the keys of the sections above, for suggestions.
var dependencyKeys = []string{"stale", "untrusted", "unmaintained", "age", "facts", "dependencies", "private", "registries", "layer_accounts", "cool_down", "attestations", "sources"}

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
// it is enough. What no registry publishes by its nature is not counted, and
// neither is what a private name keeps from being asked. That a registry knows no
// such package says nothing of it: a wrong address, and a proxy that answers in
// its place, say the same of everything.
func (p *Policy) factsGap(r *finding.Report, now time.Time) string {
	if p.Facts.Minimum == 0 {
		return ""
	}
	if s := r.Check("facts"); s.State != finding.Ran {
		return reason("what registries say is not known", s.Reason)
	}
	all, known, old := 0, 0, 0
	for _, c := range r.Components {
		if c.Facts == nil || c.Facts.Private {
			continue
		}
		all++
		switch {
		case c.Facts.State == "unknown", c.Facts.State == "no-package":
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
		text += fmt.Sprintf(" (of %d it is older than %s)", old, spelled(p.Facts.MaxAge, time.Second))
	}
	return text
}

func (d *fileDependencies) apply(to *Dependencies) error {
	if d == nil {
		return nil
	}
	to.Private, to.Registries, to.LayerAccounts = d.Private, d.Registries, d.LayerAccounts
	var errs []error
	for i := range d.Private {
		if _, err := trust.ParseNames(d.Private[i : i+1]); err != nil {
			errs = append(errs, fmt.Errorf("dependencies.private[%d]: %w", i, err))
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(d.Registries)) {
		errs = append(errs, checkRegistries(typ, d.Registries[typ]))
	}
	for i, a := range d.LayerAccounts {
		if len(a) != 12 || strings.Trim(a, "0123456789") != "" {
			errs = append(errs, fmt.Errorf("dependencies.layer_accounts[%d]: %q is not the number of an AWS account: twelve digits, quoted", i, a))
		}
	}
	return errors.Join(append(errs, d.Attestations.apply(&to.Attestations), duration(d.CoolDown, &to.CoolDown, "dependencies.cool_down"))...)
}

// registryTypes are the package URL types whose registries a policy may name.
var registryTypes = []string{"npm", "pypi", "golang", "maven", "cargo", "nuget", "gem"}

// checkRegistries checks the registries of one type. An empty list is refused:
// it could mean every registry as well as none.
func checkRegistries(typ string, list []string) error {
	key := "dependencies.registries." + typ
	if !slices.Contains(registryTypes, typ) {
		err := fmt.Errorf("%s: %q is not a type of packages with a registry (%s)", key, typ, strings.Join(registryTypes, ", "))
		if near := spelling.Nearest(typ, registryTypes); near != "" {
			err = fmt.Errorf("%w; did you mean %q?", err, near)
		}
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("%s: the list is empty: name a registry, or leave the type out to allow any", key)
	}
	for i, text := range list {
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("%s[%d]: not the address of a registry: write it as https://host/path", key, i) // what was written may hold a secret
		case u.User != nil:
			return fmt.Errorf("%s[%d]: holds credentials; a policy is no place for them: write only the address", key, i)
		}
	}
	return nil
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

// lookAt is the next step for what no newer version clears.
func lookAt(r *finding.Report, f finding.Finding) string {
	return explaining(r, f) + "   # says why; put it right, or accept it with a waiver in the policy file"
}
