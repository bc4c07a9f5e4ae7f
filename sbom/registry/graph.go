package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Graph is what a package needs to run, all the way down, as its tool would
// install it on a plain 64-bit Linux system.
type Graph struct {
	AsOf    time.Time
	Absent  bool   // there is no such version, or its system's graphs are not known
	Nodes   []Node // the first is the package itself
	Edges   []Edge
	Problem string // why the graph may be wrong; "" when nothing is known to be
}

// Node is a package in a graph.
type Node struct {
	Package  Package
	Version  string
	Direct   bool     // the package asks for it itself
	Bundled  bool     // it is inside another package's archive
	Problems []string // what could not be resolved
}

// Edge says that one node needs another: indexes into Nodes.
type Edge struct {
	From, To    int
	Requirement string // as its system writes it: "^1.0.0"
}

// maxNodes bounds a graph; maxEdges likewise.
const (
	maxNodes = 20_000
	maxEdges = 200_000
)

// Dependencies returns what a version of a package needs to run, by deps.dev.
// It is refused for packages that deps.dev may not be told of, because their
// name is private or because another registry is configured for them; where that
// is asked besides the tool's own, the caller has asked it before. The error
// is ErrOffline when it is not in the cache and the network may not be asked.
func (c *Client) Dependencies(ctx context.Context, p Package, version string) (Graph, error) {
	ep, why := c.endpoint(p)
	switch {
	case why != "":
		return Graph{}, errors.New(why)
	case ep.URL != "" && !ep.Public:
		return Graph{}, fmt.Errorf("another registry than deps.dev is configured for %s: what it needs is not asked for", p)
	case depsDevSystems[p.System] == "":
		return Graph{}, fmt.Errorf("deps.dev does not know packages of %s", p.System)
	}
	doc, err := c.Get(ctx, Request{
		URL: c.depsDevPath(p, "versions", step(version)+":dependencies"), Accept: "application/json", Limit: maxGraphAnswer, System: p.System,
	})
	if err != nil {
		return Graph{}, err
	}
	g := Graph{AsOf: doc.Fetched, Absent: doc.Absent}
	if doc.Absent {
		return g, nil
	}
	if err := parseGraph(doc.Body, &g); err != nil {
		return Graph{}, fmt.Errorf("read what deps.dev says that %s %s needs: %w", p, version, err)
	}
	return g, nil
}

// parseGraph reads an answer of GetDependencies. An edge to nowhere is an
// error: a graph that lacks something must not look whole.
func parseGraph(body []byte, g *Graph) error {
	var doc struct {
		Nodes []struct {
			VersionKey struct {
				System, Name, Version string
			} `json:"versionKey"`
			Bundled  bool     `json:"bundled"`
			Relation string   `json:"relation"`
			Errors   []string `json:"errors"`
		} `json:"nodes"`
		Edges []struct {
			FromNode    int    `json:"fromNode"`
			ToNode      int    `json:"toNode"`
			Requirement string `json:"requirement"`
		} `json:"edges"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	switch {
	case len(doc.Nodes) == 0:
		return errors.New("it holds no package")
	case len(doc.Nodes) > maxNodes || len(doc.Edges) > maxEdges:
		return fmt.Errorf("it holds more than %d packages or %d relations", maxNodes, maxEdges)
	}
	g.Problem = plain(doc.Error)
	for _, n := range doc.Nodes {
		s, ok := depsDevSystem(n.VersionKey.System)
		if !ok || !versionText(n.VersionKey.Version) || plain(n.VersionKey.Name) != n.VersionKey.Name || n.VersionKey.Name == "" {
			return fmt.Errorf("it names a package that there cannot be: %q %q", plain(n.VersionKey.Name), plain(n.VersionKey.Version))
		}
		one := Node{Package: Package{s, n.VersionKey.Name}, Version: n.VersionKey.Version, Direct: n.Relation == "DIRECT", Bundled: n.Bundled}
		for _, e := range n.Errors[:min(len(n.Errors), maxList)] {
			one.Problems = append(one.Problems, plain(e))
		}
		g.Nodes = append(g.Nodes, one)
	}
	for _, e := range doc.Edges {
		if e.FromNode < 0 || e.FromNode >= len(g.Nodes) || e.ToNode < 0 || e.ToNode >= len(g.Nodes) {
			return errors.New("a relation leads to a package that is not in it")
		}
		g.Edges = append(g.Edges, Edge{e.FromNode, e.ToNode, plain(e.Requirement)})
	}
	return nil
}

// depsDevSystem is the system that the API calls so: "NPM", "GO".
func depsDevSystem(name string) (System, bool) {
	for s, n := range depsDevSystems {
		if len(name) <= 20 && strings.EqualFold(n, name) {
			return s, true
		}
	}
	return "", false
}
