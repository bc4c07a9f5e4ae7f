package vulndb

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// prepared is an advisory with everything that can be computed without the
// writer's lock. Its strings may share memory that does not last.
type prepared struct {
	id       string
	modified int64    // Unix seconds
	layer    uint8    // a record of a higher layer replaces one of a lower
	names    []string // normalised package names of this ecosystem, sorted, no doubles
	parts    []string // other names to find it by: see partName; sorted, no doubles
	keys     []uint64 // hashes of ids and aliases, no doubles, that of the id first
	releases []string
	data     []byte // encoded
}

// prepare encodes an advisory for a file of the ecosystem, at the end of dst.
func prepare(ecosystem string, a *Advisory, dst []byte) prepared {
	p := prepared{data: encodeAdvisory(dst, a), id: a.ID}
	p.index(ecosystem, a)
	return p
}

// index computes what an advisory is found by.
func (p *prepared) index(ecosystem string, a *Advisory) {
	if !a.Modified.IsZero() {
		p.modified = a.Modified.Unix()
	}
	for i := range a.Affected {
		e := &a.Affected[i]
		if !e.of(ecosystem) {
			continue // in the file of its own ecosystem; the export lists a record in each
		}
		// A repository's address is not checked elsewhere.
		if n := entryName(ecosystem, e); n != "" && len(n) <= maxName && !strings.HasPrefix(n, partMark) {
			p.names = append(p.names, n)
			if part := partName(ecosystem, n); part != "" {
				p.parts = append(p.parts, part)
			}
		}
		if r := release(e.Ecosystem); r != "" && !slices.Contains(p.releases, r) && len(p.releases) < maxReleases {
			p.releases = append(p.releases, r)
		}
	}
	p.names, p.parts = sorted(p.names), sorted(p.parts)
	own := hash(idKey(a.ID))
	for _, id := range a.Names() {
		if k := hash(idKey(id)); k != own {
			p.keys = append(p.keys, k)
		}
	}
	p.keys = append(sorted(p.keys), own)
	slices.Reverse(p.keys)
}

// maxReleases bounds the releases that one record may name; Red Hat's CPEs are
// the most, with under 1,000 in all.
const maxReleases = 10_000

func sorted[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// partMark begins the keys of the package index that are no package names,
// which cannot hold it (checkName).
const partMark = "\x00"

// partName returns the key under which the package index finds a name by its
// last part, or "": for Maven, whose file names have the artifact and not the
// group.
func partName(ecosystem, name string) string {
	if ecosystem != "Maven" {
		return ""
	}
	if _, artifact, ok := strings.Cut(name, ":"); ok && artifact != "" {
		return partMark + artifact
	}
	return ""
}

// spilled is one advisory that waits in the spill file to be written. Nothing
// here is a pointer, so the garbage collector passes over it, and a record
// takes some 150 bytes of memory with its names and keys, whatever its size.
type spilled struct {
	off      int64
	modified int64
	id       text
	first    text // the name under which it is stored; others refer to it
	at       ref  // set when its block is laid out
	len      uint32
	layer    uint8
	dropped  bool // another record has its id
}

// nameRef is one name of a record, idRef one id. record counts in the order in
// which they were added.
type nameRef struct {
	name   text
	record uint32
}

type idRef struct {
	key    uint64
	record uint32
	own    bool // the id itself, not an alias
}

// spillFile is where encoded advisories wait.
type spillFile interface {
	io.Writer
	io.ReaderAt
}

// fdbWriter writes one .fdb file. The order of calls is: add (any order),
// write.
type fdbWriter struct {
	ecosystem string
	mu        sync.Mutex // guards all below
	spill     *bufio.Writer
	spillOff  int64
	spillFile spillFile
	records   []spilled
	names     []nameRef // of packages and, with partMark, of parts
	ids       []idRef
	text      arena
	releases  map[string]*int
	order     []uint32 // of the records in the file; set by arrange
}

// newFdbWriter makes a writer that expects some number of records.
func newFdbWriter(ecosystem string, spill spillFile, expect int) *fdbWriter {
	return &fdbWriter{
		ecosystem: ecosystem, spillFile: spill, spill: bufio.NewWriterSize(spill, 1<<20), releases: map[string]*int{},
		records: make([]spilled, 0, expect), names: make([]nameRef, 0, expect), ids: make([]idRef, 0, expect+expect/4),
	}
}

var errTooMany = errors.New("too many records for one file of the store")

// add takes a prepared advisory and copies it. It is safe for concurrent use.
func (w *fdbWriter) add(p *prepared) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.records) == maxRecords {
		return errTooMany
	}
	n, err := w.spill.Write(p.data)
	if err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	r := spilled{off: w.spillOff, len: uint32(n), modified: p.modified, layer: p.layer}
	w.spillOff += int64(n)
	record := uint32(len(w.records))
	if r.id, err = w.text.put(p.id); err != nil {
		return err
	}
	for i, list := range [][]string{p.names, p.parts} {
		for j, name := range list {
			t, err := w.text.put(name)
			if err != nil {
				return err
			}
			if i+j == 0 {
				r.first = t
			}
			w.names = append(w.names, nameRef{t, record})
		}
	}
	for i, k := range p.keys {
		w.ids = append(w.ids, idRef{k, record, i == 0})
	}
	w.records = append(w.records, r)
	for _, name := range p.releases {
		n := w.releases[name]
		if n == nil {
			n = new(int)
			w.releases[strings.Clone(name)] = n
		}
		*n++ // not w.releases[name]++: that would put this name's memory in the place of the copy
	}
	return nil
}

