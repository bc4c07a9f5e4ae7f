package registry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// depsDevAPI is the public deps.dev API (https://docs.deps.dev/api/v3/, and
// api/v3/api.proto in github.com/google/deps.dev, read in November 2026). One
// documented API answers for all systems here.
const depsDevAPI = "https://api.deps.dev"

// depsDevSource is what Facts.Source says of it.
const depsDevSource = "deps.dev"

// depsDevSystems are the systems' names there.
var depsDevSystems = map[System]string{NPM: "npm", PyPI: "pypi", Go: "go", Maven: "maven", Cargo: "cargo", NuGet: "nuget", RubyGems: "rubygems"}

// Bounds in bytes on answers of the API. A package with 20,000 versions has
// about 5 MB; a project has some 60 KB of scorecard.
const (
	maxPackageAnswer = 32 << 20
	maxVersionAnswer = 4 << 20
	maxGraphAnswer   = 16 << 20
)

// settled is how old a version is when what is said of it alone (licences,
// attestations, source) does not change any more: it is asked for once.
const settled = 14 * 24 * time.Hour

func (c *Client) depsDev() string {
	if c.DepsDev != "" {
		return strings.TrimSuffix(c.DepsDev, "/")
	}
	return depsDevAPI
}

// depsDevPath is the address of a package, or of something below it. Each part
// is one step of the path, whatever it contains.
func (c *Client) depsDevPath(p Package, steps ...string) string {
	name := p.Name
	if p.System == PyPI {
		name = pythonName(name)
	}
	address := c.depsDev() + "/v3/systems/" + depsDevSystems[p.System] + "/packages/" + step(name)
	for _, s := range steps {
		address += "/" + s
	}
	return address
}

// step is a text as one step of a path. A colon must not stand there as it is:
// what follows the last one in a path is taken for a method (":dependencies").
func step(s string) string {
	return strings.NewReplacer(":", "%3A", "@", "%40", "+", "%2B", "&", "%26", "=", "%3D", "$", "%24").Replace(url.PathEscape(s))
}

// pythonName is a PyPI name as PEP 503 normalizes it: names that differ only in
// case and in runs of "-", "_" and "." are one.
func pythonName(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			gap = true
			continue
		}
		if gap {
			b.WriteByte('-')
			gap = false
		}
		b.WriteRune(r)
	}
	if gap {
		b.WriteByte('-')
	}
	return b.String()
}

// askDepsDev asks deps.dev about a package: its list of versions unless that is
// fresh, the versions that are asked about unless they are known, and the
// projects that they are built from.
func (c *Client) askDepsDev(ctx context.Context, p Package, versions []string, old record, have bool) (record, error) {
	if depsDevSystems[p.System] == "" {
		return record{}, fmt.Errorf("deps.dev does not know packages of %s", p.System)
	}
	r, again := old, !have || !c.listed(&old, versions)
	if again {
		var err error
		if r, err = c.depsDevPackage(ctx, p, old, have); err != nil {
			return record{}, err
		}
	}
	if r.Answer != Known {
		return r, nil
	}
	if again {
		c.depsDevProject(ctx, &r, versions)
	}
	c.depsDevVersions(ctx, &r, c.undetailed(&r, versions))
	c.depsDevPrevious(ctx, &r, versions)
	return r, ctx.Err()
}

