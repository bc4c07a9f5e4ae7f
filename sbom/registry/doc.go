// Package registry asks package registries what they say of packages: which
// versions there are, when each was published, by whom, from which repository,
// whether it was deprecated or taken back.
//
// One small client asks over the network when it may, keeps every answer with
// its time on disk, and answers from there when it may not. Who is asked is the
// configuration of whoever runs the program ([Config]); where that names no
// registry, the public deps.dev API is asked. No registry's address is written
// into the code. Names that are private never leave the machine.
//
// What could not be learnt is the zero value everywhere: unknown, never good news.
package registry
