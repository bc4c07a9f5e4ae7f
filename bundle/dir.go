package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// folder is an unpacked function on disk. Every access goes through os.Root, so
// that no link leads out of it.
type folder struct {
	root  *os.Root
	items []folderItem
}

// folderItem is one file of a folder as it was when the digest was taken.
type folderItem struct {
	name string // relative, as on disk
	mode string // as in git: 100644, 100755, 120000 for a link, 000000 for what is neither
	sum  [sha256.Size]byte
	ok   bool // sum is known
}

// openFolder lists and hashes a directory.
func openFolder(ctx context.Context, dir string, lim Limits, dec *decoders) (*pack, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	w := &folderWalk{ctx: ctx, lim: lim, f: &folder{root: root}, buf: make([]byte, 64<<10),
		log: &noticeLog{max: lim.MaxNotices}}
	if err := w.walk(".", 0); err != nil {
		root.Close()
		return nil, err
	}
	if w.archivesOnly() {
		root.Close()
		return nil, fmt.Errorf("%w: name one of them, or take each as a function with --each %s", ErrOnlyArchives, dir)
	}
	p := &pack{kind: KindDirectory, length: w.bytes, root: w.f, lim: lim, dec: dec}
	p.digest = w.f.digest()
	p.arrange(w.recs, w.log, func(a, b *entry) bool { return false })
	if len(w.recs) == 0 {
		w.log.add(Notice{Kind: NoticeEmpty, Detail: "the folder holds no file"})
	}
	p.checkLinks(w.log)
	p.notices = w.log.list()
	return p, nil
}

// digest is the digest of a directory: SHA-256 over one line for each file,
// sorted by the bytes of the name: name, NUL, mode, NUL, SHA-256 of the content
// (of the target for a link) in hexadecimal, newline. The mode is that of git:
// 100755 when any execute bit is set, else 100644, 120000 for a link, 000000
// with an empty hash for a device, pipe or socket. Empty folders do not count.
// A file that could not be read leaves the digest unknown.
func (f *folder) digest() Digest {
	items := slices.Clone(f.items)
	slices.SortFunc(items, func(a, b folderItem) int { return strings.Compare(a.name, b.name) })
	h := sha256.New()
	for _, it := range items {
		switch {
		case it.ok:
			fmt.Fprintf(h, "%s\x00%s\x00%s\n", it.name, it.mode, hex.EncodeToString(it.sum[:]))
		case it.mode == modeSpecial:
			fmt.Fprintf(h, "%s\x00%s\x00\n", it.name, it.mode)
		default:
			return ""
		}
	}
	return digestOf(h)
}

const (
	modeFile    = "100644"
	modeExec    = "100755"
	modeLink    = "120000"
	modeSpecial = "000000"
)

// folderWalk is the state of one walk over a directory.
type folderWalk struct {
	ctx     context.Context
	lim     Limits
	f       *folder
	log     *noticeLog
	recs    []record
	buf     []byte
	bytes   int64
	plain   int  // regular files
	archive int  // of them: zip, gzip or tar by their first bytes
	deeper  bool // there are folders
	full    bool // MaxEntries was reached
}

