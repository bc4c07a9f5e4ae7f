package catalog

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/golang"

	"github.com/fnaudit/fnaudit/sbom"
)

// goBinaries finds what the Go linker says in every binary about what it linked
// (https://pkg.go.dev/debug/buildinfo): the modules with their versions, and
// the toolchain as the pseudo-module "stdlib", as OSV names it.
//
// A binary goes to syft's cataloger once our own reader has seen that it has
// build information and is safe to give away.
func goBinaries(ctx context.Context, a *artifact) {
	for i := range a.executables {
		if ctx.Err() != nil {
			return
		}
		// without it not Go, or not readable as such: if nobody else knows the file, it is reported as opaque
		if e := &a.executables[i]; e.info != nil {
			a.goBinary(ctx, e)
			a.forget(e.path)
		}
	}
}

func (a *artifact) goBinary(ctx context.Context, e *executable) {
	info := e.info
	e.evident, e.info = true, nil
	r := reading{withheld: a.goWithheld(e, info)}
	if r.withheld == "" {
		r = a.shownTo(ctx, golang.NewGoModuleBinaryCataloger(goConfig()), a.viewOf(e.path, e.mime, 0, nil))
	}
	for _, f := range a.repaired(r, a.goModules(e.path, info), goIdentity) {
		a.add(f)
	}
}

// goConfig keeps syft to what the build information says: it looks for licences
// neither in the network nor in folders of this machine, and does not guess the
// version of the main module from linker flags, for which it makes a pattern
// out of a name in the file.
func goConfig() golang.CatalogerConfig {
	return golang.CatalogerConfig{CaptureSymbols: cataloging.SymbolScopeNone}
}

// goIdentity returns name and version of a module as OSV spells them.
func goIdentity(p *pkg.Package) (name, version string) {
	if p.Name == "stdlib" {
		return p.Name, goVersion(p.Version)
	}
	return p.Name, p.Version
}

// goModules is our own reading of the build information. It differs from
// syft's where a module is replaced (the original is named, and a folder has no
// version), where the toolchain is not a release, and where there is no main
// module.
func (a *artifact) goModules(p string, info *debug.BuildInfo) []found {
	out := []found{a.goModule(p, "stdlib", goVersion(info.GoVersion), "compiled with "+info.GoVersion)}
	if info.Main.Path != "" && info.Main.Path != "command-line-arguments" {
		f := a.goModule(p, info.Main.Path, info.Main.Version, "main module")
		if f.version == "(devel)" || f.version == "" {
			f.version, f.main = "", true
			f.has(trait(sbom.TraitDevel, "main module"))
		}
		f.has(goState(info)...)
		for i := range f.traits {
			f.traits[i].Path = p
		}
		out = append(out, f)
	}
	vendored := goVendored(info)
	for _, m := range info.Deps {
		if m != nil {
			f := a.goDependency(p, m)
			f.has(goOrigin(m, vendored)...)
			for i := range f.traits {
				f.traits[i].Path = p
			}
			out = append(out, f)
		}
	}
	return out
}

// goDependency turns a module into a package. With a replacement, it is the
// replacement that is inside. A replacement by a folder has no version, and
// the original's does not hold.
func (a *artifact) goDependency(p string, m *debug.Module) found {
	if r := m.Replace; r != nil {
		if goFolder(r) {
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
