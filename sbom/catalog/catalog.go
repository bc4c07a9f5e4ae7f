package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// Cataloger finds packages. It remembers what it found per artifact digest, so
// that an identical layer is read once. It is safe for concurrent use.
type Cataloger struct {
	opts    Options
	helpers helpers

	mu   sync.Mutex
	seen map[bundle.Digest]*pending
}

// pending is the result of one artifact, or the work that leads to it.
type pending struct {
	done chan struct{}
	res  *result
	err  error
}

// New returns a Cataloger. The zero Options are the documented limits.
func New(opts Options) *Cataloger {
	return &Cataloger{opts: opts.withDefaults(), helpers: newHelpers(opts.Helpers), seen: map[bundle.Digest]*pending{}}
}

// Run catalogues one function and settles it ([bundle.Function.Settle]). An
// error means that ctx was cancelled; whatever else goes wrong is an Unknown of
// the result, so that it cannot get lost.
func (c *Cataloger) Run(ctx context.Context, f *bundle.Function) (*sbom.SBOM, error) {
	results := make([]*result, len(f.Volumes))
	for i, v := range f.Volumes {
		r, err := c.artifact(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("catalog %s: %w", v.Artifact.Ref, err)
		}
		results[i] = r
	}
	c.settle(f, results)
	return compose(f, results), nil
}

// settle waits for the digests of the artifacts and remembers the results of
// those that were catalogued before they had one.
func (c *Cataloger) settle(f *bundle.Function, results []*result) {
	late := make([]bool, len(f.Volumes))
	for i, v := range f.Volumes {
		late[i] = v.Artifact.Digest == ""
	}
	f.Settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, v := range f.Volumes {
		if d := v.Artifact.Digest; late[i] && d != "" && c.seen[d] == nil {
			p := &pending{done: make(chan struct{}), res: results[i]}
			close(p.done)
			c.enter(d, p)
		}
	}
}

// enter adds to what is remembered. The caller holds mu.
func (c *Cataloger) enter(d bundle.Digest, p *pending) {
	if len(c.seen) >= c.opts.MaxRemembered {
		c.forget()
	}
	c.seen[d] = p
}

// artifact catalogues one volume, or waits for whoever does it already.
func (c *Cataloger) artifact(ctx context.Context, v *bundle.Volume) (*result, error) {
	digest := v.Artifact.Digest
	if digest == "" {
		return scan(ctx, c.opts, c.helpers, v)
	}
	for {
		c.mu.Lock()
		p, ok := c.seen[digest]
		if !ok {
			p = &pending{done: make(chan struct{})}
			c.enter(digest, p)
			c.mu.Unlock()
			return c.work(ctx, v, digest, p)
		}
		c.mu.Unlock()
		select {
		case <-p.done:
			if p.err == nil {
				return p.res, nil
			}
			// whoever did it was cancelled: that says nothing about this caller
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Cataloger) work(ctx context.Context, v *bundle.Volume, digest bundle.Digest, p *pending) (*result, error) {
	p.err = context.Canceled // until the scan has come back
	defer func() {
		if p.err != nil {
			c.mu.Lock()
			if c.seen[digest] == p {
				delete(c.seen, digest)
			}
			c.mu.Unlock()
		}
		close(p.done)
	}()
	p.res, p.err = scan(ctx, c.opts, c.helpers, v)
	return p.res, p.err
}

// forget drops one remembered result; which one does not matter.
func (c *Cataloger) forget() {
	for d, p := range c.seen {
		select {
		case <-p.done:
			delete(c.seen, d)
			return
		default:
		}
	}
}

// result is what one artifact holds, at its own root. It is shared between
// functions and must not be changed.
type result struct {
	found    []found
	unknowns []sbom.Unknown
	ownCode  []string // paths of JavaScript files outside any package, for the search order

	ownedCode int64           // bytes of code that packages account for
	documents []document      // bills of materials, of which nothing is checked yet
	absent    []sbom.Absent   // packages of lockfiles that are proven not to be in the artifact; Ecosystem is not set
	traits    []sbom.Trait    // of files that belong to no package; without their artifact
	otherCode bool            // the artifact may hold code beside its bundles
	loose     []sbom.CodeFile // code that they do not, and bundles; Artifact and Origin are not set
}

// found is one package at one place of an artifact.
type found struct {
	typ           string // package URL type
	name          string // as the ecosystem spells it
	version       string
	path          string // of the file that shows it
	dir           string // folder that it owns, "" when it owns only files
	method        string
	confidence    float64
	detail        string
	licenses      []string
	requires      []string
	ranges        map[string]string // see sbom.Component; by the names as they are written
	traits        []sbom.Trait      // without their artifact
	prepare       string            // the script of npm that runs where a package is taken from a repository
	hashes        map[string]string
	resolved      string
	url           string // package URL, where it is more than type, name and version
	source        string
	sourceVersion string
	layer         int    // of the image that it came with, counted from 1, where path does not say it; else 0
	distro        string // for the OSV ecosystem of distribution packages
	ecosystem     string // of OSV, where typ and distro do not tell it
	main          bool
	declared      bool     // only a manifest or lockfile names it
	ranged        bool     // declared by a range: the version is not known
	stdlib, wheel string   // of what lies in a wheel for ensurepip: the folder of the interpreter's library, and the wheel's project
	vendored      bool     // a copy of Python code inside another package
	bundled       bool     // its code lies in a bundle, which is path
	copied        bool     // its code lies among the function's own files, where nobody installed it
	at            string   // of a bundled package: the file that its method's evidence lies in, when that is not path
	versions      []string // candidates, when several fit and version is ""
	differs       bool     // its method's evidence says another version, see sbom.Evidence
	disputed      bool     // the versions contradict each other, see sbom.Component
	older         bool     // from an earlier copy of a duplicate name
	classifier    string   // of a Maven artifact
	archive       string   // path of the Java archive that is this package, rather than holds it
	also          []sbom.Evidence
}

func (f *found) purl() string {
	if f.url != "" {
		return f.url
	}
	p := sbom.PURL(f.typ, f.name, f.version)
	if f.classifier != "" && p != "" {
		p += "?classifier=" + f.classifier // letters, digits, ".", "-" and "_": nothing to escape
	}
	return p
}

// component returns f as a component without occurrences.
func (f *found) component() sbom.Component {
	return sbom.Component{
		PURL: f.purl(), Name: f.name, Version: f.version, Versions: slices.Clone(f.versions), Disputed: f.disputed, Ecosystem: cmp.Or(f.ecosystem, sbom.Ecosystem(f.typ, f.distro)), Source: f.source, SourceVersion: f.sourceVersion,
		Main: f.main, Hashes: f.hashes, Licenses: slices.Clone(f.licenses), Resolved: withoutSecrets(f.resolved), Requires: slices.Clone(f.requires), Ranges: f.rangesOf(), Traits: slices.Clone(f.traits),
	}
}
