package cli

import (
	"path/filepath"

	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// factsFolder is where the answers of registries are kept, inside the store.
const factsFolder = "facts"

// registryClient returns the client that learns facts about packages for a run
// under a policy: over the network only with --online.
func (o *scanOptions) registryClient(env *Env, pol *policy.Policy) (*registry.Client, error) {
	dir, err := storeDir(env, o.db)
	if err != nil {
		return nil, err
	}
	private, err := trust.ParseNames(pol.Dependencies.Private)
	if err != nil {
		return nil, usage("", "read policy %s: dependencies.private: %w", pol.Name, err)
	}
	return &registry.Client{Dir: filepath.Join(dir, factsFolder), Online: o.online, Private: private.Match, Now: env.Now}, nil
}
