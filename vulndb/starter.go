package vulndb

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// starterFiles holds the starter set: OSV records of well-known flaws, so that
// a first run finds something and the tests of everything above have a store.
//
//go:embed starter/*.json
var starterFiles embed.FS

// starter is a store in memory.
type starter struct {
	all      []*Advisory
	names    map[string]map[string][]*Advisory // by ecosystem, normalised name
	releases map[string]map[string]int
}

// Starter opens the embedded starter set. It parses the records on each call
// (about a millisecond), so that a program that does not use it pays nothing.
// Its Snapshot says Starter; no verdict over it is complete.
func Starter() (*DB, error) {
	entries, err := starterFiles.ReadDir("starter")
	if err != nil {
		return nil, fmt.Errorf("open starter set: %w", err)
	}
	s := &starter{names: map[string]map[string][]*Advisory{}, releases: map[string]map[string]int{}}
	sources := map[string]*Source{}
	digests := map[string][]byte{}
	for _, e := range entries {
		b, err := starterFiles.ReadFile("starter/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("open starter set: %w", err)
		}
		a, err := ParseRecord(b)
		if err != nil {
			return nil, fmt.Errorf("open starter set: %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(b)
		s.all = append(s.all, a)
		for _, eco := range ecosystems(a) {
			src := sources[eco]
			if src == nil {
				src = &Source{Ecosystem: eco, URL: "embedded"}
				sources[eco] = src
				s.names[eco], s.releases[eco] = map[string][]*Advisory{}, map[string]int{}
			}
			src.Records++
			src.Modified = later(src.Modified, a.Modified)
			digests[eco] = append(digests[eco], sum[:]...)
			var p prepared
			p.index(eco, a)
			for _, n := range slices.Concat(p.names, p.parts) {
				s.names[eco][n] = append(s.names[eco][n], a)
			}
			for _, r := range p.releases {
				s.releases[eco][r]++
			}
		}
	}
	var list []Source
	for eco, src := range sources {
		sum := sha256.Sum256(digests[eco])
		src.Digest = "sha256:" + hex.EncodeToString(sum[:])
		src.Export = src.Digest
		for n := range s.names[eco] {
			if !strings.HasPrefix(n, partMark) {
				src.Packages++
			}
		}
		src.AsOf = src.Modified
		list = append(list, *src)
	}
	return &DB{snapshot: newSnapshot(list, true), starter: s}, nil
}

// ecosystems returns the ecosystems of a record's entries, without releases, sorted.
func ecosystems(a *Advisory) []string {
	var list []string
	for i := range a.Affected {
		if b := Base(a.Affected[i].Ecosystem); b != "" && !slices.Contains(list, b) {
			list = append(list, b)
		}
	}
	slices.Sort(list)
	return list
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
