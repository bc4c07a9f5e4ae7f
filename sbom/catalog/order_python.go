package catalog

import (
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// pythonOrder applies Python's search order on AWS Lambda: /var/task, then
// /opt/python/lib/python3.x/site-packages, then /opt/python
// (https://docs.aws.amazon.com/lambda/latest/dg/python-package.html, "Dependency
// search path and runtime-included libraries"). The first folder that has a
// project wins for everybody, since there is one sys.path. Two versions in one
// folder stay as they are: either may be the one whose files are there.
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
			if b, seen := best[k]; !seen || r < b {
				best[k] = r
			}
		}
	}
	for i := range c.places {
		p := &c.places[i]
		if r, ok := rank(p); ok && r > best[c.key(p.found)] {
			p.state = sbom.Shadowed
		}
	}
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
