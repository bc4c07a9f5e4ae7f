// Package disk is what the store of advisories and a set of stored reports ask of
// a file system so that nothing is lost or half there: a lock that ends with its
// process, and names that survive a power cut.
package disk
