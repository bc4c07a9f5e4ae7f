package integrity

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

const (
	maxSourceMap = 32 << 20 // bytes of a source map that is looked into
	maxSources   = 200_000

	// methodSourceMap is the evidence of package jsbundle for what a source map
	// names: Path is that of the map, Detail the folder of the package.
	methodSourceMap = "source-map"
)

// mapped is a package that a source map names, and the folder that it has there.
type mapped struct {
	of     *npmPackage
	folder string // "app/node_modules/accepts"
}

// addMapped notes where source maps say that a package is in a bundle, and
// reports whether any does.
func (n *npm) addMapped(m *sbom.Component, p *npmPackage) bool {
	found := false
	for _, e := range m.Evidence {
		if e.Method != methodSourceMap || e.Artifact < 0 || e.Artifact >= len(n.files.volumes) || !strings.Contains(e.Detail, "node_modules/") {
			continue
		}
		i, ok := n.files.volumes[e.Artifact].Find(e.Path)
		if !ok {
			continue // inside the bundle itself
		}
		at := place{e.Artifact, i}
		n.maps[at] = append(n.maps[at], mapped{p, strings.TrimSuffix(e.Detail, "/")})
		found = true
	}
	return found
}

// compareMaps compares the sources that maps carry with the published files.
// Bundlers take them as they are, and other tools rewrite them first: one that
// differs says little, unless the others of its package are the published ones.
func (n *npm) compareMaps() {
	for _, at := range places(n.maps) {
		list := slices.DeleteFunc(n.maps[at], func(m mapped) bool { return m.of.published == nil })
		if len(list) == 0 {
			continue
		}
		byFolder := map[string]*npmPackage{}
		for _, m := range list {
			byFolder[m.folder] = m.of
		}
		data, err := n.files.read(at, maxSourceMap)
		var sources []string
		var contents [][]byte
		if err == nil {
			sources, contents, err = parseSourceMap(data)
		}
		for _, m := range list {
			if len(m.of.folders) == 0 {
				m.of.because("a source map has some of its files, not all")
			}
			if err != nil {
				m.of.because("the source map that names it cannot be read: " + err.Error())
			}
		}
		if err == nil {
			n.compareSources(at, byFolder, sources, contents)
		}
	}
}

// ofMap counts what a map has of one package.
type ofMap struct {
	same   int
	others []string // paths of the sources that differ
}

func (n *npm) compareSources(at place, byFolder map[string]*npmPackage, sources []string, contents [][]byte) {
	found := map[*npmPackage]*ofMap{}
	for i, source := range sources {
		if i >= len(contents) || len(contents[i]) == 0 {
			continue
		}
		p, rest := packageOf(byFolder, source)
		if p == nil {
			continue
		}
		want, listed := p.published.files[rest]
		if !listed {
			continue // what the package was made of, or what a tool put there
		}
		if found[p] == nil {
			found[p] = &ofMap{}
		}
		n.res.Files++
		if sameSource(contents[i], want) {
			found[p].same++
		} else {
			found[p].others = append(found[p].others, source)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(found), func(a, b *npmPackage) int { return strings.Compare(a.component.PURL, b.component.PURL) }) {
		f := found[p]
		if len(f.others) == 0 {
			continue
		}
		slices.Sort(f.others)
		d := Difference{Rule: RuleSource, Weight: Low, Probable: true, Component: p.component.PURL, Artifact: at.volume, Path: n.files.path(at), Source: "registry",
			Title:  fmt.Sprintf("%d of the sources in the bundle's map are not the published ones, %d are", len(f.others), f.same),
			Detail: clip(strings.Join(f.others[:min(len(f.others), 3)], ", "))}
		if f.same > len(f.others) {
			d.Weight = Medium
		}
		n.differs(d)
	}
}

// packageOf finds the package in whose folder a source lies, and its path there.
func packageOf(byFolder map[string]*npmPackage, source string) (*npmPackage, string) {
	source, _, _ = strings.Cut(source, "?")
	at := strings.LastIndex(source, "node_modules/")
	if at < 0 {
		return nil, ""
	}
	parts := strings.SplitN(source[at+len("node_modules/"):], "/", 3)
	depth := 1
	if strings.HasPrefix(parts[0], "@") {
		depth = 2
	}
	if len(parts) <= depth {
		return nil, ""
	}
	name := strings.Join(parts[:depth], "/")
	folder := source[:at] + "node_modules/" + name
	rest := path.Clean(strings.TrimPrefix(source[len(folder):], "/"))
	for { // the map's own way to the folder comes before it
		if p := byFolder[folder]; p != nil {
			return p, rest
		}
		_, shorter, ok := strings.Cut(folder, "/")
		if !ok {
			return nil, ""
		}
		folder = shorter
	}
}

// sameSource reports whether a source is the published file, but for its line
// ends and what stands at its end.
func sameSource(data []byte, want published) bool {
	is := func(b []byte) bool {
		sum := sha256.Sum256(b)
		return string(sum[:]) == want.sha256
	}
	trimmed := bytes.TrimRight(data, "\r\n")
	return is(data) || otherLineEnds(data, is) || is(trimmed) || is(append(bytes.Clone(trimmed), '\n')) || is(append([]byte("\ufeff"), data...))
}
