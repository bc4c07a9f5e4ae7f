package audit

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// addNoCode reports a function in which there was nothing to judge: no code in
// any of its artifacts, and nothing that names a package. That it has no known
// flaw says nothing about what will run.
func addNoCode(rep *finding.Report, f *bundle.Function, bom *sbom.SBOM) {
	if bom.Coverage == nil || bom.Coverage.Code > 0 || slices.ContainsFunc(bom.Components, func(c sbom.Component) bool { return !c.Main }) || holdsSource(f.Tree) {
		return
	}
	rep.Unknowns = append(rep.Unknowns, finding.Unknown{Kind: string(sbom.Opaque), Code: true,
		Reason: "no code found in " + cmp.Or(rep.Target, rep.Name) + ", so that nothing was there to judge: give the function's own package, and layers with --layer"})
}

// sources are the extensions of code that a platform compiles or that an
// interpreter of the function's own runs. It is not counted as code.
var sources = [...]string{
	".go", ".java", ".kt", ".kts", ".scala", ".groovy", ".clj", ".cs", ".fs", ".vb", ".rs", ".swift", ".dart", ".c", ".cc", ".cpp", ".ex", ".exs", ".erl", ".beam",
	".r", ".jl", ".hs", ".ml", ".nim", ".zig", ".cr", ".cob", ".cbl", ".f90", ".tcl", ".awk", ".bat", ".cmd", ".zsh", ".fish", ".coffee", ".vue", ".svelte", ".ipynb", ".dll",
}

// holdsSource reports whether a tree holds source code, or a script of whatever
// kind: a file of a name that says so, or that starts with "#!".
func holdsSource(t *bundle.Tree) bool {
	for _, file := range t.Files() {
		if file.Link != "" || file.Size == 0 {
			continue
		}
		ext := strings.ToLower(path.Ext(file.Path))
		if slices.Contains(sources[:], ext) {
			return true
		}
		var head [2]byte
		if n, err := t.Peek(file.Path, head[:]); err == nil && bytes.Equal(head[:n], []byte("#!")) {
			return true
		}
	}
	return false
}
