package vulndb

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"
)

// One .feed file holds a list of CVEs with a value each, and never changes:
//
//	header  256 bytes, ends with its own checksum, and holds that of the table
//	table   16 bytes per page: its first key, its checksum, the number of its entries
//	pages   256 entries of 16 bytes at most, a key and a value, sorted by key
//
// Opening reads header and table, 20 KB for all of EPSS; a lookup searches the
// table, then verifies and searches one page. As in a .fdb file, nothing is
// trusted that no checksum covers, and the same list gives the same bytes.
const (
	listMagic   = "FNAULST\n"
	listVersion = 1
	listEntry   = 16
	pageEntries = 256
	pageRow     = 16

	// maxListed bounds the entries of a list; EPSS has some 300,000.
	maxListed = 4_000_000

	offListAsOf    = 16
	offListRecords = 24
	offListPages   = 28
	offListTable   = 32 // checksum
	offListName    = 40
	maxListName    = 20

	domainList = 'l'
)

// List is a feed that is being read: what it says of each CVE, in any order. It
// is not safe for concurrent use.
type List struct {
	name    string
	entries []listed
}

type listed struct{ key, value uint64 }

// NewList returns an empty list of a feed.
func NewList(feed string) *List { return &List{name: feed} }

// AddExploited adds an entry of FeedKEV. The error says what is wrong with it.
func (l *List) AddExploited(cve string, e Exploited) error {
	v, err := packExploited(e)
	return l.add(cve, v, err)
}

// AddScore adds an entry of FeedEPSS. The error says what is wrong with it.
func (l *List) AddScore(cve string, s Score) error {
	v, err := packScore(s)
	return l.add(cve, v, err)
}

func (l *List) add(cve string, value uint64, err error) error {
	key, ok := cveKey(cve)
	switch {
	case !ok:
		return fmt.Errorf("%q is no CVE", clip(cve, 40))
	case err != nil:
		return fmt.Errorf("%s: %w", cve, err)
	case len(l.entries) == maxListed:
		return fmt.Errorf("over %d entries", maxListed)
	}
	l.entries = append(l.entries, listed{key, value})
	return nil
}

// sort brings the entries into their order. That a CVE is there twice is an error: which
// of the two holds, nobody knows.
func (l *List) sort() error {
	if len(l.entries) == 0 {
		return fmt.Errorf("it has no entry")
	}
	slices.SortFunc(l.entries, func(a, b listed) int { return cmp.Compare(a.key, b.key) })
	for i := 1; i < len(l.entries); i++ {
		if k := l.entries[i].key; k == l.entries[i-1].key {
			return fmt.Errorf("CVE-%d-%04d is listed twice", k>>32, k&(1<<32-1))
		}
	}
	return nil
}

// encode writes the file of a sorted list and returns its size.
func (l *List) encode(w io.Writer, asOf time.Time) (int64, error) {
	if l.name == "" || len(l.name) > maxListName {
		return 0, fmt.Errorf("write store: %q is not the name of a list", clip(l.name, 80))
	}
	le := binary.LittleEndian
	var table, pages []byte
	for page := range slices.Chunk(l.entries, pageEntries) {
		start := len(pages)
		for _, e := range page {
			pages = le.AppendUint64(le.AppendUint64(pages, e.key), e.value)
		}
		sum := placedChecksum(pages[start:], domainList, uint32(len(table)/pageRow))
		table = le.AppendUint32(le.AppendUint32(le.AppendUint64(table, page[0].key), sum), uint32(len(page)))
	}
	h := make([]byte, headerSize)
	copy(h, listMagic)
	le.PutUint32(h[offVersion:], listVersion)
	le.PutUint32(h[offVersion+4:], headerSize)
	le.PutUint64(h[offListAsOf:], uint64(asOf.Unix()))
	le.PutUint32(h[offListRecords:], uint32(len(l.entries)))
	le.PutUint32(h[offListPages:], uint32(len(table)/pageRow))
	le.PutUint32(h[offListTable:], checksum(table))
	h[offListName] = byte(len(l.name))
	copy(h[offListName+1:], l.name)
	le.PutUint32(h[offChecksum:], checksum(h[:offChecksum]))
	size := int64(0)
	for _, b := range [][]byte{h, table, pages} {
		n, err := w.Write(b)
		if size += int64(n); err != nil {
			return size, fmt.Errorf("write store: %w", err)
		}
	}
	return size, nil
}

