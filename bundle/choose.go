package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// maxIndexDepth is how deep indexes may lie in one another. Tools write two
// levels: index.json, and an index of platforms.
const maxIndexDepth = 4

// candidate is a manifest that an index leads to.
type candidate struct {
	desc  descriptor
	index Digest   // of the index that names it; "" for index.json, which is no blob
	names []string // of the entry of index.json above it
	m     *manifest
	raw   []byte
	err   error // why it could not be read
}

// chooser finds the image of a layout.
type chooser struct {
	ps    parts
	lim   Limits
	found []candidate
	read  int // documents
}

// choose finds the image that want asks for. Images that differ by platform
// alone are one image: it is that of want.platform, else that of linux/amd64,
// else the only one that is there. Several images are an error that names them.
func (c *chooser) choose(want wish) (*candidate, error) {
	p, err := c.ps.part("index.json")
	if err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	data, err := p.bytes(c.lim.MaxManifestBytes, "MaxManifestBytes")
	if err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	if len(m.Manifests) == 0 {
		return nil, fmt.Errorf("index.json names no image: %w", ErrUnreadable)
	}
	for i := range m.Manifests {
		d := &m.Manifests[i]
		if err := c.walk(d, "", d.names(), 1); err != nil {
			return nil, err
		}
	}
	return c.pick(want)
}

// walk collects the images below a descriptor.
func (c *chooser) walk(d *descriptor, index Digest, names []string, depth int) error {
	if d.notAnImage() {
		return nil
	}
	if c.read++; c.read > c.lim.MaxManifests {
		return fmt.Errorf("more manifests than MaxManifests, %d: %w", c.lim.MaxManifests, ErrUnreadable)
	}
	f := candidate{desc: *d, index: index, names: names}
	var data []byte
	if data, f.err = document(c.ps, d, c.lim.MaxManifestBytes, "MaxManifestBytes"); f.err == nil {
		f.m, f.err = parseManifest(data)
	}
	switch {
	case f.err != nil: // another platform may be the one that is asked for
		f.err = fmt.Errorf("read manifest %s: %w", quoted(string(d.Digest)), f.err)
	case f.m.isIndex():
		if depth >= maxIndexDepth {
			return fmt.Errorf("indexes lie more than %d deep in one another: %w", maxIndexDepth, ErrUnreadable)
		}
		for i := range f.m.Manifests {
			inner := &f.m.Manifests[i]
			if err := c.walk(inner, d.Digest, append(slices.Clone(names), inner.names()...), depth+1); err != nil {
				return err
			}
		}
		return nil
	case !f.m.isImage():
		if f.m.Config == nil || f.m.Config.MediaType == "" && f.m.ArtifactType == "" {
			f.err = fmt.Errorf("manifest %s has no configuration: %w", quoted(string(d.Digest)), ErrUnreadable)
			break
		}
		what := cmp.Or(f.m.ArtifactType, f.m.Config.MediaType)
		if besideImage(f.m.Layers) {
			what = f.m.Layers[0].MediaType
		}
		f.err = &notImage{what}
	case f.desc.Platform.String() == "":
		if cfg, err := readConfig(c.ps, f.m.Config, c.lim); err == nil {
			f.desc.Platform = &cfg.ImagePlatform
		}
	}
	f.raw = data
	c.found = append(c.found, f)
	return nil
}

// notImage is the error for what registries hold beside images.
type notImage struct{ what string }

func (n *notImage) Error() string {
	return "an artifact of type " + quoted(n.what) + ", no container image"
}
func (n *notImage) Unwrap() error { return ErrUnknownKind }

func readConfig(ps parts, d *descriptor, lim Limits) (*imageConfig, error) {
	data, err := document(ps, d, lim.MaxConfigBytes, "MaxConfigBytes")
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return parseConfig(data)
}

func parseConfig(data []byte) (*imageConfig, error) {
	var cfg imageConfig
	if err := parseJSON(data, &cfg); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return &cfg, nil
}

