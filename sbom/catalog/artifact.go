package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync/atomic"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/pystrip"
)

// scan catalogues one volume and the earlier copies of its duplicate names.
func scan(ctx context.Context, opts Options, h helpers, v *bundle.Volume) (*result, error) {
	res := &result{}
	older := false
	for ; v != nil; v = v.Older {
		a := newArtifact(opts, v)
		a.helpers = h
		a.opts.MaxComponents = max(opts.MaxComponents-len(res.found), 0) // of all copies together
		if !older {
			a.notices() // the earlier copies share them
		}
		if err := a.catalogue(ctx); err != nil {
			return nil, err
		}
		for i := range a.found {
			a.found[i].older = older
		}
		for _, u := range a.unknowns {
			if older {
				u.Reason += " (an earlier copy of a duplicate name)"
			}
			res.unknowns = append(res.unknowns, u)
		}
		res.found = append(res.found, a.found...)
		res.ownCode = append(res.ownCode, a.ownCode...)
		res.ownedCode += a.ownedCode
		res.loose = append(res.loose, a.loose...)
		if !older {
			res.absent, res.documents, res.traits = a.absent, a.documents, a.traits
			res.otherCode = a.otherCode()
		}
		older = true
	}
	return res, nil
}

// artifact is one volume while its packages are being found.
type artifact struct {
	opts    Options
	helpers helpers
	vol     *bundle.Volume
	tree    *bundle.Tree
	files   []bundle.File
	byPath  map[string]int // index into files

	executables   []executable
	texts         map[int]bool       // files that Node would take for scripts although their names do not say so, by index into files
	looks         map[int]scriptLook // what is worth saying about scripts, by index into files
	zips          []nestedZip
	pythonZips    map[string]bool  // those that hold Python and were catalogued, by path
	innerZips     map[string]int64 // size of those inside Python archives that were not, by path
	budget        *archiveBudget   // for Python archives; nil before the first
	depth         int              // archives around this one
	found         []found
	unknowns      []sbom.Unknown
	tooMany       int // packages over the limit
	dropped       int // unknowns over the limit
	owners        owners
	ownCode       []string
	licences      map[string]string      // declared -> SPDX, or as declared
	bareInfos     []string               // metadata folders of Python without metadata and without a version in their names
	distributions []pystrip.Distribution // of Python, by their metadata
	claims        map[string][]int       // files and folders that those account for -> index into distributions
	failed        map[string]bool        // paths that already have an unknown
	bundles       bundles
	copies        map[string]*copiedFile // scripts that are copies of packages' files, by path
	scriptDirs    map[string]bool        // see foldersWithScripts; nil until it is asked
	copiedDirs    map[string]*found      // packages whose folder was copied among the function's own files, by that folder
	kept          atomic.Int64           // bytes of bundles in looks
	bounds        []*lock                // lockfiles whose packages were declared
	osPaths       int                    // bytes of the paths that packages of the distribution name
	rpmBytes      int64                  // of all rpm databases
	spent         int64                  // bytes of text read or promised to be read
	nativeBytes   int64                  // of all executables
	contains      map[string]bool        // files that are code or archives of it by what they contain
	recorded      []bool                 // files that a RECORD accounts for, by index into files; nil when there is no RECORD
	ownedCode     int64                  // bytes of code that packages account for
	loose         []sbom.CodeFile        // code that they do not, and bundles
	documents     []document             // bills of materials
	absent        []sbom.Absent          // packages of lockfiles that are proven not to be in the bundles; Ecosystem is not set
	traits        []sbom.Trait           // of files that belong to no package
	held          map[string]bundle.Content
	heldSize      int64
	shownText     int64 // bytes of the manifests that syft was given
	shownLists    int   // packages of the executables that it was given
}

func newArtifact(opts Options, v *bundle.Volume) *artifact {
	a := &artifact{opts: opts, vol: v, tree: v.Tree(), files: v.Files(), licences: map[string]string{}, failed: map[string]bool{},
		texts: map[int]bool{}, looks: map[int]scriptLook{}, contains: map[string]bool{}}
	a.byPath = make(map[string]int, len(a.files))
	for i, f := range a.files {
		a.byPath[f.Path] = i
	}
	return a
}

// catalogue runs the steps in order: what is installed, what lockfiles say
// about it, and then what is left over.
func (a *artifact) catalogue(ctx context.Context) error {
	a.run(ctx, catalogers())
	if a.tooMany > 0 {
		// past the limit of unknowns too: this one must not get lost
		a.unknowns = append(a.unknowns, sbom.Unknown{Kind: sbom.Limit, Reason: fmt.Sprintf("%d packages more than the limit of %d", a.tooMany, a.opts.MaxComponents), Code: true})
	}
	if a.dropped > 0 {
		a.unknowns = append(a.unknowns, sbom.Unknown{Kind: sbom.Limit, Reason: fmt.Sprintf("%d more files could not be read", a.dropped), Code: true})
	}
	return ctx.Err()
}

// guard runs one cataloger, so that a panic on hostile bytes costs that
// cataloger's results and is reported.
func (a *artifact) guard(name string, run func()) {
	defer func() {
		if p := recover(); p != nil {
			a.unknown("", sbom.Unreadable, fmt.Sprintf("the cataloger for %s stopped: %v", name, p), true)
		}
	}()
	run()
}

