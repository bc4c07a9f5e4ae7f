package bundle

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Media types: OCI image specification 1.1, media-types.md; distribution
// manifest v2, schema 2 (the docker ones).
const (
	typeOCIIndex       = "application/vnd.oci.image.index.v1+json"
	typeOCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	typeOCIConfig      = "application/vnd.oci.image.config.v1+json"
	typeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerConfig   = "application/vnd.docker.container.image.v1+json"
	typeDockerSchema1  = "application/vnd.docker.distribution.manifest.v1"
)

// Annotations: OCI image specification 1.1, annotations.md; the others are those
// of containerd and of BuildKit's attestations.
const (
	annotationRefName    = "org.opencontainers.image.ref.name"
	annotationBaseName   = "org.opencontainers.image.base.name"
	annotationBaseDigest = "org.opencontainers.image.base.digest"
	annotationContainerd = "io.containerd.image.name"
	annotationReference  = "vnd.docker.reference.type"
)

// descriptor points to a blob: descriptor.md.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       Digest            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *ImagePlatform    `json:"platform"`
}

// ImagePlatform says where an image runs, as an index or a configuration of
// images has it (image-spec 1.1, image-index.md).
type ImagePlatform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// String returns "linux/amd64" or "linux/arm/v7", or "" when nothing is said.
func (p *ImagePlatform) String() string {
	if p == nil || p.OS == "" && p.Architecture == "" {
		return ""
	}
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// manifest is an index or a manifest; which one shows in what is set.
type manifest struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       *descriptor       `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Manifests    []descriptor      `json:"manifests"`
	Annotations  map[string]string `json:"annotations"`
	FSLayers     json.RawMessage   `json:"fsLayers"` // of schema 1
}

// imageConfig is the configuration: config.md.
type imageConfig struct {
	ImagePlatform
	Created *time.Time `json:"created"`
	Config  struct {
		User       string
		Env        []string
		Entrypoint []string
		Cmd        []string
		WorkingDir string
		Labels     map[string]string
	} `json:"config"`
	RootFS struct {
		DiffIDs []Digest `json:"diff_ids"`
	} `json:"rootfs"`
	History []historyEntry `json:"history"`
}

type historyEntry struct {
	Created    *time.Time `json:"created"`
	CreatedBy  string     `json:"created_by"`
	EmptyLayer bool       `json:"empty_layer"`
}

// valid reports whether a digest is one that can be checked here. It keeps
// paths out of blob names.
func (d Digest) valid() bool {
	sum, ok := strings.CutPrefix(string(d), "sha256:")
	if !ok || len(sum) != 64 || strings.ToLower(sum) != sum {
		return false
	}
	_, err := hex.DecodeString(sum)
	return err == nil
}

// blobName is the place of a blob in a layout: image-layout.md.
func (d Digest) blobName() (string, error) {
	if !d.valid() {
		return "", fmt.Errorf("%s is no sha256 digest: %w", quoted(string(d)), ErrUnreadable)
	}
	return "blobs/sha256/" + string(d)[len("sha256:"):], nil
}

// parseManifest reads an index or a manifest. A document that could be both is
// refused: readers would differ in what the image is (CVE-2021-41190).
func parseManifest(data []byte) (*manifest, error) {
	var m manifest
	if err := parseJSON(data, &m); err != nil {
		return nil, err
	}
	index := m.MediaType == typeOCIIndex || m.MediaType == typeDockerList
	image := m.MediaType == typeOCIManifest || m.MediaType == typeDockerManifest
	switch {
	case strings.HasPrefix(m.MediaType, typeDockerSchema1), m.FSLayers != nil:
		return nil, fmt.Errorf("a manifest of schema 1, which is out of use: pull and push the image with a current tool: %w", ErrUnreadable)
	case m.Manifests != nil && (m.Layers != nil || m.Config != nil || image), index && m.Manifests == nil && m.Config != nil:
		return nil, fmt.Errorf("one document is an index and a manifest: %w", ErrUnreadable)
	}
	return &m, nil
}

func (m *manifest) isIndex() bool {
	return m.Manifests != nil || m.MediaType == typeOCIIndex || m.MediaType == typeDockerList
}

// parseJSON reads exactly one value.
func parseJSON(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one JSON value: %w", ErrUnreadable)
	}
	return nil
}

// isImage says whether a manifest is that of a container image and not of
// another thing that registries hold: a chart, a signature, a bill of materials.
// cosign's manifests look like images up to the media type of their layers,
// which no runtime unpacks.
func (m *manifest) isImage() bool {
	if m.Config == nil || besideImage(m.Layers) {
		return false
	}
	switch m.Config.MediaType {
	case typeOCIConfig, typeDockerConfig, "":
		return m.ArtifactType == "" || m.ArtifactType == m.Config.MediaType
	}
	return false
}

// notAnImage tells by a descriptor alone that it leads to no image, but to
// attestations that BuildKit stores beside images. Its artifact type does not
// tell: it may be that of an image's configuration.
func (d *descriptor) notAnImage() bool {
	return d.Annotations[annotationReference] != "" ||
		d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// names are what the entry of an index is called.
func (d *descriptor) names() []string {
	var out []string
	for _, key := range []string{annotationRefName, annotationContainerd} {
		if n := d.Annotations[key]; n != "" {
			out = append(out, n)
		}
	}
	return out
}
