// Command fnaudit says what is inside a serverless function, what is known
// against it, and whether a policy lets it pass: from the shipped bytes,
// offline, with evidence.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/fnaudit/fnaudit/cmd/internal/cli"
	"github.com/fnaudit/fnaudit/cmd/internal/startup"
)

func main() {
	startup.Restore()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.System(os.Args[1:]))
	stop()
	os.Exit(code)
}
