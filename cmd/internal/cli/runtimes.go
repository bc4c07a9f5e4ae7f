package cli

import (
	"github.com/fnaudit/fnaudit/sbom/stale"
)

// readRuntimes reads a table of runtimes. It replaces that of the program for
// the platforms that it lists. nil: none was named.
func readRuntimes(name string) (*stale.Runtimes, error) {
	if name == "" {
		return nil, nil
	}
	data, err := readSmall(name, stale.MaxRuntimesBytes)
	if err != nil {
		return nil, usage("", "read runtimes: %w", err)
	}
	given, err := stale.ParseRuntimes(data)
	if err != nil {
		return nil, usage("the form is documented with stale.ParseRuntimes", "read runtimes %s: %w", name, err)
	}
	own, err := stale.Embedded()
	if err != nil {
		return nil, err
	}
	return given.Over(own), nil
}
