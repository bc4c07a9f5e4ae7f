//go:build unix

package reach

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// limitResources sets what setrlimit(2) can: no more than so much data, CPU
// time, bytes of a file and open files, and no core dump, which would hold the
// binary. Data and not the address space is limited, because Go's runtime
// reserves addresses that it never uses.
func limitResources(l limits) error {
	for _, r := range []struct {
		name string
		what int
		most int64
	}{
		{"data", unix.RLIMIT_DATA, l.Memory}, {"CPU time", unix.RLIMIT_CPU, l.CPU}, {"file size", unix.RLIMIT_FSIZE, l.Written},
		{"open files", unix.RLIMIT_NOFILE, 64}, {"core", unix.RLIMIT_CORE, 0},
	} {
		var now unix.Rlimit
		if err := unix.Getrlimit(r.what, &now); err != nil {
			return fmt.Errorf("limit %s: %w", r.name, err)
		}
		setLimit(&now, r.most)
		if err := unix.Setrlimit(r.what, &now); err != nil {
			return fmt.Errorf("limit %s: %w", r.name, err)
		}
	}
	return nil
}
