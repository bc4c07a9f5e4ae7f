package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
)

// maxReferrers bounds how many manifests of a kind one manifest may be referred
// to by: each costs a request.
const maxReferrers = 64

// Referrers returns the digests of the manifests of a kind, "" for any, that refer
// to the one with a digest, as the registry and its mirrors list them (distribution
// specification 1.1, "Listing Referrers", or for registries that cannot do that
// "Referrers Tag Schema"). What they list is a claim. None is no error.
func (r *Repository) Referrers(ctx context.Context, digest, artifactType string) ([]string, error) {
	var found []string
	var errs []error
	for _, e := range r.endpoints { // a mirror that has an image need not have what came later
		list, err := e.referrers(ctx, digest, artifactType)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			errs = append(errs, err)
		}
		for _, d := range list {
			if !slices.Contains(found, d) {
				found = append(found, d)
			}
		}
	}
	if len(errs) == len(r.endpoints) {
		return nil, fmt.Errorf("list what refers to %s: %w", join(r.Reference.Repository(), digest), errors.Join(errs...))
	}
	if len(found) > maxReferrers {
		return nil, corrupt("%d manifests refer to %s, over %d", len(found), short(digest), maxReferrers)
	}
	return found, nil
}

func (e *endpoint) referrers(ctx context.Context, digest, artifactType string) ([]string, error) {
	b, kind, err := e.document(ctx, "referrers", digest, mediaIndex)
	var status *StatusError
	if errors.As(err, &status) && status.Code/100 == 4 && !Denied(err) && status.Code != http.StatusTooManyRequests || err == nil && kind != mediaIndex {
		b, _, err = e.manifest(ctx, strings.Replace(digest, ":", "-", 1)) // one that knows no such request
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var index struct {
		Manifests []struct {
			Digest       string `json:"digest"`
			ArtifactType string `json:"artifactType"`
		} `json:"manifests"`
	}
	if json.Unmarshal(b, &index) != nil {
		return nil, corrupt("the list of what refers to %s", short(digest))
	}
	var found []string
	for _, m := range index.Manifests {
		if isDigest(m.Digest) && (artifactType == "" || m.ArtifactType == artifactType) {
			found = append(found, m.Digest)
		}
	}
	return found, nil
}
