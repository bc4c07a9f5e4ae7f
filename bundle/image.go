package bundle

import "time"

// Image is what the manifest and the configuration of a container image say
// beside its files. Everything here but the digests is a claim of whoever built
// the image.
type Image struct {
	Manifest Digest // of the manifest; "" for a docker archive, which has none
	Config   Digest // of the configuration
	Index    Digest // of the index that the manifest was chosen from; "" when there was none
	Platform string // "linux/amd64", with a variant "linux/arm64/v8"; "" when not said

	Created         time.Time // zero when not said
	Entrypoint, Cmd []string
	Env             []string // "NAME=value"
	WorkingDir      string
	User            string
	Labels          map[string]string // of the configuration
	Annotations     map[string]string // of the manifest
	Layers          []ImageLayer      // bottom first
}

// ImageLayer is one layer of an image.
type ImageLayer struct {
	Digest      Digest    // of the blob as shipped; in a docker archive of the tar in it
	DiffID      Digest    // of the tar, unpacked
	Size        int64     // bytes as shipped
	MediaType   string    // "" when not said
	CreatedBy   string    // the build step by the history, "" when not said
	Created     time.Time // of that step; zero when not said
	Base        bool      // belongs to the base image
	BaseGuessed bool      // Base was concluded from the history and not declared
}

// Image returns what a container image says about itself; nil when the
// artifact is none. Do not modify the result.
func (v *Volume) Image() *Image { return v.pack.image }

// ImageLayer returns the index into Image().Layers of the layer that file i of
// Files comes from: the one that wrote its content last. It is -1 when the
// artifact is no image, or i is no index of Files.
func (v *Volume) ImageLayer(file int) int {
	entries := v.listing().entries
	if v.pack.image == nil || file < 0 || file >= len(entries) {
		return -1
	}
	return int(entries[file].crc)
}
