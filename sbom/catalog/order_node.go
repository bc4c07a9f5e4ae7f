package catalog

import (
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// nodeOrder applies Node's search order on AWS Lambda: the node_modules
// folders from the requiring file up, then NODE_PATH, which is
// /opt/nodejs/nodeXX/node_modules and /opt/nodejs/node_modules
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html and the
// list of environment variables, as of 2026-08).
//
// A layer's package whose name the function's own node_modules has too is not
// what the function gets. It stays live when another live package of the
// layer gets it, since that one searches from its own folder up.
func (c *composition) nodeOrder() {
	n := &nodeSearch{at: map[string]int{}, nested: map[int][]int{}, nodePath: c.nodePath()}
	for i := range c.places {
		p := &c.places[i]
		if p.found.typ == "npm" && p.dir != "" && p.state == sbom.Live {
			n.at[p.dir] = i
		}
	}
	for dir, i := range n.at {
		if owner, ok := n.owner(dir); ok {
			n.nested[owner] = append(n.nested[owner], i)
		}
	}
	if c.layerHasOwnScripts() {
		return // code of the layer itself requires from its own folder: nothing can be ruled out
	}
	shadowed := c.firstWins(n)
	c.revive(n, shadowed)
	for i := range shadowed {
		c.places[i].state = sbom.Shadowed
	}
}

// nodeSearch finds packages by folder.
type nodeSearch struct {
	at       map[string]int // folder of a package in the tree -> index into places
	nested   map[int][]int  // outermost package -> those nested in it
	nodePath []string
}

// nodePath lists the folders of NODE_PATH.
func (c *composition) nodePath() []string {
	var out []string
	if version, ok := strings.CutPrefix(c.fn.Runtime, "nodejs"); ok {
		major, _, _ := strings.Cut(version, ".")
		if major != "" {
			out = append(out, "opt/nodejs/node"+major+"/node_modules")
		}
	}
	return append(out, "opt/nodejs/node_modules")
}

// layerHasOwnScripts reports whether a layer has scripts outside packages.
func (c *composition) layerHasOwnScripts() bool {
	for _, p := range c.own {
		if below(p, "opt") {
			return true
		}
	}
	return false
}

// firstWins returns the packages that the function cannot get by name, because
// one of that name comes earlier in its search order.
func (c *composition) firstWins(n *nodeSearch) map[int]bool {
	shadowed := map[int]bool{}
	order := append([]string{"var/task/node_modules"}, n.nodePath...)
	for dir, i := range n.at {
		for rank, root := range order {
			name, ok := strings.CutPrefix(dir, root+"/")
			if rank == 0 || !ok || inNodeModules(name) {
				continue
			}
			for _, earlier := range order[:rank] {
				if _, there := n.at[earlier+"/"+name]; there {
					shadowed[i] = true
				}
			}
		}
	}
	// what is nested in a shadowed package goes with it
	for owner, inside := range n.nested {
		if shadowed[owner] {
			for _, i := range inside {
				shadowed[i] = true
			}
		}
	}
	return shadowed
}

// owner returns the outermost package that a nested one lies in.
func (n *nodeSearch) owner(dir string) (int, bool) {
	i := strings.Index(dir, "node_modules/")
	if i < 0 {
		return 0, false
	}
	rest := dir[i+len("node_modules/"):]
	end := strings.Index(rest, "/node_modules/")
	if end < 0 {
		return 0, false
	}
	at, ok := n.at[dir[:i+len("node_modules/")]+rest[:end]]
	return at, ok
}

// revive takes packages out of shadowed that a live one gets when it requires
// them, until nothing changes.
func (c *composition) revive(n *nodeSearch, shadowed map[int]bool) {
	var todo []int
	for _, i := range n.at {
		if !shadowed[i] {
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, name := range c.places[i].found.requires {
			got, ok := n.resolve(c.places[i].dir, name)
			if !ok || !shadowed[got] {
				continue
			}
			delete(shadowed, got)
			todo = append(todo, got)
			for _, j := range n.nested[got] {
				if shadowed[j] {
					delete(shadowed, j)
					todo = append(todo, j)
				}
			}
		}
	}
}

// resolve returns the package that code in dir gets for a name.
func (n *nodeSearch) resolve(dir, name string) (int, bool) {
	for d := dir; ; d = dirOf(d) {
		if path.Base(d) != "node_modules" {
			if i, ok := n.at[path.Join(d, "node_modules", name)]; ok {
				return i, true
			}
		}
		if d == "" {
			break
		}
	}
	for _, root := range n.nodePath {
		if i, ok := n.at[root+"/"+name]; ok {
			return i, true
		}
	}
	return 0, false
}
