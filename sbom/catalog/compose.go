package catalog

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// place is one found package of one artifact of a function.
type place struct {
	found    *found
	artifact int
	path     string // in the function's tree: mount and path
	dir      string // the same of the package's folder
	state    sbom.State
	also     []sbom.Evidence // further evidence, of this function's other artifacts too
}

// composition puts the artifacts of one function together.
type composition struct {
	fn     *bundle.Function
	places []place
	own    []string       // the function's own scripts, in the tree
	bases  map[int][]bool // of an artifact that is an image: which of its layers are the base image's

	entries map[int]*entry // of an artifact that is an image: what it runs
}

// compose decides the state and origin of everything that was found, by where
// the platform mounts the artifacts and in which order it searches them.
func compose(fn *bundle.Function, results []*result) *sbom.SBOM {
	c := &composition{fn: fn}
	out := &sbom.SBOM{Subject: fn.Code.Digest}
	for i, r := range results {
		mount := c.mount(i)
		for j := range r.found {
			f := &r.found[j]
			p := place{found: f, artifact: i, path: path.Join(mount, outermostFile(f.path)), state: sbom.Live}
			if f.dir != "" || f.typ == "pypi" { // a distribution at the root has the root as its folder
				p.dir = path.Join(mount, f.dir)
			}
			switch {
			case f.older:
				p.state = sbom.Shadowed
			case f.declared:
				p.state = sbom.Declared
			}
			c.places = append(c.places, p)
		}
		for _, s := range r.ownCode {
			c.own = append(c.own, path.Join(mount, s))
		}
		for _, u := range r.unknowns {
			u.Artifact = i
			c.placeUnknown(&u)
			out.Unknowns = append(out.Unknowns, u)
		}
		for _, t := range r.traits {
			t.Artifact = i
			out.Traits = append(out.Traits, t)
		}
		out.Unknowns = append(out.Unknowns, c.missingEntry(i)...)
	}
	c.ensurepipWheels()
	if len(results) > 1 {
		c.overwritten()
		c.nodeOrder()
		c.pythonOrder()
		c.bootstrapOrder()
	}
	c.javaOrder()
	out.Unknowns = append(out.Unknowns, c.documented(results)...)
	c.broughtElsewhere()
	extensions, left := c.extensions()
	out.Unknowns = sbom.SortUnknowns(append(append(out.Unknowns, c.ranges()...), left...))
	out.Components = sbom.Merge(append(c.components(), extensions...))
	out.Coverage = c.coverage(results)
	out.Absent = c.absent(results, out.Unknowns)
	return out
}

// outermostFile returns the file of the artifact that a path leads into: the
// archive, of what lies in one.
func outermostFile(p string) string {
	outer, _, _ := strings.Cut(p, "!/")
	return outer
}

func (c *composition) mount(i int) string {
	if i < len(c.fn.Layers) {
		return strings.Trim(c.fn.Layers[i].Mount, "/")
	}
	return ""
}

