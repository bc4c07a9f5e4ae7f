package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/fnaudit/fnaudit/vulndb"
)

// updateCommandLine is the one command that gets the full advisory set; every
// report judged with the starter set names it.
const updateCommandLine = "fnaudit db update"

// storeDir is the store's folder: the flag, the environment, or the user's cache.
func storeDir(env *Env, flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if dir := env.Getenv("FNAUDIT_DB"); dir != "" {
		return dir, nil
	}
	cache, err := env.CacheDir()
	if err != nil {
		return "", usage("name a folder with --db or FNAUDIT_DB", "find the user's cache folder for the advisory store: %w", err)
	}
	return filepath.Join(cache, "fnaudit", "db"), nil
}

// openStore opens the store to judge with. Without one it is the embedded
// starter set, and a line on stderr says so; a damaged store is an error and
// never replaced by the starter set. A store that was named and is not there is an error too.
func openStore(env *Env, flag string, quiet bool) (*vulndb.DB, error) {
	dir, err := storeDir(env, flag)
	if err != nil {
		return nil, err
	}
	db, err := vulndb.Open(dir)
	switch {
	case err == nil:
		return db, nil
	case !errors.Is(err, vulndb.ErrNoStore):
		return nil, usage("fnaudit db check says what is damaged; "+updateCommandLine+" builds it anew", "open the advisory store: %w", err)
	case flag != "" || env.Getenv("FNAUDIT_DB") != "":
		return nil, usage(fmt.Sprintf("%s --db %s creates it", updateCommandLine, dir), "open the advisory store: there is none in %s", dir)
	}
	if db, err = vulndb.Starter(); err != nil {
		return nil, fmt.Errorf("open the embedded starter set: %w", err)
	}
	if !quiet {
		fmt.Fprintf(env.Stderr, "fnaudit: no advisory store yet: using the embedded starter set of well-known advisories; run %q for the full set\n", updateCommandLine)
	}
	return db, nil
}
