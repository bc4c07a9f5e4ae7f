// Package reach says whether the code that an advisory is about is in a Go
// binary. It is the only door to golang.org/x/vuln.
//
// # What is asked
//
// The records of the Go vulnerability database name the functions and methods
// that are affected. The linker leaves out what nothing can call, so a module
// can be in a binary by its build information although none of them is. An
// answer is one of three:
//
//   - present: one of them is in the binary. Whether it runs is not known, and
//     never claimed.
//   - absent: no instruction of any of them is in the binary.
//   - unknown: everything else. It is judged as if it were present.
//
// # What proves that a function is absent
//
// The function table of the runtime (.gopclntab), which no option of the
// linker and no strip removes: a program cannot run without it. Since Go 1.16
// it lists the names of all functions, also of those that were only inlined
// into others, and closures by the names of what they were inlined into. See
// table.go and name.go. Absent needs all of this:
//
//   - the table has the format of the Go release in the build information,
//     which is 1.16 to 1.27, every record of it points at a name, and every
//     name is one that the toolchain can have made of a package of the standard
//     library or of a module of the build information. Renamed functions
//     (garble, edited bytes) and code of unknown origin mean that no name is
//     trusted.
//   - none of the advisory's symbols is in it, none could be hidden behind a
//     name that the compiler made, and none is also the name of a type.
//   - govulncheck, over the same records, finds nothing but the module either.
//   - an advisory about a whole package or module needs a symbol table too,
//     since data without code is in no function table; a stripped binary leaves
//     that open.
//
// What is left to trust: that symbols are functions and methods, as the
// database's rules say (https://go.dev/doc/security/vuln/database), and that a
// function was not given another's name with go:linkname. A function whose
// every instruction the compiler folded into constants counts as absent.
//
// Names are read from ELF, PE, Mach-O (fat ones too) and plugins and shared
// libraries alike, because the table is looked for in the bytes and not in
// section tables. Tables of Go 1.2 to 1.15 do not list what was inlined, and
// WebAssembly has no build information: of both nothing is said.
//
// # Why a child process
//
// x/vuln executes "go env" with the environment that it finds, and the parsers
// of the standard library are not made for hostile files. So Check starts the
// running program again, as Child: with an empty PATH and no other variables of
// the caller, in a private folder that is removed afterwards, with limits on
// time, memory, CPU, written bytes and output, and on Linux without the system
// calls that start programs or open sockets (seccomp_linux.go) and without any
// other file (landlock_linux.go). It dies with its parent. What it prints is
// checked like any outside bytes. A child that fails in any way leaves every
// answer open.
package reach
