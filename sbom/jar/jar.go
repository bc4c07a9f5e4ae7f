package jar

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// Package is one Java package that was found. A package whose group or version
// is not known has an empty one.
type Package struct {
	Group, Artifact, Version string
	Classifier               string // as in "linux-x86_64"; "" for the main artifact
	Source                   string // group:artifact under which advisories know it, when another name does not
	Path                     string // of the file that shows it, inside the artifact: lib/b.jar!/META-INF/...
	Archive                  string // path of the archive that holds it; "" when that is the artifact itself
	Method                   string // an sbom.Method
	Confidence               float64
	Detail                   string
	Licences                 []string
	Requires                 []string // group:artifact of what its POM says that it needs to run, sorted
	Main                     bool     // the function itself
	Own                      bool     // the archive is this package, rather than one that holds it
	Older                    bool     // from an earlier copy of a duplicate name
}

// Name returns group and artifact as the Maven ecosystem spells them, or the
// artifact alone.
func (p *Package) Name() string {
	if p.Group == "" {
		return p.Artifact
	}
	return p.Group + ":" + p.Artifact
}

// Result is what the archives of one artifact hold.
type Result struct {
	Packages []Package
	Unknowns []sbom.Unknown // Artifact is 0: the caller knows it
}

// Scanner reads the archives of one artifact and keeps to limits that hold for
// all of them together. It is not safe for concurrent use.
type Scanner struct {
	opts     Options
	res      Result
	archives int
	entries  int
	held     int64
	inflated int64
	tooMany  int // packages over the limit
	dropped  int // unknowns over the limit
	failed   map[string]bool
}

// NewScanner returns a Scanner. The zero Options are the documented limits.
func NewScanner(opts Options) *Scanner {
	s := &Scanner{opts: opts.withDefaults(), failed: map[string]bool{}}
	// Many archives ask for one artifact, and one of them several times.
	known, ask := map[string][]string{}, s.opts.Groups
	s.opts.Groups = func(artifact string) []string {
		groups, ok := known[artifact]
		if !ok {
			groups = ask(artifact)
			known[artifact] = groups
		}
		return groups
	}
	return s
}

// Result returns what was found so far.
func (s *Scanner) Result() Result {
	r := s.res
	if s.tooMany > 0 {
		r.Unknowns = append(r.Unknowns, sbom.Unknown{Kind: sbom.Limit, Code: true, Reason: fmt.Sprintf("%d Java packages more than MaxPackages, %d", s.tooMany, s.opts.MaxPackages)})
	}
	if s.dropped > 0 {
		r.Unknowns = append(r.Unknowns, sbom.Unknown{Kind: sbom.Limit, Code: true, Reason: fmt.Sprintf("%d more unknowns in Java archives", s.dropped)})
	}
	return r
}

// Root reads the artifact itself, without the archives inside it: the classes
// at its root or in BOOT-INF/classes and WEB-INF/classes, and the metadata of
// what was merged into it. name is the artifact's file name. It does nothing
// when the artifact holds no Java of its own. Only a done ctx is an error.
func (s *Scanner) Root(ctx context.Context, v *bundle.Volume, tree *bundle.Tree, name string) error {
	a := s.newArchive(v, tree, name, "")
	a.root = true
	if err := a.collect(ctx); err != nil {
		return err
	}
	a.archives = len(a.nested) > 0
	a.nested = nil // the caller shows them one by one, with what it knows of each
	if a.java() {
		a.identify()
	}
	return ctx.Err()
}

// Archive reads the archive at path p of the artifact, and those inside it. Of
// one that is not Java's only the Java archives inside are catalogued: other
// code in it is an unknown. So is an archive that cannot be read. Only a done
// ctx is an error. The caller closes c.
func (s *Scanner) Archive(ctx context.Context, p string, c bundle.Content) error {
	return s.open(ctx, p, c, 1, nil)
}

// open reads one nested archive. outer is the one that holds it; nil for the artifact.
func (s *Scanner) open(ctx context.Context, p string, c bundle.Content, depth int, outer *archive) error {
	size, err := s.admit(p, c, depth)
	if err != nil {
		s.unread(p, err)
		return ctx.Err()
	}
	if held := heldBytes(c, size); held > 0 {
		s.held += held
		defer func() { s.held -= held }()
	}
	lim := bundle.Limits{MaxFileBytes: s.opts.MaxNested, MaxTotalBytes: max(s.opts.MaxInflated-s.inflated, 1), MaxEntries: max(s.opts.MaxEntries-s.entries, 1)}
	v, err := bundle.OpenZip(ctx, c, size, lim)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.unknown(p, unreadKind(err), err.Error(), !document(p))
		return nil
	}
	for older := false; v != nil; v, older = v.Older, true {
		a := s.newArchive(v, v.Tree(), p, p+"!/")
		a.depth, a.outer, a.older = depth, outer, older
		if err := a.collect(ctx); err != nil {
			return err
		}
		if !older {
			a.notices()
		}
		if a.java() {
			a.identify()
		}
		a.uncatalogued()
		if err := a.descend(ctx); err != nil {
			return err
		}
	}
	return nil
}

