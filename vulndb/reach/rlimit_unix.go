//go:build unix && !freebsd && !dragonfly

package reach

import "golang.org/x/sys/unix"

// setLimit lowers a limit, never raises it.
func setLimit(now *unix.Rlimit, most int64) {
	now.Cur, now.Max = min(now.Cur, uint64(most)), min(now.Max, uint64(most))
}
