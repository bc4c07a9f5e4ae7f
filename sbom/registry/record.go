package registry

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A record is what is kept of a package. A registry's own document has up to
// tens of megabytes, of which a run needs a line a version, and everything of
// the one version that is shipped. So a record is a text of three parts, and
// only the first two are read:
//
//	head      a field a line, at last the lengths of the parts and their checksum
//	versions  texts that repeat, a line each; then a line a version (appendVersion)
//	details   the rest of each version behind its checksum (encodeDetails); mostly empty
//
// A record that is not exactly what was written counts as absent.
const recordMagic = "fnaudit facts 2"

// Sizes in bytes. What would be larger is not kept.
const (
	firstRead = 32 << 10  // reads most records at once
	maxRecord = 128 << 20 // of all parts
	maxHead   = 16 << 10  // of the head
)

// headLines is how many lines the head has.
const headLines = 11

// record is what is kept of a package: facts, and what is needed to ask
// whether they changed.
type record struct {
	Facts
	validators
	looked map[string]time.Time // version -> when its details were asked for, where they come one by one
}

// encode writes a record; nil if it is too large to be kept.
func (r *record) encode(key string) []byte {
	var texts []string
	at := map[string]int{"": 0}
	index := func(s string) int {
		n, ok := at[s]
		if !ok {
			n = len(at)
			at[s] = n
			texts = append(texts, s)
		}
		return n
	}
	var lines, rest []byte
	for i := range r.Versions {
		v := &r.Versions[i]
		d := encodeDetails(v)
		rest = append(rest, d...)
		lines = appendVersion(lines, v, index, r.looked[v.Version], len(d))
		if len(lines)+len(rest) > maxRecord {
			return nil
		}
	}
	var light []byte
	for _, s := range texts {
		light = append(append(light, field(s)...), '\n')
	}
	light = append(light, lines...)
	maintainers := make([]string, len(r.Maintainers))
	for i, m := range r.Maintainers {
		maintainers[i] = field(m)
	}
	head := strings.Join([]string{
		recordMagic, key, strconv.FormatInt(r.AsOf.Unix(), 10), strconv.Itoa(int(r.Answer)),
		"etag " + field(r.etag), "modified " + field(r.modified), "source " + field(r.Source), "default " + field(r.Default), "archived " + field(r.Archived),
		"maintainers " + strings.Join(maintainers, "\t"),
		"",
	}, "\n")
	sum := crc32.Update(crc32.Checksum([]byte(head), castagnoli), castagnoli, light)
	head += fmt.Sprintf("parts %d %d %d %d %08x\n", len(texts), len(r.Versions), len(light), len(rest), sum)
	out := slices.Concat([]byte(head), light, rest)
	if len(head) > maxHead || len(out) > maxRecord {
		return nil
	}
	return out
}

