package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
)

// imageFlags holds the flags of a target against whether it is a container
// image, before anything is judged. Among several targets --base is for those
// that are images. What a descriptor says wrong is found when it is opened.
func (t targetFlags) imageFlags(s *bundle.Spec, only bool) error {
	if len(t.layers) == 0 && t.base == "" {
		return nil
	}
	kind, path, _ := bundle.SplitRef(s.Ref)
	image := kind == "oci" || kind == "archive" || kind == "image"
	if kind == "" && path != "-" {
		sniffed, err := bundle.Sniff(path)
		image = err == nil && (sniffed == bundle.KindImage || sniffed == bundle.KindLayout)
	}
	switch {
	case image && len(t.layers) > 0:
		return usage("leave --layer out: what an image needs is in it", "target %s: %w", s.Ref, bundle.ErrImageLayers)
	case image || path == "-":
	case only && t.base != "":
		return usage("", "--base with %s, which is no container image", s.Ref)
	default:
		s.Base = ""
	}
	return nil
}

// archOf gives the platforms' name for an architecture, of which the names that
// images and kernels use are accepted too.
func archOf(name string) string {
	switch name = strings.TrimPrefix(name, "linux/"); name {
	case "amd64":
		return "x86_64"
	case "aarch64", "arm64/v8":
		return "arm64"
	}
	return name
}

// otherArchitectures are those that images come for and that no function
// platform runs, by Go's names (github.com/opencontainers/image-spec, config.md).
var otherArchitectures = []string{"386", "arm", "loong64", "mips64le", "ppc64le", "riscv64", "s390x", "wasm"}

// architecture reports whether a word names one; "arm/v7" has a variant.
func architecture(name string) bool {
	name, _, _ = strings.Cut(archOf(name), "/")
	return name == "x86_64" || name == "arm64" || slices.Contains(otherArchitectures, name)
}

// baseThere refuses a --base that is a path to nothing.
func (t targetFlags) baseThere() error {
	if t.base == "" || strings.HasPrefix(t.base, "sha256:") {
		return nil
	}
	if strings.HasPrefix(t.base, imagePrefix) {
		return usage("save the base image (docker save) and name the archive, or give the digest of its last layer", "--base %s: no base image is pulled", t.base)
	}
	return exists(t.base)
}

// refuse wraps an opener: what keeps a target from being opened and is the
// caller's doing is no verdict about it. That is a folder that is a heap of
// functions; and, of the only target, a --base that is not its base and an
// --arch that it does not exist for. Of several targets each must be judged for
// itself.
func (t targetFlags) refuse(next opener, only bool) opener {
	return func(ctx context.Context, s bundle.Spec) (*bundle.Function, error) {
		f, err := next(ctx, s)
		if errors.Is(err, bundle.ErrOnlyArchives) || only && (errors.Is(err, bundle.ErrBase) || t.arch != "" && s.Arch == archOf(t.arch) && errors.Is(err, bundle.ErrNoPlatform)) {
			return nil, audit.Refused{Err: err}
		}
		return f, err
	}
}
