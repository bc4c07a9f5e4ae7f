package catalog

import (
	"io/fs"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// notices turns what could not be read while the artifact was opened into
// unknowns. What shows only while files are read comes back as the error of
// that read.
func (a *artifact) notices() {
	for _, n := range a.vol.Notices() {
		if !n.Unread {
			continue
		}
		kind, reason := sbom.OfNotice(n)
		if n.Kind == bundle.NoticeDuplicate {
			continue // every copy is catalogued
		}
		code := true
		if n.Path != "" {
			mode := fs.FileMode(0)
			if i, ok := a.byPath[n.Path]; ok {
				mode = a.files[i].Mode
			}
			code = codeLike(n.Path, mode)
		}
		a.unknown(n.Path, kind, reason, code)
	}
}

// codeLike reports whether a file is code or says which code there is, by its
// name and mode: what must not be passed over when it cannot be read.
func codeLike(p string, mode fs.FileMode) bool {
	if mode&0o111 != 0 {
		return true
	}
	base := strings.ToLower(path.Base(p))
	switch path.Ext(base) {
	case "", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".json", ".node", ".wasm", ".py", ".pyc", ".so", ".rb", ".php", ".jar", ".war", ".class", ".dll", ".exe",
		".sh", ".pl", ".lua", ".lock", ".toml", ".yaml", ".yml", ".xml", ".gemspec", ".mod", ".sum", ".zip", ".whl", ".egg", ".gem", ".tgz", ".gz", ".asar", ".pyz", ".nupkg", ".map", ".properties":
		return !textNames[base] || base == "record" || base == "metadata"
	}
	return strings.Contains(base, ".so.") || strings.HasPrefix(base, "requirements")
}
