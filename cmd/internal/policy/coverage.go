package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Coverage says how much of the code must be told: attributed to a package, to
// the bundler or to the platform, or known to be the team's own. Both are
// shares of the bytes of code, 0 to 1; 0 demands nothing.
type Coverage struct {
	Minimum float64 // of the function's code, all together
	Bundle  float64 // of each bundle that no lockfile bounds
}

type fileCoverage struct {
	Minimum any `yaml:"minimum"` // a number, or a text such as "95%"; nil: left out
	Bundle  any `yaml:"bundle"`
}

func (f *fileCoverage) apply(to *Coverage) error {
	if f == nil {
		return nil
	}
	return errors.Join(share(f.Minimum, &to.Minimum, "coverage.minimum"), share(f.Bundle, &to.Bundle, "coverage.bundle"))
}

// share reads 0.95, or 95% as people write it.
func share(v any, to *float64, key string) error {
	if v == nil {
		return nil
	}
	text := fmt.Sprint(v)
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) { // also what is no number
		return fmt.Errorf("%s: %s is not a share of 1: write 80 %% as 0.8 or as 80%%", key, clip(text))
	}
	*to = f
	return nil
}

// clip shortens what a file says to what an error can quote.
func clip(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// untold are the bundles that are under the line and that no lockfile bounds,
// but for those that a waiver accepts.
func (p *Policy) untold(r *finding.Report) []finding.Bundle {
	var out []finding.Bundle
	if r.Coverage == nil {
		return nil
	}
	for _, b := range r.Coverage.Bundles {
		if b.Lockfile == "" && finding.Told(b.CodeBytes, b.UnknownBytes) < p.Coverage.Bundle && !accepted(r, b.Artifact, b.Path) {
			out = append(out, b)
		}
	}
	return out
}

// accepted reports whether a waiver accepts what is unknown of a file.
func accepted(r *finding.Report, artifact int, path string) bool {
	return slices.ContainsFunc(r.Unknowns, func(u finding.Unknown) bool {
		return u.Waived != nil && u.Artifact == artifact && u.Path == path && u.Kind != "unmatched"
	})
}

// coverageGaps lists where too little of the code is told. said are the files
// that another sentence is about already.
func (p *Policy) coverageGaps(r *finding.Report, said map[place]bool) []string {
	var out, names []string
	bundles := p.untold(r)
	bundles = slices.DeleteFunc(bundles, func(b finding.Bundle) bool { return said[place{b.Artifact, b.Path}] })
	for _, b := range bundles {
		names = append(names, fmt.Sprintf("%s (%s, %s)", cmp.Or(b.Path, "the artifact"), b.Bundler, percent(b.CodeBytes, b.UnknownBytes)))
	}
	if len(bundles) > 0 {
		out = append(out, fmt.Sprintf("%s under %s accounted for: %s", finding.Count(len(bundles), "bundle", "bundles"), percentOf(p.Coverage.Bundle), listed(names, 3)))
	}
	if empty := r.Coverage != nil && r.Coverage.CodeBytes == 0; p.Coverage.Minimum > 0 && !(empty && said[place{}]) {
		out = append(out, p.totalGap(r)...)
	}
	return out
}

// totalGap says that too little of all code is told.
func (p *Policy) totalGap(r *finding.Report) []string {
	c := r.Coverage
	if c == nil && r.Vetted != nil {
		return nil // there is no code yet
	}
	if c == nil {
		return []string{"how much of the code is accounted for is not known: only a bill of materials was given"}
	}
	if c.CodeBytes == 0 {
		return []string{"no code found in " + cmp.Or(r.Target, r.Name) + ", so that nothing is accounted for"}
	}
	unknown := c.UnknownBytes
	most := finding.Unattributed{}
	for _, u := range c.Unattributed {
		if accepted(r, u.Artifact, u.Path) {
			unknown -= u.Bytes
		} else if u.Bytes > most.Bytes {
			most = u
		}
	}
	if finding.Told(c.CodeBytes, unknown) >= p.Coverage.Minimum {
		return nil
	}
	text := fmt.Sprintf("%s of the code is accounted for, the policy wants %s: nobody could name %d bytes", percent(c.CodeBytes, unknown), percentOf(p.Coverage.Minimum), unknown)
	if most.Bytes > 0 {
		text += fmt.Sprintf(", most of them in %s (%s)", cmp.Or(most.Path, "the artifact"), most.Reason)
	}
	return []string{text}
}

// place is a file of a function.
type place struct {
	artifact int
	path     string
}

// percent is the told share in whole percent, rounded down: 79.9 % is no 80 %.
func percent(code, unknown int64) string { return percentOf(finding.Told(code, unknown)) }

func percentOf(share float64) string { return fmt.Sprintf("%d %%", int(share*100+1e-9)) }

// nameBundle is the next step where a bundle is not told enough: another one,
// where a lockfile was given that is not this bundle's.
func nameBundle(b finding.Bundle) string {
	if b.Refused != "" {
		return "give the lockfile that " + cmp.Or(b.Path, "the artifact") + " was built from: " + b.Refused
	}
	return nameBundles
}

// nameBundles is the next step where no lockfile was given.
const nameBundles = "give the lockfile that the bundle was built from (--lockfile FILE), or ship its source map beside it; then scan again"
