package cli

import (
	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/notify"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// completeFlags lets a shell complete the words that flags take, in a command and
// those below it. Where a flag takes a file as well, files are completed too.
func completeFlags(cmd *cobra.Command) {
	for name, words := range flagWords(cmd) {
		if words == nil || cmd.Flags().Lookup(name) == nil {
			continue
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		if name == "policy" {
			directive = cobra.ShellCompDirectiveDefault
		}
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, directive)) // the flag is there, and has none yet
	}
	for _, sub := range cmd.Commands() {
		completeFlags(sub)
	}
}

// flagWords are the words that flags of a command take, by the flag's name.
func flagWords(cmd *cobra.Command) map[string][]string {
	var causes []string
	for _, c := range notify.Causes() {
		causes = append(causes, string(c))
	}
	return map[string][]string{
		"output":         outputWords(cmd),
		"fail-on":        {"critical", "high", "medium", "low", "any", "none"},
		"policy":         policy.Names(),
		"platform":       platforms,
		"arch":           {"x86_64", "arm64"},
		"alert-on":       causes,
		"alert-severity": {"critical", "high", "medium", "low"},
	}
}

// outputWords are the formats of a command; nil where the flag names a file alone.
func outputWords(cmd *cobra.Command) []string {
	switch cmd.CommandPath() {
	case "fnaudit scan", "fnaudit rescan", "fnaudit vet", "fnaudit gate", "fnaudit convert":
		return report.Formats()
	case "fnaudit sbom":
		return sbomFormats
	case "fnaudit db export":
		return nil
	case "fnaudit policy test":
		return []string{"table", "json", "junit"}
	}
	return []string{"table", "json"}
}
