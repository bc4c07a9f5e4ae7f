package oracle

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/enricher/vulnmatch/osvlocal"
	"github.com/google/osv-scalibr/extractor"
	apk "github.com/google/osv-scalibr/extractor/filesystem/os/apk/metadata"
	"github.com/google/osv-scalibr/purl"
	osvpb "github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/encoding/protojson"
)

// reference is one ecosystem's records as osv-scanner loads them.
type reference struct {
	ecosystem string
	release   string // of a distribution: "v3.10"
	purlType  string
	records   []*osvpb.Vulnerability
	byName    map[string][]*osvpb.Vulnerability // by name as the reference compares it: exactly
	bounds    []string                          // every boundary of the ecosystem, sorted, once each
}

// ecosystems lists what is compared, with the purl type that makes osv-scalibr
// choose it.
func ecosystems() map[string]string {
	return map[string]string{
		"Go": purl.TypeGolang, "Maven": purl.TypeMaven, "NuGet": purl.TypeNuget, "Packagist": purl.TypeComposer,
		"PyPI": purl.TypePyPi, "RubyGems": purl.TypeGem, "crates.io": purl.TypeCargo, "npm": purl.TypeNPM,
		"Alpine": purl.TypeApk,
	}
}

// mostReleases bounds how many releases of a distribution are compared: those
// with the most entries. The others have few, and the same ones.
const mostReleases = 3

// releases lists releases of a distribution that its records name, sorted;
// none for an ecosystem that has no releases.
func (r *reference) releases() []string {
	if r.purlType != purl.TypeApk {
		return nil
	}
	entries := map[string]int{}
	for _, v := range r.records {
		for _, a := range v.GetAffected() {
			if base, release, ok := strings.Cut(a.GetPackage().GetEcosystem(), ":"); ok && base == r.ecosystem {
				entries[release]++
			}
		}
	}
	list := slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		return cmp.Or(cmp.Compare(entries[b], entries[a]), strings.Compare(a, b))
	})
	list = list[:min(len(list), mostReleases)]
	slices.Sort(list)
	return list
}

// of is the same records, asked about packages of one release.
func (r *reference) of(release string) *reference {
	c := *r
	c.release = release
	return &c
}

// full is the ecosystem with the release, as OSV spells it.
func (r *reference) full() string {
	if r.release == "" {
		return r.ecosystem
	}
	return r.ecosystem + ":" + r.release
}

func load(feed, ecosystem, purlType string) (*reference, error) {
	z, err := zip.OpenReader(filepath.Join(feed, ecosystem, "all.zip"))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	ref := &reference{ecosystem: ecosystem, purlType: purlType, byName: map[string][]*osvpb.Vulnerability{}}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return nil, err
		}
		v := &osvpb.Vulnerability{}
		if err := protojson.Unmarshal(b, v); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		ref.records = append(ref.records, v)
		for _, n := range ref.names(v) {
			ref.byName[n] = append(ref.byName[n], v)
		}
		for _, a := range v.GetAffected() {
			ref.bounds = append(ref.bounds, boundaries(a)...)
		}
	}
	slices.Sort(ref.bounds)
	ref.bounds = slices.Compact(ref.bounds)
	return ref, nil
}

// names returns the package names of a record in this ecosystem, once each.
func (r *reference) names(v *osvpb.Vulnerability) []string {
	var list []string
	for _, a := range v.GetAffected() {
		base, _, _ := strings.Cut(a.GetPackage().GetEcosystem(), ":")
		if n := a.GetPackage().GetName(); base == r.ecosystem && n != "" && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// match returns the ids that osv-scanner reports of the given records. A panic
// of its matcher, which would end osv-scanner, is told apart.
func (r *reference) match(records []*osvpb.Vulnerability, name, version string) (ids []string, panicked bool) {
	defer func() {
		if recover() != nil {
			ids, panicked = nil, true
		}
	}()
	pkg := &extractor.Package{Name: name, Version: version, PURLType: r.purlType}
	if r.release != "" {
		pkg.Metadata = &apk.Metadata{PackageName: name, OriginName: name, OSID: "alpine", OSVersionID: strings.TrimPrefix(r.release, "v") + ".0"}
	}
	for _, v := range osvlocal.VulnerabilitiesAffectingPackage(records, pkg) {
		ids = append(ids, v.GetId())
	}
	slices.Sort(ids)
	return ids, false
}
