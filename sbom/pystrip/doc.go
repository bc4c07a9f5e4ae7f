// Package pystrip finds Python projects in code whose metadata was deleted: in
// function packages that were made small, in copies that packages carry of one
// another, in code of which only the compiled form is left.
//
// # What names a project
//
// The name that it is imported by, through a table (projects.txt): what
// "import yaml" loads is published as PyYAML. Words that people also call
// their own modules by need a version or a licence beside them. A name that the
// table does not have is taken for the project's only where the code has a
// version and an open licence, or a version, another sign of a release and a
// name that the advisory store knows. Everything else that looks released is a
// gap, never nothing.
//
// A name alone is not enough where the code is as little as people write
// themselves: such a package is marked NameOnly, and the caller reports it where
// a lockfile or requirements file names the project, too. What a package calls
// itself (title.go) names it under any folder's name, in any folder, when it has
// a version and the table or the advisory store knows that project.
//
// # What metadata does not settle
//
// A RECORD and a top_level.txt are claims (installed.go). A package that the
// table knows, or that has a version of its own and a name that the advisory
// store knows, is looked at although a distribution of another name accounts for
// it. And what installed code says of its version is held against its metadata.
//
// # Compiled code
//
// Where there is no source, compiled code is what Python loads: a file that
// cannot be read is reported, beside the package's name. Next to its source it
// is loaded only as far as it fits the source, which Python itself looks after
// (PEP 552), but for files that are marked "unchecked" (invalidation.go).
//
// # What tells the version
//
// The value of __version__ and its like (value.go), worked out from the source
// without running it (token.go, module.go, expr.go), over the modules of the
// package; from compiled code the constants that it binds to names (marshal.go,
// bytecode.go); the list that a package keeps of its copies (vendor.txt); for a
// few projects a place that the table names. Versions are given in the normal
// form of PEP 440. What depends on a condition that cannot be worked out gives
// several candidates; what asks the deleted metadata gives none, and the
// project is reported with its version unknown.
//
// # Bounds
//
// Each file is gone over once, and Options bounds its size and how many are
// read. Working out a value takes a bounded number of steps and a bounded depth.
package pystrip
