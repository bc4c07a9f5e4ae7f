package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Override is what a policy demands otherwise of some functions. The rules of
// a later one stand over those of an earlier one.
type Override struct {
	Match Match
	rules fileRules
}

// Match says which functions are meant: those that every criterion which is
// not empty fits. There is at least one.
//
// A descriptor is part of what is audited, so the name and the platform that it
// states are claims; owner and tags come from the list of targets, and tags from what
// the cloud account says of what is deployed, which are the operator's.
type Match struct {
	Name     string // glob over the name: * is any run of characters, ? any one
	Tag      string // one of the tags, exactly
	Owner    string // exactly
	Platform string // exactly
}

type fileOverride struct {
	Match *fileWho  `yaml:"match"`
	Rules fileRules `yaml:",inline"`
}

type fileWho struct {
	Name     string `yaml:"name"`
	Tag      string `yaml:"tag"`
	Owner    string `yaml:"owner"`
	Platform string `yaml:"platform"`
}

// overrideKeys are the keys of the section, for suggestions.
var overrideKeys = []string{"functions", "name", "platform"}

// platforms are the platforms that a function can be of.
var platforms = []string{"aws-lambda", "azure-functions", "google-cloud-functions", "knative", "none"}

// parse reads an override and tries its rules on a policy, so that an error in
// them is one of the file and not of the function that they are for.
func (f fileOverride) parse(base Policy) (Override, error) {
	if f.Match == nil || *f.Match == (fileWho{}) {
		return Override{}, errors.New(".match: no criterion: an override names functions by name, tag, owner or platform; what holds for all stands at the top")
	}
	o := Override{Match: Match(*f.Match), rules: f.Rules}
	if len(o.Match.Name) > maxGlob {
		return o, fmt.Errorf(".match.name: %d bytes is over the limit of %d", len(o.Match.Name), maxGlob)
	}
	if o.Match.Platform != "" && !slices.Contains(platforms, o.Match.Platform) {
		return o, fmt.Errorf(".match.platform: %q is not one of %s", clip(o.Match.Platform), strings.Join(platforms, ", "))
	}
	if f.Rules == (fileRules{}) {
		return o, errors.New(": it changes nothing: name what is judged otherwise, as in fail: {severity: high}")
	}
	if l := f.Rules.Fail; l != nil && l.Malware != nil && !*l.Malware {
		return o, errors.New(".fail.malware: malware fails in every function; one package can be accepted with a waiver")
	}
	if err := f.Rules.apply(base.copied()); err != nil {
		return o, fmt.Errorf(": %w", err)
	}
	return o, nil
}

// fits says whether a function is meant: wherever it is deployed, or somewhere. What
// is deployed in several accounts can have a tag in some of them alone, and is one
// function with one verdict: it has to meet the demands of all of them.
func (m Match) fits(r *finding.Report) (everywhere, somewhere bool) {
	if !((m.Name == "" || glob(m.Name, r.Name)) && (m.Owner == "" || m.Owner == r.Owner) && (m.Platform == "" || m.Platform == r.Platform)) {
		return false, false
	}
	if m.Tag == "" || slices.Contains(r.Tags, m.Tag) {
		return true, true
	}
	n := 0
	for _, d := range r.Deployed {
		if slices.Contains(d.Tags, m.Tag) {
			n++
		}
	}
	return n > 0 && n == len(r.Deployed), n > 0
}

// String names the criteria.
func (m Match) String() string {
	var parts []string
	for _, c := range []struct{ key, value string }{{"name", m.Name}, {"tag", m.Tag}, {"owner", m.Owner}, {"platform", m.Platform}} {
		if c.value != "" {
			parts = append(parts, c.key+" "+c.value)
		}
	}
	return strings.Join(parts, ", ")
}

// claimed says whether what is audited says of itself that it is meant: the
// name in a descriptor or of a file in a folder, a platform in a descriptor or
// read off the content.
func (m Match) claimed(r *finding.Report) bool {
	return m.Name != "" && r.NameClaimed() || m.Platform != "" && (r.Declared != nil || slices.Contains(r.Guessed, "platform"))
}

// For is the policy as it is for one function: with what it says of functions
// of that name, tag, owner or platform. p is not changed. For a wary policy,
// ignored are the overrides that demand less and that count only because of
// what is audited says of itself: they are not applied.
func (p *Policy) For(r *finding.Report) (of *Policy, ignored []Match) {
	of = p
	for _, o := range p.Functions {
		meant, somewhere := o.Match.fits(r)
		if !meant && !somewhere {
			continue
		}
		next := of.copied()
		if o.rules.apply(next) != nil {
			continue // it was tried when it was read
		}
		if !meant && loosens(of, next) {
			continue // it runs where less is demanded, and elsewhere too
		}
		if p.Wary && o.Match.claimed(r) && loosens(of, next) {
			ignored = append(ignored, o.Match)
			continue
		}
		of = next
	}
	if of != p && p.failOn != "" {
		of.FailOn(p.failOn)
	}
	return of, ignored
}

// copied is a policy that can be changed without changing p.
func (p Policy) copied() *Policy {
	p.Require, p.Unmatched, p.Licences.Packages = slices.Clip(p.Require), slices.Clip(p.Unmatched), slices.Clip(p.Licences.Packages)
	return &p
}

// maxGlob is how long a pattern over names may be, in bytes.
const maxGlob = 256

// glob says whether a name fits a pattern, in which * stands for any run of
// characters, also with slashes in it (nested stacks have them in their names),
// and ? for any one.
func glob(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
