package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// trustOf reads the files that a policy names as trusted, and says where
// evidence is looked for: beside the artifact, at an image in its layout or
// registry, and in the folder of --attestations.
func (o *scanOptions) trustOf(ctx context.Context, env *Env, pol *policy.Policy, im *images) (*audit.Trust, error) {
	t, err := audit.LoadTrust(pol.Trust, filepath.Dir(pol.Name), func(name string) ([]byte, error) { return readSmall(name, maxEvidence) })
	if err != nil {
		return nil, usage("", "policy %s: %w", pol.Name, err)
	}
	from := &evidenceSource{images: im, offline: o.offline}
	if o.attested != "" {
		if from.folder, err = attest.OpenFolder(ctx, o.attested); err != nil {
			return nil, usage("", "--attestations: %w", err)
		}
	}
	from.client = sync.OnceValues(func() (*pull.Client, error) {
		return registryClient(env, false, o.quiet, newProgress(env, true))
	})
	t.Evidence = from.about
	return t, nil
}

// evidenceSource finds what speaks for the artifacts of a run. It is safe for
// concurrent use.
type evidenceSource struct {
	folder  *attest.Folder // nil: none was named
	images  *images        // those of registries, as they were looked up
	offline bool
	client  func() (*pull.Client, error) // made when the first registry is asked
}

// about finds what speaks for an artifact that was opened. Of an image it
// completes the subject with its manifest and the indexes that name it.
func (e *evidenceSource) about(ctx context.Context, a bundle.Artifact, img *bundle.Image, s *attest.Subject) ([]attest.Evidence, error) {
	var out []attest.Evidence
	if img != nil {
		var err error
		if out, err = e.attached(ctx, a.Ref, img, s); err != nil {
			return nil, fmt.Errorf("find the signatures of %s: %w", a.Ref, err)
		}
	}
	found, err := evidenceFor(a.Ref, s, e.folder)
	return append(out, found...), err
}

// attached finds what is attached to an image. What is asked about is the
// manifest that was judged, by its digest: a tag that moved since, or a layout
// that was changed, is not followed.
func (e *evidenceSource) attached(ctx context.Context, ref string, img *bundle.Image, s *attest.Subject) ([]attest.Evidence, error) {
	prefix, path, _ := bundle.SplitRef(ref)
	switch {
	case path == "-":
		return []attest.Evidence{{Source: "standard input", Format: attest.FormatSimple, Image: true, Fault: errors.New("standard input is read once, for the image itself; name the file instead")}}, nil
	case prefix != "image":
		l, err := bundle.OpenLayout(ctx, path, bundle.Limits{})
		if err != nil {
			return nil, err
		}
		defer l.Close()
		m, err := l.Image(ctx, "", img.Manifest)
		if err != nil {
			return nil, err
		}
		s.OfImage(m)
		return attest.Attached(ctx, l, s)
	case e.offline:
		return nil, errors.New("it lies in a registry, and --offline forbids the network")
	}
	client, err := e.client()
	if err != nil {
		return nil, err
	}
	repo, m, err := e.pulled(ctx, client, ref, img.Manifest)
	if err != nil {
		return nil, err
	}
	s.OfImage(m)
	s.Repository = repo.Reference.Repository()
	return attest.Attached(ctx, repo, s)
}

// pulled finds the manifest of an image that was pulled again, below the index
// that the reference named then, so that a signature of the index counts too.
// One that names it only through another index is not followed.
func (e *evidenceSource) pulled(ctx context.Context, client *pull.Client, ref string, manifest bundle.Digest) (*pull.Repository, *bundle.ImageManifest, error) {
	given, err := client.ParseReference(strings.TrimPrefix(ref, imagePrefix))
	if err != nil {
		return nil, nil, err
	}
	at := func(top bundle.Digest) (*pull.Repository, *bundle.ImageManifest, error) {
		parsed, err := client.ParseReference(given.Repository() + "@" + string(top))
		if err != nil {
			return nil, nil, err
		}
		repo, err := client.Repository(parsed)
		if err != nil {
			return nil, nil, err
		}
		m, err := repo.Image(ctx, string(manifest))
		return repo, m, err
	}
	if index := e.images.index(ref, manifest); index != "" {
		if repo, m, err := at(index); err == nil {
			return repo, m, nil
		}
	}
	return at(manifest)
}

// evidenceFor finds what speaks for an artifact on disk.
func evidenceFor(ref string, s *attest.Subject, folder *attest.Folder) ([]attest.Evidence, error) {
	var out []attest.Evidence
	prefix, path, _ := bundle.SplitRef(ref)
	if path != "-" && prefix != "image" {
		beside, err := attest.Beside(path, s)
		if err != nil {
			return nil, err
		}
		out = append(out, beside...)
	}
	if folder != nil {
		listed, err := folder.About(s)
		if err != nil {
			return nil, err
		}
		out = append(out, listed...)
	}
	return out, nil
}
