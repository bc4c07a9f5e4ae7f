package bundle

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// noticeLog collects notices. It keeps a bounded number of each kind, so that
// an archive of a million odd entries does not become a million strings, and
// counts the others. Its methods are safe for concurrent use.
type noticeLog struct {
	mu    sync.Mutex
	max   int // per kind
	seen  map[Notice]struct{}
	kinds map[NoticeKind]*kindCount
}

type kindCount struct {
	kept, dropped int
	unread        bool // one of the dropped ones was Unread
}

func (l *noticeLog) add(n Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.seen[n]; ok {
		return
	}
	if l.seen == nil {
		l.seen, l.kinds = map[Notice]struct{}{}, map[NoticeKind]*kindCount{}
	}
	k := l.kinds[n.Kind]
	if k == nil {
		k = &kindCount{}
		l.kinds[n.Kind] = k
	}
	if k.kept >= l.max {
		k.dropped++
		k.unread = k.unread || n.Unread
		return
	}
	k.kept++
	l.seen[n] = struct{}{}
}

// list returns the notices, sorted.
func (l *noticeLog) list() []Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Notice, 0, len(l.seen)+1)
	for n := range l.seen {
		out = append(out, n)
	}
	for kind, k := range l.kinds {
		if k.dropped > 0 {
			out = append(out, Notice{Kind: kind, Unread: k.unread,
				Detail: fmt.Sprintf("%d more of this kind, not listed one by one", k.dropped)})
		}
	}
	slices.SortFunc(out, compareNotices)
	return out
}

// unread reports whether a notice says that something could not be trusted.
func (l *noticeLog) unread() bool {
	for _, n := range l.list() {
		if n.Unread {
			return true
		}
	}
	return false
}

func compareNotices(a, b Notice) int {
	return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Detail, b.Detail), boolRank(a.Unread)-boolRank(b.Unread))
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// quoted shows text of an artifact inside a Detail: printable ASCII, bounded.
func quoted(s string) string {
	const most = 120
	if len(s) > most {
		return strconv.QuoteToASCII(cut(s, most)) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// mergeNotices sorts notices and drops repeats.
func mergeNotices(ns []Notice) []Notice {
	slices.SortFunc(ns, compareNotices)
	return slices.Compact(ns)
}
