package sbom

import "cmp"

// Coverage says whose the code of a function is, in bytes after decompression.
// Code is what a runtime or a processor executes: scripts, compiled classes and
// modules, native programs and libraries, and archives that nobody could look
// into. Attributed, Own and Unknown add up to Code.
//
// What is installed is attributed whole, to whatever package owns the file; of
// a bundle each byte is attributed on its own, and what the bundler itself
// wrote counts as attributed, to the bundler. Own is code of the team: scripts
// that lie in no package and show no sign of anybody else. Unknown is the rest,
// for which nothing decides between the two.
type Coverage struct {
	Code, Attributed, Own, Unknown int64

	// Files are the bundles, and what else has unknown bytes, sorted by
	// artifact and path. The other files are only counted.
	Files []CodeFile
}

// CodeFile is the coverage of one file.
type CodeFile struct {
	Artifact                       int
	Path                           string // inside the artifact
	Origin                         Origin
	Code, Attributed, Own, Unknown int64
	Bundle                         string  // what wrote it: "webpack", "minified", ...; "" when the file is no bundle
	Bound                          string  // the lockfile that says which packages a bundle can hold; "" for none
	Refused                        string  // why a lockfile that was given does not; "" when there is none
	Shares                         []Share // of a bundle, what Attributed is made of: the largest first
	Reason                         string  // why Unknown is not 0, in plain words
}

// Share is a part of the attributed bytes of a bundle.
type Share struct {
	Name  string // of a package, or of the bundler
	PURL  string // "" for the bundler
	Bytes int64
}

// Add counts a file, and lists it when it is a bundle or has unknown bytes.
func (c *Coverage) Add(f CodeFile) {
	c.Code += f.Code
	c.Attributed += f.Attributed
	c.Own += f.Own
	c.Unknown += f.Unknown
	if f.Bundle != "" || f.Unknown > 0 {
		c.Files = append(c.Files, f)
	}
}

// CompareCode orders files by artifact and path.
func CompareCode(a, b CodeFile) int {
	return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Path, b.Path))
}
