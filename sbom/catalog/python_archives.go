package catalog

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// The bounds of Python archives inside one artifact, over all of them.
const (
	maxPythonArchives = 1_000     // zips that are looked into
	maxPythonDepth    = 4         // zips inside one another: a wheel in a zip of wheels is two
	maxPythonPacked   = 256 << 20 // bytes of one zip that is packed and therefore held inflated
	maxPythonInflated = 1 << 30   // bytes of all those
)

// archiveBudget is what Python archives may still cost; nested artifacts share it.
type archiveBudget struct {
	archives int
	inflated int64
}

// pythonArchives finds the packages in zips that Python runs or imports from,
// or that a function unpacks when it starts: zipapps and pex files, wheels, eggs,
// the .requirements.zip of serverless-python-requirements. Each is read in
// place, as an artifact of its own. It runs before the step for Java, which
// reports the zips that are nobody's.
func pythonArchives(ctx context.Context, a *artifact) {
	if a.budget == nil {
		a.budget = &archiveBudget{maxPythonArchives, maxPythonInflated}
	}
	any := false
	for i := range a.files {
		if ext := path.Ext(a.files[i].Path); ext == ".py" || ext == ".pyc" {
			any = true
			break
		}
	}
	for _, z := range a.zips {
		if ctx.Err() != nil {
			return
		}
		if !javaNamed(z.file.Path) && (any || pythonArchiveName(z.file.Path) || a.pythonShebang(z.file.Path)) {
			a.pythonArchive(ctx, z.file.Path)
		}
	}
}

// pythonArchiveName reports whether a file is an archive of Python by its name.
func pythonArchiveName(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".whl", ".egg", ".pyz", ".pyzw", ".pex", ".shiv":
		return true
	}
	return strings.HasSuffix(p, "requirements.zip")
}

// pythonShebang reports whether a file starts with a line that names Python.
func (a *artifact) pythonShebang(p string) bool {
	var head [128]byte
	n, _ := a.tree.Peek(p, head[:])
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return bytes.HasPrefix(line, []byte("#!")) && bytes.Contains(line, []byte("python"))
}

// pythonArchive catalogues one zip if it holds Python. One that cannot be
// opened is left to the step for Java, which says so.
func (a *artifact) pythonArchive(ctx context.Context, p string) {
	c, err := a.tree.Content(p)
	if err != nil {
		return
	}
	defer c.Close()
	size, err := a.admitPython(c)
	if err != nil {
		a.unread(p, err)
		return
	}
	v, err := bundle.OpenZip(ctx, c, size, bundle.Limits{MaxFileBytes: maxPythonPacked, MaxTotalBytes: max(a.budget.inflated, 1)})
	if err != nil || !holdsPython(v.Files()) {
		return
	}
	if a.pythonZips == nil {
		a.pythonZips, a.innerZips = map[string]bool{}, map[string]int64{}
	}
	a.pythonZips[p] = true
	for older := false; v != nil; v, older = v.Older, true {
		in := newArtifact(a.rest(), v)
		in.helpers, in.budget, in.depth = a.helpers, a.budget, a.depth+1
		if !older {
			in.notices()
		}
		in.run(ctx, nestedCatalogers())
		a.adopt(in, p+"!/", older)
	}
}

// admitPython counts one archive against the limits and returns its length.
func (a *artifact) admitPython(c bundle.Content) (int64, error) {
	st, err := c.Stat()
	if err != nil {
		return 0, fmt.Errorf("open archive: %w", err)
	}
	size, held := st.Size(), st.Size()
	if c, ok := c.(interface{ InPlace() bool }); ok && c.InPlace() {
		held = 0
	}
	a.budget.archives--
	switch {
	case a.depth >= maxPythonDepth:
		return 0, &limitError{"Python archives inside one another", maxPythonDepth}
	case a.budget.archives < 0:
		return 0, &limitError{"one more archive in one artifact", maxPythonArchives}
	case held > maxPythonPacked:
		return 0, &limitError{fmt.Sprintf("a packed archive of %d bytes", size), maxPythonPacked}
	case held > a.budget.inflated:
		return 0, &limitError{"packed archives in one artifact", maxPythonInflated}
	}
	a.budget.inflated -= held
	return size, nil
}

