package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// worstFirst keeps of many functions what is to be shown of the first of them in
// the order in which people read them: what fails, then what is incomplete, then
// by name. What comes after enough is not kept, whatever the number of functions.
type worstFirst[T any] struct {
	enough int         // the sum of sizes behind which nothing is shown
	size   func(T) int // 0 is not kept
	kept   int         // the sum of sizes of the list
	list   []worst[T]
}

// worst is what is shown of one function.
type worst[T any] struct {
	rank int
	name string
	what T
}

// add adds a function, unless it comes after enough. Those of one rank and name
// stay in the order in which they come. what is called for those that are kept.
func (l *worstFirst[T]) add(r *finding.Report, what func() T) {
	rank := 0 // of a fail
	switch r.Verdict.Decision {
	case finding.Incomplete:
		rank = 1
	case finding.Pass:
		rank = 2
	}
	at, _ := slices.BinarySearchFunc(l.list, r, func(w worst[T], r *finding.Report) int {
		if c := cmp.Or(cmp.Compare(w.rank, rank), cmp.Compare(w.name, r.Name)); c != 0 {
			return c
		}
		return -1 // behind its equals
	})
	if at == len(l.list) && l.kept >= l.enough {
		return
	}
	w := worst[T]{rank, strings.Clone(r.Name), what()}
	if l.size(w.what) == 0 {
		return
	}
	l.list = slices.Insert(l.list, at, w)
	l.kept += l.size(w.what)
	for n := len(l.list) - 1; n >= 0; n-- {
		last := l.size(l.list[n].what)
		if l.kept-last < l.enough {
			break
		}
		l.list[n] = worst[T]{}
		l.list, l.kept = l.list[:n], l.kept-last
	}
}
