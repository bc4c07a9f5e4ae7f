package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ZipList is the entries of one zip in the order of its central directory,
// folders and repeated names included: what a signature over a zip is about,
// where [Volume] is what a platform loads. Its methods are safe for concurrent
// use.
type ZipList struct {
	Entries []ZipEntry
	Notices []Notice // what was odd about the archive as a whole, before any entry was read

	one *Volume
}

// ZipEntry is one entry as the central directory names it.
type ZipEntry struct {
	Name string // as stored, never cleaned; it ends in "/" for a folder
	Size int64  // declared; 0 for a folder
	file int    // index into the files of ZipList.one; -1 for a folder
}

// ListZip reads the directory of a zip and compares it with the local headers.
// The error wraps ErrUnknownKind when the bytes are no zip, and ErrUnreadable
// when they are a damaged one.
func ListZip(ctx context.Context, r io.ReaderAt, size int64, lim Limits) (*ZipList, error) {
	lim = lim.withDefaults()
	if size > lim.MaxArtifactBytes {
		return nil, fmt.Errorf("%d bytes, over the limit MaxArtifactBytes of %d: %w", size, lim.MaxArtifactBytes, ErrUnreadable)
	}
	src, ok := r.(source)
	if raw, is := r.(*Raw); is {
		src, ok = raw.src, true
	}
	if !ok {
		src = section{r, size}
	}
	z := &zipReader{src: src, lim: lim, log: &noticeLog{max: lim.MaxNotices}}
	best, others, err := findEnd(src)
	if errors.Is(err, errNotZip) {
		return nil, fmt.Errorf("%w: %w", ErrUnknownKind, err)
	}
	if err != nil {
		return nil, err
	}
	z.end = best
	z.noticeEnds(others)
	if err := z.directory(ctx); err != nil {
		return nil, err
	}
	if err := z.locals(ctx); err != nil {
		return nil, err
	}
	return z.list(), nil
}

// list makes one volume of all entries, in their order.
func (z *zipReader) list() *ZipList {
	files := listing{files: make([]File, len(z.recs)), entries: make([]entry, len(z.recs))}
	for i := range z.recs {
		files.files[i], files.entries[i] = z.recs[i].File, z.recs[i].entry
	}
	p := &pack{kind: KindZip, length: z.src.size(), src: z.src, lim: z.lim, dec: &decoders{}, copies: []listing{files}}
	l := &ZipList{one: newVolume(p, ""), Notices: z.log.list()}
	seen := make(map[string]bool, len(z.raw))
	for _, r := range z.raw {
		e := ZipEntry{Name: r.name, file: int(r.rec)}
		if r.rec >= 0 {
			e.Size = z.recs[r.rec].Size
		}
		if seen[r.name] {
			path, _ := cleanPath(r.name, z.lim)
			z.log.add(Notice{Path: path, Kind: NoticeDuplicate, Unread: true, Detail: "listed more than once"})
		}
		seen[r.name] = true
		l.Entries = append(l.Entries, e)
	}
	l.Notices = z.log.list()
	return l
}

// Dir reports whether entry i is a folder, which has a name and no bytes.
func (l *ZipList) Dir(i int) bool { return l.Entries[i].file < 0 }

// Copy writes entry i to w, unpacked. The error wraps ErrUnreadable when length,
// CRC-32 or packing are not as declared or a limit was reached; then what was
// written must not be used. Bytes that follow the packed data are an error too.
func (l *ZipList) Copy(w io.Writer, i int) error {
	f := l.Entries[i].file
	if f < 0 {
		return nil
	}
	r := l.one.reader(f)
	defer r.Close()
	if _, err := io.Copy(w, r); err != nil {
		return fmt.Errorf("read %s: %w", quoted(l.Entries[i].Name), err)
	}
	if odd := l.one.Notices(); len(odd) > 0 { // of this entry or of one read before: neither may pass
		return fmt.Errorf("read %s: %s: %w", quoted(odd[0].Path), odd[0].Detail, ErrUnreadable)
	}
	return nil
}
