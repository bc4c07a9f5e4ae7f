package bundle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pack is one opened artifact: its list of files and where their bytes lie. It
// is immutable once open, so that many volumes can share it.
type pack struct {
	kind    Kind
	digest  Digest    // "" while it is late, or when it is not known
	late    *digester // of bytes that are still being hashed; nil: nothing to wait for
	length  int64
	copies  []listing // [0]: what is loaded; [1]: the copies before, and so on
	notices []Notice  // found while opening
	src     source
	root    *folder // of a directory, else nil
	image   *Image  // of a container image, else nil
	layers  *layers // of a container image: where the bytes of its files are
	lim     Limits
	dec     *decoders
	sum     sumKey // under which the opener shares it
	noMeta  bool   // of a zip: that no entry lies in META-INF; see [Volume.MayHoldSignature]
}

// settled returns the digest, and waits for it if need be.
func (p *pack) settled() Digest {
	if p.digest == "" && p.late != nil {
		return p.late.wait()
	}
	return p.digest
}

// digestSoFar returns the digest, or "" when that would mean waiting.
func (p *pack) digestSoFar() Digest {
	if p.late != nil && !p.late.ended() {
		return p.digest
	}
	return p.settled()
}

// listing is a sorted list of files. The two slices share their indexes.
type listing struct {
	files   []File
	entries []entry
}

// entry says where the bytes of a file lie.
type entry struct {
	offset int64  // of the packed data in the source; in a directory: the index into folder.items; in an image: see layers.open
	packed int64  // length of the packed data
	crc    uint32 // in an image, where nothing has one: the layer that the path comes from
	method uint16
	fault  fault
}

// Compression methods: APPNOTE.TXT 6.3.10, section 4.4.5; from methodPlain on
// they are our own, for bytes that have no CRC.
const (
	methodStored  = 0
	methodDeflate = 8
	methodBzip2   = 12
	methodPlain   = 0xfffd // a range of the source
	methodDisk    = 0xfffe // a file of an unpacked directory
	methodLayer   = 0xffff // a file of an image layer
)

// fault says why a listed file cannot be read. The zero value: it can.
type fault uint8

const (
	faultNone fault = iota
	faultEncrypted
	faultMethod
	faultTruncated
	faultOverlap
	faultLocal
)

func (f fault) describe() (NoticeKind, string) {
	switch f {
	case faultEncrypted:
		return NoticeEncrypted, "encrypted"
	case faultMethod:
		return NoticeMethod, "unsupported compression method"
	case faultTruncated:
		return NoticeTruncated, "its data lies outside the archive"
	case faultOverlap:
		return NoticeOverlap, "its data overlaps that of another entry"
	}
	return NoticeHeader, "no local header where the directory says"
}

// record is a file while its pack is being made.
type record struct {
	File
	entry
	order int  // in the artifact; a later copy of a name wins
	odd   bool // the path was escaped or shortened
}

// arrange turns records into sorted listings. It sees to it that the paths form
// a tree: an escaped name never takes a genuine one's place, and no file lies
// below another file or a link.
func (p *pack) arrange(recs []record, log *noticeLog, same func(a, b *entry) bool) {
	byPath := func(a, b record) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.order, b.order))
	}
	sorted := func() {
		if !slices.IsSortedFunc(recs, byPath) {
			slices.SortFunc(recs, byPath)
		}
	}
	sorted()
	names := namer{}
	if names.separateOdd(recs) {
		sorted()
	}
	if names.separateNested(recs, log) {
		sorted()
	}
	p.copies = []listing{{files: make([]File, 0, len(recs)), entries: make([]entry, 0, len(recs))}}
	for i := 0; i < len(recs); {
		j := i + 1
		for j < len(recs) && recs[j].Path == recs[i].Path {
			j++
		}
		p.keep(recs[i:j], log, same)
		i = j
	}
	if p.image == nil { // an image runs on Linux, where case counts, and its system has such names
		p.caseCollisions(log)
	}
}

// keep lists the copies of one path, the newest first.
func (p *pack) keep(run []record, log *noticeLog, same func(a, b *entry) bool) {
	last := &run[len(run)-1]
	p.put(0, last)
	if len(run) == 1 {
		return
	}
	level, differ := 1, 0
	for i := len(run) - 2; i >= 0; i-- {
		if run[i].Mode == last.Mode && same(&run[i].entry, &last.entry) {
			continue
		}
		differ++
		if level <= p.lim.MaxCopies {
			p.put(level, &run[i])
			level++
		}
	}
	switch {
	case differ == 0:
		log.add(Notice{Path: last.Path, Kind: NoticeDuplicate, Detail: fmt.Sprintf("listed %d times, all copies alike", len(run))})
	default:
		log.add(Notice{Path: last.Path, Kind: NoticeDuplicate, Unread: true,
			Detail: fmt.Sprintf("listed %d times with other content; readers differ in which one they take", len(run))})
	}
	if differ > p.lim.MaxCopies {
		log.add(Notice{Path: last.Path, Kind: NoticeLimit, Unread: true,
			Detail: fmt.Sprintf("%d earlier copies, MaxCopies is %d", differ, p.lim.MaxCopies)})
	}
}

func (p *pack) put(level int, r *record) {
	if level == len(p.copies) {
		p.copies = append(p.copies, listing{})
	}
	l := &p.copies[level]
	l.files = append(l.files, r.File)
	l.entries = append(l.entries, r.entry)
}

// caseCollisions notices paths that are one file where case does not count.
func (p *pack) caseCollisions(log *noticeLog) {
	files := p.copies[0].files
	byFold := make(map[uint64]int32, len(files))
	for i := range files {
		h := foldHash(files[i].Path)
		if j, ok := byFold[h]; ok && strings.EqualFold(files[i].Path, files[j].Path) {
			log.add(Notice{Path: files[i].Path, Kind: NoticeCase, Detail: "differs only by case from " + quoted(files[j].Path)})
			continue
		}
		byFold[h] = int32(i)
	}
}

// foldHash is FNV-1a over the path with case folded.
func foldHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			h = (h ^ uint64(c)) * 1099511628211
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		h = (h ^ uint64(unicode.ToLower(unicode.ToUpper(r)))) * 1099511628211
		i += n
	}
	return h
}
