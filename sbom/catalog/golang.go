package catalog

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// goBinaries reads the build information that the Go linker stores in every
// binary (https://pkg.go.dev/debug/buildinfo): the modules with their
// versions, and the toolchain as the pseudo-module "stdlib", as OSV names it.
func goBinaries(ctx context.Context, a *artifact) {
	for i := range a.executables {
		if ctx.Err() != nil {
			return
		}
		// without it not Go, or not readable as such: if nobody else knows the file, it is reported as opaque
		if e := &a.executables[i]; e.info != nil {
			a.goBinary(e)
		}
	}
}

func (a *artifact) goBinary(e *executable) {
	info := e.info
	e.evident, e.info = true, nil
	if v := goVersion(info.GoVersion); v != "" {
		a.add(a.goModule(e.path, "stdlib", v, "compiled with "+info.GoVersion))
	} else {
		a.add(a.goModule(e.path, "stdlib", "", "compiled with "+info.GoVersion))
	}
	if info.Main.Path != "" && info.Main.Path != "command-line-arguments" {
		f := a.goModule(e.path, info.Main.Path, info.Main.Version, "main module")
		if f.version == "(devel)" || f.version == "" {
			f.version, f.main = "", true
		}
		a.add(f)
	}
	for _, m := range info.Deps {
		if m != nil {
			a.add(a.goDependency(e.path, m))
		}
	}
}

// goDependency turns a module into a package. With a replacement, it is the
// replacement that is inside. A replacement by a folder has no version, and
// the original's does not hold.
func (a *artifact) goDependency(p string, m *debug.Module) found {
	if r := m.Replace; r != nil {
		if strings.HasPrefix(r.Path, "./") || strings.HasPrefix(r.Path, "../") || strings.HasPrefix(r.Path, "/") || r.Path == "." || r.Path == ".." || r.Version == "" {
			return a.goModule(p, m.Path, "", "replaced by the folder "+r.Path)
		}
		return a.goModule(p, r.Path, r.Version, "replaces "+m.Path+" "+m.Version)
	}
	version := m.Version
	if version == "(devel)" {
		version = ""
	}
	return a.goModule(p, m.Path, version, "")
}

func (a *artifact) goModule(p, name, version, detail string) found {
	return found{typ: "golang", name: name, version: version, path: p, method: sbom.MethodBuildInfo, confidence: 1, detail: detail}
}

// goVersion returns the release in a toolchain string such as "go1.26.8" or
// "go1.25.0 X:nodwarf5". A development version has no release.
func goVersion(s string) string {
	v, ok := strings.CutPrefix(s, "go")
	if !ok || v == "" || v[0] < '0' || v[0] > '9' {
		return ""
	}
	v, _, _ = strings.Cut(v, " ")
	v, _, _ = strings.Cut(v, "-") // vendor suffixes such as go1.24.1-fips
	return v
}

// buildInfo reads one file. The parsers under debug/buildinfo are not made for
// hostile files, so a panic counts as unreadable.
func buildInfo(c io.ReaderAt) (info *debug.BuildInfo, err error) {
	defer func() {
		if r := recover(); r != nil {
			info, err = nil, fmt.Errorf("read build information: %v", r)
		}
	}()
	return buildinfo.Read(c)
}
