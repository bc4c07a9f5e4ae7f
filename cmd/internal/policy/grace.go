package policy

import (
	"errors"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Grace is how long a vulnerability that would fail only warns, counted from
// the day on which it became known. The zero value gives no time at all. Malware
// has none, and no policy can give it any.
type Grace struct {
	Critical, High, Medium, Low time.Duration
	KnownExploited              time.Duration // instead of the above, counted from the day on which the catalogue took it in
	From                        string        // "published", by the advisory; "seen", by an earlier report, else as published; "" published
}

type fileGrace struct {
	Critical       *string `yaml:"critical"`
	High           *string `yaml:"high"`
	Medium         *string `yaml:"medium"`
	Low            *string `yaml:"low"`
	KnownExploited *string `yaml:"known_exploited"`
	From           *string `yaml:"from"`
	Malware        any     `yaml:"malware"` // no key: known here so that the error can say why
}

// graceKeys are the keys of the section, for suggestions.
var graceKeys = []string{"grace", "critical", "high", "medium", "low", "from"}

func (f *fileGrace) apply(to *Grace) error {
	if f == nil {
		return nil
	}
	errs := []error{word(f.From, &to.From, "grace.from", []string{"published", "seen"})}
	if f.Malware != nil {
		errs = append(errs, errors.New("grace.malware: malware never waits: leave it out, or accept one package with a waiver"))
	}
	for _, g := range []struct {
		key  string
		from *string
		to   *time.Duration
	}{{"critical", f.Critical, &to.Critical}, {"high", f.High, &to.High}, {"medium", f.Medium, &to.Medium}, {"low", f.Low, &to.Low}, {"known_exploited", f.KnownExploited, &to.KnownExploited}} {
		switch {
		case g.from == nil:
		case strings.TrimRight(*g.from, "dhms") == "0":
			*g.to = 0
		default:
			errs = append(errs, duration(g.from, g.to, "grace."+g.key))
		}
	}
	return errors.Join(errs...)
}

// until is when the time of a finding runs out; the zero time when it has none
// at the time now. What is not dated, or dated later than now, has none: nobody
// could say when it ends.
func (g Grace) until(f finding.Finding, rank int, now time.Time) time.Time {
	if f.Kind != finding.KindVulnerability {
		return time.Time{}
	}
	start, allowed := g.start(f, now), g.of(rank)
	if f.KEV {
		start, allowed = exploitedSince(f), g.KnownExploited
	}
	if end := start.Add(allowed); !start.IsZero() && !start.After(now) && end.After(now) {
		return end
	}
	return time.Time{}
}

// start is the day from which on a finding is known.
func (g Grace) start(f finding.Finding, now time.Time) time.Time {
	if g.From == "seen" && f.FirstSeen != nil && !f.FirstSeen.After(now) {
		return *f.FirstSeen
	}
	if f.Published == nil {
		return time.Time{}
	}
	return *f.Published
}

// exploitedSince is the day on which the catalogue of known exploited
// vulnerabilities took a finding in; the zero time when that is not told.
func exploitedSince(f finding.Finding) time.Time {
	if f.Exploited == nil {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, f.Exploited.Added)
	if err != nil {
		return time.Time{}
	}
	return day
}

// of is the time that a severity has, by its rank.
func (g Grace) of(rank int) time.Duration {
	switch rank {
	case finding.Critical.Rank():
		return g.Critical
	case finding.High.Rank():
		return g.High
	case finding.Medium.Rank():
		return g.Medium
	case finding.Low.Rank():
		return g.Low
	}
	return 0
}
