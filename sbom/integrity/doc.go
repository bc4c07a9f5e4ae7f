// Package integrity compares shipped files with what says how they should be:
// the RECORD of a Python distribution, the archive that a registry published,
// the checksum database of Go. It reads every byte of what it compares, so it
// runs only when it is asked for.
package integrity
