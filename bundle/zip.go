package bundle

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// zipReader reads one zip. What it finds odd goes to log.
type zipReader struct {
	src  source
	lim  Limits
	log  *noticeLog
	end  *endRecord
	cut  bool // MaxEntries was reached
	recs []record
	raw  []zipEntry // as in the directory, same indexes as order in recs
	meta bool       // a name that was read lies in META-INF
}

// zipEntry is what the directory says about one entry and no file needs later.
type zipEntry struct {
	name   string // as stored
	local  int64  // where its local header should be
	packed int64
	size   int64
	crc    uint32
	rec    int32 // index into recs; -1 for a folder
	flags  uint16
	method uint16
}

// Flag bits: APPNOTE.TXT 6.3.10, section 4.4.4.
const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagStrong     = 1 << 6
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13
)

// openZip reads the directory of a zip and checks it against the local headers.
func openZip(ctx context.Context, src source, lim Limits, dec *decoders) (*pack, error) {
	best, others, err := findEnd(src)
	if err != nil {
		return nil, err
	}
	z := &zipReader{src: src, lim: lim, log: &noticeLog{max: lim.MaxNotices}, end: best}
	z.noticeEnds(others)
	if err := z.directory(ctx); err != nil {
		return nil, err
	}
	if err := z.locals(ctx); err != nil {
		return nil, err
	}
	p := &pack{kind: z.kind(), length: src.size(), src: src, lim: lim, dec: dec, noMeta: !z.meta && !z.cut}
	z.links(p)
	p.arrange(z.recs, z.log, z.same)
	if len(z.recs) == 0 {
		z.log.add(Notice{Kind: NoticeEmpty, Detail: "the archive lists no file"})
	}
	p.checkLinks(z.log)
	p.notices = z.log.list()
	return p, nil
}

// noticeEnds tells what is odd about the end of the file.
func (z *zipReader) noticeEnds(others []*endRecord) {
	e := z.end
	for _, o := range others {
		z.log.add(Notice{Kind: NoticeHidden, Unread: true,
			Detail: fmt.Sprintf("another end record at byte %d lists %d entries; the one at byte %d was taken, other readers take the other", o.pos, o.count, e.pos)})
	}
	if e.second {
		z.log.add(Notice{Kind: NoticeHidden, Unread: true,
			Detail: "the end record fits two directories; readers differ in which one they take"})
	}
	for _, l := range e.lies {
		z.log.add(Notice{Kind: NoticeHeader, Unread: true, Detail: l})
	}
	if e.after < 0 {
		z.log.add(Notice{Kind: NoticeTruncated, Detail: fmt.Sprintf("the archive's comment lacks %d bytes", -e.after)})
	}
	if e.after > 0 {
		z.extra(z.src.size()-e.after, z.src.size(), "after the end record")
	}
}

// directory reads the central directory.
func (z *zipReader) directory(ctx context.Context) error {
	e, le := z.end, binary.LittleEndian
	if e.size > z.lim.MaxDirectoryBytes {
		return &unreadable{kind: NoticeLimit, detail: fmt.Sprintf("a central directory of %d bytes, over MaxDirectoryBytes, %d", e.size, z.lim.MaxDirectoryBytes)}
	}
	dir, err := z.src.view(e.start, e.size)
	if err != nil {
		return err
	}
	n := min(e.count, e.size/lenCentral, int64(z.lim.MaxEntries))
	z.raw, z.recs = make([]zipEntry, 0, n), make([]record, 0, n)
	names := string(dir) // one string that all names are parts of
	at := 0
	for at+lenCentral <= len(dir) && string(dir[at:at+4]) == sigCentral {
		if len(z.raw)&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		h := dir[at:]
		nameLen, extraLen, commentLen := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
		next := at + lenCentral + nameLen + extraLen + commentLen
		if next > len(dir) {
			return fmt.Errorf("entry %d of the central directory is cut off: %w", len(z.raw)+1, ErrUnreadable)
		}
		if len(z.raw) == z.lim.MaxEntries {
			z.log.add(Notice{Kind: NoticeLimit, Unread: true, Detail: fmt.Sprintf("more than MaxEntries, %d: the rest is not listed", z.lim.MaxEntries)})
			z.cut = true
			return nil
		}
		from := at + lenCentral
		z.meta = z.meta || inMeta(names[from:from+nameLen])
		z.entry(h, names[from:from+nameLen], h[lenCentral+nameLen:lenCentral+nameLen+extraLen])
		at = next
	}
	if at < len(dir) && !bytes.HasPrefix(dir[at:], []byte(sigDigital)) {
		z.log.add(Notice{Kind: NoticeHeader, Unread: true, Detail: fmt.Sprintf("%d bytes of the central directory are not entries", len(dir)-at)})
	}
	// without zip64 the count is kept modulo 65,536 by some writers
	if n := int64(len(z.raw)); n != e.count && (e.zip64 || n&0xffff != e.count&0xffff) {
		z.log.add(Notice{Kind: NoticeHeader, Unread: true, Detail: fmt.Sprintf("the end record promises %d entries, the directory has %d", e.count, n)})
	}
	if e.start+e.size < e.end {
		z.extra(e.start+e.size, e.end, "between the directory and the end record")
	}
	return nil
}

