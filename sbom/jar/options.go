package jar

import "cmp"

// Options bounds the work on one artifact. A zero field means its default.
type Options struct {
	MaxDepth    int   // archives inside one another; 16
	MaxArchives int   // archives of one artifact; 5,000
	MaxNested   int64 // bytes of one nested archive that is packed and therefore held inflated; 256 MiB
	MaxHeld     int64 // bytes of the nested archives that are held inflated at one time; 512 MiB
	MaxInflated int64 // bytes of all that is inflated in nested archives; 2 GiB
	MaxText     int64 // bytes of one manifest, properties file or POM; 1 MiB
	MaxClass    int64 // bytes of one class file that is looked into; 2 MiB
	MaxEntries  int   // entries of all archives of one artifact; 2,000,000
	MaxPackages int   // packages of one artifact; 100,000
	MaxUnknowns int   // unknowns of one artifact; 10,000. The rest is counted

	// Groups returns the group ids under which the advisory store knows an
	// artifact id, sorted. nil: none is known. It must be safe for concurrent use.
	Groups func(artifact string) []string
}

func (o Options) withDefaults() Options {
	o.MaxDepth = cmp.Or(o.MaxDepth, 16)
	o.MaxArchives = cmp.Or(o.MaxArchives, 5_000)
	o.MaxNested = cmp.Or(o.MaxNested, 256<<20)
	o.MaxHeld = cmp.Or(o.MaxHeld, 512<<20)
	o.MaxInflated = cmp.Or(o.MaxInflated, 2<<30)
	o.MaxText = cmp.Or(o.MaxText, 1<<20)
	o.MaxClass = cmp.Or(o.MaxClass, 2<<20)
	o.MaxEntries = cmp.Or(o.MaxEntries, 2_000_000)
	o.MaxPackages = cmp.Or(o.MaxPackages, 100_000)
	o.MaxUnknowns = cmp.Or(o.MaxUnknowns, 10_000)
	if o.Groups == nil {
		o.Groups = func(string) []string { return nil }
	}
	return o
}
