package catalog

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// coverage counts the code of the artifact. It runs last, since it asks who
// accounts for a file and whether something about it is unknown.
func coverage(ctx context.Context, a *artifact) {
	c := &codeCounter{
		artifact: a, native: map[string]*executable{}, bundles: map[string]*bundled{},
		unknown: map[string]*sbom.Unknown{}, within: map[string]*sbom.Unknown{}, java: a.javaFiles(), zips: map[string]bool{},
	}
	for i := range a.executables {
		c.native[a.executables[i].path] = &a.executables[i]
	}
	for _, z := range a.zips {
		c.zips[z.file.Path] = true
	}
	for i := range a.bundles {
		c.bundles[a.bundles[i].path] = &a.bundles[i]
	}
	for i := range a.unknowns {
		u := &a.unknowns[i]
		if !u.Code || u.Kind == sbom.Unmatched {
			continue
		}
		if size, ok := a.innerZips[u.Path]; ok {
			a.loose = append(a.loose, sbom.CodeFile{Path: u.Path, Code: size, Unknown: size, Reason: u.Reason})
		} else if p := outermostFile(u.Path); p != u.Path {
			c.within[p] = u
		} else if c.unknown[p] == nil {
			c.unknown[p] = u
		}
	}
	for i := range a.files {
		if i%1024 == 0 && ctx.Err() != nil {
			return
		}
		if f := &a.files[i]; f.Link == "" && f.Size > 0 && !a.pythonZips[f.Path] { // what is in those is counted
			c.count(i, f)
		}
	}
}

// codeCounter says whose the code of one artifact is.
type codeCounter struct {
	*artifact
	native  map[string]*executable
	bundles map[string]*bundled
	unknown map[string]*sbom.Unknown // by file or folder; "" is the artifact
	within  map[string]*sbom.Unknown // of something in an archive, by the archive
	java    map[string]bool          // see javaFiles
	zips    map[string]bool          // archives, whose content is code if nobody could look into them
}

// count adds one file. The most specific statement decides: what is inside a
// bundle, that nothing could be made of this very file, who owns it, that
// nothing is known of its folder. A script of which nobody says anything is the
// function's own.
func (c *codeCounter) count(i int, f *bundle.File) {
	p := f.Path
	e, b, gap := c.native[p], c.bundles[p], c.unknown[p]
	if b == nil && !c.code(f) && (gap == nil || !c.zips[p]) {
		return
	}
	accounted := e != nil && e.evident || c.accounts(i, p)
	switch {
	case gap == nil && b == nil && !accounted && c.copies[p] != nil:
		c.loose = append(c.loose, c.copiedCoverage(c.copies[p], f.Size))
		return
	case b != nil:
		c.loose = append(c.loose, c.bundleCoverage(b, f.Size))
		return
	case gap == nil && accounted:
		c.ownedCode += f.Size
		return
	case gap == nil:
		gap = c.around(p)
	}
	out := sbom.CodeFile{Path: p, Code: f.Size, Unknown: f.Size}
	switch {
	case gap != nil:
		out.Reason = gap.Reason
	case e != nil:
		out.Reason = c.opaqueExecutable(e)
	default:
		out.Own, out.Unknown = f.Size, 0
	}
	c.loose = append(c.loose, out)
}

// accounts reports whether a package accounts for a file.
func (c *codeCounter) accounts(i int, p string) bool {
	if c.recorded != nil && c.recorded[i] || c.owners.owns(p) {
		return true
	}
	switch strings.ToLower(path.Ext(p)) {
	case ".class":
		return c.java[""] && c.unknown[""] == nil
	case ".jar", ".war", ".ear", ".aar":
		return c.java[p]
	case ".pyc":
		return c.cached(p)
	}
	return false
}

// cached reports whether p is what Python compiled of a package's file when it
// was installed, folder/__pycache__/name.TAG.pyc
// (https://peps.python.org/pep-3147/): a RECORD need not list it.
func (c *codeCounter) cached(p string) bool {
	dir, base := path.Split(p)
	dir, ok := strings.CutSuffix(dir, "__pycache__/")
	name, _, _ := strings.Cut(base, ".")
	i, there := c.byPath[dir+name+".py"]
	return ok && there && (c.recorded != nil && c.recorded[i] || c.owners.owns(dir+name+".py"))
}

// around returns what is unknown of the archive that p is, or of a folder that
// it lies in.
func (c *codeCounter) around(p string) *sbom.Unknown {
	if u := c.within[p]; u != nil {
		return u
	}
	for dir := dirOf(p); dir != ""; dir = dirOf(dir) {
		if u := c.unknown[dir]; u != nil {
			return u
		}
	}
	if path.Ext(p) == ".class" {
		return c.unknown[""]
	}
	return nil
}

// code reports whether a file is code by its name, by what it contains, or
// because a package of the distribution installed it as a program.
func (c *codeCounter) code(f *bundle.File) bool {
	if c.contains[f.Path] {
		return true
	}
	switch strings.ToLower(path.Ext(f.Path)) {
	case ".js", ".mjs", ".cjs", ".jsx", ".py", ".pyc", ".rb", ".php", ".phar", ".class", ".jar", ".war", ".ear", ".aar", ".wasm",
		".sh", ".bash", ".pl", ".pm", ".lua", ".ps1", ".csx", ".fsx":
		return true
	case ".ts", ".mts", ".cts", ".tsx":
		return !inNodeModules(f.Path) && !strings.HasSuffix(strings.TrimSuffix(f.Path, path.Ext(f.Path)), ".d") // a package's are its sources
	}
	return f.Mode.Perm()&0o111 != 0 && c.owners.vouched(f.Path)
}

// javaFiles returns the Java archives that hold packages beside the function's
// own, by path; "" is the artifact itself.
func (a *artifact) javaFiles() map[string]bool {
	out := map[string]bool{}
	for i := range a.found {
		if f := &a.found[i]; f.typ == "maven" && !f.main && !f.declared {
			at, _, nested := strings.Cut(f.path, "!/")
			if !nested && !javaNamed(at) {
				at = ""
			}
			out[at] = true
		}
	}
	return out
}

// bundleCoverage says whose the bytes of a bundle are. What the bundler wrote
// is attributed to it. Bytes that the file has beyond those that were looked at
// (a byte order mark) are no code.
func (c *codeCounter) bundleCoverage(b *bundled, size int64) sbom.CodeFile {
	out := sbom.CodeFile{
		Path: b.path, Attributed: b.packages + b.glue, Own: b.own, Unknown: b.unknown,
		Bundle: b.seen.Bundler, Bound: b.bound, Refused: b.refused, Shares: b.shares,
	}
	out.Code = out.Attributed + out.Own + out.Unknown
	if out.Code == 0 {
		out.Code, out.Unknown = size, size
	}
	if b.glue > 0 {
		out.Shares = append(out.Shares, sbom.Share{Name: b.seen.Bundler, Bytes: b.glue})
	}
	slices.SortFunc(out.Shares, func(x, y sbom.Share) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Name, y.Name), cmp.Compare(x.PURL, y.PURL))
	})
	if out.Unknown > 0 {
		out.Reason = b.reason()
	}
	return out
}
