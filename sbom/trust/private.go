package trust

import (
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// maxPatternBytes is how long a pattern of names may be: longer than any name
// that a registry accepts.
const maxPatternBytes = 500

// Names is a set of package names, given by patterns such as a policy lists
// for private packages:
//
//	@corp/*                 npm: the packages of a scope
//	corp-*                  every system: names that begin so
//	go.corp.example/*       Go: module paths below, as GOPRIVATE reads it
//	com.corp:*              Maven: the artifacts of a group
//	com.corp                Maven: a group and those below it; Go: a path and those below it
//	pypi:corp-*             only that system
//
// The only wildcard is *, any run of characters; in Go paths none that holds a
// slash. A pattern without a system counts for every system whose names it
// could be. Letters compare without case and separators as the system treats
// them, so that no private name leaves the machine because it is spelt
// otherwise. Matching takes time linear in the name for each pattern. The zero
// value holds no name.
type Names struct{ patterns []namePattern }

// namePattern is one pattern, spelt as its system compares names.
type namePattern struct {
	system registry.System
	first  glob // the name; of Maven the group, of Go the path's leading elements
	second glob // of Maven the artifact, or with below the groups below first
	below  bool // every artifact of the group, and of those below it
	depth  int  // of Go: how many elements first has
}

// nameSystems are the words that may stand before a pattern. Go's may be said
// as its users say it.
var nameSystems = map[string]registry.System{
	"npm": registry.NPM, "pypi": registry.PyPI, "golang": registry.Go, "go": registry.Go, "maven": registry.Maven,
	"cargo": registry.Cargo, "nuget": registry.NuGet, "gem": registry.RubyGems,
}

// everySystem lists the systems in the order in which patterns are tried.
var everySystem = []registry.System{registry.NPM, registry.PyPI, registry.Go, registry.Maven, registry.Cargo, registry.NuGet, registry.RubyGems}

// ParseNames reads patterns. The error names the first pattern that is none,
// and says how to write it.
func ParseNames(patterns []string) (Names, error) {
	var out Names
	for _, text := range patterns {
		systems, pattern, err := splitPattern(text)
		if err != nil {
			return Names{}, err
		}
		for _, s := range systems {
			out.patterns = append(out.patterns, compile(s, pattern))
		}
	}
	return out, nil
}

// splitPattern returns the systems that a pattern is about, and the rest of it.
func splitPattern(text string) ([]registry.System, string, error) {
	pattern := text
	var systems []registry.System
	if word, rest, ok := strings.Cut(text, ":"); ok {
		if s, known := nameSystems[strings.ToLower(word)]; known {
			systems, pattern = []registry.System{s}, rest
		}
	}
	if err := checkPattern(pattern); err != nil {
		return nil, "", fmt.Errorf("%q %w", text, err)
	}
	if systems == nil {
		systems = systemsOf(pattern)
	}
	return systems, pattern, spelledFor(systems, text, pattern)
}

// checkPattern refuses what could never match, or would match everything.
func checkPattern(pattern string) error {
	switch {
	case len(pattern) > maxPatternBytes:
		return fmt.Errorf("is longer than %d bytes", maxPatternBytes)
	case strings.ContainsAny(pattern, "?[]\\"):
		return fmt.Errorf("is no pattern of names: the only wildcard is *")
	case strings.Contains(pattern, "://"):
		return fmt.Errorf("is an address; write the names, as in @corp/*")
	case strings.ContainsAny(pattern, " \t\r\n,;"):
		return fmt.Errorf("is no pattern of names: one name or pattern an entry, without spaces")
	case strings.IndexFunc(pattern, alphanumeric) < 0:
		return fmt.Errorf("would match every name; name a scope, a prefix or a path, as in @corp/*")
	}
	return nil
}

// systemsOf says which systems a pattern without one could be about.
func systemsOf(pattern string) []registry.System {
	switch {
	case strings.HasPrefix(pattern, "@"):
		return []registry.System{registry.NPM}
	case strings.Contains(pattern, ":"):
		return []registry.System{registry.Maven}
	case strings.Contains(pattern, "/"):
		return []registry.System{registry.Go}
	}
	return everySystem
}

// spelledFor refuses a pattern that no name of its system could match.
func spelledFor(systems []registry.System, text, pattern string) error {
	if len(systems) != 1 {
		return nil
	}
	colons, slashes := strings.Count(pattern, ":"), strings.Count(pattern, "/")
	switch s := systems[0]; {
	case s == registry.Maven && (colons > 1 || slashes > 0):
		return fmt.Errorf("%q is no Maven name: write group:artifact, as in com.corp:*", text)
	case s != registry.Maven && colons > 0:
		return fmt.Errorf("%q begins with no known type (npm, pypi, golang, maven, cargo, nuget, gem)", text)
	case s == registry.NPM && strings.HasPrefix(pattern, "@") && slashes != 1:
		return fmt.Errorf("%q is no npm name: a scope has names below it, as in @corp/*", text)
	case s == registry.NPM && !strings.HasPrefix(pattern, "@") && slashes > 0, s != registry.NPM && s != registry.Go && slashes > 0:
		return fmt.Errorf("%q is no %s name: it holds a slash", text, s)
	}
	return nil
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f
}

func compile(s registry.System, pattern string) namePattern {
	p := namePattern{system: s}
	switch s {
	case registry.Maven:
		group, artifact, two := strings.Cut(strings.ToLower(pattern), ":")
		if p.first, p.second, p.below = newGlob(group), newGlob(artifact), !two; p.below {
			p.second = newGlob(group + ".*")
		}
	case registry.Go:
		path := strings.Trim(strings.TrimSuffix(spelling(s, pattern), "/..."), "/")
		p.first, p.depth = newGlob(path), 1+strings.Count(path, "/")
	default:
		p.first = newGlob(spelling(s, pattern))
	}
	return p
}

// spelling is a name as its system compares names: PyPI takes runs of ".", "-"
// and "_" for one "-" (the packaging specifications, "Names and
// normalization"), Cargo takes "_" for "-". Case is lowered everywhere.
func spelling(s registry.System, name string) string {
	name = strings.ToLower(name)
	switch s {
	case registry.PyPI:
		return foldSeparators(name)
	case registry.Cargo:
		return strings.ReplaceAll(name, "_", "-")
	}
	return name
}

func foldSeparators(name string) string {
	if !strings.ContainsAny(name, "._") && !strings.Contains(name, "--") {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if c := name[i]; c != '.' && c != '_' && c != '-' {
			b.WriteByte(c)
		} else if s := b.String(); s == "" || s[len(s)-1] != '-' {
			b.WriteByte('-')
		}
	}
	return b.String()
}

// Match says whether a package's name is one of n.
func (n Names) Match(p registry.Package) bool {
	if len(n.patterns) == 0 {
		return false
	}
	name := spelling(p.System, p.Name)
	for _, q := range n.patterns {
		if q.system == p.System && q.match(name) {
			return true
		}
	}
	return false
}

func (p namePattern) match(name string) bool {
	switch p.system {
	case registry.Maven:
		group, artifact, _ := strings.Cut(name, ":")
		return p.first.match(group) && (p.below || p.second.match(artifact)) || p.below && p.second.match(group)
	case registry.Go:
		lead, ok := leading(name, p.depth)
		return ok && p.first.matchPath(lead)
	}
	return p.first.match(name)
}

// leading returns the first n elements of a path; ok is false when it has fewer.
func leading(path string, n int) (lead string, ok bool) {
	end := 0
	for ; n > 0; n-- {
		i := strings.IndexByte(path[end:], '/')
		if i < 0 {
			return path, n == 1
		}
		end += i + 1
	}
	return path[:end-1], true
}

// glob is a pattern cut at its wildcards: the texts that must come in this
// order, the first at the start and the last at the end.
type glob []string

func newGlob(pattern string) glob { return strings.Split(pattern, "*") }

// match looks for each text at its first place after the one before: if the
// rest fits after any later place, it fits after the first too, so nothing is
// ever tried again.
func (g glob) match(s string) bool {
	if len(g) == 1 {
		return s == g[0]
	}
	s, ok := strings.CutPrefix(s, g[0])
	if !ok {
		return false
	}
	last := g[len(g)-1]
	for _, text := range g[1 : len(g)-1] {
		i := strings.Index(s, text)
		if i < 0 {
			return false
		}
		s = s[i+len(text):]
	}
	return strings.HasSuffix(s, last)
}

// matchPath is match element by element, so that no wildcard spans a slash.
func (g glob) matchPath(path string) bool {
	elements := strings.Split(strings.Join(g, "*"), "/")
	for _, e := range elements {
		var part string
		part, path, _ = strings.Cut(path, "/")
		if !newGlob(e).match(part) {
			return false
		}
	}
	return path == ""
}
