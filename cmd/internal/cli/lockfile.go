package cli

import (
	"path/filepath"

	"github.com/fnaudit/fnaudit/sbom/catalog"
)

// maxLockfile bounds in bytes a lockfile that is named on the command line, and
// the package.json beside it.
const maxLockfile = 64 << 20

// readLockfiles reads what --lockfile names. A file that is none is an error
// before anything is judged: without it other packages would be reported.
func readLockfiles(names []string) ([]*catalog.Lockfile, error) {
	var out []*catalog.Lockfile
	for _, name := range names {
		data, err := readSmall(name, maxLockfile)
		if err != nil {
			return nil, usage("", "read lockfile: %w", err)
		}
		manifest, err := readSmall(filepath.Join(filepath.Dir(name), "package.json"), maxLockfile)
		if err != nil {
			manifest = nil // none is needed but by Yarn, and there it narrows down
		}
		l, err := catalog.ReadLockfile(filepath.ToSlash(name), data, manifest)
		if err != nil {
			return nil, usage("give the package-lock.json, yarn.lock, pnpm-lock.yaml or bun.lock that the bundle was built with", "read lockfile %s: %w", name, err)
		}
		out = append(out, l)
	}
	return out, nil
}
