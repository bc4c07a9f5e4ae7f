package registry

import (
	"context"
	"errors"
	"fmt"
)

// PythonRelease is a version of a Python project with its files, as the configured
// indexes list them.
type PythonRelease struct {
	Version string // as the first of its files spells it
	Files   []PythonFile
}

// PythonFile is a file of a release.
type PythonFile struct {
	Name   string
	Yanked bool
	Python string // which versions of Python it runs on, as "Requires-Python"; "" any, or not told

	index string // address of the index that lists it
	at    pypiFile
}

// Releases returns what the configured indexes list of a Python project, in the
// order in which they do; nil when none has it. pip takes the best version of all
// of them, so an index that does not answer is an error. The other errors are
// those of [Client.Archive].
func (c *Client) Releases(ctx context.Context, p Package) ([]PythonRelease, error) {
	ep, why := c.endpoint(p)
	name, ok := pypiName(p.Name)
	switch {
	case why != "":
		return nil, errors.New(why)
	case p.System != PyPI || !ok:
		return nil, fmt.Errorf("%q is not the name of a Python project", plain(p.Name))
	case ep.URL == "":
		return nil, errors.New("no index is configured that has its files")
	}
	var out []PythonRelease
	at := map[string]int{}
	for _, o := range append([]Other{{URL: ep.URL}}, ep.Others...) {
		doc, err := c.Get(ctx, Request{URL: o.URL + name + "/", Accept: simpleForms, Limit: maxProject, System: PyPI})
		if err != nil {
			return nil, err
		}
		if doc.Absent {
			continue
		}
		list, err := listedAs(doc.Body, name)
		if err != nil {
			return nil, fmt.Errorf("read what %s says of %s: %w", o.URL, p, err)
		}
		for _, f := range list.files {
			if !versionText(f.version) {
				continue
			}
			key := pypiCanon(f.version)
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, PythonRelease{Version: f.version})
			}
			out[i].Files = append(out[i].Files, PythonFile{Name: f.name, Yanked: f.yanked, Python: f.python, index: o.URL, at: f})
		}
		if len(out) > maxVersions {
			return nil, fmt.Errorf("%s has over %d versions", p, maxVersions)
		}
	}
	return out, nil
}

// listedAs reads a page of the Simple API, which must be about that project, and
// about one of which files are handed out.
func listedAs(body []byte, name string) (simpleList, error) {
	list, err := parseSimple(body, name)
	if err != nil {
		return simpleList{}, err
	}
	if said, _ := pypiName(list.name); list.name != "" && said != name {
		return simpleList{}, fmt.Errorf("it is about another project, %q", plain(list.name))
	}
	switch list.status {
	case "", "archived", "deprecated":
		return list, nil
	}
	return simpleList{}, errors.New("the project is " + list.status)
}
