// Package reach says whether a vulnerable function is in a Go binary.
package reach
