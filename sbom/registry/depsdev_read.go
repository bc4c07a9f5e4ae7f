package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

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
	ProjectStatus projectStatus `json:"projectStatus"`
}

// projectStatus is the marker of a Python project (PEP 792).
type projectStatus struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
}

// tell notes on a version what the marker says against its project, but that it
// is archived.
func (p *projectStatus) tell(v *Version) {
	status := plain(p.Status)
	why := "the project is " + status
	if reason := plain(p.Reason); reason != "" {
		why += ": " + reason
	}
	switch {
	case status == "" || status == "active" || p.archived():
	case status == "deprecated" && v.Deprecated == "":
		v.Deprecated = why
	case status != "deprecated" && v.Yanked == "": // quarantined, and what may be invented yet
		v.Yanked = why
	}
}

func (p *projectStatus) archived() bool { return p.Status == "archived" }

type depsDevAttestation struct {
	Type             string `json:"type"`
	SourceRepository string `json:"sourceRepository"`
	Verified         bool   `json:"verified"`
}

// parseDepsDevVersion reads an answer of GetVersion into a version. project is
// where its source is kept, as deps.dev names projects; "" when it is not told.
// archived says that its index calls the project so.
func parseDepsDevVersion(body []byte, s System, v *Version) (project string, archived bool, err error) {
	var doc depsDevDetails
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", false, err
	}
	v.Licenses = nil
	for _, l := range doc.Licenses[:min(len(doc.Licenses), maxList)] {
		if l = plain(l); l != "" {
			v.Licenses = append(v.Licenses, l)
		}
	}
	doc.ProjectStatus.tell(v)
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
	return project, doc.ProjectStatus.archived(), nil
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
