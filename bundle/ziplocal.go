package bundle

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// locals compares each entry with its local header, in the order in which they
// lie in the file, and looks at what lies in between.
func (z *zipReader) locals(ctx context.Context) error {
	order := make([]int32, len(z.raw))
	for i := range order {
		order[i] = int32(i)
	}
	byOffset := func(a, b int32) int { return cmp.Or(cmp.Compare(z.raw[a].local, z.raw[b].local), cmp.Compare(a, b)) }
	if !slices.IsSortedFunc(order, byOffset) {
		slices.SortFunc(order, byOffset)
	}
	end := int64(0) // of what was accounted for
	for i := 0; i < len(order); {
		if i&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		j := i + 1
		for j < len(order) && z.raw[order[j]].local == z.raw[order[i]].local {
			j++
		}
		group := order[i:j]
		i = j
		at := z.raw[group[0]].local
		next := z.end.start
		if j < len(order) {
			next = min(next, z.raw[order[j]].local)
		}
		local, ok, err := z.localAt(at)
		if err != nil {
			return err
		}
		owner := group[0]
		if ok && len(group) > 1 { // the one that the local header names
			for _, g := range group {
				if z.raw[g].name == string(local.name) {
					owner = g
					break
				}
			}
		}
		for _, g := range group {
			if g != owner {
				z.fault(g, faultOverlap, "shares its local header with "+quoted(z.raw[owner].name))
			}
		}
		r := &z.raw[owner]
		switch {
		case !ok && at >= 0 && at < z.src.size():
			z.fault(owner, faultLocal, "no local header where the directory says")
			continue
		case !ok:
			z.fault(owner, faultTruncated, "its local header lies outside the archive")
			continue
		case at < end:
			z.fault(owner, faultOverlap, "begins inside another entry")
			continue
		}
		if at > end {
			z.gap(end, at)
		}
		data := at + lenLocal + int64(len(local.name)) + int64(len(local.extra))
		switch {
		case r.packed < 0 || r.packed > z.src.size()-data:
			z.fault(owner, faultTruncated, "its data reaches over the end of the archive")
			end = data
			continue
		case data+r.packed > z.end.start:
			z.fault(owner, faultOverlap, "its data reaches into the central directory")
			end = data
			continue
		}
		if r.rec >= 0 {
			z.recs[r.rec].offset = data
		}
		z.compare(owner, &local)
		end = data + r.packed
		if r.flags&flagDescriptor != 0 || local.flags&flagDescriptor != 0 {
			end += z.descriptor(owner, end, next)
		}
	}
	if end < z.end.start {
		z.gap(end, z.end.start)
	}
	return nil
}

func (z *zipReader) path(i int32) string {
	if r := z.raw[i].rec; r >= 0 {
		return z.recs[r].Path
	}
	path, _ := cleanPath(z.raw[i].name, z.lim)
	return path
}

// fault refuses an entry; the first reason stands.
func (z *zipReader) fault(i int32, f fault, detail string) {
	kind, _ := f.describe()
	unread := true
	if r := z.raw[i].rec; r >= 0 {
		if z.recs[r].fault == faultNone {
			z.recs[r].fault = f
		}
	} else {
		unread = f != faultLocal && f != faultOverlap // a folder has no content to miss
	}
	z.log.add(Notice{Path: z.path(i), Kind: kind, Detail: detail, Unread: unread})
}

// localHeader is a local file header.
type localHeader struct {
	flags, method uint16
	crc           uint32
	packed, size  int64
	name, extra   []byte
}

// localAt reads the local header at an offset; ok says whether there is one.
func (z *zipReader) localAt(at int64) (l localHeader, ok bool, err error) {
	if at < 0 || at > z.src.size()-lenLocal {
		return l, false, nil
	}
	h, err := z.src.view(at, lenLocal)
	if err != nil || string(h[:4]) != sigLocal {
		return l, false, err
	}
	le := binary.LittleEndian
	l = localHeader{flags: le.Uint16(h[6:]), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]),
		packed: int64(le.Uint32(h[18:])), size: int64(le.Uint32(h[22:]))}
	n, m := int64(le.Uint16(h[26:])), int64(le.Uint16(h[28:]))
	rest := z.src.size() - at - lenLocal
	if n+m > rest {
		return l, false, nil
	}
	v, err := z.src.view(at+lenLocal, n+m)
	if err != nil {
		return l, false, err
	}
	l.name, l.extra = v[:n], v[n:]
	if l.packed == 0xffffffff || l.size == 0xffffffff {
		l.zip64()
	}
	return l, true, nil
}

// zip64 takes the sizes from the zip64 field. In a local header the field has
// both, size first: APPNOTE.TXT 6.3.10, section 4.5.3.
func (l *localHeader) zip64() {
	le := binary.LittleEndian
	for b := l.extra; len(b) >= 4; {
		id, n := le.Uint16(b), int(le.Uint16(b[2:]))
		if n > len(b)-4 {
			return
		}
		f := b[4 : 4+n]
		b = b[4+n:]
		if id != 0x0001 {
			continue
		}
		if l.size == 0xffffffff && len(f) >= 8 {
			l.size = int64(le.Uint64(f))
			f = f[8:]
		}
		if l.packed == 0xffffffff && len(f) >= 8 {
			l.packed = int64(le.Uint64(f))
		}
		return
	}
}

