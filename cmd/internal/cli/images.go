package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/pull"
)

// imagePrefix marks a target that lies in a registry. Nothing else makes scan
// or sbom touch the network.
const imagePrefix = "image:"

// resolveJobs is how many references are looked up side by side.
const resolveJobs = 8

// opener opens one function.
type opener func(context.Context, bundle.Spec) (*bundle.Function, error)

// images are the targets that lie in registries. The zero value has none.
type images struct {
	cache *pull.Cache
	found map[string]*pull.Image // by imageKey
	bad   map[string]error       // of which the registry's bytes are wrong, by imageKey
	bar   *progress
}

func imageKey(s bundle.Spec) string { return s.Arch + " " + s.Ref }

// imagesOf looks up every target in a registry before anything is judged. One
// that cannot be had is an error of the surroundings, as a missing path is:
// the registry cannot be reached, it refuses, it has no such image. What is
// wrong with the bytes of an image shows when it is opened, and is the verdict
// about that image.
func imagesOf(ctx context.Context, env *Env, specs []bundle.Spec, offline, quiet bool) (*images, error) {
	im := &images{found: map[string]*pull.Image{}, bad: map[string]error{}}
	var wanted []bundle.Spec
	for _, s := range specs {
		for _, l := range s.Layers {
			if strings.HasPrefix(l, imagePrefix) {
				return nil, usage("", "layer %s: an image is no layer of a function", l)
			}
		}
		if _, seen := im.found[imageKey(s)]; !seen && strings.HasPrefix(s.Ref, imagePrefix) {
			im.found[imageKey(s)] = nil
			wanted = append(wanted, s)
		}
	}
	if len(wanted) == 0 {
		return im, nil
	}
	if offline {
		return nil, usage("where there is a network, save it (docker save -o image.tar "+strings.TrimPrefix(wanted[0].Ref, imagePrefix)+"), and scan image.tar here", "target %s lies in a registry, and --offline forbids the network", wanted[0].Ref)
	}
	cache, err := env.CacheDir()
	if err != nil {
		return nil, usage("", "find the user's cache folder for images: %w", err)
	}
	im.cache = &pull.Cache{Dir: filepath.Join(cache, "fnaudit", "images")}
	im.bar = newProgress(env, quiet)
	client, err := registryClient(env, false, quiet, im.bar)
	if err != nil {
		return nil, err
	}
	results, wrong := make([]*pull.Image, len(wanted)), make([]error, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(resolveJobs)
	for i, s := range wanted {
		g.Go(func() error {
			img, err := resolve(ctx, client, s)
			if errors.Is(err, pull.ErrCorrupt) { // about this target only, and its verdict
				wrong[i] = err
				return nil
			}
			results[i] = img
			return err
		})
	}
	err = g.Wait()
	im.bar.Done()
	if err != nil {
		return nil, err
	}
	for i, s := range wanted {
		im.found[imageKey(s)], im.bad[imageKey(s)] = results[i], wrong[i]
	}
	return im, nil
}

func resolve(ctx context.Context, client *pull.Client, s bundle.Spec) (*pull.Image, error) {
	ref, err := client.ParseReference(strings.TrimPrefix(s.Ref, imagePrefix))
	if err != nil {
		return nil, usage("image:REGISTRY/NAME:TAG or image:REGISTRY/NAME@sha256:...", "target %s: %w", s.Ref, err)
	}
	img, err := client.Resolve(ctx, ref, platformOf(s.Arch))
	switch {
	case err == nil:
		return img, nil
	case pull.Denied(err):
		return nil, usage(loginHint, "open %s: %w", s.Ref, err)
	}
	return nil, usage("", "open %s: %w", s.Ref, err)
}

const loginHint = "log in with the registry's own tool or docker login: credentials and helpers of the docker configuration are used"

// platformOf is the platform of an image for an architecture as functions name it.
func platformOf(arch string) string {
	switch arch {
	case "":
		return ""
	case "x86_64":
		return "linux/amd64"
	}
	return "linux/" + arch
}

// open wraps an opener: an image is brought to this machine first, and opened
// as the layout that it is there. What is reported is what the user named.
func (im *images) open(next opener) opener {
	return func(ctx context.Context, s bundle.Spec) (*bundle.Function, error) {
		if err := im.bad[imageKey(s)]; err != nil {
			return nil, err
		}
		img := im.found[imageKey(s)]
		if img == nil {
			return next(ctx, s)
		}
		dir, err := im.cache.Layout(ctx, img)
		im.bar.Done()
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", s.Ref, err)
		}
		local := s
		local.Ref = "oci:" + dir
		f, err := next(ctx, local)
		if err != nil {
			return nil, renamed{err, strings.NewReplacer(local.Ref, s.Ref, dir, s.Ref)}
		}
		f.Spec, f.Code.Ref = s, s.Ref
		if len(f.Layers) > 0 {
			f.Layers[0].Ref = s.Ref
		}
		if len(f.Volumes) > 0 {
			f.Volumes[0].Artifact.Ref = s.Ref
		}
		return f, nil
	}
}

// index is the index that a reference led through to a manifest; "" for none.
func (im *images) index(ref string, manifest bundle.Digest) bundle.Digest {
	for _, img := range im.found {
		if img != nil && img.Manifest.Digest == string(manifest) && imagePrefix+img.Reference.String() == ref {
			return img.Index
		}
	}
	return ""
}

// renamed is an error that names what the user named, and not where the cache
// has it: a report is the same on every machine.
type renamed struct {
	error
	names *strings.Replacer
}

func (r renamed) Error() string { return r.names.Replace(r.error.Error()) }

func (r renamed) Unwrap() error { return r.error }
