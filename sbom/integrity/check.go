package integrity

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Difference is a file, or an archive, that is not what it should be.
type Difference struct {
	Rule      string // one of the rules below
	Weight    Weight
	Component string // package URL; "" when no component is known for it
	Artifact  int    // index
	Path      string
	Title     string
	Source    string // what it was compared with: "RECORD", "registry", "checksum database", "lockfile"
	Detail    string
	Probable  bool // the comparison has a benign explanation that nobody could rule out
}

// Weight is how much a difference says.
type Weight int

// The weights. A note is counted and never judged.
const (
	Note Weight = iota
	Low
	Medium
	High
)

// Result is what a comparison came to.
type Result struct {
	Differences []Difference // sorted
	Compared    int          // packages of which every file was compared; of Go, the sum of the source
	Whole       []string     // which those are: package URLs, sorted
	Files       int          // files that were compared
	Left        []Left       // sorted
}

// Left is a package that could not be compared, and why: it is not known to be whole.
type Left struct{ Component, Reason string }

// Registry is who has published archives; [registry.Client] is one. The error is
// registry.ErrOffline where one is neither in the cache nor may be fetched.
type Registry interface {
	Extract(ctx context.Context, p registry.Package, version, file string, t registry.Taking) (*registry.Extract, error)
}

// Of is what is compared.
type Of struct {
	Function  *bundle.Function
	SBOM      *sbom.SBOM
	Standings map[string]*registry.Standing // package URL -> what registries say; nil: nobody was asked
}

// Check compares everything in a function that can be compared. reg may be nil:
// then only what the artifact itself holds, and the standings, are compared. Only
// a cancelled ctx is an error: what could not be read is a difference or left.
func Check(ctx context.Context, of Of, reg *registry.Client) (Result, error) {
	c := newCheck(of)
	if reg != nil {
		c.reg, c.sums = reg, clientSums(reg)
	}
	return c.run(ctx)
}

// check is one run.
type check struct {
	f         *bundle.Function
	bom       *sbom.SBOM
	standings map[string]*registry.Standing
	reg       Registry // nil: nobody is asked
	sums      sums
	files     *files
	whole     map[string]bool // packages of which every file was compared, in one of their places at least
	mu        sync.Mutex      // for what is found while archives are fetched
	swapped   map[string]bool // packages of which that was said
	res       Result
}

func newCheck(of Of) *check {
	return &check{f: of.Function, bom: of.SBOM, standings: of.Standings, files: newFiles(of.Function), whole: map[string]bool{}, swapped: map[string]bool{}}
}

// run notes which files are to be compared with what, reads each of them once,
// and then compares.
func (c *check) run(ctx context.Context) (Result, error) {
	c.published()
	c.goSums(ctx)
	py, npm, shipped := c.python(ctx), c.npm(ctx), c.shipped()
	if err := c.files.hash(ctx); err != nil {
		return Result{}, err
	}
	py.compare()
	npm.compare()
	shipped.compare()
	c.finish()
	return c.res, ctx.Err()
}

func (c *check) differs(d Difference) { c.res.Differences = append(c.res.Differences, d) }

func (c *check) left(component, reason string) {
	c.res.Left = append(c.res.Left, Left{component, reason})
}

// rest says of every package with bytes of its own that nothing was compared.
func (c *check) rest() {
	told := map[string]bool{}
	for _, l := range c.res.Left {
		told[l.Component] = true
	}
	for i := range c.bom.Components {
		m := &c.bom.Components[i]
		if !m.Main && m.State != sbom.Declared && m.State != sbom.Provided && !told[m.PURL] && !c.whole[m.PURL] {
			c.left(m.PURL, "nothing at hand says how its files should be")
		}
	}
}

// finish counts and sorts. A package that is whole in one place and was left in
// another is not whole.
func (c *check) finish() {
	c.rest()
	slices.SortFunc(c.res.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Artifact, b.Artifact),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Detail, b.Detail))
	})
	slices.SortFunc(c.res.Left, func(a, b Left) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Reason, b.Reason))
	})
	c.res.Left = slices.Compact(c.res.Left)
	for _, l := range c.res.Left {
		delete(c.whole, l.Component)
	}
	c.res.Compared = len(c.whole)
	c.res.Whole = slices.Sorted(maps.Keys(c.whole))
}

// LeftPackages is how many packages were not compared completely.
func (r Result) LeftPackages() int {
	n := 0
	for i := range r.Left { // sorted
		if i == 0 || r.Left[i].Component != r.Left[i-1].Component {
			n++
		}
	}
	return n
}

// MainReason is the reason why most packages were left, and of how many.
func (r Result) MainReason() (reason string, packages int) {
	count := map[string]int{}
	for _, l := range r.Left {
		count[l.Reason]++
	}
	for why, n := range count {
		if n > packages || n == packages && why < reason {
			reason, packages = why, n
		}
	}
	return reason, packages
}
