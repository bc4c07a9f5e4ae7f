package pystrip

import "cmp"

// Options bounds the work on one artifact. A zero field means its default.
type Options struct {
	MaxSource   int64 // bytes of one Python file; 4 MiB
	MaxBinary   int64 // bytes of one extension module that is searched for its version; 32 MiB
	MaxModules  int   // modules of one package that are read for its version; 40
	MaxPackages int   // packages of one artifact; 20,000

	// Known reports whether the advisory store knows a project of the Python
	// package index, by its normal name (PEP 503). nil: none is known.
	Known func(project string) bool
}

func (o Options) withDefaults() Options {
	o.MaxSource = cmp.Or(o.MaxSource, 4<<20)
	o.MaxBinary = cmp.Or(o.MaxBinary, 32<<20)
	o.MaxModules = cmp.Or(o.MaxModules, 40)
	o.MaxPackages = cmp.Or(o.MaxPackages, 20_000)
	if o.Known == nil {
		o.Known = func(string) bool { return false }
	}
	return o
}
