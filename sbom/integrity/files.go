package integrity

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"io"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fnaudit/fnaudit/bundle"
)

// maxWorkers bounds the goroutines that hash. Reading an archive in its own
// order is what makes it cheap, and more of them read further apart.
const maxWorkers = 8

// algorithms are the digests that lists of files are written with. The zero
// value is none.
type algorithms uint8

const (
	algSHA256 algorithms = 1 << iota
	algSHA384
	algSHA512
	algSHA1
	algMD5
)

// algorithmOf maps the names of hashlib and of Subresource Integrity. ok is
// false for any other.
func algorithmOf(name string) (alg algorithms, size int, ok bool) {
	switch strings.ToLower(name) {
	case "sha256":
		return algSHA256, sha256.Size, true
	case "sha384":
		return algSHA384, sha512.Size384, true
	case "sha512":
		return algSHA512, sha512.Size, true
	case "sha1":
		return algSHA1, sha1.Size, true
	case "md5":
		return algMD5, md5.Size, true
	}
	return 0, 0, false
}

// weak reports whether two contents with the same digest can be made.
func (a algorithms) weak() bool { return a == algSHA1 || a == algMD5 }

func (a algorithms) new() hash.Hash {
	switch a {
	case algSHA384:
		return sha512.New384()
	case algSHA512:
		return sha512.New()
	case algSHA1:
		return sha1.New()
	case algMD5:
		return md5.New()
	}
	return sha256.New()
}

// place is one file: index of the volume, index into its files.
type place struct{ volume, file int }

// digests is what is known of the content of a file once it was read.
type digests struct {
	want algorithms
	size int64
	list []sum // in the order of the algorithms
	err  error // it could not be read
}

type sum struct {
	alg   algorithms
	value string // raw bytes
}

// is reports whether the file has a digest.
func (s *digests) is(alg algorithms, value string) bool {
	for _, have := range s.list {
		if have.alg == alg {
			return have.value == value
		}
	}
	return false
}

// files are the files of a function's volumes, and the digests of those that
// somebody wants. It is filled by one goroutine.
type files struct {
	volumes []*bundle.Volume
	trees   []*bundle.Tree // of each volume alone
	mounts  []string       // "" or with a slash behind: "opt/"
	wanted  map[place]*digests
}

func newFiles(f *bundle.Function) *files {
	fs := &files{volumes: f.Volumes, wanted: map[place]*digests{}}
	mounts := f.Tree.Mounts()
	for i, v := range f.Volumes {
		mount := ""
		if i < len(mounts) && mounts[i].Path != "" {
			mount = mounts[i].Path + "/"
		}
		fs.trees, fs.mounts = append(fs.trees, v.Tree()), append(fs.mounts, mount)
	}
	return fs
}

// find looks a path of the platform up in one volume.
func (fs *files) find(volume int, mounted string) (place, bool) {
	local, ok := strings.CutPrefix(mounted, fs.mounts[volume])
	if !ok {
		return place{}, false
	}
	i, ok := fs.volumes[volume].Find(local)
	return place{volume, i}, ok
}

func (fs *files) path(p place) string { return fs.volumes[p.volume].Files()[p.file].Path }

// want notes that a digest of a file is needed.
func (fs *files) want(p place, alg algorithms) *digests {
	s := fs.wanted[p]
	if s == nil {
		s = &digests{}
		fs.wanted[p] = s
	}
	s.want |= alg
	return s
}

// read returns the content of a file of at most limit bytes.
func (fs *files) read(p place, limit int64) ([]byte, error) {
	c, err := fs.trees[p.volume].Content(fs.path(p))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var buf bytes.Buffer
	if n, err := io.Copy(&buf, io.LimitReader(c, limit+1)); err != nil {
		return nil, err
	} else if n > limit {
		return nil, errTooLarge
	}
	return buf.Bytes(), nil
}

var errTooLarge = errors.New("larger than what is read of such a file")

// hash reads every wanted file once, each volume in the order in which it lies.
func (fs *files) hash(ctx context.Context) error {
	byVolume := make([][]int, len(fs.volumes))
	for p := range fs.wanted {
		byVolume[p.volume] = append(byVolume[p.volume], p.file)
	}
	for i, list := range byVolume {
		v := fs.volumes[i]
		slices.SortFunc(list, func(a, b int) int {
			if order := v.Compare(a, b); order != 0 {
				return order
			}
			return a - b
		})
		work := make([]*digests, len(list))
		for k, file := range list {
			work[k] = fs.wanted[place{i, file}]
		}
		fs.hashVolume(ctx, i, list, work)
	}
	return ctx.Err()
}

func (fs *files) hashVolume(ctx context.Context, volume int, list []int, work []*digests) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxWorkers, len(list)) {
		wg.Go(func() {
			h := &hasher{buf: make([]byte, 64<<10)}
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= len(list) {
					return
				}
				h.file(fs.trees[volume], fs.path(place{volume, list[k]}), work[k])
			}
		})
	}
	wg.Wait()
}

// hasher is what one goroutine uses again for every file.
type hasher struct {
	buf    []byte
	hashes [5]hash.Hash
}

// file fills s. A reader that panics over hostile bytes has not read the file.
func (h *hasher) file(tree fs.FS, name string, s *digests) {
	f, err := tree.Open(name)
	if err != nil {
		s.err = err
		return
	}
	defer f.Close()
	var use []hash.Hash
	var algs []algorithms
	for i := range h.hashes {
		alg := algorithms(1) << i
		if s.want&alg == 0 {
			continue
		}
		if h.hashes[i] == nil {
			h.hashes[i] = alg.new()
		}
		h.hashes[i].Reset()
		use, algs = append(use, h.hashes[i]), append(algs, alg)
	}
	for {
		n, err := f.Read(h.buf)
		s.size += int64(n)
		for _, to := range use {
			to.Write(h.buf[:n])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			s.err = err
			return
		}
	}
	for i, from := range use {
		s.list = append(s.list, sum{algs[i], string(from.Sum(nil))})
	}
}

// places returns the keys of a map, sorted.
func places[T any](m map[place]T) []place {
	return slices.SortedFunc(maps.Keys(m), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.volume, b.volume), cmp.Compare(a.file, b.file))
	})
}
