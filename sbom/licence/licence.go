// Package licence reads licence expressions (SPDX 2.3 annex D) and what people
// write instead of them, and judges them by lists of what is allowed.
//
// Everything is safe for concurrent use and takes time in the length of its
// input: an expression is never multiplied out, as choices of choices would be.
package licence

import (
	"fmt"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// Bounds of what is read as an expression. The longest in real packages has a
// few hundred bytes and nests three deep.
const (
	maxLength = 1000 // bytes
	maxDepth  = 32   // parentheses within parentheses
)

// Expression is one licence, or several that hold together or of which one may
// be chosen. The zero value is a licence that nobody knows.
type Expression struct {
	Licence Licence
	All     []Expression // every one of them holds
	Any     []Expression // one of them may be chosen
}

// Licence is one licence of an expression.
type Licence struct {
	ID        string // as the SPDX list of go-spdx spells it, or "LicenseRef-…"; of what the list does not have, as written
	Exception string // behind WITH, likewise; "" for none
	Later     bool   // a later version may be chosen
	Known     bool   // the list has the licence and the exception, or the id says that it is somebody's own
}

// String is the licence as an expression spells it.
func (l Licence) String() string {
	text := l.ID
	if l.Later && !strings.HasSuffix(text, orLater) {
		text += "+"
	}
	if l.Exception != "" {
		text += " WITH " + l.Exception
	}
	return text
}

// The ends of identifiers that say which versions are meant.
const (
	only    = "-only"
	orLater = "-or-later"
)

// Parse reads an expression. What the SPDX list does not have is part of it as
// a licence that is not known; the error is about the form.
func Parse(text string) (Expression, error) {
	if len(text) > maxLength {
		return Expression{}, fmt.Errorf("licence expression of %d bytes: at most %d are read", len(text), maxLength)
	}
	spaced := strings.ReplaceAll(strings.ReplaceAll(text, "(", " ( "), ")", " ) ")
	p := parser{words: strings.Fields(spaced)}
	e, err := p.either(0)
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("%q stands where AND, OR or the end was expected", clip(p.words[0]))
	}
	if err != nil {
		return Expression{}, fmt.Errorf("licence expression %q: %w", clip(text), err)
	}
	return e, nil
}

// parser reads words from the front.
type parser struct{ words []string }

func (p *parser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

// take takes the next word when it is the operator; case does not count.
func (p *parser) take(word string) bool {
	if !strings.EqualFold(p.next(), word) {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) either(depth int) (Expression, error) {
	return p.list("OR", depth, p.both, func(es []Expression) Expression { return Expression{Any: es} })
}

func (p *parser) both(depth int) (Expression, error) {
	return p.list("AND", depth, p.one, func(es []Expression) Expression { return Expression{All: es} })
}

func (p *parser) list(operator string, depth int, part func(int) (Expression, error), join func([]Expression) Expression) (Expression, error) {
	first, err := part(depth)
	if err != nil {
		return first, err
	}
	all := []Expression{first}
	for p.take(operator) {
		e, err := part(depth)
		if err != nil {
			return e, err
		}
		all = append(all, e)
	}
	if len(all) == 1 {
		return first, nil
	}
	return join(all), nil
}

func (p *parser) one(depth int) (Expression, error) {
	if p.take("(") {
		if depth == maxDepth {
			return Expression{}, fmt.Errorf("more than %d parentheses within one another", maxDepth)
		}
		e, err := p.either(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return e, err
	}
	switch word := p.next(); strings.ToUpper(word) {
	case "", ")", "AND", "OR", "WITH":
		return Expression{}, fmt.Errorf("a licence is missing before %q", clip(word))
	}
	l := licenceOf(p.words[0])
	p.words = p.words[1:]
	if p.take("WITH") {
		if p.next() == "" {
			return Expression{}, fmt.Errorf("an exception is missing behind WITH")
		}
		ok, exception := spdxlicenses.IsException(p.next())
		if !ok {
			exception, l.Known = p.next(), false
		}
		l.Exception = exception
		p.words = p.words[1:]
	}
	return Expression{Licence: l}, nil
}

// licenceOf reads one identifier. The old ones of the GNU licences are read as
// those that replaced them (the SPDX list, version 3.0: "GPL-2.0" is now
// "GPL-2.0-only", "GPL-2.0+" is "GPL-2.0-or-later").
func licenceOf(word string) Licence {
	id, plus := strings.CutSuffix(word, "+")
	if plus {
		if ok, now := spdxlicenses.IsActiveLicense(id + orLater); ok {
			return Licence{ID: now, Later: true, Known: true}
		}
	} else if ok, now := spdxlicenses.IsActiveLicense(id + only); ok {
		return Licence{ID: now, Known: true}
	}
	for _, list := range []func(string) (bool, string){spdxlicenses.IsActiveLicense, spdxlicenses.IsDeprecatedLicense} {
		if ok, listed := list(id); ok {
			return Licence{ID: listed, Later: plus || strings.HasSuffix(listed, orLater), Known: true}
		}
	}
	return Licence{ID: word, Known: custom(word)}
}

// custom says whether an identifier is somebody's own.
func custom(id string) bool {
	rest, ok := strings.CutPrefix(id, "LicenseRef-")
	if !ok && strings.HasPrefix(id, "DocumentRef-") {
		_, rest, ok = strings.Cut(id, ":LicenseRef-")
	}
	return ok && rest != ""
}

// known says whether every licence of an expression is.
func (e Expression) known() bool {
	for _, list := range [][]Expression{e.All, e.Any} {
		for _, sub := range list {
			if !sub.known() {
				return false
			}
		}
	}
	return len(e.All)+len(e.Any) > 0 || e.Licence.Known
}

func clip(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