func (w *folderWalk) walk(dir string, depth int) error {
	if depth > w.lim.MaxPathDepth {
		w.log.add(Notice{Path: w.clean(dir), Kind: NoticeLimit, Unread: true, Detail: "deeper than MaxPathDepth, not entered"})
		return nil
	}
	d, err := w.f.root.Open(dir)
	if err != nil {
		return w.unlisted(dir, err)
	}
	entries, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		return w.unlisted(dir, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		name := e.Name()
		if dir != "." {
			name = dir + "/" + name
		}
		if e.IsDir() {
			w.deeper = true
			if err := w.walk(name, depth+1); err != nil {
				return err
			}
			continue
		}
		if len(w.recs) >= w.lim.MaxEntries {
			if !w.full {
				w.full = true
				w.f.items = append(w.f.items, folderItem{name: name}) // the digest stays unknown
				w.log.add(Notice{Kind: NoticeLimit, Unread: true, Detail: fmt.Sprintf("more than MaxEntries, %d: the rest is not listed", w.lim.MaxEntries)})
			}
			return nil
		}
		if err := w.add(name, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *folderWalk) unlisted(dir string, err error) error {
	if dir == "." {
		return err
	}
	w.f.items = append(w.f.items, folderItem{name: dir})
	w.log.add(Notice{Path: w.clean(dir), Kind: NoticeCorrupt, Unread: true, Detail: "folder cannot be listed: " + cause(err)})
	return nil
}

func (w *folderWalk) clean(name string) string {
	p, _ := cleanPath(name, w.lim)
	return p
}

// add lists one file and takes its hash.
func (w *folderWalk) add(name string, e fs.DirEntry) error {
	it := folderItem{name: name}
	path, odd := cleanPath(name, w.lim)
	rec := record{File: File{Path: path}, odd: odd != "", order: len(w.recs)}
	rec.method, rec.offset = methodDisk, int64(len(w.f.items))
	if odd != "" {
		w.log.add(Notice{Path: path, Kind: odd, Unread: odd == NoticeLimit, Detail: "named " + quoted(name)})
	}
	info, err := e.Info()
	switch {
	case err != nil:
		w.broken(path, err)
	case info.Mode()&fs.ModeSymlink != 0:
		it.mode = modeLink
		rec.Mode = fs.ModeSymlink
		if rec.Link, err = w.f.root.Readlink(name); err != nil {
			w.broken(path, err)
			break
		}
		it.sum, it.ok = sha256.Sum256([]byte(rec.Link)), true
		rec.Size = int64(len(rec.Link))
	case !info.Mode().IsRegular():
		it.mode = modeSpecial
		w.log.add(Notice{Path: path, Kind: NoticeSpecial, Detail: "neither file nor link: " + info.Mode().Type().String()})
		w.f.items = append(w.f.items, it)
		return nil
	default:
		it.mode = modeFile
		if info.Mode()&0o111 != 0 {
			it.mode = modeExec
		}
		if info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			w.log.add(Notice{Path: path, Kind: NoticeSetuid, Detail: info.Mode().String()})
		}
		w.plain++
		rec.Size = info.Size()
		if it.sum, rec.Size, err = w.hash(name); err != nil {
			if w.ctx.Err() != nil {
				return w.ctx.Err()
			}
			w.broken(path, err)
			break
		}
		it.ok = true
		w.bytes += rec.Size
	}
	w.f.items = append(w.f.items, it)
	w.recs = append(w.recs, rec)
	return nil
}

func (w *folderWalk) broken(path string, err error) {
	kind := NoticeCorrupt
	if errors.Is(err, errLimit) {
		kind = NoticeLimit
	}
	w.log.add(Notice{Path: path, Kind: kind, Unread: true, Detail: "cannot be read: " + cause(err)})
}

// cause is the message of an error without the path, which the notice has.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

var errLimit = errors.New("over a limit")

func (w *folderWalk) hash(name string) (sum [sha256.Size]byte, n int64, err error) {
	f, err := w.f.root.Open(name)
	if err != nil {
		return sum, 0, err
	}
	defer f.Close()
	h := sha256.New()
	for {
		if err := w.ctx.Err(); err != nil {
			return sum, n, err
		}
		got, err := f.Read(w.buf)
		if n == 0 && archiveMagic(w.buf[:got]) {
			w.archive++
		}
		h.Write(w.buf[:got])
		n += int64(got)
		switch {
		case n > w.lim.MaxFileBytes:
			return sum, n, fmt.Errorf("more than MaxFileBytes, %d: %w", w.lim.MaxFileBytes, errLimit)
		case w.bytes+n > w.lim.MaxTotalBytes:
			return sum, n, fmt.Errorf("the folder holds more than MaxTotalBytes, %d: %w", w.lim.MaxTotalBytes, errLimit)
		}
		if err == io.EOF {
			h.Sum(sum[:0])
			return sum, n, nil
		}
		if err != nil {
			return sum, n, err
		}
	}
}

// ErrOnlyArchives is wrapped by the error for a folder that is a heap of
// packages side by side and no function.
var ErrOnlyArchives = errors.New("the folder holds only archives")

// archivesOnly reports whether the folder is a heap of packages and not a
// function: archives side by side and nothing else.
func (w *folderWalk) archivesOnly() bool {
	return !w.deeper && w.plain > 0 && w.archive == w.plain
}

func archiveMagic(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06")) ||
		bytes.HasPrefix(b, []byte("\x1f\x8b")) || isTar(b)
}

// folderReader reads one file and compares it with the hash taken before.
type folderReader struct {
	f    *os.File
	h    hash.Hash
	want *folderItem
}

func (f *folder) open(i int64) (*folderReader, error) {
	it := &f.items[i]
	if !it.ok || it.mode == modeLink {
		return nil, errors.New("could not be read when the folder was opened")
	}
	file, err := f.root.Open(it.name)
	if err != nil {
		return nil, err
	}
	return &folderReader{f: file, h: sha256.New(), want: it}, nil
}

func (r *folderReader) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	r.h.Write(p[:n])
	if err == io.EOF && n == 0 && [sha256.Size]byte(r.h.Sum(nil)) != r.want.sum {
		return 0, errChanged
	}
	return n, err
}
