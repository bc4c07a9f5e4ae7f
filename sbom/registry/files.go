package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// Files returns the names of the files that a Python project has at a version,
// sorted; empty when no index has any. The error is as of [Client.Archive].
func (c *Client) Files(ctx context.Context, p Package, version string) ([]string, error) {
	ep, why := c.endpoint(p)
	name, ok := pypiName(p.Name)
	switch {
	case why != "":
		return nil, errors.New(why)
	case p.System != PyPI || !ok || ep.URL == "":
		return nil, errors.New("no index is configured that has its files")
	}
	for _, o := range append([]Other{{URL: ep.URL}}, ep.Others...) {
		doc, err := c.Get(ctx, Request{URL: o.URL + name + "/", Accept: simpleForms, Limit: maxProject, System: PyPI})
		if err != nil {
			return nil, err
		}
		if doc.Absent {
			continue
		}
		list, err := parseSimple(doc.Body, name)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, f := range list.find(version, "") {
			names = append(names, f.name)
		}
		slices.Sort(names)
		if len(names) > 0 {
			return names, nil
		}
	}
	return nil, nil
}

// BestWheel returns the file of a Python version that most who install it get:
// the wheel that runs everywhere, else the newest for 64-bit Linux, else any
// wheel, else the source; "" of none.
func BestWheel(files []string) string {
	rank := func(name string) int {
		switch {
		case strings.HasSuffix(name, "-none-any.whl"):
			return 0
		case strings.HasSuffix(name, ".whl") && strings.Contains(name, "manylinux") && strings.HasSuffix(name, "_x86_64.whl"):
			return 1
		case strings.HasSuffix(name, ".whl"):
			return 2
		case strings.HasSuffix(name, ".tar.gz"):
			return 3
		}
		return 4
	}
	if len(files) == 0 {
		return ""
	}
	return slices.MinFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b, a)) })
}
