package catalog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// bundled is a JavaScript file that holds code of packages nobody has named yet.
type bundled struct {
	path string
	seen jsbundle.Detection
}

// scriptLook is what a look at one script found.
type scriptLook struct {
	seen jsbundle.Detection // seen.Map only when it names a file, which is still to be looked at
	err  error              // the script could not be read
}

// lookAtScript reads a script that promise has counted and looks at it. The
// content is left in s.
func (a *artifact) lookAtScript(p string, s *scratch) scriptLook {
	src, err := a.readPromised(p, a.opts.MaxScript, s)
	if err != nil {
		return scriptLook{err: err}
	}
	seen := jsbundle.Detect(src)
	if inline := strings.HasPrefix(seen.Map, "data:"); inline || seen.Bundled() {
		if inline && !seen.Bundled() && jsbundle.MapNamesPackages(jsbundle.InlineMap(seen.Map)) {
			seen = mapped()
		}
		seen.Map = ""
	}
	return scriptLook{seen: seen}
}

// mapped says that a source map shows a script to be a bundle.
func mapped() jsbundle.Detection {
	return jsbundle.Detection{Bundler: "bundler", Mark: "its source map names packages' files"}
}

// keepLook remembers a look, unless it found nothing.
func (a *artifact) keepLook(file int, l scriptLook) {
	if l != (scriptLook{}) {
		a.looks[file] = l
	}
}

// bundledScripts looks for bundles among the function's own scripts: those
// that lie in no package. Whether a lockfile bounds what is inside is decided
// when the lockfiles have been read. Those that are scripts by their name were
// read already, together with the heads of all files.
func bundledScripts(ctx context.Context, a *artifact) {
	texts := slices.Sorted(maps.Keys(a.texts))
	promised := texts[:0]
	for _, i := range texts {
		if err := a.promise(a.files[i].Size, a.opts.MaxScript); err != nil {
			a.keepLook(i, scriptLook{err: err})
			continue
		}
		promised = append(promised, i)
	}
	slices.SortStableFunc(promised, a.vol.Compare)
	inOrder(ctx, a.helpers, len(promised), func(i int, l *scriptLook, s *scratch) {
		*l = a.lookAtScript(a.files[promised[i]].Path, s)
	}, func(i int, l *scriptLook) { a.keepLook(promised[i], *l) })
	a.sourceMaps(ctx)
	for i := range a.files {
		if p := a.files[i].Path; a.files[i].Link == "" && script(p) && !inNodeModules(p) && !a.owners.owns(p) {
			a.ownCode = append(a.ownCode, p)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(a.looks)) {
		l := a.looks[i]
		if l.err != nil {
			a.unread(a.files[i].Path, l.err)
		} else if l.seen.Bundled() {
			a.bundles = append(a.bundles, bundled{a.files[i].Path, l.seen})
		}
	}
	a.looks, a.texts = nil, nil
}

// sourceMaps reads the source maps that scripts refer to: those that lie beside
// the script, never elsewhere.
func (a *artifact) sourceMaps(ctx context.Context) {
	type reference struct {
		script int
		at     string
	}
	var refs []reference
	for _, i := range slices.Sorted(maps.Keys(a.looks)) {
		l := a.looks[i]
		if l.err != nil || l.seen.Map == "" {
			continue
		}
		at := strings.TrimPrefix(path.Join(dirOf(a.files[i].Path), path.Clean("/"+l.seen.Map)), "/")
		if a.has(at) && a.promise(a.size(at), a.opts.MaxScript) == nil {
			refs = append(refs, reference{i, at})
		}
	}
	inOrder(ctx, a.helpers, len(refs), func(i int, names *bool, s *scratch) {
		data, err := a.readPromised(refs[i].at, a.opts.MaxScript, s)
		*names = err == nil && jsbundle.MapNamesPackages(data)
	}, func(i int, names *bool) {
		if *names {
			a.looks[refs[i].script] = scriptLook{seen: mapped()}
		}
	})
}

func script(p string) bool {
	switch path.Ext(p) {
	case ".js", ".mjs", ".cjs":
		return true
	}
	return false
}

// loadable reports whether p is the name of a file that Node takes for a script
// if it is text, although its name does not say so: require loads whatever file
// it is given, and takes an extension that it does not know for .js
// (https://nodejs.org/api/modules.html#file-modules).
func loadable(p string) bool {
	switch path.Ext(p) {
	case ".jsx", ".ts", ".mts", ".cts", ".tsx":
		return !strings.HasSuffix(p, ".d.ts")
	case "":
		return !isText(p)
	}
	return false
}

// textual reports whether the first bytes of a file may be those of a script.
func textual(head []byte) bool {
	return len(head) > 0 && bytes.IndexByte(head, 0) < 0 && !bytes.HasPrefix(head, []byte("\x7fELF"))
}

func (b *bundled) reason() string {
	if b.seen.Bundler == "minified" {
		return "minified JavaScript: " + b.seen.Mark
	}
	return fmt.Sprintf("bundled JavaScript (%s): %s", b.seen.Bundler, b.seen.Mark)
}
