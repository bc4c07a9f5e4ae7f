// Package descriptor reads what the deployer declared: files that name the
// functions of an application, with their code, layers, runtimes and triggers.
// Each function becomes a [bundle.Spec] that says what to open.
//
// A descriptor comes with what is audited and is as hostile as the code. It
// causes no network access, it names no file outside of its root, and its size,
// depth and every expansion have a limit. What it names and what cannot be had
// here is never passed over: the function is reported with the reason.
//
// A kind of descriptor is one file of this package and one line of [kinds].
// Read today: AWS SAM and CloudFormation templates ("sam").
package descriptor
