package catalog

import (
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// Wanted reports whether catalogers may read more of a file than its first
// bytes, so that an opener that streams past it once knows what to keep. It
// answers yes when in doubt; a no costs only time, since what was not kept is
// read again. path is relative and clean, size the file's in bytes; head, its
// first bytes, may be short or nil.
func Wanted(p string, size int64, head []byte) bool {
	if size <= int64(len(head)) {
		return false
	}
	base := path.Base(p)
	if base == "package.json" || osText(p) {
		return true
	}
	ext := strings.ToLower(path.Ext(base))
	switch ext {
	case ".py":
		return pythonVersionModule(base)
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".map":
		// of a package's scripts only the package's name counts, unless they are bundles; the function's own may be some
		return !inNodeModules(p) && !strings.HasSuffix(base, ".d"+ext) || mayVendor(p, size) && jsbundle.MayVendor(head)
	}
	if neverRead(ext) {
		return false
	}
	for _, dir := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/zoneinfo/", "usr/share/i18n/", "usr/share/info/", "usr/share/terminfo/", "usr/include/"} {
		if strings.HasPrefix(p, dir) {
			return false
		}
	}
	return true
}

// osText reports whether p is a text of a distribution's package database.
func osText(p string) bool {
	return strings.Contains(p, "var/lib/dpkg/")
}

// neverRead reports whether a file of that extension is looked at no further
// than its first bytes.
func neverRead(ext string) bool {
	switch ext {
	case ".md", ".markdown", ".rst", ".html", ".htm", ".css", ".scss", ".less", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp",
		".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3", ".mp4", ".wav", ".pdf",
		".h", ".hpp", ".hh", ".c", ".cc", ".cpp", ".cxx", ".go", ".rs", ".java", ".pl", ".pm", ".pod", ".tcl", ".vim", ".el", ".lua",
		".pyc", ".pyo", ".pyi", ".pyx", ".pxd", ".po", ".pot", ".mo", ".csv", ".log", ".pem", ".crt", ".cer", ".key", ".flow", ".snap":
		return true
	}
	return false
}