// field is a text as a field of a record holds it: what separates there, and
// every other control character, becomes a blank.
func field(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// numbers is how many numbers a version has in its line.
const numbers = 8

// appendVersion writes a version's line: its name, when it was published
// (seconds; 0 not told), its texts by number, whether it is attested, when its
// details were asked for, and how many bytes those have. Zeros at the end are
// left out: of most versions there is only a date.
func appendVersion(b []byte, v *Version, index func(string) int, looked time.Time, details int) []byte {
	b = append(b, field(v.Version)...)
	all := [numbers]int64{
		seconds(v.Published), int64(index(v.Deprecated)), int64(index(v.Yanked)), int64(index(v.Publisher)), int64(index(v.Repository)),
		int64(v.Attested), seconds(looked), int64(details),
	}
	n := len(all)
	for n > 1 && all[n-1] == 0 {
		n--
	}
	for _, one := range all[:n] {
		b = strconv.AppendInt(append(b, '\t'), one, 10)
	}
	return append(b, '\n')
}

// seconds is a time as a record holds it; 0 for one that was not told, or that
// no registry can mean.
func seconds(t time.Time) int64 {
	if s := t.Unix(); s > 0 && s <= maxTime {
		return s
	}
	return 0
}

func moment(seconds int64) time.Time {
	if seconds <= 0 || seconds > maxTime {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// encodeDetails writes what of a version is read only when that version is asked
// about: texts and lists of texts, each behind its length in decimal digits and a
// colon. Most of what is asked about is read in every run, and JSON took ten
// times as long.
func encodeDetails(v *Version) []byte {
	if !v.detailed() {
		return nil
	}
	b := appendText(make([]byte, 8, 512), v.Version)
	b = appendTexts(b, v.Licenses)
	b = appendPairs(b, v.Integrity)
	b = appendText(b, v.Archive)
	b = appendTexts(b, v.Scripts)
	b = appendPairs(b, v.Requires)
	b = appendLength(b, len(v.Signatures))
	for _, s := range v.Signatures {
		b = appendText(appendText(b, s.KeyID), s.Signature)
	}
	hex.Encode(b[:8], binary.BigEndian.AppendUint32(nil, crc32.Checksum(b[8:], castagnoli)))
	return b
}

func appendLength(b []byte, n int) []byte { return append(strconv.AppendInt(b, int64(n), 10), ':') }

func appendText(b []byte, s string) []byte { return append(appendLength(b, len(s)), s...) }

func appendTexts(b []byte, list []string) []byte {
	b = appendLength(b, len(list))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

func appendPairs(b []byte, m map[string]string) []byte {
	b = appendLength(b, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = appendText(appendText(b, k), m[k])
	}
	return b
}

// decodeDetails fills a version; false if this is not what was written of it.
func decodeDetails(b []byte, v *Version) bool {
	var sum [4]byte
	if len(b) < 8 {
		return false
	}
	if _, err := hex.Decode(sum[:], b[:8]); err != nil || binary.BigEndian.Uint32(sum[:]) != crc32.Checksum(b[8:], castagnoli) {
		return false
	}
	in := reader{rest: string(b[8:])}
	named := in.text()
	v.Licenses, v.Integrity, v.Archive, v.Scripts, v.Requires = in.texts(), in.pairs(), in.text(), in.texts(), in.pairs()
	v.Signatures = nil
	for range in.count() {
		v.Signatures = append(v.Signatures, Signature{KeyID: in.text(), Signature: in.text()})
	}
	return !in.bad && in.rest == "" && named == v.Version
}

// readRecord reads a record with the details of the versions that want names;
// nil wants all. False if there is none that is whole.
func (c *Client) readRecord(key string, p Package, want func(version string) bool) (record, bool) {
	if c.Dir == "" {
		return record{}, false
	}
	f, err := os.Open(c.filePath("facts", key))
	if err != nil {
		return record{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return record{}, false
	}
	return decodeRecord(f, info.Size(), key, p, want)
}

// decodeRecord reads what encode wrote.
func decodeRecord(from io.ReaderAt, size int64, key string, p Package, want func(string) bool) (r record, ok bool) {
	if size > maxRecord {
		return record{}, false
	}
	mem := scratches.Get().(*scratch)
	defer scratches.Put(mem) // what is kept of it is copied
	b := mem.first[:min(size, firstRead)]
	if _, err := from.ReadAt(b, 0); err != nil {
		return record{}, false
	}
	head, lens, ok := cutHead(headOf(b))
	if !ok || head[1] != key || int64(lens.end()) != size {
		return record{}, false
	}
	if short := lens.head + lens.light - len(b); short > 0 {
		b = append(b[:len(b):len(b)], make([]byte, short)...)
		if _, err := from.ReadAt(b[len(b)-short:], int64(len(b)-short)); err != nil {
			return record{}, false
		}
	}
	end := lens.head + lens.light
	sum := crc32.Update(crc32.Checksum(b[:lens.checked], castagnoli), castagnoli, b[lens.head:end])
	if sum != lens.sum || !r.readHead(head) {
		return record{}, false
	}
	r.Package = p
	light := reader{rest: string(b[lens.head:end])}
	if mem.lengths, ok = r.readVersions(&light, lens, mem.lengths[:0]); !ok {
		return record{}, false
	}
	return r, r.readDetails(from, b, end, mem.lengths, want)
}

// scratch is what reading a record needs for a moment.
type scratch struct {
	first   [firstRead]byte
	lengths []int // of the details of each version, in bytes
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// lists are lists of versions that nobody needs any more: most of what reading
// a record would allocate.
var lists sync.Pool

// maxRecycled is how many versions a list that is used again has room for: few
// packages have more, and one that has should not be held for the others.
const maxRecycled = 4_000

// versionList returns a list of n versions without details; all else of them is
// yet to be set.
func versionList(n int) []Version {
	if l, ok := lists.Get().(*[]Version); ok && cap(*l) >= n {
		return (*l)[:n]
	}
	return make([]Version, n)
}

// recycle gives the list of versions back, which nobody may hold a pointer into.
func (f *Facts) recycle() {
	l := f.Versions
	if f.Versions = nil; cap(l) == 0 || cap(l) > maxRecycled {
		return
	}
	for i := range l {
		l[i].forget()
	}
	lists.Put(&l)
}

// headOf is the head of a record, or what may be taken for one.
func headOf(b []byte) string {
	end := 0
	for range headLines {
		i := bytes.IndexByte(b[end:min(len(b), maxHead)], '\n')
		if i < 0 {
			break
		}
		end += i + 1
	}
	return string(b[:end])
}

// lengths are the parts of a record.
type lengths struct {
	texts, versions      int
	checked              int // bytes of the head that the checksum covers
	head, light, details int // bytes
	sum                  uint32
}

func (l lengths) end() int { return l.head + l.light + l.details }

// cutHead splits the head of a record into its lines.
func cutHead(s string) (head [headLines]string, l lengths, ok bool) {
	in := reader{rest: s}
	for i := range head {
		if i == headLines-1 {
			l.checked = len(s) - len(in.rest)
		}
		head[i] = in.until('\n')
	}
	l.head = len(s) - len(in.rest)
	parts := reader{rest: strings.TrimPrefix(head[headLines-1], "parts ") + " "}
	for _, to := range []*int{&l.texts, &l.versions, &l.light, &l.details} {
		n := parts.number(' ')
		if n > maxRecord {
			return head, l, false
		}
		*to = int(n)
	}
	sum, err := strconv.ParseUint(parts.until(' '), 16, 32)
	l.sum = uint32(sum)
	return head, l, err == nil && !in.bad && !parts.bad && head[0] == recordMagic && l.texts <= l.light && l.versions <= l.light
}

func (r *record) readHead(head [headLines]string) bool {
	at := reader{rest: head[2] + "\n"}
	r.AsOf = moment(at.number('\n'))
	switch head[3] {
	case strconv.Itoa(int(Known)):
		r.Answer = Known
	case strconv.Itoa(int(Absent)):
		r.Answer = Absent
	default:
		return false
	}
	maintainers := ""
	for i, to := range []*string{&r.etag, &r.modified, &r.Source, &r.Default, &r.Archived, &maintainers} {
		name := []string{"etag ", "modified ", "source ", "default ", "archived ", "maintainers "}[i]
		value, ok := strings.CutPrefix(head[4+i], name)
		if !ok {
			return false
		}
		*to = value
	}
	if maintainers != "" {
		r.Maintainers = strings.Split(maintainers, "\t")
	}
	return !at.bad && !r.AsOf.IsZero()
}

// readVersions reads the texts and a line for each version. It returns how many
// bytes of details each has, in a list that it is given.
func (r *record) readVersions(in *reader, l lengths, lengths []int) ([]int, bool) {
	texts := make([]string, l.texts+1)
	for i := range l.texts {
		texts[i+1] = in.until('\n')
	}
	text := func(n int64) string {
		if n < 0 || n >= int64(len(texts)) {
			in.bad = true
			return ""
		}
		return texts[n]
	}
	if l.versions > maxVersions {
		return lengths, false
	}
	r.Versions = versionList(l.versions)
	total := 0
	for i := range r.Versions {
		v := &r.Versions[i]
		v.Version = in.until('\t')
		at := in.numbers()
		v.Published = moment(at[0])
		v.Deprecated, v.Yanked, v.Publisher, v.Repository = text(at[1]), text(at[2]), text(at[3]), text(at[4])
		v.Attested = Answer(at[5])
		if at[6] != 0 {
			if r.looked == nil {
				r.looked = map[string]time.Time{}
			}
			r.looked[v.Version] = moment(at[6])
		}
		n := at[7]
		if in.bad || n > int64(l.details-total) || at[5] > int64(Absent) {
			return lengths, false
		}
		lengths, total = append(lengths, int(n)), total+int(n)
	}
	return lengths, in.rest == "" && total == l.details
}

// readDetails reads the details of the versions that are wanted, which start at
// a place in the file; have is what was read of it so far.
func (r *record) readDetails(from io.ReaderAt, have []byte, at int, lengths []int, want func(string) bool) bool {
	for i, n := range lengths {
		v := &r.Versions[i]
		if n > 0 && (want == nil || want(v.Version)) {
			var b []byte
			if at+n <= len(have) {
				b = have[at : at+n]
			} else {
				b = make([]byte, n)
				if _, err := from.ReadAt(b, int64(at)); err != nil {
					return false
				}
			}
			if !decodeDetails(b, v) {
				return false
			}
		}
		at += n
	}
	return true
}
