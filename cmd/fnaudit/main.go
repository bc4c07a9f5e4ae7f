// Command fnaudit says what is inside a serverless function, what is known
// against it, and whether a policy lets it pass: from the shipped bytes,
// offline, with evidence.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/fnaudit/fnaudit/cmd/internal/cli"
	"github.com/fnaudit/fnaudit/cmd/internal/startup"
	"github.com/fnaudit/fnaudit/vulndb/reach"
)

func main() {
	if reach.IsChild(os.Args) {
		os.Exit(reach.Child(os.Stdout, os.Stderr, os.Getenv))
	}
	startup.Restore()
	if os.Getenv("GOGC") == "" { // what is held of an image counts double by the default of 100, at 2 % less work
		debug.SetGCPercent(50)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, system())
	stop()
	os.Exit(code)
}

// system is the environment of the process, with this program as the one to
// start for Go binaries: main answers such a start before anything else.
func system() cli.Env {
	env := cli.System(os.Args[1:])
	if self, err := reach.Self(); err == nil {
		env.Program = self
	}
	return env
}
