package share

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// Media types and annotations of the artifact.
const (
	ArtifactType   = "application/vnd.fnaudit.db.v1"
	mediaSnapshot  = "application/vnd.fnaudit.db.snapshot.v1+json"
	mediaEcosystem = "application/vnd.fnaudit.db.ecosystem.v1"
	mediaFeed      = "application/vnd.fnaudit.db.feed.v1"
	mediaManifest  = "application/vnd.oci.image.manifest.v1+json"
	mediaEmpty     = "application/vnd.oci.empty.v1+json"

	annotationTitle     = "org.opencontainers.image.title"
	annotationCreated   = "org.opencontainers.image.created"
	annotationSnapshot  = "com.github.fnaudit.db.snapshot"
	annotationBuiltAt   = "com.github.fnaudit.db.built-at"
	annotationEcosystem = "com.github.fnaudit.db.ecosystem"
	annotationFeed      = "com.github.fnaudit.db.feed"
)

// maxSnapshot bounds the snapshot in bytes; that of a full store has 40 KB.
const maxSnapshot = 4 << 20

// emptyConfig is the config of an artifact that has none (image-spec 1.1,
// "Guidance for an Empty Descriptor").
const emptyConfig = "{}"

// descriptor is an OCI content descriptor.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Data        string            `json:"data,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// manifest is an OCI image manifest.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// artifact makes the manifest of a snapshot. created is when the artifact
// says that it was made.
func artifact(s vulndb.Snapshot, snapshot []byte, created time.Time) ([]byte, error) {
	m := manifest{
		SchemaVersion: 2, MediaType: mediaManifest, ArtifactType: ArtifactType,
		Config: descriptor{MediaType: mediaEmpty, Digest: digestOf([]byte(emptyConfig)), Size: int64(len(emptyConfig)), Data: "e30="},
		Layers: []descriptor{{MediaType: mediaSnapshot, Digest: digestOf(snapshot), Size: int64(len(snapshot)),
			Annotations: map[string]string{annotationTitle: "snapshot.json"}}},
		Annotations: map[string]string{
			annotationTitle: "fnaudit advisory store", annotationSnapshot: s.ID,
			annotationBuiltAt: s.BuiltAt.UTC().Format(time.RFC3339), annotationCreated: created.UTC().Format(time.RFC3339),
		},
	}
	for _, f := range s.Files() {
		media, annotation := mediaEcosystem, annotationEcosystem
		if f.Feed {
			media, annotation = mediaFeed, annotationFeed
		}
		m.Layers = append(m.Layers, descriptor{MediaType: media, Digest: f.Digest, Size: f.Size,
			Annotations: map[string]string{annotationTitle: f.Name, annotation: f.Of}})
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return b, nil
}

// errNotStore says that an artifact is something else.
var errNotStore = errors.New("this is not an advisory store")

// parseArtifact reads a manifest of an artifact and returns the descriptor of
// its snapshot and its other layers.
func parseArtifact(b []byte) (manifest, error) {
	var m manifest
	if json.Unmarshal(b, &m) != nil {
		return m, fmt.Errorf("%w: no manifest", errNotStore)
	}
	if m.ArtifactType != ArtifactType || m.MediaType != mediaManifest {
		what := m.ArtifactType
		if what == "" {
			what = m.MediaType
		}
		return m, fmt.Errorf("%w: its type is %q, want %s", errNotStore, clip(what, 80), ArtifactType)
	}
	if len(m.Layers) == 0 || m.Layers[0].MediaType != mediaSnapshot || m.Layers[0].Size < 0 || m.Layers[0].Size > maxSnapshot {
		return m, fmt.Errorf("%w: its first layer is no snapshot", errNotStore)
	}
	return m, nil
}

// matches compares an artifact's layers with its snapshot: a snapshot that
// names what the artifact does not carry could never be pulled.
func (m manifest) matches(s vulndb.Snapshot) error {
	for _, src := range s.Files() {
		if !slices.ContainsFunc(m.Layers[1:], func(d descriptor) bool { return d.Digest == src.Digest && d.Size == src.Size }) {
			return fmt.Errorf("%w: its snapshot names %s, and it has no such layer", errNotStore, src.Of)
		}
	}
	return nil
}

// payload is what a cosign signature is over.
// (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md)
type payload struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
	Optional map[string]any `json:"optional"`
}

const (
	payloadType         = "cosign container image signature"
	mediaSigning        = "application/vnd.dev.cosign.simplesigning.v1+json"
	annotationSignature = "dev.cosignproject.cosign/signature"
)

// newPayload makes what is signed for a manifest in a repository.
func newPayload(repository, digest string) ([]byte, error) {
	var p payload
	p.Critical.Identity.Reference = repository
	p.Critical.Image.Digest = digest
	p.Critical.Type = payloadType
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// signs reports whether a payload is a signature's over the manifest with a
// digest. The reference in it is where the signer pushed to; it is not
// compared, because a mirror holds the same bytes under another name.
func signs(b []byte, digest string) bool {
	var p payload
	return json.Unmarshal(b, &p) == nil && p.Critical.Type == payloadType && p.Critical.Image.Digest == digest
}

// signatureTag is where the signatures over a manifest lie.
func signatureTag(digest string) string { return strings.Replace(digest, ":", "-", 1) + ".sig" }
