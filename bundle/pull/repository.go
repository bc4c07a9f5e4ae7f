package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Reference is where something lies in a registry.
type Reference struct {
	repo   name.Repository
	tag    string // "" when only a digest is given
	digest string // "sha256:..."; "" when only a tag is given
	given  string
}

// ParseReference reads a reference as docker does: HOST/NAME[:TAG][@DIGEST],
// with the defaults of docker for what is left out. Only sha256 digests are read.
func (c *Client) ParseReference(s string) (Reference, error) {
	var opts []name.Option
	if c.InsecureHTTP {
		opts = append(opts, name.Insecure)
	}
	rest, digest, pinned := strings.Cut(s, "@")
	if pinned && !isDigest(digest) {
		return Reference{}, fmt.Errorf("reference %q: %q is no sha256 digest", s, clip(digest, 80))
	}
	tag, err := name.NewTag(rest, opts...)
	if err != nil {
		return Reference{}, fmt.Errorf("reference %q: %w", s, err)
	}
	for part := range strings.SplitSeq(tag.RepositoryStr(), "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") { // the library lets "a/../b" pass, which a server may resolve
			return Reference{}, fmt.Errorf("reference %q: %q is no part of a repository's name", s, part)
		}
	}
	r := Reference{repo: tag.Repository, tag: tag.TagStr(), digest: digest, given: s}
	if pinned && !strings.HasSuffix(rest, ":"+r.tag) {
		r.tag = ""
	}
	return r, nil
}

// String returns the reference as it was given.
func (r Reference) String() string { return r.given }

// Repository returns the registry and the name, without tag and digest.
func (r Reference) Repository() string { return r.repo.Name() }

// Digest returns the digest that the reference is pinned to, or "".
func (r Reference) Digest() string { return r.digest }

// Tag returns the tag, "latest" if neither tag nor digest was given, or "".
func (r Reference) Tag() string { return r.tag }

// Identifier returns the digest, or the tag if there is none.
func (r Reference) Identifier() string {
	if r.digest != "" {
		return r.digest
	}
	return r.tag
}

// Name returns the last part of the repository's name.
func (r Reference) Name() string {
	path := r.repo.RepositoryStr()
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Mirror is a registry that has what another one has.
type Mirror struct {
	Host   string // the registry that references name, as in docker.io
	Mirror string // the registry to ask before it, with or without a path to put before each name
}

// ParseMirrors reads a list like "docker.io=mirror.example/hub,ghcr.io=mirror.example/ghcr".
func ParseMirrors(list string) ([]Mirror, error) {
	var mirrors []Mirror
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		host, mirror, ok := strings.Cut(entry, "=")
		if !ok || host == "" || mirror == "" || strings.Contains(mirror, "://") || strings.Contains(host, "/") {
			return nil, fmt.Errorf("mirror %q: it has to be HOST=MIRROR, as in docker.io=mirror.example", entry)
		}
		mirrors = append(mirrors, Mirror{host, strings.TrimSuffix(mirror, "/")})
	}
	return mirrors, nil
}

// Repository is a repository of a registry, and of its mirrors. It is safe for
// concurrent use. Connections are made when they are needed.
type Repository struct {
	c         *Client
	Reference Reference
	endpoints []*endpoint // the mirrors, then the registry itself
}

// endpoint is one place where a repository can be had.
type endpoint struct {
	c    *Client
	repo name.Repository

	mu      sync.Mutex
	clients map[string]*http.Client // by what they may do
}

// Repository prepares to talk to the repository of a reference.
func (c *Client) Repository(ref Reference) (*Repository, error) {
	r := &Repository{c: c, Reference: ref}
	for _, m := range c.Mirrors {
		host := ref.repo.RegistryStr()
		if m.Host != host && !(m.Host == "docker.io" && host == name.DefaultRegistry) {
			continue
		}
		var opts []name.Option
		if c.InsecureHTTP {
			opts = append(opts, name.Insecure)
		}
		repo, err := name.NewRepository(m.Mirror+"/"+ref.repo.RepositoryStr(), opts...)
		if err != nil {
			return nil, fmt.Errorf("mirror %s: %w", m.Mirror, err)
		}
		r.endpoints = append(r.endpoints, &endpoint{c: c, repo: repo})
	}
	r.endpoints = append(r.endpoints, &endpoint{c: c, repo: ref.repo})
	return r, nil
}

// origin is the registry itself, which is the only one to write to.
func (r *Repository) origin() *endpoint { return r.endpoints[len(r.endpoints)-1] }

// each asks the mirrors and then the registry until one of them answers well.
func (r *Repository) each(ctx context.Context, ask func(*endpoint) error) error {
	var errs []error
	for _, e := range r.endpoints {
		err := ask(e)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// client returns the HTTP client that is logged in, for pulls or for pushes.
func (e *endpoint) client(ctx context.Context, scope string) (*http.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if hc := e.clients[scope]; hc != nil {
		return hc, nil
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, e.repo)
	if err != nil {
		return nil, fmt.Errorf("find the credentials for %s: %w", e.repo.RegistryStr(), err)
	}
	rt, err := transport.NewWithContext(ctx, e.repo.Registry, auth, e.c.transport(), []string{e.repo.Scope(scope)})
	if err != nil {
		return nil, fmt.Errorf("log in to %s: %w", e.repo.RegistryStr(), own(err))
	}
	hc := &http.Client{Transport: rt, CheckRedirect: redirect}
	if e.clients == nil {
		e.clients = map[string]*http.Client{}
	}
	e.clients[scope] = hc
	return hc, nil
}

// request makes a request about a thing in the repository.
func (e *endpoint) request(ctx context.Context, method, kind, id string) (*http.Request, error) {
	address := fmt.Sprintf("%s://%s/v2/%s/%s/%s", e.repo.Scheme(), e.repo.RegistryStr(), e.repo.RepositoryStr(), kind, id)
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // digests and sizes are those of what is stored
	return req, nil
}

// isDigest reports whether s is "sha256:" and 64 lower-case hexadecimal digits.
func isDigest(s string) bool {
	hexa, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(hexa) == 64 && strings.Trim(hexa, "0123456789abcdef") == ""
}
