package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// Limits of an image. Those of package bundle bound what is read of it then.
const (
	maxIndexDepth = 4
	maxPlatforms  = 256      // manifests of an index
	maxLayers     = 1000     // of a manifest
	maxImage      = 32 << 30 // bytes of all blobs together, as shipped
)

// Descriptor names a blob (image-spec 1.1, descriptor.md).
type Descriptor struct {
	MediaType    string                `json:"mediaType"`
	Digest       string                `json:"digest"`
	Size         int64                 `json:"size"`
	URLs         []string              `json:"urls,omitempty"`
	ArtifactType string                `json:"artifactType,omitempty"`
	Annotations  map[string]string     `json:"annotations,omitempty"`
	Platform     *bundle.ImagePlatform `json:"platform,omitempty"`
}

// document is an index or a manifest; which one shows in what is set.
type document struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *Descriptor  `json:"config"`
	Layers        []Descriptor `json:"layers"`
	Manifests     []Descriptor `json:"manifests"`
}

// Image is an image of a registry of which the manifest was read, and nothing
// else yet.
type Image struct {
	Reference Reference
	Index     bundle.Digest // that the reference names; "" when it names the manifest itself
	Manifest  Descriptor
	Blobs     []Descriptor // the configuration and the layers, each digest once
	Size      int64        // bytes of the blobs

	repo *Repository
	body []byte // the manifest
}

// Resolve reads what a reference names: the manifest itself, or the index and
// then the manifest of one platform. platform is like "linux/arm64"; when empty
// it is linux/amd64, or the only one that there is. An error that does not wrap
// ErrCorrupt means that nothing is known about the image: the registry cannot
// be reached, refuses, or has no such image or platform.
func (c *Client) Resolve(ctx context.Context, ref Reference, platform string) (*Image, error) {
	repo, err := c.Repository(ref)
	if err != nil {
		return nil, err
	}
	img := &Image{Reference: ref, repo: repo}
	want := Descriptor{Digest: ref.Identifier(), Size: -1}
	for range maxIndexDepth {
		body, kind, err := repo.Manifest(ctx, want.Digest)
		if err != nil {
			return nil, err
		}
		if want.Size >= 0 && want.Size != int64(len(body)) {
			return nil, corrupt("the manifest %s has %d bytes, its index says %d", want.Digest, len(body), want.Size)
		}
		var doc document
		if err := json.Unmarshal(body, &doc); err != nil {
			return nil, corrupt("what %s names is no manifest", ref)
		}
		if doc.MediaType != "" { // what is under the digest, not what the answer's header says
			kind = doc.MediaType
		}
		if kind == mediaIndex || kind == mediaDockerList || kind != mediaManifest && kind != mediaDockerManifest && len(doc.Manifests) > 0 {
			if img.Index == "" {
				img.Index = bundle.Digest(digestOf(body))
			}
			if want, err = choose(doc.Manifests, platform); err != nil {
				return nil, fmt.Errorf("%s: %w", ref, err)
			}
			continue
		}
		return img, img.read(&doc, body, kind, want)
	}
	return nil, corrupt("the indexes of %s lie more than %d deep in one another", ref, maxIndexDepth)
}

// read takes over a manifest.
func (img *Image) read(doc *document, body []byte, kind string, d Descriptor) error {
	if doc.SchemaVersion != 2 || doc.Config == nil {
		return corrupt("the manifest of %s is of a kind that is not read (%s)", img.Reference, clip(kind, 80))
	}
	if len(doc.Layers) > maxLayers {
		return corrupt("the manifest of %s has %d layers, over %d", img.Reference, len(doc.Layers), maxLayers)
	}
	if kind != mediaDockerManifest {
		kind = mediaManifest
	}
	img.body = body
	img.Manifest = Descriptor{MediaType: kind, Digest: digestOf(body), Size: int64(len(body)), Platform: d.Platform}
	sizes := map[string]int64{}
	for _, b := range append([]Descriptor{*doc.Config}, doc.Layers...) {
		if !isDigest(b.Digest) || b.Size < 0 {
			return corrupt("the manifest of %s names a blob %q of %d bytes", img.Reference, clip(b.Digest, 80), b.Size)
		}
		if size, seen := sizes[b.Digest]; seen {
			if size != b.Size {
				return corrupt("the manifest of %s names two sizes for %s", img.Reference, b.Digest)
			}
			continue
		}
		sizes[b.Digest] = b.Size
		img.Blobs = append(img.Blobs, b)
		if img.Size += b.Size; img.Size > maxImage || b.Size > maxImage {
			return corrupt("the image %s has over %d bytes", img.Reference, int64(maxImage))
		}
	}
	return nil
}

// choose picks the manifest of a platform. The same rule as for layouts on
// disk: the one that is asked for, else linux/amd64, else the only one.
func choose(list []Descriptor, platform string) (Descriptor, error) {
	if len(list) > maxPlatforms {
		return Descriptor{}, corrupt("the index names %d manifests, over %d", len(list), maxPlatforms)
	}
	var images []Descriptor
	for _, d := range list {
		if d.Annotations["vnd.docker.reference.type"] != "" || !imageType(d.ArtifactType) || d.Platform != nil && d.Platform.OS == "unknown" {
			continue // BuildKit's attestations, and other things that are no images
		}
		if !isDigest(d.Digest) || d.Size < 0 {
			return Descriptor{}, corrupt("the index names a manifest %q of %d bytes", clip(d.Digest, 80), d.Size)
		}
		images = append(images, d)
	}
	if len(images) == 0 {
		return Descriptor{}, errors.New("the index names no image")
	}
	want := platform
	if want == "" {
		if len(images) == 1 {
			return images[0], nil
		}
		want = "linux/amd64"
	}
	for _, d := range images {
		if s := d.Platform.String(); s == want || strings.HasPrefix(s, want+"/") {
			return d, nil
		}
	}
	if len(images) == 1 && images[0].Platform.String() == "" {
		return images[0], nil
	}
	return Descriptor{}, fmt.Errorf("no image for %s; there are %s", want, strings.Join(platforms(images), ", "))
}

// imageType reports whether the artifact type of a descriptor may be an
// image's: where a manifest has none, some tools write the media type of its
// configuration there (distribution-spec 1.1, "Listing Referrers").
func imageType(artifactType string) bool {
	switch artifactType {
	case "", "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json":
		return true
	}
	return false
}

// platforms lists platforms for people, sorted, each once, and not too many.
func platforms(list []Descriptor) []string {
	var names []string
	for _, d := range list {
		name := d.Platform.String()
		if name == "" {
			name = short(d.Digest)
		}
		names = append(names, clip(name, 60))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), 20)]
}