// arrange keeps one record of each id and puts them in the file's order: by
// name, then id. Of two with one id, that of the higher layer stays, then the
// one modified last, then the longest, so that the result does not depend on
// the order in which they came.
func (w *fdbWriter) arrange() error {
	if err := w.spill.Flush(); err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	slices.SortFunc(w.ids, func(a, b idRef) int { return cmp.Or(cmp.Compare(a.key, b.key), b2i(b.own)-b2i(a.own)) })
	var readErr error
	for i := 0; i < len(w.ids); {
		j := i + 1
		for j < len(w.ids) && w.ids[j].key == w.ids[i].key && w.ids[j].own {
			j++
		}
		if w.ids[i].own && j > i+1 {
			w.dedupe(w.ids[i:j], &readErr)
		}
		for i = j; i < len(w.ids) && w.ids[i].key == w.ids[j-1].key; i++ {
		}
	}
	if readErr != nil {
		return fmt.Errorf("read temporary file: %w", readErr)
	}
	w.order = make([]uint32, 0, len(w.records))
	for i := range w.records {
		if !w.records[i].dropped {
			w.order = append(w.order, uint32(i))
		}
	}
	slices.SortFunc(w.order, func(a, b uint32) int {
		x, y := &w.records[a], &w.records[b]
		return cmp.Or(bytes.Compare(w.text.get(x.first), w.text.get(y.first)), bytes.Compare(w.text.get(x.id), w.text.get(y.id)))
	})
	return nil
}

// dedupe drops all but one of the records whose ids are the same; their keys
// are, which two ids may share.
func (w *fdbWriter) dedupe(same []idRef, readErr *error) {
	content := func(r *spilled) []byte {
		b := make([]byte, r.len)
		if _, err := w.spillFile.ReadAt(b, r.off); err != nil {
			*readErr = err
		}
		return b
	}
	slices.SortFunc(same, func(p, q idRef) int {
		a, b := &w.records[p.record], &w.records[q.record]
		c := cmp.Or(bytes.Compare(w.text.get(a.id), w.text.get(b.id)), cmp.Compare(b.layer, a.layer), cmp.Compare(b.modified, a.modified), cmp.Compare(b.len, a.len))
		if c != 0 || p.record == q.record {
			return c
		}
		return bytes.Compare(content(a), content(b))
	})
	for i := 1; i < len(same); i++ {
		a, b := &w.records[same[i-1].record], &w.records[same[i].record]
		if bytes.Equal(w.text.get(a.id), w.text.get(b.id)) {
			b.dropped = true
			w.forget(content(b), readErr)
		}
	}
}

// forget takes a dropped record out of the counts of releases.
func (w *fdbWriter) forget(data []byte, readErr *error) {
	a, err := decodeAdvisory(string(data))
	if err != nil {
		*readErr = err
		return
	}
	var p prepared
	p.index(w.ecosystem, a)
	for _, name := range p.releases {
		if n := w.releases[name]; n != nil {
			*n--
		}
	}
}

// text is a string in an arena.
type text struct {
	off uint32
	len uint16
}

// arena holds many short strings without a pointer for each.
type arena struct {
	chunks [][]byte
	last   text
}

const arenaChunk = 1 << 20

// put copies a string of at most maxName+1 bytes. One that was put just before
// is not stored again: an advisory of several entries repeats itself.
func (a *arena) put(s string) (text, error) {
	if len(a.chunks) > 0 && string(a.get(a.last)) == s {
		return a.last, nil
	}
	if len(s) > maxName+len(partMark) {
		return text{}, fmt.Errorf("a name of %d bytes", len(s))
	}
	n := len(a.chunks)
	if n == 0 || len(a.chunks[n-1])+len(s) > arenaChunk {
		if n == 1<<32/arenaChunk {
			return text{}, errTooMany
		}
		a.chunks = append(a.chunks, make([]byte, 0, arenaChunk))
		n++
	}
	c := &a.chunks[n-1]
	a.last = text{uint32(n-1)*arenaChunk + uint32(len(*c)), uint16(len(s))}
	*c = append(*c, s...)
	return a.last, nil
}

func (a *arena) get(t text) []byte {
	if t.len == 0 {
		return nil
	}
	i := t.off % arenaChunk
	return a.chunks[t.off/arenaChunk][i : i+uint32(t.len)]
}
