package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

func dbPruneCommand(env *Env, dir *string) *cobra.Command {
	var facts bool
	var format string
	o := registry.Pruning{Most: -1}
	cmd := &cobra.Command{
		Use:   "prune --facts (--older DURATION | --keep-bytes N)",
		Short: "Remove old answers of registries and archives from the store's cache",
		Long: `Remove from the cache of registries' answers what is old, and the oldest of what
is too much: answers, published archives and what was taken from them. All of it
can be fetched again, with --online or db update --facts; until then what it said
is unknown. Advisories are not touched. What is younger than an hour stays, since
a run may be using it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			const example = "fnaudit db prune --facts --older 2160h --dry-run"
			switch {
			case !facts:
				return usage(example, "db prune: --facts, the only thing that is pruned, is missing")
			case o.Older < 0 || cmd.Flags().Changed("keep-bytes") && o.Most < 0:
				return usage(example, "db prune: a negative limit")
			case o.Older == 0 && o.Most < 0:
				return usage(example, "db prune: neither --older nor --keep-bytes says what goes")
			}
			path, err := storeDir(env, *dir)
			if err != nil {
				return err
			}
			path = filepath.Join(path, factsFolder)
			done, err := registry.Prune(cmd.Context(), path, env.Now(), o)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return &exit{code: ExitUsage, err: fmt.Errorf("prune the answers of registries in %s: %w", path, err), hint: "what was removed stays removed; run it again"}
			}
			return printAs(env, format, done, func(w io.Writer) error {
				verb := "removed"
				if o.Dry {
					verb = "would remove"
				}
				_, err := fmt.Fprintf(w, "registry facts %s: %s %s, %s; %s stay, %s\n", report.Escape(path), verb, finding.Count(done.Files, "file", "files"), megabytes(done.Bytes), finding.Thousands(done.Kept), megabytes(done.KeptBytes))
				return err
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&facts, "facts", false, "prune the cache of registries' answers")
	f.DurationVar(&o.Older, "older", 0, "remove what was written longer ago than `DURATION`, as in 2160h")
	f.Int64Var(&o.Most, "keep-bytes", -1, "remove the oldest until at most `N` bytes are left (default: any number)")
	f.BoolVar(&o.Dry, "dry-run", false, "only say what would go")
	outputFlag(cmd, &format)
	return cmd
}