// pick takes one of the candidates.
func (c *chooser) pick(want wish) (*candidate, error) {
	list := c.found
	if want.name != "" {
		list = slices.DeleteFunc(slices.Clone(list), func(f candidate) bool { return !f.called(want.name) })
		if len(list) == 0 {
			return nil, fmt.Errorf("no image is called %s; there are %s: %w", quoted(want.name), c.list(c.found), ErrUnreadable)
		}
	}
	if images := slices.DeleteFunc(slices.Clone(list), func(f candidate) bool { var n *notImage; return errors.As(f.err, &n) }); len(images) > 0 {
		list = images
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the index names no image: %w", ErrUnreadable)
	}
	list = distinct(list)
	platform := want.platform
	if platform == "" && len(list) > 1 {
		list = present(list)
		if platform = "linux/amd64"; !slices.ContainsFunc(list, func(f candidate) bool { return f.runsOn(platform) }) && samePlatform(list) {
			platform = ""
		}
	}
	if platform != "" && (len(list) > 1 || list[0].desc.Platform.String() != "") {
		fit := slices.DeleteFunc(slices.Clone(list), func(f candidate) bool { return !f.runsOn(platform) })
		if len(fit) == 0 {
			if want.platform == "" {
				platform += ", the default"
			}
			return nil, fmt.Errorf("%w for %s; there are %s: %w", ErrNoPlatform, platform, platforms(list), ErrUnreadable)
		}
		list = fit
	}
	if len(list) > 1 {
		return nil, &SeveralImages{Names: names(list)}
	}
	return &list[0], list[0].err
}

// called reports whether the user's name for an image means f: a reference
// name or its end behind the last slash or colon, or a digest.
func (f *candidate) called(name string) bool {
	return string(f.desc.Digest) == name || string(f.index) == name || called(f.names, name)
}

func called(names []string, want string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return n == want || strings.HasSuffix(n, "/"+want) || strings.HasSuffix(n, ":"+want) && !strings.Contains(want, "/")
	})
}

func (f *candidate) runsOn(platform string) bool {
	return runsOn(f.desc.Platform.String(), platform)
}

// runsOn compares platforms without their variant, unless it is asked for.
func runsOn(has, want string) bool { return has == want || strings.HasPrefix(has, want+"/") }

// distinct drops repeated digests and joins their names.
func distinct(list []candidate) []candidate {
	var out []candidate
	for _, f := range list {
		if i := slices.IndexFunc(out, func(o candidate) bool { return o.desc.Digest == f.desc.Digest }); i >= 0 {
			out[i].names = append(slices.Clone(out[i].names), f.names...)
			continue
		}
		out = append(out, f)
	}
	return out
}

// present drops the platforms that an index names and whose manifest is not
// there: docker save writes one platform and leaves the index as it is.
func present(list []candidate) []candidate {
	kept := slices.DeleteFunc(slices.Clone(list), func(f candidate) bool { return errors.Is(f.err, fs.ErrNotExist) })
	if len(kept) == 0 {
		return list
	}
	return kept
}

func samePlatform(list []candidate) bool {
	return !slices.ContainsFunc(list, func(f candidate) bool { return f.desc.Platform.String() != list[0].desc.Platform.String() })
}

// SeveralImages is the error for an archive or a layout that holds more than
// one image and whose reference does not say which one is meant.
type SeveralImages struct {
	Names []string // each opens one of them behind a "#"; sorted
}

func (e *SeveralImages) Error() string {
	return "there are several images: append one of their names to the path, as in image.tar#NAME: " + listed(e.Names)
}

func (e *SeveralImages) Unwrap() error { return ErrUnreadable }

// names gives each image a name that tells it from the others.
func names(list []candidate) []string {
	var out []string
	for _, f := range list {
		n := string(f.desc.Digest)
		for _, name := range f.names {
			if !slices.ContainsFunc(list, func(o candidate) bool { return o.desc.Digest != f.desc.Digest && o.called(name) }) {
				n = name
				break
			}
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// list says what there is, for a person.
func (c *chooser) list(list []candidate) string {
	var out []string
	for _, f := range list {
		s := f.desc.Platform.String()
		if s == "" || len(f.names) > 0 {
			s = strings.TrimSpace(strings.Join(append(slices.Clone(f.names), string(f.desc.Digest), s), " "))
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return listed(slices.Compact(out))
}

// platforms says for which ones there are images.
func platforms(list []candidate) string {
	var out []string
	for _, f := range list {
		s := f.desc.Platform.String()
		if s == "" {
			s = "one that does not say its platform"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return listed(slices.Compact(out))
}

// listed joins a bounded number of names.
func listed(names []string) string {
	const most = 20
	var out []string
	for _, n := range names[:min(len(names), most)] {
		out = append(out, strings.Trim(quoted(n), `"`))
	}
	if len(names) > most {
		out = append(out, fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(out, ", ")
}
