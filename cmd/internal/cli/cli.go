// Package cli is the command line: one file per verb, each turning flags into
// an options struct and that into one call. What a command prints and how it
// exits is a promise to scripts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// The exit codes of every command. With several functions the worst counts:
// fail before incomplete before ok.
const (
	ExitOK         = 0 // judged, and the policy passes; or done
	ExitFail       = 1 // judged, and the policy fails; "db check" found damage
	ExitUsage      = 2 // usage or environment error: nothing was judged, or what was judged could not be written, or not be told to whom an alert goes
	ExitIncomplete = 3 // something that the policy requires could not be read or checked, and nothing that was checked fails
)

// Env is everything outside the program that the commands use, so that tests
// can replace it.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	CacheDir       func() (string, error)
	Now            func() time.Time
	StdoutTerminal bool
	StderrTerminal bool
	Width          int // of the terminal; 0: not known

	// Program is a file that can be started to look into Go binaries: this
	// program, if its main function asks reach.IsChild first; "" if it does not.
	Program string
}

// System returns the environment of the running process.
func System(args []string) Env {
	return Env{
		Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, CacheDir: os.UserCacheDir, Now: time.Now,
		StdoutTerminal: isTerminal(os.Stdout), StderrTerminal: isTerminal(os.Stderr),
		Width: terminalWidth(os.Stdout),
	}
}

// exit is an error that carries an exit code. A nil err means that everything
// there is to say was already printed.
type exit struct {
	code int
	err  error
	hint string // what to do next, on a line of its own
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage is an error about how the command was called or about its surroundings.
func usage(hint, format string, args ...any) error {
	return &exit{code: ExitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// Main runs one command and returns the exit code.
func Main(ctx context.Context, env Env) int {
	root := newRoot(&env)
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return ExitOK
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{code: ExitUsage, err: err}
		if strings.HasPrefix(err.Error(), "unknown command") || strings.Contains(err.Error(), "flag") || strings.Contains(err.Error(), "arg(s)") {
			e.hint = "fnaudit help lists the commands, fnaudit COMMAND --help its flags"
		}
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // what failed for another reason is said as such
		e = interrupted(ctx, cmd)
	}
	if e.err != nil {
		fmt.Fprintln(env.Stderr, "fnaudit: "+report.Escape(strings.ReplaceAll(e.err.Error(), "\n", "; "))) // errors.Join puts each on a line
	}
	if e.hint != "" {
		fmt.Fprintln(env.Stderr, "  hint: "+report.Escape(e.hint))
	}
	return e.code
}

// interrupted says who stopped a command (a signal, which need not be the
// user's: build systems and timeouts send them too), and how it left things.
func interrupted(ctx context.Context, cmd *cobra.Command) *exit {
	left := "nothing was judged"
	if parent := cmd.Parent(); parent != nil && parent.Name() == "db" {
		switch cmd.Name() {
		case "update", "import", "pull":
			left = "the advisory store is as it was"
		case "push":
			left = "the registry may hold a part of it, under no tag"
		default:
			left = "nothing was changed"
		}
	}
	by := ""
	if cause := context.Cause(ctx); cause != nil && cause != ctx.Err() { // a signal has its name there
		by = " (" + cause.Error() + ")"
	}
	return &exit{code: ExitUsage, err: fmt.Errorf("%s: interrupted%s: %s", strings.TrimPrefix(cmd.CommandPath(), "fnaudit "), by, left)}
}

func newRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "fnaudit",
		Short: "Audit serverless function packages: what is inside, what is known against it, may it ship",
		Long: `fnaudit opens a serverless function as it is deployed (zip, layers, unpacked
folder), lists the packages inside from the shipped bytes, matches them against
advisories, and ends in one verdict per function: pass, fail or incomplete.
It works offline; only "db update", "db push", "db pull", image: targets,
"scan --online", "vet --online", "rescan" where it is told to alert, and "gate"
where it is told to sign with services or to attach, touch the network.

Exit status: 0 pass, 1 fail, 3 incomplete (something could not be read or
checked), 2 usage or environment error, or an alert that is lost.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().Bool("offline", false, "forbid every network access, even of commands made for it")
	root.AddCommand(scanCommand(env), rescanCommand(env), vetCommand(env), sbomCommand(env), verifyCommand(env), gateCommand(env), policyCommand(env), dbCommand(env), explainCommand(env), convertCommand(env), versionCommand(env))
	completeFlags(root)
	return root
}
