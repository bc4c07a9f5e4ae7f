package catalog

import "context"

// cataloger is one way of finding packages in one artifact. It adds what it
// finds, and an unknown for what it cannot read.
type cataloger struct {
	name string
	run  func(ctx context.Context, a *artifact)
}

// catalogers lists them in the order in which they run: what is installed
// first, so that the later ones know which files have an owner; lockfiles
// next; what nothing accounts for, and how much code is whose, last.
func catalogers() []cataloger {
	return []cataloger{
		{"operating system packages", osPackages},
		{"npm packages", npmInstalled},
		{"Python distributions", pythonInstalled},
		{"Python packages without metadata", strippedPython},
		{"Ruby gems", rubyInstalled},
		{"Composer packages", composerInstalled},
		{".NET assemblies", dotnetInstalled},
		{"executables", executables},
		{"Python archives", pythonArchives},
		{"Java archives", javaArchives},
		{"Go build information", goBinaries},
		{"Rust build information", rustBinaries},
		{"well-known binaries", knownBinaries},
		{"bundled JavaScript", bundledScripts},
		{"lockfiles", lockfiles},
		{"bills of materials", documents},
		{"requirements files", strangeRequirements},
		{"opaque files", opaqueFiles},
		{"coverage", coverage},
	}
}

// nestedCatalogers lists those for a Python archive inside the artifact. The
// artifact's own step for Java looks into the archives in it.
func nestedCatalogers() []cataloger {
	return []cataloger{
		{"npm packages", npmInstalled},
		{"Python distributions", pythonInstalled},
		{"Python packages without metadata", strippedPython},
		{"Ruby gems", rubyInstalled},
		{"Composer packages", composerInstalled},
		{".NET assemblies", dotnetInstalled},
		{"executables", executables},
		{"Python archives", pythonArchives},
		{"Go build information", goBinaries},
		{"Rust build information", rustBinaries},
		{"well-known binaries", knownBinaries},
		{"bundled JavaScript", bundledScripts},
		{"opaque files", opaqueFiles},
	}
}