// compare notices what directory and local header say differently. A reader
// that streams the file goes by the local headers, so a difference means that
// two readers see two archives.
func (z *zipReader) compare(i int32, l *localHeader) {
	r := &z.raw[i]
	odd := func(unread bool, format string, args ...any) {
		z.log.add(Notice{Path: z.path(i), Kind: NoticeHeader, Unread: unread, Detail: fmt.Sprintf(format, args...)})
	}
	if string(l.name) != r.name {
		odd(true, "the local header names it %s", quoted(string(l.name)))
	}
	if r.rec < 0 {
		if l.size > 0 && l.size != r.size || l.packed > 0 && l.packed != 2 && l.packed != r.packed { // an empty deflate stream has 2 bytes
			odd(true, "a folder, by the local header with %d bytes", max(l.size, l.packed))
		}
		return
	}
	if l.method != r.method {
		odd(true, "method %d, by the local header %d", r.method, l.method)
	}
	if (l.flags^r.flags)&(flagEncrypted|flagStrong|flagMasked) != 0 {
		odd(true, "directory and local header differ about encryption")
	}
	if (l.flags^r.flags)&flagDescriptor != 0 {
		odd(false, "directory and local header differ about a data descriptor")
	}
	// with a data descriptor the local sizes are zero, or right already
	later := l.flags&flagDescriptor != 0
	if l.packed != r.packed && !(later && (l.packed == 0 || l.packed == 0xffffffff)) {
		odd(true, "%d packed bytes, by the local header %d", r.packed, l.packed)
	}
	if l.size != r.size && !(later && (l.size == 0 || l.size == 0xffffffff)) {
		odd(true, "%d bytes, by the local header %d", r.size, l.size)
	}
	if l.crc != r.crc && !(later && l.crc == 0) {
		odd(true, "CRC-32 %08x, by the local header %08x", r.crc, l.crc)
	}
}

// descriptor checks the data descriptor at an offset and returns its length:
// with or without a signature, with sizes of 4 or of 8 bytes (APPNOTE.TXT
// 6.3.10, section 4.3.9).
func (z *zipReader) descriptor(i int32, at, next int64) int64 {
	r, le := &z.raw[i], binary.LittleEndian
	room := min(next-at, 24)
	if room < 12 {
		z.log.add(Notice{Path: z.path(i), Kind: NoticeHeader, Detail: "its data descriptor is missing"})
		return 0
	}
	b, err := z.src.view(at, room)
	if err != nil {
		return 0
	}
	for _, form := range []struct{ sig, wide bool }{{true, false}, {true, true}, {false, false}, {false, true}} {
		d, n := b, int64(12)
		if form.wide {
			n = 20
		}
		if form.sig {
			if string(d[:4]) != sigDesc {
				continue
			}
			d, n = d[4:], n+4
		}
		if n > room || le.Uint32(d) != r.crc {
			continue
		}
		packed, size := int64(le.Uint32(d[4:])), int64(le.Uint32(d[8:]))
		if form.wide {
			packed, size = int64(le.Uint64(d[4:])), int64(le.Uint64(d[12:]))
		}
		if packed == r.packed && size == r.size {
			return n
		}
	}
	z.log.add(Notice{Path: z.path(i), Kind: NoticeHeader, Unread: true, Detail: "its data descriptor differs from the directory"})
	if string(b[:4]) == sigDesc {
		return min(16, room)
	}
	return 12
}

// gap looks at bytes that belong to no entry. From the start of the file it is
// a prefix such as the stub of a self-extracting archive.
func (z *zipReader) gap(from, to int64) {
	if z.cut {
		return // what lies there may be listed in the part of the directory that was not read
	}
	if from == 0 {
		z.prefix(to)
		return
	}
	z.extra(from, to, "between two entries")
}

func (z *zipReader) prefix(to int64) {
	head, err := z.src.view(0, min(to, 512))
	if err != nil {
		return
	}
	kind := executable(head)
	switch {
	case bytes.HasPrefix(head, []byte(sigLocal)):
		z.extra(0, to, "in front of the first entry")
	case kind != "":
		z.log.add(Notice{Kind: NoticeHidden, Unread: true, Detail: fmt.Sprintf("%d bytes in front of the archive are an executable (%s): audit it with the prefix binary:", to, kind)})
	default:
		z.log.add(Notice{Kind: NoticeHidden, Detail: fmt.Sprintf("%d bytes in front of the archive belong to no entry", to)})
	}
}

// extra notices unlisted bytes, and entries in them that only a reader without
// the directory would find.
func (z *zipReader) extra(from, to int64, where string) {
	const window = 1 << 20
	zero, found := true, 0
	for at := from; at < to; at += window {
		// windows overlap by what a signature can lose
		b, err := z.src.view(at, min(window+3, to-at))
		if err != nil {
			return
		}
		zero = zero && len(bytes.TrimLeft(b, "\x00")) == 0
		for i := 0; found < 100; i++ {
			j := bytes.Index(b[i:], []byte(sigLocal))
			if j < 0 || i+j >= window {
				break
			}
			i += j
			l, ok, err := z.localAt(at + int64(i))
			if err != nil || !ok || len(l.name) == 0 || l.method > 99 {
				continue
			}
			found++
			path, _ := cleanPath(string(l.name), z.lim)
			z.log.add(Notice{Path: path, Kind: NoticeHidden, Unread: true,
				Detail: fmt.Sprintf("an entry %s, at byte %d, that the directory does not list", where, at+int64(i))})
		}
	}
	if found == 0 && !zero {
		z.log.add(Notice{Kind: NoticeHidden, Detail: fmt.Sprintf("%d bytes %s belong to no entry", to-from, where)})
	}
}
