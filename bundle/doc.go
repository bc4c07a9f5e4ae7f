// Package bundle opens what was shipped: a function as a deployment zip, a Java
// archive, an unpacked directory or a bare executable, with the layers that the
// platform mounts under it, as one read-only [Tree]. Nothing is extracted.
//
// # Bytes
//
// An artifact of up to 128 MiB is read once into memory; its digest is taken
// over the very memory that is parsed. A larger one stays on disk: one pass
// takes the digest of the whole and of every block of 256 KiB, and each later
// read checks the block that it touches, so a file that changes between the
// passes is an error and never a second opinion. A directory's files are hashed
// once when it is opened and compared again on each read.
//
// # Zip
//
// The directory of a zip is read by this package and not by archive/zip,
// because the attacks on scanners live in what a tolerant reader hides: names
// that are listed twice, local headers that disagree with the directory,
// entries that no directory lists, several end records, overlapping data. All
// of it comes out as a [Notice]; [Notice.Unread] marks what must not count as
// judged.
//
// Sizes and counts in headers are claims. No allocation follows one: a file is
// counted, bounded and checked against its CRC-32 inside the reader.
package bundle
