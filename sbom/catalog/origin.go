package catalog

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// imageOf returns the image that an artifact is; nil when it is none.
func (c *composition) imageOf(artifact int) *bundle.Image {
	if artifact >= len(c.fn.Volumes) {
		return nil
	}
	return c.fn.Volumes[artifact].Image()
}

// origin says whose a package is, and in which layer it lies: of an image that
// of the build, else the function's code or one of its layers.
func (c *composition) origin(p *place) (sbom.Origin, bundle.Digest) {
	img := c.imageOf(p.artifact)
	if img == nil {
		origin := sbom.OriginApp
		if p.artifact > 0 {
			origin = sbom.OriginLayer
		}
		if p.artifact < len(c.fn.Layers) {
			return origin, c.fn.Layers[p.artifact].Digest
		}
		return origin, ""
	}
	layer := p.found.layer - 1
	if layer < 0 {
		layer = imageLayer(c.fn.Volumes[p.artifact], p.found.path)
	}
	if layer < 0 || layer >= len(img.Layers) {
		return sbom.OriginApp, ""
	}
	return c.imageOrigin(p.artifact, p.found.path, layer), img.Layers[layer].Digest
}

// placeUnknown says whose a gap of an image is. Code that says nothing about
// itself is no gap of the function when the base image or the platform brought
// it: nobody who ships the function can name it, and it is counted. What could
// not be read stays one, wherever it lies.
func (c *composition) placeUnknown(u *sbom.Unknown) {
	img := c.imageOf(u.Artifact)
	if img == nil || u.Path == "" {
		return
	}
	layer := imageLayer(c.fn.Volumes[u.Artifact], u.Path)
	if layer < 0 {
		return
	}
	u.Origin = c.imageOrigin(u.Artifact, u.Path, layer)
	if (u.Origin == sbom.OriginBase || u.Origin == sbom.OriginRuntime) && (u.Kind == sbom.Opaque || u.Kind == sbom.Unattributed) {
		u.Code = false
	}
}

// imageOrigin says whose a file of an image is. The chain of layers decides:
// what a build step of the function put into the platform's folders, as pip
// does in AWS's Python image, is the function's. So is what the image runs,
// wherever it lies.
func (c *composition) imageOrigin(artifact int, p string, layer int) sbom.Origin {
	switch {
	case c.entryOf(artifact).files[outermostFile(p)]:
		return sbom.OriginApp
	case buildpackRuntime(p):
		return sbom.OriginRuntime
	case !c.baseLayers(artifact)[layer]:
		return sbom.OriginApp
	case platformFolder(p):
		return sbom.OriginRuntime
	}
	return sbom.OriginBase
}

// baseLayers says of each layer of an image whether it belongs to the base
// image.
func (c *composition) baseLayers(artifact int) []bool {
	if base, ok := c.bases[artifact]; ok {
		return base
	}
	v := c.fn.Volumes[artifact]
	packages := slices.ContainsFunc(c.places, func(p place) bool { return p.artifact == artifact && p.found.layer == 1 })
	base := baseOf(c.imageOf(artifact).Layers, max(imageLayer(v, "lambda-entrypoint.sh"), imageLayer(v, "var/runtime/bootstrap")), packages)
	if c.bases == nil {
		c.bases = map[int][]bool{}
	}
	c.bases[artifact] = base
	return base
}

// baseOf marks the layers of the base image. Where nobody declared it, what AWS's
// entry point is in belongs to it too, whatever the history lets conclude:
// nobody else makes that. aws is its layer, -1 for none. Without any sign a
// first layer with packages of a distribution is that distribution. The last
// layer is never guessed to be the base: without it there is no function.
func baseOf(layers []bundle.ImageLayer, aws int, packages bool) []bool {
	base := make([]bool, len(layers))
	declared := false
	for i, l := range layers {
		base[i] = l.Base
		declared = declared || l.Base && !l.BaseGuessed
	}
	top := -1
	switch last := len(layers) - 1; {
	case declared:
	case aws >= 0 && aws < last:
		top = aws
	case packages && last > 0:
		top = 0
	}
	for i := range top + 1 {
		base[i] = true
	}
	return base
}

// platformFolder reports whether a platform keeps its runtime there: AWS's
// images (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html) and
// Azure's (https://github.com/Azure/azure-functions-docker).
func platformFolder(p string) bool {
	for _, dir := range []string{"var/runtime/", "var/lang/", "var/rapid/", "azure-functions-host/", "FuncExtensionBundles/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return p == "lambda-entrypoint.sh" || p == "usr/local/bin/aws-lambda-rie"
}

// buildpackRuntime reports whether Google's buildpacks put a language runtime
// or their own framework there; what they install for the function lies beside
// (https://github.com/GoogleCloudPlatform/buildpacks).
func buildpackRuntime(p string) bool {
	rest, ok := strings.CutPrefix(p, "layers/google.")
	if !ok {
		return false
	}
	id, _, _ := strings.Cut(rest, "/")
	return strings.HasSuffix(id, ".runtime") || strings.HasPrefix(id, "utils.")
}

// imageLayer is the layer of the image that a path comes from: a file's, the
// archive's of a file in it, the first file's of a folder. It is -1 when there
// is none.
func imageLayer(v *bundle.Volume, p string) int {
	p, _, _ = strings.Cut(p, "!/")
	files := v.Files()
	i, ok := v.Find(p)
	if !ok {
		i, _ = v.Find(p + "/")
		if i >= len(files) || !strings.HasPrefix(files[i].Path, p+"/") {
			return -1
		}
	}
	return v.ImageLayer(i)
}
