package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom/catalog"
)

// maxLockfile bounds in bytes a lockfile that is named on the command line, and
// the package.json beside it.
const maxLockfile = 64 << 20

// readLockfiles reads what --lockfile names. A file that is none is an error
// before anything is judged: without it other packages would be reported. Those
// of npm, Yarn, pnpm and bun speak for bundles; each says on which line a
// package is to be changed. digests are those of the files, in order.
func readLockfiles(names []string) (bundles []*catalog.Lockfile, lines []audit.Lines, digests []finding.Artifact, err error) {
	for _, name := range names {
		data, manifest, err := lockfileBytes(name)
		if err != nil {
			return nil, nil, nil, err
		}
		sum := sha256.Sum256(data)
		digests = append(digests, finding.Artifact{Ref: name, Digest: "sha256:" + hex.EncodeToString(sum[:])})
		l, err := catalog.ReadLockfile(filepath.ToSlash(name), data, manifest)
		if err == nil {
			bundles = append(bundles, l)
		} else if _, other := catalog.Locked(filepath.ToSlash(name), data, manifest, true); other != nil {
			return nil, nil, nil, usage("give one of "+strings.Join(catalog.LockfileNames(), ", ")+"; for a bundle that of npm, Yarn, pnpm or bun that it was built with", "read lockfile %s: %w", name, err)
		}
		lines = append(lines, linesOf(name, data))
	}
	return bundles, lines, digests, nil
}

// lockfileBytes reads a lockfile, and the package.json beside it, nil when there
// is none: only Yarn needs it, to tell production from development.
func lockfileBytes(name string) (data, manifest []byte, err error) {
	if data, err = readSmall(name, maxLockfile); err != nil {
		return nil, nil, usage("", "read lockfile: %w", err)
	}
	if manifest, err = readSmall(filepath.Join(filepath.Dir(name), "package.json"), maxLockfile); err != nil {
		manifest = nil
	}
	return data, manifest, nil
}

func linesOf(name string, data []byte) audit.Lines {
	return audit.Lines{File: filepath.ToSlash(filepath.Clean(name)), At: catalog.LockLines(name, data)}
}
