package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/bundle/pull"
)

// maxDescriptor bounds in bytes an OCI descriptor in a file.
const maxDescriptor = 1 << 20

// openDescriptor makes a subject of an OCI descriptor in a file: what signatures
// of images are about, without the image.
func (o *verifyOptions) openDescriptor(req *attest.Request, args []string) (verifyTarget, error) {
	if len(args) != 0 {
		return verifyTarget{}, usage("leave the TARGET out", "--descriptor names the subject, and so does %s", args[0])
	}
	data, err := readSmall(o.descriptor, maxDescriptor)
	if err != nil {
		return verifyTarget{}, usage("", "--descriptor: %w", err)
	}
	var d struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return verifyTarget{}, usage("", "--descriptor %s: %w", o.descriptor, err)
	}
	alg, value, err := attest.ParseDigest(d.Digest)
	if err != nil {
		return verifyTarget{}, usage("", "--descriptor %s: %w", o.descriptor, err)
	}
	if d.MediaType == "" || d.Size <= 0 {
		return verifyTarget{}, usage("an OCI descriptor has mediaType, digest and size", "--descriptor %s: mediaType or size is missing", o.descriptor)
	}
	req.Subject = &attest.Subject{Name: o.descriptor, Digests: map[string]string{alg: value}, Size: d.Size, MediaType: d.MediaType}
	return verifyTarget{ref: d.Digest}, nil
}

// openImage makes a subject of a container image and looks for what is attached
// to it. It says false when the target is no image, as far as that shows without
// unpacking it.
func (o *verifyOptions) openImage(ctx context.Context, env *Env, req *attest.Request, ref string) (verifyTarget, bool, error) {
	kind, path, name := bundle.SplitRef(ref)
	switch {
	case kind == "image":
		target, err := o.openRegistry(ctx, env, req, ref)
		return target, true, err
	case kind == "oci", kind == "archive":
	case kind == "" && (name != "" || o.digest != "" || bundle.IsLayout(ctx, path)):
	default:
		return verifyTarget{}, false, nil
	}
	l, err := bundle.OpenLayout(ctx, path, bundle.Limits{})
	if errors.Is(err, bundle.ErrNoLayout) && kind == "" && name == "" && o.digest == "" {
		return verifyTarget{}, false, nil // it only looked like one: then it is a file
	}
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || os.IsPermission(err) || errors.Is(err, bundle.ErrNoLayout) {
			return verifyTarget{}, true, usage("", "%w", err)
		}
		return verifyTarget{}, true, &exit{code: ExitIncomplete, err: err}
	}
	target := verifyTarget{ref: ref, close: l.Close}
	digest, err := o.wantedDigest()
	if err == nil {
		target.attached, err = o.image(ctx, req, l, ref, name, digest)
	}
	if err != nil {
		l.Close()
		return verifyTarget{}, true, err
	}
	return target, true, nil
}

// wantedDigest is what --digest says.
func (o *verifyOptions) wantedDigest() (bundle.Digest, error) {
	if o.digest == "" {
		return "", nil
	}
	alg, value, err := attest.ParseDigest(o.digest)
	if err != nil || alg != "sha256" {
		return "", usage("as in --digest sha256:…", "--digest %s: images are named by a sha256 digest", o.digest)
	}
	return bundle.Digest("sha256:" + value), nil
}

// image takes in the image of a layout.
func (o *verifyOptions) image(ctx context.Context, req *attest.Request, l *bundle.Layout, ref, name string, digest bundle.Digest) ([]attest.Evidence, error) {
	m, err := l.Image(ctx, name, digest)
	var several *bundle.SeveralImages
	switch {
	case errors.As(err, &several):
		return nil, usage("name one of them behind a #, as in "+ref+"#"+several.Names[0]+", or by --digest", "verify %s: %w", ref, err)
	case err != nil:
		return nil, &exit{code: ExitIncomplete, err: err}
	}
	req.Subject = attest.ImageSubject(ref, m)
	return attached(ctx, req, l)
}

// attached looks for signatures, unless the flags name some.
func attached(ctx context.Context, req *attest.Request, store attest.ImageStore) ([]attest.Evidence, error) {
	if len(req.Evidence) > 0 {
		return nil, nil
	}
	found, err := attest.Attached(ctx, store, req.Subject)
	if err != nil {
		return nil, &exit{code: ExitIncomplete, err: err}
	}
	return found, nil
}

// openRegistry takes in an image of a registry.
func (o *verifyOptions) openRegistry(ctx context.Context, env *Env, req *attest.Request, target string) (verifyTarget, error) {
	ref := strings.TrimPrefix(target, imagePrefix)
	if o.offline {
		return verifyTarget{}, usage("where there is a network, copy it with its signatures into an OCI layout (cosign save, oras copy -r), and verify that here", "target %s lies in a registry, and --offline forbids the network", target)
	}
	bar := newProgress(env, o.quiet)
	defer bar.Done()
	client, err := registryClient(env, false, o.quiet, bar)
	if err != nil {
		return verifyTarget{}, err
	}
	parsed, err := client.ParseReference(ref)
	if err != nil {
		return verifyTarget{}, usage("image:REGISTRY/NAME:TAG or image:REGISTRY/NAME@sha256:...", "target %s: %w", target, err)
	}
	digest, err := o.wantedDigest()
	if err != nil {
		return verifyTarget{}, err
	}
	repo, err := client.Repository(parsed)
	if err != nil {
		return verifyTarget{}, usage("", "target %s: %w", target, err)
	}
	m, err := repo.Image(ctx, string(digest))
	switch {
	case errors.Is(err, pull.ErrCorrupt):
		return verifyTarget{}, &exit{code: ExitIncomplete, err: err}
	case pull.Denied(err):
		return verifyTarget{}, usage(loginHint, "open %s: %w", target, err)
	case err != nil:
		return verifyTarget{}, usage("", "open %s: %w", target, err)
	}
	req.Subject = attest.ImageSubject(target, m)
	req.Subject.Repository = parsed.Repository()
	found, err := attached(ctx, req, repo)
	return verifyTarget{ref: target, attached: found}, err
}
