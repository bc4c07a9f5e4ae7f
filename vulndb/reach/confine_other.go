//go:build !linux

package reach

import (
	"io"
	"os"
	"os/exec"
)

// Self is the running program.
func Self() (string, error) { return os.Executable() }

// anonymous returns nil: the binary goes into the private directory.
func anonymous() (*os.File, error) { return nil, nil }

// isolate gives the child a standard input that ends when the parent does, and
// on which nothing is ever written; see confine.
func isolate(cmd *exec.Cmd) (release func(), err error) {
	w, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return func() { w.Close() }, nil
}

// confine ends the child when its parent has gone, and sets its limits where
// the system has them.
func confine(l limits) error {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		if dir, err := os.Getwd(); err == nil {
			os.RemoveAll(dir)
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			self.Kill()
		}
	}()
	return limitResources(l)
}
