package cli

import (
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/vulndb/reach"
)

// reacher looks into Go binaries; nil when there is no program to do it in.
func reacher(env *Env) audit.Reacher {
	if env.Program == "" {
		return nil
	}
	return (&reach.Checker{Program: env.Program}).Check
}
