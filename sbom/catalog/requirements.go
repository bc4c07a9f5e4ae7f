package catalog

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// strangeRequirements reports the requirements files that packages were taken
// from, or would have been, and that hold lines which say nothing: what they
// ask for is missing from the list. It runs after the lockfiles.
func strangeRequirements(ctx context.Context, a *artifact) {
	anything := false // is installed
	files := map[string]bool{}
	for i := range a.found {
		switch f := &a.found[i]; {
		case f.typ != "pypi":
		case !f.declared:
			anything = true
		case f.method == sbom.MethodManifest && (strings.HasSuffix(f.path, ".txt") || strings.HasSuffix(f.path, ".in")):
			files[f.path] = true
		}
	}
	for i := range a.files {
		if ctx.Err() != nil {
			return
		}
		p := a.files[i].Path
		if !files[p] && (anything || path.Base(p) != "requirements.txt" || a.files[i].Link != "" || !a.appFile(p)) {
			continue
		}
		data, err := a.read(p, a.opts.MaxManifest)
		if err != nil {
			a.unread(p, err)
			continue
		}
		if _, _, strange := scanRequirements(data); strange > 0 {
			a.unknown(p, sbom.Unreadable, fmt.Sprintf("%d of its lines cannot be read as requirements", strange), true)
		}
	}
}
