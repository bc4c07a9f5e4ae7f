package jsbundle

import (
	"path"
	"strings"
)

// origin is what the name of a module tells: whose it is and, of a package,
// where it was installed. The zero value is the name of no module.
type origin struct {
	whose   whose
	name    string // of the package
	version string // of the package, when the path holds it
	install string // see Claim.Path
}

type whose uint8

const (
	nobodys  whose = iota // the text names no file
	packages              // a file of a package
	own                   // a file of the function itself
	bundlers              // something that the bundler made
)

// maxModulePath is the longest name of a module, in bytes.
const maxModulePath = 4096

// parseModule reads the name of a module, as it stands in a source map, a
// comment or a table of modules: the path of its file behind whatever the
// bundler puts before and after it.
func parseModule(s string) origin {
	if len(s) > maxModulePath {
		return origin{}
	}
	s = strings.ReplaceAll(s, "\\", "/")
	if made(s) {
		return origin{whose: bundlers}
	}
	s = withoutDecoration(s)
	if s == "" || made(s) {
		return origin{whose: bundlers}
	}
	at := lastFolder(s)
	if at < 0 {
		if !filePath(s) || strings.HasPrefix(s, packageFolder) || strings.Contains(s, "/"+packageFolder) {
			return origin{}
		}
		return origin{whose: own}
	}
	name := packageName(s[at:])
	if name == "" {
		return origin{}
	}
	m := origin{whose: packages, name: name, install: installed(s[:at+len(name)])}
	m.version = pathVersion(s[:at], name)
	return m
}

// made reports whether a name is that of a module that the bundler made itself:
// its runtime, or the stand-in for what it left outside or took out.
func made(s string) bool {
	if i := strings.Index(s, "://"); i >= 0 { // webpack://name/webpack/bootstrap
		_, rest, _ := strings.Cut(s[i+3:], "/")
		s = strings.TrimPrefix(rest, "/")
	}
	for _, prefix := range []string{
		"webpack/", "(webpack)", "external ", "ignored|", "(disabled):", "rolldown:", "rolldown/", "\x00", "<define:", "<runtime>", "vite/", "rspack/",
		"turbopack:", "delegated ", "consume shared ", "provide shared ", "remote ", "container ", "bun:",
	} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return strings.HasSuffix(s, " (ignored)") || s == "rolldown" || s == "commonjsHelpers.js"
}

