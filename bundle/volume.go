package bundle

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
)

var errClosed = fs.ErrClosed

// Volume is one opened artifact as one function sees it. What was noticed while
// its files were read is kept here, so that a layer which many functions share
// tells each of them only what its own reading showed.
type Volume struct {
	Artifact Artifact
	Older    *Volume // of the copies that a duplicate name hides, newest first; nil when there are none. Its notices are those of the newest

	pack    *pack
	level   int // index into pack.copies
	log     *noticeLog
	total   *atomic.Int64  // bytes read, every file once, over all copies
	charged []atomic.Int64 // how far each file was read
}

// newVolume makes a volume over an opened artifact.
func newVolume(p *pack, ref string) *Volume {
	log := &noticeLog{max: p.lim.MaxNotices}
	total := &atomic.Int64{}
	art := Artifact{Ref: ref, Kind: p.kind, Digest: p.digestSoFar(), Size: p.length}
	var older *Volume
	for level := len(p.copies) - 1; level >= 0; level-- {
		older = &Volume{Artifact: art, Older: older, pack: p, level: level, log: log, total: total,
			charged: make([]atomic.Int64, len(p.copies[level].files))}
	}
	return older
}

// Files returns the regular files and links, sorted by Path. Of a name that is
// listed several times it has the last copy, which is what platforms load. Do
// not modify the result.
func (v *Volume) Files() []File { return v.listing().files }

// Find returns the index in Files of a path, or where it would be, and whether
// it is there.
func (v *Volume) Find(path string) (int, bool) {
	return slices.BinarySearchFunc(v.Files(), path, func(f File, p string) int { return strings.Compare(f.Path, p) })
}

// Compare orders two files, by their indexes in Files, as their contents lie in
// the artifact: reading them in that order goes through it once.
func (v *Volume) Compare(i, j int) int {
	e := v.listing().entries
	return cmp.Compare(e[i].offset, e[j].offset)
}

func (v *Volume) listing() *listing { return &v.pack.copies[v.level] }

// Notices returns what was odd, sorted and without repeats. It grows while
// files are read: CRC, length and ratio show only then. Notice.Layer is 0.
func (v *Volume) Notices() []Notice {
	read := v.log.list()
	out := make([]Notice, 0, len(v.pack.notices)+len(read))
	return mergeNotices(append(append(out, v.pack.notices...), read...))
}

// DeclaredBytes is the sum of the sizes that the artifact declares.
func (v *Volume) DeclaredBytes() int64 {
	var sum int64
	for _, f := range v.Files() {
		if sum += f.Size; sum < 0 {
			return 1<<63 - 1
		}
	}
	return sum
}

func (v *Volume) notice(n Notice) { v.log.add(n) }

// Tree returns the volume alone, mounted at the root.
func (v *Volume) Tree() *Tree { return Compose([]Mount{{Volume: v}}) }

// MayHoldSignature reports whether the artifact may have a signature among its
// files, where jars and zips of AWS Signer have theirs: in META-INF or META_INF,
// by the names that a zip stores, however they are written. It is false only
// where every name was seen and none is there.
func (v *Volume) MayHoldSignature() bool { return !v.pack.noMeta }
