package licence

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// Answer is what lists say of a licence. A greater one is worse.
type Answer int

// The answers.
const (
	Unknown    Answer = iota // nobody can say what is meant: the zero value is no licence to use anything
	Allowed                  //
	NotAllowed               // there is a list of what is allowed, without it
	Denied                   //
)

// Lists are what is allowed and what is denied. Without a list of what is
// allowed, everything known is that is not denied.
type Lists struct {
	allow, deny []entry
	only        bool // there is a list of what is allowed
}

// entry is one licence of a list, or a pattern over identifiers.
type entry struct {
	pattern   string // in lower case
	exact     bool
	exception string
}

// NewLists reads the entries of two lists: identifiers of the SPDX list,
// "LicenseRef-…", patterns over them ("GPL-*"), each of the first two also WITH
// an exception. allow nil: there is no such list. The error names the first entry
// that means no licence.
func NewLists(allow, deny []string) (Lists, error) {
	l := Lists{only: allow != nil}
	for _, list := range []struct {
		name string
		from []string
		to   *[]entry
	}{{"allow", allow, &l.allow}, {"deny", deny, &l.deny}} {
		for i, text := range list.from {
			e, err := newEntry(text)
			if err != nil {
				return Lists{}, fmt.Errorf("%s[%d]: %w", list.name, i, err)
			}
			*list.to = append(*list.to, e)
		}
	}
	return l, nil
}

func newEntry(text string) (entry, error) {
	if strings.Contains(text, "*") {
		e := entry{pattern: strings.ToLower(text)}
		if strings.ContainsAny(text, "?[]\\ ()") || strings.Count(text, "*") > 1 || !strings.HasSuffix(text, "*") {
			return e, fmt.Errorf("%q is not a pattern of licences: write it as GPL-*", clip(text))
		}
		if !strings.HasPrefix(e.pattern, "licenseref-") && !slices.ContainsFunc(spdxlicenses.GetLicenses(), func(id string) bool { return e.covers(id) }) {
			return e, fmt.Errorf("%q covers no licence of the SPDX list", clip(text))
		}
		return e, nil
	}
	parsed, err := Parse(text)
	if err != nil {
		return entry{}, err
	}
	if len(parsed.All)+len(parsed.Any) > 0 {
		return entry{}, fmt.Errorf("%q is more than one licence: list each for itself", clip(text))
	}
	if !parsed.Licence.Known {
		return entry{}, fmt.Errorf("%q is not on the SPDX list: use its identifiers, as in Apache-2.0, or LicenseRef-… for a licence of your own", clip(text))
	}
	return entry{pattern: strings.ToLower(parsed.Licence.ID), exact: true, exception: strings.ToLower(parsed.Licence.Exception)}, nil
}

// covers says whether the entry is about an identifier, whatever the exception.
func (e entry) covers(id string) bool {
	id = strings.ToLower(id)
	if e.exact {
		return e.pattern == id
	}
	ok, err := path.Match(e.pattern, id)
	return ok && err == nil
}

// Judge says what the lists make of an expression, and which of its licences
// that is about. Of a choice the best counts, of what holds together the worst.
func (l Lists) Judge(e Expression) (Answer, []string) {
	switch {
	case len(e.All) > 0:
		return l.pick(e.All, func(a, b Answer) bool { return badness(a) > badness(b) })
	case len(e.Any) > 0:
		return l.pick(e.Any, func(a, b Answer) bool { return badness(a) < badness(b) })
	}
	return l.one(e.Licence), []string{e.Licence.String()}
}

// badness orders answers: what is denied is worse than what nobody knows, and
// that is worse than what is merely not on a list.
func badness(a Answer) int {
	return map[Answer]int{Allowed: 0, NotAllowed: 1, Unknown: 2, Denied: 3}[a]
}

func (l Lists) pick(list []Expression, before func(a, b Answer) bool) (Answer, []string) {
	best, about := l.Judge(list[0])
	for _, e := range list[1:] {
		a, names := l.Judge(e)
		switch {
		case before(a, best):
			best, about = a, names
		case a == best:
			for _, n := range names {
				if !slices.Contains(about, n) {
					about = append(about, n)
				}
			}
		}
	}
	return best, about
}

// one judges a licence. An entry with its exception is more exact than one
// without, an identifier more exact than a pattern; of equally exact entries the
// one that denies counts.
func (l Lists) one(of Licence) Answer {
	if !of.Known {
		return Unknown
	}
	deny, allow := exactness(l.deny, of), exactness(l.allow, of)
	switch {
	case deny > 0 && deny >= allow:
		return Denied
	case allow > 0:
		return Allowed
	case l.only:
		return NotAllowed
	case custom(of.ID):
		return Unknown // somebody's own, of which no list speaks
	}
	return Allowed
}

// exactness is how exactly the best entry names a licence: 3 with its
// exception, 2 by its identifier, 1 by a pattern, 0 not at all. Who may choose a later
// version may choose the one that is named, too.
func exactness(list []entry, of Licence) (best int) {
	ids := []string{of.ID}
	if first, ok := strings.CutSuffix(of.ID, orLater); ok {
		ids = append(ids, first+only)
	}
	for _, e := range list {
		if !slices.ContainsFunc(ids, e.covers) {
			continue
		}
		switch {
		case e.exception != "" && e.exception == strings.ToLower(of.Exception):
			best = max(best, 3)
		case e.exception != "":
		case e.exact:
			best = max(best, 2)
		default:
			best = max(best, 1)
		}
	}
	return best
}
