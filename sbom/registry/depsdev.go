package registry

import (
	"context"
	"encoding/json"
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
	r := old
	if !have || !c.listed(&old, versions) {
		var err error
		if r, err = c.depsDevPackage(ctx, p, old, have); err != nil {
			return record{}, err
		}
	}
	if r.Answer != Known {
		return r, nil
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

// detailed says whether the details of a version are known well enough.
func (c *Client) detailed(r *record, v *Version) bool {
	at := r.looked[v.Version]
	return !at.IsZero() && (!v.Published.IsZero() && at.Sub(v.Published) > settled || c.fresh(at, false))
}

// depsDevPackage asks for the list of versions. What was known of single
// versions is kept.
func (c *Client) depsDevPackage(ctx context.Context, p Package, old record, have bool) (record, error) {
	at := &visit{lane: &lane{cache: &c.cache}}
	defer at.lane.free()
	if have && old.Answer == Known {
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
	project, err := parseDepsDevVersion(doc.Body, r.Package.System, v)
	if err != nil {
		return fmt.Errorf("read what deps.dev says of %s %s: %w", r.Package, v.Version, err)
	}
	r.looked[v.Version] = c.now()
	if project == "" {
		return nil
	}
	archived, err := c.depsDevArchived(ctx, project)
	switch {
	case err != nil: // then it is not known whether it is archived, and the rest holds
		delete(r.looked, v.Version)
		return err
	case archived:
		r.Archived = project
	case r.Archived == project:
		r.Archived = ""
	}
	return nil
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

// parseDepsDevPackage reads an answer of GetPackage.
func parseDepsDevPackage(body []byte, f *Facts) error {
	var doc struct {
		Versions []struct {
			VersionKey struct {
				Version string `json:"version"`
			} `json:"versionKey"`
			PublishedAt      string `json:"publishedAt"`
			IsDefault        bool   `json:"isDefault"`
			IsDeprecated     bool   `json:"isDeprecated"`
			DeprecatedReason string `json:"deprecatedReason"`
		} `json:"versions"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	if len(doc.Versions) > maxVersions {
		return fmt.Errorf("it lists more than %d versions", maxVersions)
	}
	f.Versions = make([]Version, 0, len(doc.Versions))
	seen := make(map[string]bool, len(doc.Versions))
	for _, v := range doc.Versions {
		name := v.VersionKey.Version
		if !versionText(name) || seen[name] {
			continue // no tool could install it
		}
		seen[name] = true
		one := Version{Version: name, Published: date(v.PublishedAt, f.AsOf)}
		if v.IsDeprecated {
			one.Deprecated = "deprecated"
			if why := plain(v.DeprecatedReason); why != "" {
				one.Deprecated = why
			}
		}
		if v.IsDefault {
			f.Default = name
		}
		f.Versions = append(f.Versions, one)
	}
	if len(f.Versions) == 0 {
		return errors.New("it lists no version")
	}
	return nil
}

// buildAttestations are the types of attestations that say how a version was
// built or who published it, as the API names them.
var buildAttestations = []string{"https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1", "https://docs.pypi.org/attestations/publish/v1"}

// depsDevDetails is what is read of an answer of GetVersion.
type depsDevDetails struct {
	Licenses []string `json:"licenses"`
	Links    []struct {
		Label string `json:"label"`
		URL   string `json:"url"`
	} `json:"links"`
	SLSAProvenances []depsDevAttestation `json:"slsaProvenances"`
	Attestations    []depsDevAttestation `json:"attestations"`
	RelatedProjects []struct {
		ProjectKey struct {
			ID string `json:"id"`
		} `json:"projectKey"`
		RelationType string `json:"relationType"`
	} `json:"relatedProjects"`
	ProjectStatus *struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	} `json:"projectStatus"`
}

type depsDevAttestation struct {
	Type             string `json:"type"`
	SourceRepository string `json:"sourceRepository"`
	Verified         bool   `json:"verified"`
}

// parseDepsDevVersion reads an answer of GetVersion into a version. project is
// where its source is kept, as deps.dev names projects; "" when it is not told.
func parseDepsDevVersion(body []byte, s System, v *Version) (project string, err error) {
	var doc depsDevDetails
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", err
	}
	v.Licenses = nil
	for _, l := range doc.Licenses[:min(len(doc.Licenses), maxList)] {
		if l = plain(l); l != "" {
			v.Licenses = append(v.Licenses, l)
		}
	}
	if p := doc.ProjectStatus; p != nil && p.Status == "deprecated" && v.Deprecated == "" {
		v.Deprecated = "the project is deprecated"
		if why := plain(p.Reason); why != "" {
			v.Deprecated = why
		}
	}
	v.Attested, v.Repository = doc.attested(s)
	for _, r := range doc.RelatedProjects {
		if r.RelationType == "SOURCE_REPO" && r.ProjectKey.ID != "" && len(r.ProjectKey.ID) <= maxText {
			project = r.ProjectKey.ID
			break
		}
	}
	if v.Repository == "" {
		v.Repository = repository(project)
	}
	for _, l := range doc.Links {
		if v.Repository == "" && l.Label == "SOURCE_REPO" {
			v.Repository = repository(l.URL)
		}
	}
	return project, nil
}

// attested says whether a version has an attestation of its build, and of which
// repository. One that deps.dev could not verify proves neither that there is
// one nor that there is none.
func (d *depsDevDetails) attested(s System) (Answer, string) {
	doubt := false
	for _, a := range d.Attestations {
		switch {
		case !slices.Contains(buildAttestations, a.Type):
		case a.Verified:
			return Known, repository(a.SourceRepository)
		default:
			doubt = true
		}
	}
	for _, a := range d.SLSAProvenances {
		if a.Verified {
			return Known, repository(a.SourceRepository)
		}
		doubt = true
	}
	if doubt || s != NPM && s != PyPI { // the other registries keep none
		return Unknown, ""
	}
	return Absent, ""
}

// depsDevArchived says whether a project's repository is archived: the API
// passes on what OpenSSF Scorecard's check "Maintained" said
// (github.com/ossf/scorecard, checks/evaluation/maintained.go). Without a
// scorecard it is not known, which is false here.
func (c *Client) depsDevArchived(ctx context.Context, project string) (bool, error) {
	doc, err := c.Get(ctx, Request{URL: c.depsDev() + "/v3/projects/" + step(project), Accept: "application/json", Limit: maxVersionAnswer, reduce: reduceProject})
	if err != nil || doc.Absent {
		return false, err
	}
	return string(doc.Body) == projectArchived, nil
}

// projectArchived is what is kept of the answer about an archived project.
const projectArchived = "archived"

// reduceProject reads an answer of GetProject: all that is used of it is a word.
func reduceProject(body []byte) ([]byte, error) {
	var doc struct {
		Scorecard struct {
			Checks []struct {
				Name   string `json:"name"`
				Reason string `json:"reason"`
			} `json:"checks"`
		} `json:"scorecard"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("read what deps.dev says of a project: %w", err)
	}
	for _, c := range doc.Scorecard.Checks {
		if c.Name == "Maintained" && (strings.HasPrefix(c.Reason, "project is archived") || strings.HasPrefix(c.Reason, "repo is marked as archived")) {
			return []byte(projectArchived), nil
		}
	}
	return []byte("not known to be archived"), nil
}
