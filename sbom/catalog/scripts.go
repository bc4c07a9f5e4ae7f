package catalog

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// bundled is a JavaScript file that holds code of packages nobody has named yet.
type bundled struct {
	path string
	seen jsbundle.Detection
}

// bundledScripts looks for bundles among the function's own scripts: those
// that lie in no package. Whether a lockfile bounds what is inside is decided
// when the lockfiles have been read.
func bundledScripts(ctx context.Context, a *artifact) {
	for i := range a.files {
		f := &a.files[i]
		if f.Link != "" || a.owners.owns(f.Path) || !script(f.Path) && !a.loadable(f) {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if script(f.Path) && !inNodeModules(f.Path) {
			a.ownCode = append(a.ownCode, f.Path)
		}
		src, err := a.read(f.Path, a.opts.MaxScript)
		if err != nil {
			a.unread(f.Path, err)
			continue
		}
		seen := jsbundle.Detect(src)
		if !seen.Bundled() && a.mapNamesPackages(f.Path, seen.Map) {
			seen = jsbundle.Detection{Bundler: "bundler", Mark: "its source map names packages' files"}
		}
		if seen.Bundled() {
			a.bundles = append(a.bundles, bundled{f.Path, seen})
		}
	}
}

func script(p string) bool {
	switch path.Ext(p) {
	case ".js", ".mjs", ".cjs":
		return true
	}
	return false
}

// loadable reports whether f is a text that Node takes for a script although
// its name does not say so: require loads whatever file it is given, and takes
// an extension that it does not know for .js
// (https://nodejs.org/api/modules.html#file-modules).
func (a *artifact) loadable(f *bundle.File) bool {
	switch path.Ext(f.Path) {
	case ".jsx", ".ts", ".mts", ".cts", ".tsx", "":
	default:
		return false
	}
	if strings.HasSuffix(f.Path, ".d.ts") || a.failed[f.Path] || isText(f.Path) && path.Ext(f.Path) == "" {
		return false
	}
	head := make([]byte, 512)
	n, err := a.tree.Peek(f.Path, head)
	return err == nil && n > 0 && bytes.IndexByte(head[:n], 0) < 0 && !bytes.HasPrefix(head[:n], []byte("\x7fELF"))
}

// mapNamesPackages reads the source map that a script refers to, inside the
// script or beside it, never elsewhere.
func (a *artifact) mapNamesPackages(p, ref string) bool {
	if ref == "" {
		return false
	}
	if strings.HasPrefix(ref, "data:") {
		return jsbundle.MapNamesPackages(jsbundle.InlineMap(ref))
	}
	at := path.Join(dirOf(p), path.Clean("/"+ref))
	if !a.has(at) {
		return false
	}
	data, err := a.read(at, a.opts.MaxScript)
	return err == nil && jsbundle.MapNamesPackages(data)
}

func (b *bundled) reason() string {
	if b.seen.Bundler == "minified" {
		return "minified JavaScript: " + b.seen.Mark
	}
	return fmt.Sprintf("bundled JavaScript (%s): %s", b.seen.Bundler, b.seen.Mark)
}
