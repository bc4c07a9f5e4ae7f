package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/sbom/integrity"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/trust"
)

// factsFolder is where the answers of registries are kept, inside the store.
const factsFolder = "facts"

// registryClient returns the client that learns facts about packages for a run
// under a policy: over the network only with --online. What the policy calls
// private is asked of nobody but registries that the user's own configuration
// gives to such names.
func (o *scanOptions) registryClient(env *Env, pol *policy.Policy) (*registry.Client, error) {
	dir, err := storeDir(env, o.db)
	if err != nil {
		return nil, err
	}
	private, err := trust.ParseNames(pol.Dependencies.Private)
	if err != nil {
		return nil, usage("", "policy %s: dependencies.private: %w", pol.Name, err)
	}
	return &registry.Client{Dir: filepath.Join(dir, factsFolder), Online: o.online && !o.offline, Private: private.Match, Now: env.Now,
		Config: registry.ReadConfig(registryEnvironment(env)), // offline too: whose answers the cache may be asked for
		Notice: noticer(env, nil, o.quiet),
		Arrive: integrity.Arrive(),
	}, nil
}

// registryEnvironment is where the ecosystems' own tools have their
// configuration: the user's and the machine's, never the current folder's.
func registryEnvironment(env *Env) registry.Environment {
	home := env.Getenv("HOME")
	if runtime.GOOS == "windows" {
		home = env.Getenv("USERPROFILE")
	}
	config := env.Getenv("XDG_CONFIG_HOME")
	switch {
	case runtime.GOOS == "windows":
		config = env.Getenv("AppData")
	case runtime.GOOS == "darwin" && home != "":
		config = filepath.Join(home, "Library", "Application Support")
	case config == "" && home != "":
		config = filepath.Join(home, ".config")
	}
	return registry.Environment{Getenv: env.Getenv, ReadFile: os.ReadFile, Home: home, ConfigDir: config, GOROOT: goroot(env)}
}

// goroot is where Go is installed, as far as the environment says it: the
// settings that the installation brings may name a module proxy. A program that
// a package may have brought says nothing: it is part of what is audited.
func goroot(env *Env) string {
	if dir := env.Getenv("GOROOT"); dir != "" {
		return dir
	}
	for _, dir := range filepath.SplitList(env.Getenv("PATH")) {
		tool := filepath.Join(dir, "go")
		if runtime.GOOS == "windows" {
			tool += ".exe"
		}
		if !filepath.IsAbs(tool) {
			continue
		}
		real, err := filepath.EvalSymlinks(tool)
		if err == nil && filepath.Base(filepath.Dir(real)) == "bin" && !ofPackages(env, dir) && !ofPackages(env, filepath.Dir(real)) {
			return filepath.Dir(filepath.Dir(real))
		}
	}
	return ""
}

// ofPackages says whether packages may put programs into a folder: one below the
// current folder, in node_modules ("npm run" adds those to PATH), or of a Python
// environment. Who works in the home folder, or above it, audits something else.
func ofPackages(env *Env, dir string) bool {
	if slices.Contains(strings.Split(filepath.ToSlash(dir), "/"), "node_modules") {
		return true
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "pyvenv.cfg")); err == nil {
		return true
	}
	here, err := os.Getwd()
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(here); err == nil {
		here = real
	}
	home := env.Getenv("HOME")
	if real, err := filepath.EvalSymlinks(home); err == nil {
		home = real
	}
	return below(here, dir) && !below(here, home)
}

// below says whether a path is a folder or lies in it.
func below(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsAbs(path) && filepath.IsLocal(rel)
}
