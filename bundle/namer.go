package bundle

import (
	"fmt"
	"slices"
	"strings"
)

// namer gives files that must move a path that nobody else has.
type namer struct {
	taken map[string]struct{} // paths of files and of folders
	n     int                 // never goes back, so that a hostile list costs one try per name
}

func (m *namer) fresh(recs []record, path string) string {
	if m.taken == nil {
		m.taken = make(map[string]struct{}, len(recs))
		for i := range recs {
			for p := recs[i].Path; p != ""; p = parent(p) {
				if _, ok := m.taken[p]; ok {
					break
				}
				m.taken[p] = struct{}{}
			}
		}
	}
	try := path
	for {
		if _, ok := m.taken[try]; !ok {
			m.taken[try] = struct{}{}
			return try
		}
		m.n++
		try = fmt.Sprintf("%s%%~%d", path, m.n)
	}
}

// separateOdd moves escaped names away from genuine ones that look the same.
// It reports whether any file moved.
func (m *namer) separateOdd(recs []record) bool {
	moved := false
	for i := 0; i < len(recs); {
		j, odd := i, 0
		for ; j < len(recs) && recs[j].Path == recs[i].Path; j++ {
			odd += boolRank(recs[j].odd)
		}
		if odd > 0 && odd < j-i {
			path := recs[i].Path
			for k := i; k < j; k++ {
				if recs[k].odd {
					recs[k].Path = m.fresh(recs, path)
					moved = true
				}
			}
		}
		i = j
	}
	return moved
}

// separateNested finds files below a file or a link, in sorted records, and
// moves what is in the way to a new name in the root. Below a link the inner
// files move: on disk they would be written to wherever it points. A plain file
// that has files below it moves itself. It reports whether any file moved.
func (m *namer) separateNested(recs []record, log *noticeLog) bool {
	blocked := nestedBelow(recs)
	if len(blocked) == 0 {
		return false
	}
	type move struct {
		at   int
		path string
	}
	var moves []move
	flat := func(p string) string { return cut(strings.ReplaceAll(p, "/", "%2F"), 100) + "%2F" }
	for i := range recs {
		path := recs[i].Path
		if b, ok := blocked[path]; ok && !b.link {
			moves = append(moves, move{i, m.fresh(recs, flat(path))})
			continue
		}
		for p := parent(path); p != ""; p = parent(p) {
			b, ok := blocked[p]
			if !ok || !b.link {
				continue
			}
			if b.moved == "" {
				b.moved = m.fresh(recs, flat(p))
			}
			moves = append(moves, move{i, b.moved + path[len(p):]})
			break
		}
	}
	for _, mv := range moves {
		r := &recs[mv.at]
		log.add(Notice{Path: mv.path, Kind: NoticeThroughLink, Unread: true,
			Detail: "listed as " + quoted(r.Path) + ", where one path is a folder and also a file or a link"})
		r.Path, r.odd = mv.path, true
	}
	return true
}

// nested is a path that is a file or a link and has files below it.
type nested struct {
	link  bool
	moved string // folder for what lies below it
}

func nestedBelow(recs []record) map[string]*nested {
	var blocked map[string]*nested
	last := "" // the folder looked at before: it and its parents are done
	for i := range recs {
		dir := parent(recs[i].Path)
		for p := dir; p != "" && p != last && !strings.HasPrefix(last, p+"/"); p = parent(p) {
			at, ok := slices.BinarySearchFunc(recs, p, func(r record, p string) int { return strings.Compare(r.Path, p) })
			if !ok {
				continue
			}
			if blocked == nil {
				blocked = map[string]*nested{}
			}
			b := &nested{}
			for ; at < len(recs) && recs[at].Path == p; at++ {
				b.link = b.link || recs[at].Mode != 0
			}
			blocked[p] = b
		}
		last = dir
	}
	return blocked
}

// parent returns the folder of a clean path, "" for the root.
func parent(p string) string {
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return ""
	}
	return p[:i]
}