// overwritten marks what a later artifact replaced: two layers are unpacked
// into one folder, and the later file is the one that stays. Where a later
// layer replaced a package.json but not most of the code beside it, the older
// package is what runs, whatever its manifest now says.
func (c *composition) overwritten() {
	type hidden struct {
		layer int
		path  string
	}
	gone := map[hidden]bool{}
	rest := map[hidden]int{} // code that is left of a package, less the code that was replaced
	for _, f := range c.fn.Tree.Hidden() {
		gone[hidden{f.Layer, f.Path}] = true
		if nodeCode(f.Path) {
			rest[hidden{f.Layer, npmHome(f.Path)}]--
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, f := range c.fn.Tree.Files() {
		if nodeCode(f.Path) {
			rest[hidden{f.Layer, npmHome(f.Path)}]++
		}
	}
	for i := range c.places {
		p := &c.places[i]
		if p.state != sbom.Live || !gone[hidden{p.artifact, p.path}] {
			continue
		}
		if p.found.typ == "npm" && p.dir != "" && rest[hidden{p.artifact, p.dir}] > 0 {
			continue
		}
		p.state = sbom.Shadowed
	}
}

// bootstrapOrder: a custom runtime runs /var/task/bootstrap, and /opt/bootstrap
// only when that is absent
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html).
func (c *composition) bootstrapOrder() {
	if _, err := c.fn.Tree.Lstat("var/task/bootstrap"); err != nil {
		return
	}
	for i := range c.places {
		if p := &c.places[i]; p.path == "opt/bootstrap" && p.state == sbom.Live {
			p.state = sbom.Shadowed
		}
	}
}

// broughtElsewhere drops declarations that another artifact fulfils, and marks
// those that the runtime does. What a bundle holds fulfils what a manifest asks
// for; a lockfile's other versions of it may be in the bundle as well.
func (c *composition) broughtElsewhere() {
	live, inBundle := map[string]bool{}, map[string]bool{}
	for i := range c.places {
		p := &c.places[i]
		if p.state != sbom.Live || p.found.main || p.found.copied {
			continue
		}
		if p.found.bundled {
			inBundle[c.key(p.found)] = true
		} else if p.found.typ != "npm" || nestedIn(p.dir) == "" { // a copy nested in another package is that package's alone
			live[c.key(p.found)] = true
		}
	}
	kept := c.places[:0]
	for _, p := range c.places {
		if p.state == sbom.Declared && p.found.wheel == "" { // the bytes of a wheel are there
			if k := c.key(p.found); live[k] || inBundle[k] && p.found.method == sbom.MethodManifest {
				continue
			}
			if p.found.ranged && c.runtimeBrings(p.found) {
				p.state = sbom.Provided
			}
		}
		kept = append(kept, p)
	}
	c.places = kept
}

func (c *composition) key(f *found) string { return f.typ + " " + sbom.CanonicalName(f.typ, f.name) }

// runtimeBrings reports whether AWS's runtime ships a package that a manifest
// asks for by range. The versions move with the runtime and are not known
// (AWS, "Runtime-included SDK versions", as of 2026-08). A guess that the
// platform is AWS hides nothing, and what a URL asks for is not the runtime's.
func (c *composition) runtimeBrings(f *found) bool {
	if c.fn.Platform != bundle.PlatformAWS || f.resolved != "" || slices.Contains(c.fn.Guessed, "platform") && (c.fn.Spec.Runtime == "" || slices.Contains(c.fn.Guessed, "runtime")) {
		return false
	}
	switch {
	case f.typ == "npm" && strings.HasPrefix(c.fn.Runtime, "nodejs"):
		switch c.fn.Runtime {
		case "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x":
			return f.name == "aws-sdk"
		}
		return strings.HasPrefix(f.name, "@aws-sdk/")
	case f.typ == "pypi" && strings.HasPrefix(c.fn.Runtime, "python"):
		return slices.Contains([]string{"boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"}, sbom.CanonicalName("pypi", f.name))
	}
	return false
}

// ranges reports the declarations that are left without a version.
func (c *composition) ranges() []sbom.Unknown {
	type at struct {
		artifact int
		path     string
	}
	names := map[at][]string{}
	for i := range c.places {
		if p := &c.places[i]; p.state == sbom.Declared && p.found.ranged {
			k := at{p.artifact, p.found.path}
			names[k] = append(names[k], p.found.name)
		}
	}
	var out []sbom.Unknown
	for k, list := range names {
		slices.Sort(list)
		shown := list[:min(len(list), 5)]
		more := ""
		if n := len(list) - len(shown); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		for i := range shown {
			shown[i] = clip(shown[i])
		}
		out = append(out, sbom.Unknown{Artifact: k.artifact, Path: k.path, Kind: sbom.Opaque, Code: true,
			Reason: "neither installed nor in a lockfile: the versions are not known of " + strings.Join(shown, ", ") + more})
	}
	return out
}

// components turns places into components, one each; sbom.Merge joins them.
func (c *composition) components() []sbom.Component {
	out := make([]sbom.Component, 0, len(c.places))
	for i := range c.places {
		p := &c.places[i]
		if p.found.name == "" {
			continue
		}
		comp := p.found.component()
		for i := range comp.Traits {
			comp.Traits[i].Artifact = p.artifact
		}
		comp.State = p.state
		var digest bundle.Digest
		comp.Origin, digest = c.origin(p)
		comp.Occurrences = []sbom.Occurrence{{Artifact: p.artifact, Layer: digest, Path: p.found.path, State: p.state}}
		comp.Evidence = []sbom.Evidence{{Method: p.found.method, Confidence: p.found.confidence, Artifact: p.artifact, Path: cmp.Or(p.found.at, p.found.path), Detail: p.found.detail, Differs: p.found.differs}}
		for _, e := range p.found.also {
			e.Artifact = p.artifact
			comp.Evidence = append(comp.Evidence, e)
		}
		comp.Evidence = append(comp.Evidence, p.also...)
		out = append(out, comp)
	}
	return out
}