// listFile is an open .feed file.
type listFile struct {
	blob    blob
	name    string
	asOf    time.Time
	records int
	pages   []page
	start   uint64 // where the pages begin
}

type page struct {
	first    uint64
	checksum uint32
	entries  uint32
}

// openList reads and verifies the header and the table.
func openList(b blob) (*listFile, error) {
	h, err := b.bytes(0, headerSize)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if string(h[:len(listMagic)]) != listMagic || le.Uint32(h[offChecksum:]) != checksum(h[:offChecksum]) {
		return nil, damaged("no file of a list, or not its header")
	}
	if v := le.Uint32(h[offVersion:]); v != listVersion {
		return nil, fmt.Errorf("read store: list format version %d, want %d: %w", v, listVersion, ErrFormat)
	}
	records, count, n := le.Uint32(h[offListRecords:]), le.Uint32(h[offListPages:]), int(h[offListName])
	size := headerSize + uint64(count)*pageRow + uint64(records)*listEntry
	if records == 0 || records > maxListed || uint64(count) != (uint64(records)+pageEntries-1)/pageEntries || uint64(b.size()) != size || n > maxListName {
		return nil, damaged("the file of a list has %d bytes, for %d entries", b.size(), records)
	}
	f := &listFile{
		blob: b, name: string(h[offListName+1 : offListName+1+n]), asOf: time.Unix(int64(le.Uint64(h[offListAsOf:])), 0).UTC(),
		records: int(records), pages: make([]page, count), start: headerSize + uint64(count)*pageRow,
	}
	want := le.Uint32(h[offListTable:])
	table, err := b.bytes(headerSize, int(count)*pageRow)
	if err != nil {
		return nil, err
	}
	if checksum(table) != want {
		return nil, damaged("checksum of the table of a list")
	}
	for i := range f.pages {
		row := table[i*pageRow:]
		p := page{le.Uint64(row), le.Uint32(row[8:]), le.Uint32(row[12:])}
		full := i < len(f.pages)-1 && p.entries == pageEntries || i == len(f.pages)-1 && p.entries == records-uint32(i)*pageEntries
		if !full || i > 0 && p.first <= f.pages[i-1].first {
			return nil, damaged("the table of a list")
		}
		f.pages[i] = p
	}
	return f, nil
}

// page returns the bytes of a page, verified.
func (f *listFile) page(i int) ([]byte, error) {
	b, err := f.blob.bytes(f.start+uint64(i)*pageEntries*listEntry, int(f.pages[i].entries)*listEntry)
	if err != nil {
		return nil, err
	}
	if placedChecksum(b, domainList, uint32(i)) != f.pages[i].checksum {
		return nil, damaged("checksum of page %d of a list", i)
	}
	return b, nil
}

// value returns what the list says of a CVE, if it is there.
func (f *listFile) value(key uint64) (uint64, bool, error) {
	i := sort.Search(len(f.pages), func(i int) bool { return f.pages[i].first > key }) - 1
	if i < 0 {
		return 0, false, nil
	}
	b, err := f.page(i)
	if err != nil {
		return 0, false, err
	}
	le := binary.LittleEndian
	n := len(b) / listEntry
	k := sort.Search(n, func(k int) bool { return le.Uint64(b[k*listEntry:]) >= key })
	if k == n || le.Uint64(b[k*listEntry:]) != key {
		return 0, false, nil
	}
	return le.Uint64(b[k*listEntry+8:]), true, nil
}

// check reads every entry and tells what is wrong.
func (f *listFile) check(ctx context.Context, add func(format string, args ...any)) error {
	le := binary.LittleEndian
	last := uint64(0)
	for i := range f.pages {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := f.page(i)
		if err != nil {
			add("%v", err)
			continue
		}
		if le.Uint64(b) != f.pages[i].first {
			add("page %d begins with another entry than the table says", i)
		}
		for ; len(b) > 0; b = b[listEntry:] {
			if key := le.Uint64(b); key <= last {
				add("the entry of key %x is out of order", key)
			} else {
				last = key
			}
			if err := f.sane(le.Uint64(b[8:])); err != nil {
				add("%v", err)
			}
		}
	}
	return nil
}

// sane says what is wrong with the value of an entry.
func (f *listFile) sane(v uint64) (err error) {
	switch f.name {
	case FeedKEV:
		_, err = unpackExploited(v)
	case FeedEPSS:
		_, err = unpackScore(v)
	}
	return err
}