// add records one package, unless there are too many.
func (a *artifact) add(f found) {
	if a.fold(&f) {
		return
	}
	if len(a.found) >= a.opts.MaxComponents {
		a.tooMany++
		return
	}
	a.found = append(a.found, f)
}

// unknown records one gap. Further gaps of the same path are dropped: the
// first reason is the most specific one. A file of a distribution's own package
// is that package, whatever is in it.
func (a *artifact) unknown(p string, kind sbom.UnknownKind, reason string, code bool) {
	if p != "" {
		if a.owners.vouched(p) {
			if kind == sbom.Opaque || kind == sbom.Unattributed {
				return
			}
			code = false
		}
		if a.failed[p] {
			return
		}
		a.failed[p] = true
	}
	if len(a.unknowns) >= a.opts.MaxUnknowns {
		a.dropped++
		return
	}
	a.unknowns = append(a.unknowns, sbom.Unknown{Path: p, Kind: kind, Reason: reason, Code: code})
}

// limitError is returned for content that is over a limit of Options.
type limitError struct {
	what  string
	limit int64
}

func (e *limitError) Error() string { return fmt.Sprintf("%s, over the limit of %d", e.what, e.limit) }

// unread records that p could not be read or parsed, by the kind of err.
func (a *artifact) unread(p string, err error) {
	kind := sbom.Unreadable
	if e := (*limitError)(nil); errors.As(err, &e) || errors.Is(err, bundle.ErrLimit) {
		kind = sbom.Limit
	}
	a.unknown(p, kind, err.Error(), true)
}

// promise counts a text towards the limit of all texts before it is read, by
// the size that the archive claims; more is never read of it. So it does not
// depend on the order in which texts are read which of them is over the limit.
func (a *artifact) promise(size, limit int64) error {
	if size > limit {
		return &limitError{fmt.Sprintf("%d bytes", size), limit}
	}
	if a.spent > a.opts.MaxText {
		return &limitError{fmt.Sprintf("%d bytes of text in one artifact", a.spent), a.opts.MaxText}
	}
	a.spent += max(size, 0)
	return nil
}

// size returns what the archive claims to be the size of what p leads to, 0
// when it leads nowhere.
func (a *artifact) size(p string) int64 {
	st, err := a.tree.Stat(p)
	if err != nil {
		return 0
	}
	return st.Size()
}

// read returns the content of a file of at most limit bytes, without a byte
// order mark.
func (a *artifact) read(p string, limit int64) ([]byte, error) {
	if err := a.promise(a.size(p), limit); err != nil {
		return nil, err
	}
	return a.readPromised(p, limit, &scratch{})
}

// readPromised returns the content of a file that promise has counted. The
// content lies in the memory of s, until that is used again.
func (a *artifact) readPromised(p string, limit int64, s *scratch) ([]byte, error) {
	f, err := a.tree.Open(p)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	defer f.Close()
	size := int64(0)
	if st, err := f.Stat(); err == nil {
		size = st.Size()
	}
	// the size is a claim of the archive: it guides the allocation, of much only
	// when a part has come; the limit bounds it
	first := min(max(size, 0), 1<<20)
	if int64(cap(s.buf)) < first+bytes.MinRead {
		s.buf = make([]byte, 0, first+bytes.MinRead)
	}
	buf, r := bytes.NewBuffer(s.buf[:0]), io.LimitReader(f, limit+1)
	if size > first {
		if _, err = io.CopyN(buf, r, first); err == nil {
			buf.Grow(int(min(size, limit) - first + bytes.MinRead))
		}
	}
	if err == nil {
		_, err = io.Copy(buf, r)
	}
	s.buf = buf.Bytes() // it may have grown
	if err == io.EOF {  // shorter than it claims: the reader says so where that matters
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	if int64(buf.Len()) > limit {
		return nil, &limitError{fmt.Sprintf("more than %d bytes", limit), limit}
	}
	return bytes.TrimPrefix(buf.Bytes(), []byte("\xef\xbb\xbf")), nil
}

// has reports whether the artifact holds a file at p.
func (a *artifact) has(p string) bool { _, ok := a.byPath[p]; return ok }

// Folders inside a package that hold test material: what looks like an
// installed package there is input of a test and is never loaded.
func testFolder(name string) bool {
	switch strings.ToLower(name) {
	case "test", "tests", "__tests__", "testing", "testdata", "test-data", "fixture", "fixtures", "__fixtures__", "example", "examples", "benchmark", "benchmarks", "mocks", "__mocks__", "spec", "specs":
		return true
	}
	return false
}

func underTestFolder(dir string) bool {
	for segment := range strings.SplitSeq(dir, "/") {
		if testFolder(segment) {
			return true
		}
	}
	return false
}

// dirOf is path.Dir with "" for the root.
func dirOf(p string) string {
	if d := path.Dir(p); d != "." {
		return d
	}
	return ""
}

// below reports whether p is dir or lies in it; "" is the root.
func below(p, dir string) bool {
	return dir == "" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}