// limitError is the error for an archive that is over a limit of Options.
type limitError struct{ reason string }

func (e *limitError) Error() string { return e.reason }

// admit counts one archive against the limits and returns its length.
func (s *Scanner) admit(p string, c bundle.Content, depth int) (int64, error) {
	st, err := c.Stat()
	if err != nil {
		return 0, fmt.Errorf("open archive: %w", err)
	}
	size := st.Size()
	held := heldBytes(c, size)
	s.archives++
	switch {
	case depth > s.opts.MaxDepth:
		return 0, &limitError{fmt.Sprintf("archives nested deeper than MaxDepth, %d", s.opts.MaxDepth)}
	case s.archives > s.opts.MaxArchives:
		return 0, &limitError{fmt.Sprintf("more than MaxArchives, %d, in one artifact", s.opts.MaxArchives)}
	case held > s.opts.MaxNested:
		return 0, &limitError{fmt.Sprintf("a packed archive of %d bytes, over MaxNested, %d", size, s.opts.MaxNested)}
	case s.held+held > s.opts.MaxHeld:
		return 0, &limitError{fmt.Sprintf("%d bytes of packed archives inside one another, over MaxHeld, %d", s.held+held, s.opts.MaxHeld)}
	case s.entries >= s.opts.MaxEntries:
		return 0, &limitError{fmt.Sprintf("more than MaxEntries, %d, in the archives of one artifact", s.opts.MaxEntries)}
	}
	if s.inflated += held; s.inflated > s.opts.MaxInflated {
		return 0, &limitError{fmt.Sprintf("packed archives of %d bytes, over MaxInflated, %d", s.inflated, s.opts.MaxInflated)}
	}
	return size, nil
}

// heldBytes is how many bytes of memory an archive takes while it is read: none
// when it is stored and read where it lies.
func heldBytes(c bundle.Content, size int64) int64 {
	if c, ok := c.(interface{ InPlace() bool }); ok && c.InPlace() {
		return 0
	}
	return size
}

// add records one package, unless there are too many.
func (s *Scanner) add(p Package) {
	if len(s.res.Packages) >= s.opts.MaxPackages {
		s.tooMany++
		return
	}
	s.res.Packages = append(s.res.Packages, p)
}

// unknown records one gap, the first one of each path.
func (s *Scanner) unknown(p string, kind sbom.UnknownKind, reason string, code bool) {
	if s.failed[p] {
		return
	}
	if len(s.res.Unknowns) >= s.opts.MaxUnknowns {
		s.dropped++
		return
	}
	s.failed[p] = true
	s.res.Unknowns = append(s.res.Unknowns, sbom.Unknown{Path: p, Kind: kind, Reason: reason, Code: code})
}

// unread records that what lies at p could not be read.
func (s *Scanner) unread(p string, err error) {
	s.unknown(p, unreadKind(err), err.Error(), true)
}

// unreadKind is the kind of unknown that an error stands for.
func unreadKind(err error) sbom.UnknownKind {
	if e := (*limitError)(nil); errors.As(err, &e) || errors.Is(err, bundle.ErrLimit) {
		return sbom.Limit
	}
	return sbom.Unreadable
}

// text returns a file of at most limit bytes. What is inflated in nested
// archives counts against MaxInflated, over all of them.
func (a *archive) text(p string, limit int64) ([]byte, error) {
	if a.depth > 0 && a.s.inflated >= a.s.opts.MaxInflated {
		return nil, &limitError{fmt.Sprintf("more than MaxInflated, %d bytes, in nested archives", a.s.opts.MaxInflated)}
	}
	f, err := a.tree.Open(p)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if a.depth > 0 {
		a.s.inflated += int64(len(data))
	}
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, &limitError{fmt.Sprintf("more than %d bytes", limit)}
	}
	return data, nil
}

// properties reads a properties file. What comes with an error is what stands
// before the limit.
func (a *archive) properties(p string) (map[string]string, error) {
	data, err := a.text(p, a.s.opts.MaxText)
	if err != nil {
		return nil, err
	}
	return ParseProperties(data)
}
