package integrity

import (
	"cmp"
	"context"
	"slices"

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
	Compared    int          // packages of which every file was compared
	Files       int          // files that were compared
	Left        []Left       // sorted
}

// Left is a package that could not be compared, and why: it is not known to be whole.
type Left struct{ Component, Reason string }

// Registry is what is asked of the registries; [registry.Client] is one. Archive
// returns registry.ErrOffline where an archive is neither in the cache nor may
// be fetched, and so does Get.
type Registry interface {
	Archive(ctx context.Context, p registry.Package, version, file string) (*registry.Archive, error)
}

// Check compares everything in a function that can be compared. reg may be nil:
// then only what the artifact itself holds is compared. Only a cancelled ctx is
// an error: what could not be read is a difference or left.
func Check(ctx context.Context, f *bundle.Function, bom *sbom.SBOM, reg *registry.Client) (Result, error) {
	c := newCheck(f, bom)
	if reg != nil {
		c.reg = reg
	}
	return c.run(ctx)
}

// check is one run.
type check struct {
	f     *bundle.Function
	bom   *sbom.SBOM
	reg   Registry // nil: nobody is asked
	files *files
	whole map[string]bool // packages of which every file was compared, in one of their places at least
	res   Result
}

func newCheck(f *bundle.Function, bom *sbom.SBOM) *check {
	return &check{f: f, bom: bom, files: newFiles(f), whole: map[string]bool{}}
}

// run notes which files are to be compared with what, reads each of them once,
// and then compares.
func (c *check) run(ctx context.Context) (Result, error) {
	py := c.python()
	if err := c.files.hash(ctx); err != nil {
		return Result{}, err
	}
	py.compare()
	c.finish()
	return c.res, ctx.Err()
}

func (c *check) differs(d Difference) { c.res.Differences = append(c.res.Differences, d) }

func (c *check) left(component, reason string) {
	c.res.Left = append(c.res.Left, Left{component, reason})
}

// finish counts and sorts. A package that is whole in one place and was left in
// another is not whole.
func (c *check) finish() {
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
