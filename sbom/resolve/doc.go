// Package resolve says what a package needs to run, all the way down, before it
// is installed anywhere: the versions that its package manager would take today.
//
// Where deps.dev answers for the package, it is asked for the whole tree. Else
// the tree is worked out from what the configured registry says of each package:
// for npm and Python by the resolvers of the deps.dev project
// (https://pkg.go.dev/deps.dev/util/resolve), for Go by minimal version
// selection over the go.mod files of the module proxy. What a Python package
// needs is decided by where it runs, so a tree says what it holds for. What could
// not be worked out is a Gap, never a shorter tree.
package resolve
