package reach

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain answers as a program that uses Check must.
func TestMain(m *testing.M) {
	if IsChild(os.Args) {
		os.Exit(Child(os.Stdout, os.Stderr, os.Getenv))
	}
	if len(os.Args) == 2 && os.Args[1] == "__walls" {
		walls()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// walls confines itself as a child does and prints what still works.
func walls() {
	if err := confine(limits{Memory: 1 << 30, CPU: 10, Written: 1 << 20}); err != nil {
		fmt.Println("confine:", err)
		return
	}
	done := make(chan bool)
	for range 4 { // the walls must stand on every thread
		go func() {
			if c, err := net.DialTimeout("tcp", "127.0.0.1:9", time.Second); err == nil {
				c.Close()
				fmt.Println("dialled")
			} else if !errors.Is(err, os.ErrPermission) {
				fmt.Println("dial:", err)
			}
			if _, err := net.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, os.ErrPermission) {
				fmt.Println("listen:", err)
			}
			if err := exec.Command("/proc/self/exe", "-h").Run(); !errors.Is(err, os.ErrPermission) {
				fmt.Println("exec:", err)
			}
			done <- true
		}()
	}
	for range 4 {
		<-done
	}
	if err := os.WriteFile("here", []byte("x"), 0o600); err != nil {
		fmt.Println("write here:", err)
	}
	if _, err := os.ReadFile("here"); err != nil {
		fmt.Println("read here:", err)
	}
	fmt.Println("done")
}