// withoutDecoration returns the path in a module's name: without scheme and
// namespace, loaders, query, and what webpack appends to it.
func withoutDecoration(s string) string {
	if i := strings.LastIndexByte(s, '!'); i >= 0 { // loader!./file.js
		s = s[i+1:]
	}
	if i := strings.Index(s, "://"); i >= 0 && !strings.Contains(s[:i], "/") {
		scheme, rest := s[:i], s[i+3:]
		if scheme != "file" {
			_, rest, _ = strings.Cut(rest, "/") // the name of the project, which may be empty
		}
		s = rest
	}
	if i := strings.Index(s, " + "); i > 0 && strings.HasSuffix(s, " modules") { // the first of several that were joined
		s = s[:i]
	}
	if i := strings.Index(s, " ["); i > 0 { // turbopack: "[project]/a.js [app] (ecmascript)"
		s = s[:i]
	}
	s = strings.TrimPrefix(s, "[project]/")
	if i := strings.IndexAny(s, "?#|"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// filePath reports whether a text can be the path of one of the function's own
// files: it ends in a name with an extension.
func filePath(s string) bool {
	if strings.ContainsAny(s, "\n\r\t\"'`<>*") {
		return false
	}
	ext := path.Ext(s)
	return len(ext) > 1 && len(ext) <= 8 && strings.Trim(ext[1:], "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// lastFolder returns where the last package's name starts, -1 when the path
// leads into no package.
func lastFolder(s string) int {
	for end := len(s); ; {
		i := strings.LastIndex(s[:end], packageFolder)
		if i < 0 {
			return -1
		}
		if (i == 0 || s[i-1] == '/') && !strings.HasPrefix(s[i+len(packageFolder):], ".") {
			return i + len(packageFolder)
		}
		end = i
	}
}

// installed returns the place of a package without what leads up to the project.
func installed(s string) string {
	if i := strings.LastIndex(s, "/./"); i >= 0 { // behind the namespace of a scoped project
		s = s[i+3:]
	}
	s = strings.TrimPrefix(s, "/")
	if len(s) > 2 && s[1] == ':' {
		s = s[3:] // a drive of Windows
	}
	for {
		rest, up := strings.CutPrefix(s, "../")
		rest, here := strings.CutPrefix(rest, "./")
		if !up && !here {
			return s
		}
		s = rest
	}
}

// maxPackageName is the longest name of a package, in bytes
// (https://docs.npmjs.com/cli/v11/configuring-npm/package-json#name).
const maxPackageName = 214

// packageName returns the package that a path within node_modules leads into,
// "" when that is none: a file that lies in node_modules itself.
func packageName(s string) string {
	first, rest, ok := strings.Cut(s, "/")
	if !ok {
		return ""
	}
	name := first
	if strings.HasPrefix(first, "@") {
		second, _, ok := strings.Cut(rest, "/")
		if !ok || !nameSegment(first[1:]) || !nameSegment(second) {
			return ""
		}
		name = first + "/" + second
	} else if !nameSegment(first) {
		return ""
	}
	if len(name) > maxPackageName {
		return ""
	}
	return name
}

// nameSegment reports whether s can be the scope or the name of a package. Old
// packages have capitals.
func nameSegment(s string) bool {
	if s == "" || s[0] == '.' || s[0] == '_' && len(s) == 1 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !identifier(c) && c != '-' && c != '.' && c != '~' || c == '$' {
			return false
		}
	}
	return true
}

// pathVersion returns the version that the folders around a package spell out.
// before ends with the node_modules/ that the package lies in.
//
//   - pnpm: .pnpm/lodash@4.17.15/node_modules/, .pnpm/@scope+name@1.2.3_peer@4.5.6/node_modules/, or (peer@4.5.6)
//     (https://pnpm.io/symlinked-node-modules-structure)
//   - bun: .bun/axios@0.21.0+17f2/node_modules/
//   - Yarn: .yarn/cache/lodash-npm-4.17.15-566d9324f7-c029ab2983.zip/node_modules/, or the same without a checksum in .yarn/unplugged
//     (https://yarnpkg.com/features/pnp)
func pathVersion(before, name string) string {
	before = strings.TrimSuffix(strings.TrimSuffix(before, packageFolder), "/")
	id := path.Base(before)
	stored := strings.ReplaceAll(name, "/", "+")
	switch parent := path.Base(path.Dir(before)); parent {
	case ".pnpm", ".bun":
		v, ok := strings.CutPrefix(id, stored+"@")
		if !ok {
			return ""
		}
		if i := strings.IndexAny(v, "_("); i >= 0 {
			v = v[:i]
		}
		if parent == ".bun" {
			v, _, _ = strings.Cut(v, "+")
		}
		return exact(v)
	}
	v, ok := strings.CutPrefix(id, strings.ReplaceAll(name, "/", "-")+"-npm-")
	if !ok {
		return ""
	}
	for i := range len(v) { // up to the hash of its locator, behind which the archive's may come
		hash := strings.TrimSuffix(v[i:], ".zip")
		if strings.HasPrefix(hash, "-") && len(hash) >= 11 && strings.Trim(hash[1:11], "0123456789abcdef") == "" && (len(hash) == 11 || hash[11] == '-') {
			return exact(v[:i])
		}
	}
	return ""
}

// exact returns v if it is one version as npm has them, else ""
// (https://semver.org/spec/v2.0.0.html).
func exact(v string) string {
	core, _, _ := strings.Cut(v, "+")
	core, pre, _ := strings.Cut(core, "-")
	if len(v) > 256 || strings.Count(core, ".") != 2 {
		return ""
	}
	for n := range strings.SplitSeq(core, ".") {
		if n == "" || strings.Trim(n, "0123456789") != "" {
			return ""
		}
	}
	for i := range len(pre) {
		if c := pre[i]; !identifier(c) && c != '.' && c != '-' || c == '$' || c == '_' {
			return ""
		}
	}
	return v
}
