// Package stale says what is past its time, or will be: a package by what a
// registry says of it, a runtime, language, framework or distribution by dated
// tables that are data and can be replaced, an SDK by the newer one that the
// runtime brings. Everything is judged by a clock that is given, and what nobody
// told is not known: of that nothing is said.
package stale