// undetailed are the versions, by index, whose details are to be asked for.
func (c *Client) undetailed(r *record, versions []string) []int {
	var out []int
	for _, text := range versions[:min(len(versions), maxDetailed)] {
		if text == everyVersion {
			text = r.Default
		}
		v := r.find(text)
		if v == nil || c.detailed(r, v) {
			continue
		}
		if i := slices.IndexFunc(r.Versions, func(w Version) bool { return w.Version == v.Version }); !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// detailed says whether the details of a version are known well enough. Of
// Python projects they tell whether the project is given up, which changes.
func (c *Client) detailed(r *record, v *Version) bool {
	at := r.looked[v.Version]
	return !at.IsZero() && (r.Package.System != PyPI && !v.Published.IsZero() && at.Sub(v.Published) > settled || c.fresh(at, false))
}

// depsDevPackage asks for the list of versions. What was known of single
// versions is kept, but for Python, where they tell what is said of the project.
func (c *Client) depsDevPackage(ctx context.Context, p Package, old record, have bool) (record, error) {
	at := &visit{lane: &lane{cache: &c.cache}}
	defer at.lane.free()
	have = have && old.Answer == Known && p.System != PyPI
	if have {
		at.have = old.validators
	}
	doc, err := c.document(ctx, Endpoint{visit: at}, Request{URL: c.depsDevPath(p), Accept: "application/json", Limit: maxPackageAnswer, System: p.System})
	if errors.Is(err, errUnchanged) {
		old.AsOf = c.now()
		return old, nil
	}
	r := record{Facts: Facts{Package: p, Source: depsDevSource, AsOf: doc.Fetched}, validators: at.now}
	switch {
	case err != nil:
		return record{}, err
	case doc.Absent:
		r.Answer = Absent
		return r, nil
	}
	if err := parseDepsDevPackage(doc.Body, &r.Facts); err != nil {
		return record{}, fmt.Errorf("read what deps.dev says of %s: %w", p, err)
	}
	r.Answer = Known
	if have {
		r.keep(&old)
	}
	return r, nil
}

// keep takes over what was known of single versions.
func (r *record) keep(old *record) {
	r.Archived, r.looked = old.Archived, old.looked
	if len(old.looked) == 0 {
		return
	}
	before := make(map[string]*Version, len(old.Versions))
	for i := range old.Versions {
		before[old.Versions[i].Version] = &old.Versions[i]
	}
	for i := range r.Versions {
		v := &r.Versions[i]
		if o := before[v.Version]; o != nil && !old.looked[v.Version].IsZero() {
			v.Licenses, v.Repository, v.Attested = o.Licenses, o.Repository, o.Attested
		}
	}
}

// depsDevVersions asks for the details of versions. What is not learnt stays
// unknown, and the next run asks for it.
func (c *Client) depsDevVersions(ctx context.Context, r *record, list []int) {
	for _, i := range list {
		var down downError
		if err := c.depsDevVersion(ctx, r, i); err != nil && ctx.Err() == nil && !errors.As(err, &down) {
			c.notice(fmt.Sprintf("%s %s: %v; its licences and attestations are not known", r.Package, r.Versions[i].Version, err))
		}
	}
}

// depsDevVersion asks for the details of one version.
func (c *Client) depsDevVersion(ctx context.Context, r *record, i int) error {
	v := &r.Versions[i]
	doc, err := c.document(ctx, Endpoint{visit: &visit{}}, Request{
		URL: c.depsDevPath(r.Package, "versions", step(v.Version)), Accept: "application/json", Limit: maxVersionAnswer, System: r.Package.System,
	})
	if err != nil {
		return err
	}
	if r.looked == nil {
		r.looked = map[string]time.Time{}
	}
	if doc.Absent { // a version that is listed and has no page of its own: nothing is told of it
		r.looked[v.Version] = c.now()
		return nil
	}
	project, archived, err := parseDepsDevVersion(doc.Body, r.Package.System, v)
	if err != nil {
		return fmt.Errorf("read what deps.dev says of %s %s: %w", r.Package, v.Version, err)
	}
	r.looked[v.Version] = c.now()
	switch {
	case archived:
		r.Archived = r.Package.Name
		return nil
	case r.Archived == r.Package.Name:
		r.Archived = ""
	}
	if project == "" {
		return nil
	}
	if err := c.depsDevArchived(ctx, r, project); err != nil {
		delete(r.looked, v.Version) // the next run asks again
		return err
	}
	return nil
}

// depsDevProject asks again whether the projects are archived that settled
// versions are built from: that changes when nothing else of them does.
func (c *Client) depsDevProject(ctx context.Context, r *record, versions []string) {
	for _, text := range versions[:min(len(versions), maxDetailed)] {
		v := r.find(text)
		if v == nil || r.looked[v.Version].IsZero() || v.Repository == "" || r.Archived == r.Package.Name {
			continue
		}
		var down downError
		if err := c.depsDevArchived(ctx, r, v.Repository); err != nil && ctx.Err() == nil && !errors.As(err, &down) {
			c.notice(fmt.Sprintf("%s: %v; whether its project is archived is as it was", r.Package, err))
		}
	}
}

// depsDevPrevious asks for the version before one that has no attestation: it
// is a sign of a stolen account when that had one. Only these systems have any.
func (c *Client) depsDevPrevious(ctx context.Context, r *record, versions []string) {
	if r.Package.System != NPM && r.Package.System != PyPI {
		return
	}
	for _, text := range versions[:min(len(versions), maxDetailed)] {
		v := r.find(text)
		if v == nil || v.Attested != Absent {
			continue
		}
		if st := r.Standing(v.Version); st.Previous != nil {
			c.depsDevVersions(ctx, r, c.undetailed(r, []string{st.Previous.Version}))
		}
	}
}

// depsDevArchived notes whether a project's repository is archived: the API
// passes on what OpenSSF Scorecard's check "Maintained" said
// (github.com/ossf/scorecard, checks/evaluation/maintained.go). Without a
// scorecard it is not known.
func (c *Client) depsDevArchived(ctx context.Context, r *record, project string) error {
	doc, err := c.Get(ctx, Request{URL: c.depsDev() + "/v3/projects/" + step(project), Accept: "application/json", Limit: maxVersionAnswer, reduce: reduceProject})
	switch {
	case err != nil:
		return err
	case string(doc.Body) == projectArchived:
		r.Archived = project
	case r.Archived == project:
		r.Archived = ""
	}
	return nil
}
