package catalog

import (
	"bytes"
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// scriptLook is what a look at one script found.
type scriptLook struct {
	seen jsbundle.Detection // seen.Map only when it names a file, which is still to be looked at
	src  []byte             // of a bundle, unless it is to be read again
	err  error              // the script could not be read

	copies []jsbundle.Claim // of a script that is no bundle: whose copy it is
	hidden string           // of such a file: the code in a string of it, "" for none
}

// maxKept is how many bytes of bundles are kept until their companions are
// known. Those that go beyond are read twice.
const maxKept = 64 << 20

// lookAtScript reads a script that promise has counted and looks at it. The
// content is left in s.
func (a *artifact) lookAtScript(p string, s *scratch) scriptLook {
	src, err := a.readPromised(p, a.opts.MaxScript, s)
	if err != nil {
		return scriptLook{err: err}
	}
	named := script(p) || loadable(p)
	var l scriptLook
	if named {
		l.seen = jsbundle.Detect(src)
	} else {
		l.seen = jsbundle.DetectText(src)
	}
	if strings.HasPrefix(l.seen.Map, "data:") {
		if !l.seen.Bundled() && jsbundle.MapNamesPackages(jsbundle.InlineMap(l.seen.Map)) {
			l.seen = mapped()
		}
		l.seen.Map = ""
	}
	if l.seen.Map == "" && !l.seen.Bundled() && a.has(p+".map") {
		l.seen.Map = path.Base(p) + ".map" // hidden from debuggers
	}
	if l.seen.Bundled() {
		if a.kept.Add(int64(cap(src))) <= maxKept {
			l.src, s.buf = src, nil
		} else {
			a.kept.Add(-int64(cap(src)))
		}
	}
	if !l.seen.Bundled() {
		l.hidden = jsbundle.Hidden(src, named)
		if named || bytes.Contains(src, []byte("function")) || bytes.Contains(src, []byte("=>")) { // style sheets have titles, too
			l.copies = jsbundle.Copies(p, src)
		}
	}
	return l
}

// mapped says that a source map shows a script to be a bundle.
func mapped() jsbundle.Detection {
	return jsbundle.Detection{Bundler: "bundler", Mark: "its source map names packages' files"}
}

// keepLook remembers a look, unless it found nothing.
func (a *artifact) keepLook(file int, l scriptLook) {
	if l.err != nil || l.seen != (jsbundle.Detection{}) || len(l.copies) > 0 || l.hidden != "" {
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
	for i := range a.files {
		if p := a.files[i].Path; a.files[i].Link == "" && script(p) && !inNodeModules(p) && !a.owners.owns(p) {
			a.ownCode = append(a.ownCode, p)
		}
	}
	a.inspectBundles(ctx)
	for _, i := range slices.Sorted(maps.Keys(a.looks)) {
		if l := a.looks[i]; l.hidden != "" {
			a.contains[a.files[i].Path] = true
			a.unknown(a.files[i].Path, sbom.Opaque, l.hidden+", whose packages are not known", true)
		}
	}
	a.copiedScripts()
	a.vendored(ctx)
	a.looks, a.texts = nil, nil
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

// mayHide reports whether a file that nobody owns and that is no script by its
// name is read for code in it. What an image's distribution ships is not.
func (a *artifact) mayHide(i int, head []byte) bool {
	f := &a.files[i]
	if f.Size < smallCode || declarations(f.Path, head) || jsbundle.Data(head) && (f.Size > a.opts.MaxScript || a.spent > a.opts.MaxText/2) {
		return false
	}
	if _, ok := lockParsers()[path.Base(f.Path)]; ok {
		return false
	}
	if a.vol.ImageLayer(i) >= 0 && slices.ContainsFunc([]string{"bin", "boot", "etc", "lib", "lib64", "sbin", "usr", "var"}, func(dir string) bool { return below(f.Path, dir) }) && !below(f.Path, "var/task") && !below(f.Path, "usr/src") {
		return false
	}
	return jsbundle.MayHide(f.Size, head)
}

// declarations reports whether a file has types of TypeScript and no code.
func declarations(p string, head []byte) bool {
	stem := strings.TrimSuffix(p, path.Ext(p))
	return path.Ext(stem) == ".d" && (bytes.Contains(head, []byte("declare ")) || bytes.Contains(head, []byte("export ")) || bytes.Contains(head, []byte("import ")))
}

// textual reports whether the first bytes of a file may be those of a script.
func textual(head []byte) bool {
	return len(head) > 0 && bytes.IndexByte(head, 0) < 0 && !bytes.HasPrefix(head, []byte("\x7fELF"))
}