// inMeta reports whether the name of an entry, as stored, may be taken for one in
// META-INF, where a signed jar has its signature (JAR File Specification,
// "Signed JAR File": in either case), or META_INF, where AWS Signer puts its own.
// Tools drop a leading "./", and some take a backslash for a slash.
func inMeta(name string) bool {
	for strings.HasPrefix(name, "./") || strings.HasPrefix(name, `.\`) {
		name = name[2:]
	}
	if name == "" || name[0]|0x20 != 'm' {
		return false
	}
	if at := strings.IndexAny(name, `/\`); at >= 0 {
		name = name[:at]
	}
	name = strings.ToUpper(name)
	return name == "META-INF" || name == "META_INF"
}

// entry takes in one entry of the directory.
func (z *zipReader) entry(h []byte, name string, extra []byte) {
	le := binary.LittleEndian
	r := zipEntry{name: name, flags: le.Uint16(h[8:]), method: le.Uint16(h[10:]), crc: le.Uint32(h[16:]),
		packed: int64(le.Uint32(h[20:])), size: int64(le.Uint32(h[24:])), local: int64(le.Uint32(h[42:])), rec: -1}
	disk := le.Uint16(h[34:])
	x := readExtra(extra, &r, name)
	r.local += z.end.base
	mode, isDir := entryMode(h[5], le.Uint32(h[38:]), name)
	order := len(z.raw)
	if isDir {
		if r.size > 0 || r.packed > 2 { // an empty deflate stream has 2 bytes
			path, _ := cleanPath(name, z.lim)
			z.log.add(Notice{Path: path, Kind: NoticeHidden, Unread: true, Detail: fmt.Sprintf("a folder entry with %d bytes of content", max(r.size, r.packed))})
		}
		if path, odd := cleanPath(name, z.lim); odd == NoticeTraversal {
			z.log.add(Notice{Path: path, Kind: odd, Detail: "folder named " + quoted(name)})
		}
		z.raw = append(z.raw, r)
		return
	}
	// A zip must not claim one of our own methods, which the numbers from
	// methodPlain on are; whatever is near them is refused as unknown.
	rec := record{File: File{Size: r.size}, order: order,
		entry: entry{packed: r.packed, crc: r.crc, method: min(r.method, methodPlain-1)}}
	shown := name
	if x.unicode != "" && x.unicode != name {
		if utf8.ValidString(name) { // Info-ZIP takes the other one
			path, _ := cleanPath(name, z.lim)
			z.log.add(Notice{Path: path, Kind: NoticeHeader, Unread: true, Detail: "its Unicode path field names it " + quoted(x.unicode)})
		} else {
			shown = x.unicode
		}
	}
	path, odd := cleanPath(shown, z.lim)
	rec.Path, rec.odd = path, odd != ""
	if odd != "" {
		z.log.add(Notice{Path: path, Kind: odd, Unread: misplaced(shown, odd), Detail: "named " + quoted(shown)})
	}
	for _, d := range x.odd {
		z.log.add(Notice{Path: path, Kind: NoticeHeader, Unread: true, Detail: d})
	}
	if disk != 0 && disk != 0xffff {
		z.log.add(Notice{Path: path, Kind: NoticeHeader, Unread: true, Detail: "says that it lies in another part of a split archive"})
	}
	switch mode & fs.ModeType {
	case 0:
	case fs.ModeSymlink:
		rec.Mode = fs.ModeSymlink
	default:
		z.log.add(Notice{Path: path, Kind: NoticeSpecial, Detail: "listed as " + mode.Type().String() + "; read as a file"})
	}
	if mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		z.log.add(Notice{Path: path, Kind: NoticeSetuid, Detail: mode.String()})
	}
	z.faults(&r, &rec)
	rec.Size = max(rec.Size, 0) // a claim of 2^63 bytes or more
	r.rec = int32(len(z.recs))
	z.recs = append(z.recs, rec)
	z.raw = append(z.raw, r)
}

// misplaced reports whether extractors differ in where they put an odd name, so
// that what the file is cannot be told from its path: some drop a leading slash
// or "..", some take a backslash for a slash, some end a name at NUL, and none
// can write a name over the system's limits.
func misplaced(name string, odd NoticeKind) bool {
	return odd == NoticeTraversal || odd == NoticeLimit || name == "" || strings.ContainsAny(name, "\x00\\")
}

// faults marks what the directory itself says cannot be read.
func (z *zipReader) faults(r *zipEntry, rec *record) {
	switch {
	case r.flags&(flagEncrypted|flagStrong|flagMasked) != 0:
		z.refuse(rec, faultEncrypted, "needs a password")
	case r.method != methodStored && r.method != methodDeflate && r.method != methodBzip2:
		z.refuse(rec, faultMethod, fmt.Sprintf("compression method %d", r.method))
	case r.size < 0 || r.packed < 0 || r.local < 0:
		z.refuse(rec, faultTruncated, "a size or offset over 63 bits")
	case r.method == methodStored && r.size != r.packed:
		z.log.add(Notice{Path: rec.Path, Kind: NoticeSize, Unread: true, Detail: fmt.Sprintf("stored, but declared %d bytes from %d", r.size, r.packed)})
	}
}

func (z *zipReader) refuse(rec *record, f fault, detail string) {
	rec.fault = f
	kind, _ := f.describe()
	z.log.add(Notice{Path: rec.Path, Kind: kind, Unread: true, Detail: detail})
}

// extraFields is what was found in the extra field of a directory entry.
type extraFields struct {
	unicode string
	odd     []string
}

// readExtra reads the zip64 and Unicode path fields: APPNOTE.TXT 6.3.10,
// sections 4.5.3 and 4.6.9.
func readExtra(b []byte, r *zipEntry, name string) (x extraFields) {
	le := binary.LittleEndian
	need64 := r.size == 0xffffffff || r.packed == 0xffffffff || r.local == 0xffffffff
	had64 := false
	for len(b) >= 4 {
		id, n := le.Uint16(b), int(le.Uint16(b[2:]))
		if n > len(b)-4 {
			break // padding that is no field; zipalign leaves such
		}
		f := b[4 : 4+n]
		b = b[4+n:]
		switch id {
		case 0x0001:
			if had64 {
				x.odd = append(x.odd, "two zip64 fields")
				continue
			}
			had64 = true
			for _, p := range []*int64{&r.size, &r.packed, &r.local} {
				if *p != 0xffffffff {
					continue
				}
				if len(f) < 8 {
					x.odd = append(x.odd, "zip64 field too short")
					break
				}
				*p = int64(le.Uint64(f))
				f = f[8:]
			}
		case 0x7075:
			if len(f) > 5 && f[0] == 1 && le.Uint32(f[1:]) == crc32.ChecksumIEEE([]byte(name)) {
				x.unicode = string(f[5:])
			}
		}
	}
	if need64 && !had64 {
		x.odd = append(x.odd, "a size or offset of 4 GiB without a zip64 field")
	}
	return x
}

// entryMode reads type and permission of an entry. Only entries made on Unix or
// macOS carry them; the others know folders only.
func entryMode(host byte, attr uint32, name string) (fs.FileMode, bool) {
	slash := strings.HasSuffix(name, "/")
	if host != 3 && host != 19 {
		return 0, slash
	}
	unix := attr >> 16
	mode := fs.FileMode(unix & 0o777)
	if unix&0o4000 != 0 {
		mode |= fs.ModeSetuid
	}
	if unix&0o2000 != 0 {
		mode |= fs.ModeSetgid
	}
	switch unix & 0o170000 {
	case 0, 0o100000:
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0o040000:
		return mode, slash // extractors go by the slash
	case 0o020000:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case 0o060000:
		mode |= fs.ModeDevice
	case 0o010000:
		mode |= fs.ModeNamedPipe
	case 0o140000:
		mode |= fs.ModeSocket
	default:
		mode |= fs.ModeIrregular
	}
	return mode, slash
}

// same reports whether two entries are the same bytes, packed.
func (z *zipReader) same(a, b *entry) bool {
	if a.fault != faultNone || b.fault != faultNone || a.method != b.method || a.crc != b.crc || a.packed != b.packed {
		return false
	}
	if a.offset == b.offset {
		return true
	}
	x, y := z.src.stream(a.offset, a.packed), z.src.stream(b.offset, b.packed)
	var p, q [4096]byte
	for {
		n, err := io.ReadFull(x, p[:])
		m, _ := io.ReadFull(y, q[:])
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false
		}
		if err != nil {
			return true
		}
	}
}

// links reads the targets of symbolic links, which are their content.
func (z *zipReader) links(p *pack) {
	for i := range z.recs {
		r := &z.recs[i]
		if r.Mode&fs.ModeSymlink == 0 || r.fault != faultNone {
			continue
		}
		if r.Size == 0 || r.Size > maxLinkBytes {
			z.log.add(Notice{Path: r.Path, Kind: NoticeLimit, Unread: true, Detail: fmt.Sprintf("a link whose target has %d bytes", r.Size)})
			continue
		}
		one := &pack{src: z.src, lim: z.lim, dec: p.dec, copies: []listing{{files: []File{r.File}, entries: []entry{r.entry}}}}
		v := newVolume(one, "")
		b, err := v.readAll(0)
		if err != nil {
			for _, n := range v.Notices() {
				z.log.add(n)
			}
			continue
		}
		r.Link = string(b)
	}
}
