package catalog

import (
	"context"
	"slices"
)

// cataloger is one way of finding packages in one artifact. It adds what it
// finds, and an unknown for what it cannot read.
type cataloger struct {
	name string
	run  func(ctx context.Context, a *artifact)
	in   where
}

// where says what a cataloger is for.
type where uint8

const (
	anywhere where = iota
	outside        // for an artifact, not for a Python archive in one: that has none of it, or the artifact's own step looks into it
	inside         // for a Python archive in an artifact alone
)

// every lists the catalogers in the order in which they run: what is installed
// first, so that the later ones know which files have an owner; lockfiles
// next; what nothing accounts for, and how much code is whose, last.
func every() []cataloger {
	return []cataloger{
		{"operating system packages", osPackages, outside},
		{"npm packages", npmInstalled, anywhere},
		{"Python distributions", pythonInstalled, anywhere},
		{"Python packages without metadata", strippedPython, anywhere},
		{"Ruby gems", rubyInstalled, anywhere},
		{"Composer packages", composerInstalled, anywhere},
		{".NET assemblies", dotnetInstalled, anywhere},
		{"executables", executables, anywhere},
		{"machine code in packages", undeclaredNative, anywhere},
		{"Python archives", pythonArchives, anywhere},
		{"Java archives", javaArchives, outside},
		{"Go build information", goBinaries, anywhere},
		{"Rust build information", rustBinaries, anywhere},
		{"well-known binaries", knownBinaries, anywhere},
		{"bundled JavaScript", bundledScripts, anywhere},
		{"lockfiles", lockfiles, outside},
		{"packages in bundles", loneBundles, inside},
		{"bills of materials", documents, outside},
		{"requirements files", strangeRequirements, outside},
		{"opaque files", opaqueFiles, anywhere},
		{"coverage", coverage, anywhere},
	}
}

// catalogers lists those for an artifact.
func catalogers() []cataloger {
	return slices.DeleteFunc(every(), func(c cataloger) bool { return c.in == inside })
}

// nestedCatalogers lists those for a Python archive inside the artifact.
func nestedCatalogers() []cataloger {
	return slices.DeleteFunc(every(), func(c cataloger) bool { return c.in == outside })
}
