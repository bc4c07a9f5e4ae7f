// Package catalog finds the packages inside a function: the artifacts that
// bundle opened go in, an sbom.SBOM comes out.
//
// Each artifact is catalogued alone, at its own root (artifact.go). That is a
// pure function of its bytes, so a layer that a thousand functions share is
// read once. Only then are the artifacts put together (compose.go): where a
// package lies decides, by the platform's search order, whether it is live or
// another copy shadows it.
//
// The catalogers are one literal list (catalogers.go). Those for npm, Python,
// Ruby, PHP, .NET, Go build information, Rust audit data and well-known binaries
// are syft's, called one by one through a file.Resolver that shows each of them
// only the files that it is for; syft's own pipeline is not used, because it
// compiles a licence scanner in each process (2 s) and reads an archive's
// lockfiles instead of what is installed.
//
// Three of them are read a second time, by readers of our own, and repaired by
// what those say (repair.go, as of syft 1.54.1):
//
//   - npm: which package.json counts is a question of where it lies, which syft
//     does not ask. It drops a manifest over a field of another type (an author
//     that is a list), takes "Version" for "version", and returns no
//     dependencies.
//   - Go: it keeps no trace of the module that another one replaces, makes up a
//     main module where none is named, and knows no toolchain but releases. It
//     searches all that a binary maps and copies the names of its symbols, which
//     a hostile one makes thousands of times as large as itself; UPX it can
//     unpack in its own pipeline only.
//   - Rust: it inflates the crate list without a limit, drops the list over one
//     odd index, and returns its dependencies as pairs of whole packages.
//
// A package that both readings have is one component with one piece of evidence.
// One that syft dropped, got wrong, or was not given because the file would be
// dangerous or useless to it, is as our own reader says, and the evidence tells.
// A file that our own reader cannot read goes to syft neither, and is an unknown.
//
// Lockfiles and manifests with ranges are read here, because what they mean
// depends on what is installed. So are Java archives (package jar), in place
// where syft would unpack them into a folder, and the databases of dpkg, apk and
// rpm (os_packages.go, package rpmdb): which files of an image a package owns
// decides what else is to be said about them.
//
// How much of the code is whose is counted last (code.go): what packages account
// for, what in a bundle is which package's, what is the function's own, and what
// nobody could name. Lockfiles (reconcile.go) and the bills of materials that a
// package brings (documents.go, declared.go) are compared with the bytes: they
// are evidence for what is there, and where they disagree that is said. They
// never make anything cleaner, but for two things: a package of a lockfile is
// proven not to be there when every byte of the bundles is told, and a lockfile
// bounds a bundle that nobody can read (bundle_bound.go). The one that is given
// does so; the one that came with the bundle only as far as the bytes stand in
// for it, since whoever hides something may add a decoy.
//
// Where pieces of evidence about a bundle say different versions of a package
// (a path, a lockfile, an account of the bundler, what the code says itself),
// all of them are candidates, and each is judged (bundle_join.go): none of them
// may hide another.
//
// Of Python, metadata is held against the code (python_claims.go): where the code
// says another version, both are candidates, unless RECORD has the hashes of the
// very files or the code's version is not known to be the release's; then the
// disagreement is shown and the metadata counts. The wheels that an interpreter
// brings for ensurepip are on no search path: what is in them is shadowed by what
// is installed, else declared.
//
// Nothing is executed, written or fetched. What cannot be read is an
// sbom.Unknown with its path, never a silent gap.
package catalog
