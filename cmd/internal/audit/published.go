package audit

import (
	"context"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Published returns the archive that a package manager would take for a version:
// of a Python project, which has several, the wheel that runs everywhere, else
// one for 64-bit Linux, else the source.
func Published(ctx context.Context, c *registry.Client, p registry.Package, version string) (*registry.Archive, error) {
	file := ""
	if p.System == registry.PyPI {
		files, err := c.Files(ctx, p, version)
		if err != nil {
			return nil, err
		}
		file = registry.BestWheel(files)
	}
	return c.Archive(ctx, p, version, file)
}
