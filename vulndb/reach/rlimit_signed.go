//go:build freebsd || dragonfly

package reach

import "golang.org/x/sys/unix"

// setLimit lowers a limit, never raises it. FreeBSD's are signed.
func setLimit(now *unix.Rlimit, most int64) {
	now.Cur, now.Max = min(now.Cur, most), min(now.Max, most)
}
