// Package integrity compares shipped files with what says how they should be.
// It reads every byte of what it compares, so it runs only when it is asked for.
//
//   - Python: the RECORD of each installed distribution, and the RECORD of the
//     wheel where the registry's is at hand. A RECORD alone shows what was changed
//     by somebody who did not write it anew.
//   - npm: the archive that the registry published, file by file; what lockfiles
//     hold of it; and the sources that a bundle's map carries.
//   - Go: the sums that the build recorded, against the checksum database. What
//     the registry's client once fetched of that it keeps, and everything is
//     proven again from there: that cache is the pack for offline runs.
//   - Archives that were shipped whole (jars, gems, nupkgs): lockfiles, the
//     registry, and the digests that lie beside them (of a nupkg also .nupkg.metadata).
//
// Each file is read once, in the order in which it lies in its artifact. What a
// comparison needs of an archive is taken while that is fetched (Arrive) and kept
// in the registry's cache (registry.Client.Extract), so that no comparison
// unpacks one. What could not be compared is left, with the reason; nothing is
// whole because nobody knew better. Compiled caches of Python (__pycache__) have no digest
// anywhere and are not compared; nor is machine code that a package builds when
// it is installed.
package integrity
