// Package catalog finds the packages inside a function: the artifacts that
// bundle opened go in, an sbom.SBOM comes out.
//
// Each artifact is catalogued alone, at its own root (artifact.go). That is a
// pure function of its bytes, so a layer that a thousand functions share is
// read once. Only then are the artifacts put together (compose.go): where a
// package lies decides, by the platform's search order, whether it is live or
// another copy shadows it.
//
// The catalogers are one literal list (catalogers.go). Those for Python, Ruby,
// PHP, .NET and well-known binaries are syft's, called one by one through a
// file.Resolver that shows each of them only the files that it is for; syft's
// own pipeline is not used, because it compiles a licence scanner in each
// process (2 s) and reads an archive's lockfiles instead of what is installed.
// npm manifests, Go and Rust build information are read here: which
// package.json counts is a question of where it lies, and both kinds of build
// information need limits that the libraries do not have. So are Java archives
// (package jar), in place where syft would unpack them into a folder, and the
// databases of dpkg, apk and rpm (os_packages.go, package rpmdb): which files
// of an image a package owns decides what else is to be said about them.
//
// Nothing is executed, written or fetched. What cannot be read is an
// sbom.Unknown with its path, never a silent gap.
package catalog
