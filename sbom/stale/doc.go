// Package stale says what is past its time. Today: language runtimes of
// function platforms, by a dated table that is data and can be replaced. Ages
// of packages come from registries and are another file's business.
package stale
