package catalog

import (
	"runtime/debug"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// goState notes in what state the main module's working tree was. Go says so
// where it was built in a repository, in the settings and, since 1.24, in the
// version (https://pkg.go.dev/runtime/debug#BuildSetting).
func goState(info *debug.BuildInfo) []sbom.Trait {
	revision, dirty := "", strings.HasSuffix(info.Main.Version, "+dirty")
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			dirty = dirty || s.Value == "true"
		}
	}
	if !dirty {
		return nil
	}
	return []sbom.Trait{trait(sbom.TraitModified, strings.TrimSpace("commit "+revision))}
}

// goVendored reports whether a program was built from a vendor folder: then no
// module has a digest, and what the folder holds nobody compared.
func goVendored(info *debug.BuildInfo) bool {
	return !slices.ContainsFunc(info.Deps, func(m *debug.Module) bool {
		return m != nil && (m.Sum != "" || m.Replace != nil && m.Replace.Sum != "")
	})
}

// goOrigin notes where a module came from. A module of the same workspace has
// no version, and a folder no digest.
func goOrigin(m *debug.Module, vendored bool) []sbom.Trait {
	var out []sbom.Trait
	from := m
	if m.Replace != nil {
		from = m.Replace
		out = append(out, trait(sbom.TraitReplaced, m.Path+" "+m.Version))
		if goFolder(from) {
			return append(out, trait(sbom.TraitFolder, from.Path))
		}
	}
	switch {
	case from.Sum != "":
		out = append(out, trait(sbom.TraitSum, from.Sum))
	case from.Version == "" || from.Version == "(devel)":
		out = append(out, trait(sbom.TraitDevel, "module of the workspace"))
	case vendored:
		out = append(out, trait(sbom.TraitNoIntegrity, sbom.FromVendor))
	default:
		out = append(out, trait(sbom.TraitNoIntegrity, from.Path+" "+from.Version))
	}
	return out
}

// goFolder reports whether a replacement is a folder.
func goFolder(r *debug.Module) bool {
	return strings.HasPrefix(r.Path, "./") || strings.HasPrefix(r.Path, "../") || strings.HasPrefix(r.Path, "/") || r.Path == "." || r.Path == ".." || r.Version == "" || r.Version == "(devel)"
}
