package catalog

import (
	"cmp"
	"time"
)

// Options limits the work on one artifact. A zero field means its default.
type Options struct {
	MaxManifest   int64         // bytes of one package manifest or metadata file; 4 MiB
	MaxLockfile   int64         // bytes of one lockfile; 32 MiB
	MaxKeys       int           // keys of one JSON or entries of one YAML document; 250,000
	MaxDepth      int           // nesting of one JSON or YAML document; 200
	MaxExecutable int64         // bytes of one executable; 512 MiB
	MaxScript     int64         // bytes of one JavaScript file; 64 MiB
	MaxText       int64         // bytes of all manifests, lockfiles and scripts of one artifact; 512 MiB
	MaxNative     int64         // bytes of all executables of one artifact; 1 GiB
	MaxBuildInfo  int64         // bytes of one binary's embedded dependency list, inflated; 16 MiB
	MaxComponents int           // packages of one artifact; 200,000
	MaxUnknowns   int           // unknowns of one artifact, beyond which they are counted; 10,000
	MaxTime       time.Duration // of one of syft's catalogers on one artifact, a last resort; 8 s
	MaxRemembered int           // artifacts whose result a Cataloger keeps; 1,000
	Helpers       int           // goroutines that help the callers of Run to read files, all of them together; one less than there are processors, less than 0: none

	// Lockfiles are kept beside the artifacts: they give the packages that are
	// found in bundles their versions, and bound bundles that do not tell what is
	// inside.
	Lockfiles []*Lockfile

	lockIndexes []*lockIndex // of Lockfiles

	// MavenGroups returns the group ids under which the advisory store knows a
	// Maven artifact id, sorted. nil: none is known. It is called by one
	// goroutine per artifact at a time.
	MavenGroups func(artifact string) []string

	// PythonProject reports whether the advisory store knows a project of the
	// Python package index, by its normal name. nil: none is known. It is called
	// as MavenGroups is.
	PythonProject func(name string) bool
}

func (o Options) withDefaults() Options {
	o.MaxManifest = cmp.Or(o.MaxManifest, 4<<20)
	o.MaxLockfile = cmp.Or(o.MaxLockfile, 32<<20)
	o.MaxKeys = cmp.Or(o.MaxKeys, 250_000)
	o.MaxDepth = cmp.Or(o.MaxDepth, 200)
	o.MaxExecutable = cmp.Or(o.MaxExecutable, 512<<20)
	o.MaxScript = cmp.Or(o.MaxScript, 64<<20)
	o.MaxText = cmp.Or(o.MaxText, 512<<20)
	o.MaxNative = cmp.Or(o.MaxNative, 1<<30)
	o.MaxBuildInfo = cmp.Or(o.MaxBuildInfo, 16<<20)
	o.MaxComponents = cmp.Or(o.MaxComponents, 200_000)
	o.MaxUnknowns = cmp.Or(o.MaxUnknowns, 10_000)
	o.MaxTime = cmp.Or(o.MaxTime, 8*time.Second)
	for _, l := range o.Lockfiles {
		o.lockIndexes = append(o.lockIndexes, l.index)
	}
	o.MaxRemembered = cmp.Or(o.MaxRemembered, 1_000)
	return o
}
