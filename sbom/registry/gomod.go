package registry

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/module"
)

// ModuleFile returns the go.mod that a Go module has at a version: from the
// first configured proxy that has it, by the rules of GOPROXY. It never changes,
// so one in the cache is not asked for again. Absent says that no proxy has that
// version. Who may not be told of the module is not asked, which is an error; it
// is ErrOffline when the cache has nothing and the network may not be asked.
func (c *Client) ModuleFile(ctx context.Context, path, version string) (Document, error) {
	ep, why := c.endpoint(Package{Go, path})
	switch {
	case why != "":
		return Document{}, errors.New(why)
	case ep.URL == "":
		return Document{}, errors.New("no module proxy is configured")
	case !goVersion(version):
		return Document{}, fmt.Errorf("%q is no version of a module", plain(version))
	}
	escaped, err := module.EscapePath(path)
	if err != nil {
		return Document{}, fmt.Errorf("%q is not the path of a Go module", plain(path))
	}
	at, err := module.EscapeVersion(version)
	if err != nil {
		return Document{}, fmt.Errorf("%q is no version of a module", plain(version))
	}
	m := &goModule{client: c, path: path}
	return m.first(ctx, ep, escaped, "/@v/"+at+".mod", maxModuleFile, true)
}
