package catalog

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// pythonOrder applies Python's search order on AWS Lambda: /var/task, then
// /opt/python/lib/python3.x/site-packages, then /opt/python
// (https://docs.aws.amazon.com/lambda/latest/dg/python-package.html, "Dependency
// search path and runtime-included libraries"). The first folder that has a
// project wins for everybody, since there is one sys.path. Two versions in one
// folder stay as they are: either may be the one whose files are there.
//
// Metadata without the code that it is about wins over nothing: Python imports
// the code, and that is then found further down.
func (c *composition) pythonOrder() {
	best := map[string]int{} // project -> rank of the folder that wins
	rank := func(p *place) (int, bool) {
		if p.found.typ != "pypi" || p.state != sbom.Live || p.found.declared {
			return 0, false
		}
		return c.pythonRank(p.dir)
	}
	for i := range c.places {
		p := &c.places[i]
		if r, ok := rank(p); ok {
			k := c.key(p.found)
			if b, seen := best[k]; (!seen || r < b) && (p.found.method != sbom.MethodInstalled || c.pythonCode(p)) {
				best[k] = r
			}
		}
	}
	for i := range c.places {
		p := &c.places[i]
		if r, ok := rank(p); ok {
			if b, won := best[c.key(p.found)]; won && r > b {
				p.state = sbom.Shadowed
			}
		}
	}
}

// ensurepipWheels takes what lies in the wheels for ensurepip from what is
// loaded: the copy that is installed for that interpreter wins over them, and
// where none is, nobody has unpacked them. The latter is what a manifest says: the
// platform or a user may still do so.
func (c *composition) ensurepipWheels() {
	installed := func(of *place) bool {
		lib := path.Join(c.mount(of.artifact), of.found.stdlib)
		return slices.ContainsFunc(c.places, func(p place) bool {
			return p.found.typ == "pypi" && p.found.wheel == "" && p.state == sbom.Live && p.artifact == of.artifact &&
				sbom.CanonicalName("pypi", p.found.name) == of.found.wheel && p.dir != lib && below(p.dir, lib)
		})
	}
	known := map[string]sbom.State{} // by library and project, since a wheel holds dozens of packages
	for i := range c.places {
		p := &c.places[i]
		if p.found.wheel == "" || p.state != sbom.Live {
			continue
		}
		k := fmt.Sprint(p.artifact, p.found.stdlib, " ", p.found.wheel)
		if known[k] == "" {
			known[k] = sbom.Declared
			if installed(p) {
				known[k] = sbom.Shadowed
			}
		}
		p.state = known[k]
	}
}

// maxNames bounds what is read of a RECORD or top_level.txt, in bytes, to find
// one file of a distribution. The first lines are as good as the last.
const maxNames = 256 << 10

// pythonCode reports whether a distribution's code lies beside its metadata,
// by RECORD, by the names in top_level.txt or by its own name. A distribution
// that is imported by another name and has neither file counts as without code.
func (c *composition) pythonCode(p *place) bool {
	names := []string{strings.ReplaceAll(sbom.CanonicalName("pypi", p.found.name), "-", "_"), p.found.name, strings.ToLower(p.found.name)}
	names = append(names, strings.ReplaceAll(p.found.name, ".", "/"), strings.ReplaceAll(p.found.name, "-", "_"))
	names = append(names, strings.Fields(c.start(path.Join(dirOf(p.path), "top_level.txt")))...)
	for line := range strings.SplitSeq(c.start(path.Join(dirOf(p.path), "RECORD")), "\n") {
		name, _, _ := strings.Cut(strings.Trim(line, "\""), ",")
		switch path.Ext(name) {
		case ".py", ".pyc", ".so", ".pyd":
			at := path.Join(p.dir, name)
			if _, err := c.fn.Tree.Stat(at); err == nil && below(at, p.dir) {
				return true
			}
		}
	}
	for _, name := range names {
		at := path.Join(p.dir, name)
		if name == "" || !below(at, p.dir) {
			continue
		}
		if st, err := c.fn.Tree.Stat(at); err == nil && st.IsDir() {
			return true
		}
		if _, err := c.fn.Tree.Stat(at + ".py"); err == nil {
			return true
		}
	}
	return false
}

// pythonRank returns the place of a folder in the search order.
func (c *composition) pythonRank(dir string) (int, bool) {
	switch {
	case dir == "var/task":
		return 0, true
	case dir == "opt/python":
		return 2, true
	case strings.HasPrefix(dir, "opt/python/lib/python") && strings.HasSuffix(dir, "/site-packages"):
		version := strings.TrimSuffix(strings.TrimPrefix(dir, "opt/python/lib/"), "/site-packages")
		if c.fn.Runtime != "" && strings.HasPrefix(c.fn.Runtime, "python") && version != c.fn.Runtime {
			return 0, false // for another interpreter: not on the path, so nothing wins over it
		}
		return 1, true
	}
	return 0, false
}

// start returns the first maxNames bytes of a file, "" when there are none.
func (c *composition) start(p string) string {
	f, err := c.fn.Tree.Open(p)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxNames))
	if err != nil {
		return "" // then the metadata wins over nothing
	}
	return string(data)
}
