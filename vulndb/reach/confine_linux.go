package reach

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Self is the running program, also when its file was replaced meanwhile.
func Self() (string, error) { return "/proc/self/exe", nil }

// anonymous returns a file without a name, in memory.
func anonymous() (*os.File, error) {
	fd, err := unix.MemfdCreate("binary", unix.MFD_CLOEXEC)
	if err == unix.ENOSYS || err == unix.EPERM {
		return nil, nil // an old kernel or a strict sandbox
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "binary"), nil
}

// isolate makes the child die with its parent, and gives it no terminal to
// take signals from.
func isolate(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return func() {}, nil
}

// confine limits the child itself, before it reads the first foreign byte.
func confine(l limits) error {
	if err := limitResources(l); err != nil {
		return err
	}
	if err := forbid(); err != nil {
		return err
	}
	fence()
	return nil
}
