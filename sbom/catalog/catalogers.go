package catalog

import (
	"context"
	"slices"
)

// cataloger is one way of finding packages in one artifact. It adds what it
// finds, and an unknown for what it cannot read.
type cataloger struct {
	name  string
	run   func(ctx context.Context, a *artifact)
	whole bool // it is for an artifact, not for a Python archive in one: that has none of it, or the artifact's own step looks into it
}

// catalogers lists them in the order in which they run: what is installed
// first, so that the later ones know which files have an owner; lockfiles
// next; what nothing accounts for, and how much code is whose, last.
func catalogers() []cataloger {
	return []cataloger{
		{"operating system packages", osPackages, true},
		{"npm packages", npmInstalled, false},
		{"Python distributions", pythonInstalled, false},
		{"Python packages without metadata", strippedPython, false},
		{"Ruby gems", rubyInstalled, false},
		{"Composer packages", composerInstalled, false},
		{".NET assemblies", dotnetInstalled, false},
		{"executables", executables, false},
		{"Python archives", pythonArchives, false},
		{"Java archives", javaArchives, true},
		{"Go build information", goBinaries, false},
		{"Rust build information", rustBinaries, false},
		{"well-known binaries", knownBinaries, false},
		{"bundled JavaScript", bundledScripts, false},
		{"lockfiles", lockfiles, true},
		{"bills of materials", documents, true},
		{"requirements files", strangeRequirements, true},
		{"opaque files", opaqueFiles, false},
		{"coverage", coverage, true},
	}
}

// nestedCatalogers lists those for a Python archive inside the artifact.
func nestedCatalogers() []cataloger {
	return slices.DeleteFunc(catalogers(), func(c cataloger) bool { return c.whole })
}
