// Package startup undoes, before it happens, what a dependency does while the
// process starts.
//
// syft's file package brings in github.com/gookit/color, whose package
// variables look up the terminal's colours: they read terminfo files, and ask
// for the current user, which with cgo is a connection to the name service.
// A program that promises to make no network system call cannot have that,
// and it costs a millisecond in every run. Without TERM the look-up does not happen.
// Without HOME the AWS SDK's package variables, the paths of its configuration,
// ask the same, so that an unset HOME gets a value until then; nothing here
// reads those paths.
//
// It works because the order of initialisation is specified (The Go
// Programming Language Specification, "Program initialization"): packages are
// sorted by import path, and the first one whose imports are ready goes next.
// This package needs only os and sorts before github.com/gookit.
package startup

import "os"

// term is TERM as the process was started with it, hadTerm and homeless whether
// TERM was set and HOME was not.
var term, hadTerm, homeless = hide()

func hide() (term string, hadTerm, homeless bool) {
	term, hadTerm = os.LookupEnv("TERM")
	os.Unsetenv("TERM")
	if homeless = os.Getenv("HOME") == ""; homeless {
		os.Setenv("HOME", "/")
	}
	return term, hadTerm, homeless
}

// Restore puts TERM and HOME back. It is the first thing that main does.
func Restore() {
	if hadTerm {
		os.Setenv("TERM", term)
	}
	if homeless {
		os.Unsetenv("HOME")
	}
}
