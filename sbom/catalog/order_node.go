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
// what the function gets. But code of the layers gets it, since that searches
// from its own folder up, and it needs no manifest to require a package that
// lies beside it. So it is shadowed only when nothing else of the layers can
// be reached: every package there loses, and no script lies outside packages.
// In all other cases only files replaced at the same path are shadowed.
func (c *composition) nodeOrder() {
	at := map[string]int{} // folder of a package in the tree -> index into places
	for i := range c.places {
		p := &c.places[i]
		if p.found.typ == "npm" && p.dir != "" && p.state == sbom.Live {
			at[p.dir] = i
		}
	}
	for _, p := range c.own {
		if below(p, "opt") {
			return
		}
	}
	loses := c.losing(at)
	var shadowed []int
	for dir, i := range at {
		if !below(dir, "opt") {
			continue
		}
		if !loses[outermost(dir)] {
			return
		}
		shadowed = append(shadowed, i)
	}
	for _, i := range shadowed {
		c.places[i].state = sbom.Shadowed
	}
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

// losing returns the folders of the packages that the function cannot get by
// name, because one of that name comes earlier in its search order. A folder
// with a package.json and no code does not win: Node searches on.
func (c *composition) losing(at map[string]int) map[string]bool {
	out := map[string]bool{}
	var code map[string]bool
	order := append([]string{"var/task/node_modules"}, c.nodePath()...)
	for dir := range at {
		for rank, root := range order {
			name, ok := strings.CutPrefix(dir, root+"/")
			if rank == 0 || !ok || inNodeModules(name) {
				continue
			}
			for _, earlier := range order[:rank] {
				winner := earlier + "/" + name
				if _, there := at[winner]; !there {
					continue
				}
				if code == nil {
					code = c.foldersWithCode()
				}
				if code[winner] {
					out[dir] = true
				}
			}
		}
	}
	return out
}

// outermost returns the folder of the package that dir is or is nested in.
func outermost(dir string) string {
	i := strings.Index(dir, "node_modules/")
	if i < 0 {
		return dir
	}
	i += len("node_modules/")
	if end := strings.Index(dir[i:], "/node_modules/"); end >= 0 {
		return dir[:i+end]
	}
	return dir
}

// nodeCode reports whether Node can load a file as a module: what is left of a
// package when only its package.json is there is none.
func nodeCode(p string) bool {
	switch path.Ext(p) {
	case ".js", ".mjs", ".cjs", ".node", ".wasm":
		return true
	case ".json":
		return path.Base(p) != "package.json"
	}
	return false
}

// npmHome returns the folder of the package that a file belongs to, "" when it
// belongs to none.
func npmHome(p string) string {
	i := lastNodeModules(p)
	if i < 0 {
		return ""
	}
	end := strings.IndexByte(p[i:], '/')
	if end > 0 && p[i] == '@' {
		if next := strings.IndexByte(p[i+end+1:], '/'); next >= 0 {
			end += 1 + next
		}
	}
	if end < 0 {
		return ""
	}
	return p[:i+end]
}

// foldersWithCode returns the packages of the tree that have code. Those
// behind links have none of their own, so they win over nothing.
func (c *composition) foldersWithCode() map[string]bool {
	out := map[string]bool{}
	for _, f := range c.fn.Tree.Files() {
		if nodeCode(f.Path) {
			out[npmHome(f.Path)] = true
		}
	}
	return out
}