// holdsPython reports whether files of an archive are Python code or its metadata.
func holdsPython(files []bundle.File) bool {
	for i := range files {
		p := files[i].Path
		switch path.Ext(p) {
		case ".py", ".pyc":
			return true
		}
		if path.Base(p) == "METADATA" && strings.HasSuffix(dirOf(p), ".dist-info") {
			return true
		}
	}
	return false
}

// rest returns the options for an archive inside a: what is left of a's limits.
func (a *artifact) rest() Options {
	o := a.opts
	o.MaxText = max(o.MaxText-a.spent, 1)
	o.MaxNative = max(o.MaxNative-a.nativeBytes, 1)
	o.MaxComponents = max(o.MaxComponents-len(a.found), 1)
	o.MaxUnknowns = max(o.MaxUnknowns-len(a.unknowns), 1)
	return o
}

// adopt takes over what an archive at the path prefix holds. What a package
// brings along in an archive of its own is that package's, unless metadata
// names it.
func (a *artifact) adopt(in *artifact, prefix string, older bool) {
	a.spent += in.spent
	a.nativeBytes += in.nativeBytes
	owned := a.owners.owns(strings.TrimSuffix(prefix, "!/"))
	stdlib, wheel := a.ensurepip(strings.TrimSuffix(prefix, "!/"))
	for _, f := range in.found {
		if owned && f.method != sbom.MethodInstalled {
			continue
		}
		f.older = f.older || older
		f.stdlib, f.wheel = stdlib, wheel
		f.path, f.dir = prefix+f.path, prefix+f.dir
		if f.at != "" {
			f.at = a.fromArchive(prefix, f.at)
		}
		for i := range f.also {
			f.also[i].Path = a.fromArchive(prefix, f.also[i].Path)
		}
		a.add(f)
	}
	a.tooMany += in.tooMany
	a.dropped += in.dropped
	for _, u := range in.unknowns {
		if owned && (u.Kind == sbom.Opaque || u.Kind == sbom.Unattributed) {
			continue
		}
		if older {
			u.Reason += " (an earlier copy of a duplicate name)"
		}
		at := strings.TrimSuffix(prefix, "!/")
		if u.Path != "" {
			at = prefix + u.Path
		}
		a.unknown(at, u.Kind, u.Reason, u.Code)
	}
	for p := range in.pythonZips {
		a.pythonZips[prefix+p] = true
	}
	a.adoptCode(in, prefix, owned)
}

// fromArchive returns the path of evidence that an archive's own cataloging gave: a
// lockfile that was given lies in no archive.
func (a *artifact) fromArchive(prefix, p string) string {
	if slices.ContainsFunc(a.opts.lockIndexes, func(x *lockIndex) bool { return x.path == p }) {
		return p
	}
	return prefix + p
}

// adoptCode counts the code in an archive: what a package brings along in one is
// that package's.
func (a *artifact) adoptCode(in *artifact, prefix string, owned bool) {
	a.ownedCode += in.ownedCode
	for _, f := range in.loose {
		if owned {
			a.ownedCode += f.Code
			continue
		}
		f.Path = prefix + f.Path
		a.loose = append(a.loose, f)
	}
	if owned {
		return
	}
	for p, size := range in.innerZips {
		a.innerZips[prefix+p] = size
	}
	for _, z := range in.zips {
		if !in.pythonZips[z.file.Path] {
			a.innerZips[prefix+z.file.Path] = z.file.Size
		}
	}
}

// ensurepip returns the folder of the interpreter's library and the project of a
// wheel that comes with the interpreter, "" for any other file. Such a wheel is
// on no search path: "python -m ensurepip" unpacks it
// (https://docs.python.org/3/library/ensurepip.html).
func (a *artifact) ensurepip(p string) (stdlib, project string) {
	stdlib, ok := strings.CutSuffix(dirOf(p), "/ensurepip/_bundled")
	if !ok || path.Ext(p) != ".whl" || !a.has(stdlib+"/ensurepip/__init__.py") || !a.has(stdlib+"/os.py") {
		return "", ""
	}
	switch project, _, _ = strings.Cut(path.Base(p), "-"); project {
	case "pip", "setuptools":
		return stdlib, project
	}
	return "", ""
}

// run runs catalogers one after the other until ctx is done.
func (a *artifact) run(ctx context.Context, list []cataloger) {
	defer a.release()
	for _, c := range list {
		if ctx.Err() != nil {
			return
		}
		a.guard(c.name, func() { c.run(ctx, a) })
	}
}
