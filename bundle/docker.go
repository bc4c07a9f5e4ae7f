package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// savedImage is one image of a docker archive: an element of manifest.json, as
// docker save writes it (github.com/moby/moby, image/spec, "Combined Image JSON
// + Filesystem Changeset Format").
type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// saved reads manifest.json; nil when there is none.
func saved(ps parts, lim Limits) ([]savedImage, error) {
	p, err := ps.part("manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest.json: %w", err)
	}
	data, err := p.bytes(lim.MaxManifestBytes, "MaxManifestBytes")
	if err != nil {
		return nil, fmt.Errorf("read manifest.json: %w", err)
	}
	var list []savedImage
	if err := parseJSON(data, &list); err != nil {
		return nil, fmt.Errorf("read manifest.json: %w", err)
	}
	if len(list) > lim.MaxManifests {
		return nil, fmt.Errorf("read manifest.json: more images than MaxManifests, %d: %w", lim.MaxManifests, ErrUnreadable)
	}
	return list, nil
}

// chooseSaved finds the image that want asks for.
func chooseSaved(list []savedImage, want wish) (*savedImage, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("manifest.json names no image: %w", ErrUnreadable)
	}
	var fit []savedImage
	for _, s := range list {
		if want.name != "" && !called(s.names(), want.name) {
			continue
		}
		if !slices.ContainsFunc(fit, func(o savedImage) bool { return o.Config == s.Config && slices.Equal(o.Layers, s.Layers) }) {
			fit = append(fit, s)
		}
	}
	switch len(fit) {
	case 0:
		return nil, fmt.Errorf("no image is called %s; there are %s: %w", quoted(want.name), listed(tell(list)), ErrUnreadable)
	case 1:
		return &fit[0], nil
	}
	return nil, &SeveralImages{Names: tell(fit)}
}

// tell gives each image a name that no other one has.
func tell(list []savedImage) []string {
	var out []string
	for i := range list {
		name := list[i].Config
		for _, n := range list[i].names() {
			others := slices.Concat(list[:i], list[i+1:])
			if !slices.ContainsFunc(others, func(o savedImage) bool { return called(o.names(), n) }) {
				name = n
				break
			}
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// names are the tags, and the digest of the configuration by its file's name.
func (s *savedImage) names() []string {
	out := slices.Clone(s.RepoTags)
	if d := s.claimed(); d != "" {
		out = append(out, string(d))
	}
	return append(out, s.Config)
}

// claimed is the digest that the name of the configuration's file claims; ""
// when it is no digest.
func (s *savedImage) claimed() Digest {
	d := Digest("sha256:" + strings.TrimSuffix(base(s.Config), ".json"))
	if !d.valid() {
		return ""
	}
	return d
}
