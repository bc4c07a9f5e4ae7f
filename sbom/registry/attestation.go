package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// Proofs is what a registry hands out about who built and who published one
// version. Nothing of it is verified here.
type Proofs struct {
	Answer Answer            // Absent: the registry has none for this version
	Reason string            // why the answer is Unknown
	Source string            // the address that it came from
	AsOf   time.Time         // when that answered
	Body   []byte            // npm's list of attestations, or PyPI's provenance of a file
	File   string            // PyPI: the file that they are about
	Digest map[string]string // PyPI: of that file, says the index
}

// Bounds in bytes of answers. Real lists of attestations have about 20 KB.
const (
	maxProofs = 4 << 20
	maxKeys   = 1 << 20
)

// Proofs asks the registry that is configured for a package what it hands out
// about one version. locked are digests of its archives as a lockfile has them
// ("sha256:…"): of the files of a Python release they tell which is meant. What
// cannot be learnt is Unknown with a reason; only a cancelled ctx is an error.
//
// The deps.dev API tells which versions are attested, and where, but hands out
// nothing that could be verified. Its addresses are not followed: whom to ask is
// the configuration's business.
func (c *Client) Proofs(ctx context.Context, p Package, version string, locked []string) (Proofs, error) {
	ep, why := c.proofEndpoint(p)
	var out Proofs
	var err error
	switch {
	case why != "":
		return Proofs{Reason: why}, ctx.Err()
	case p.System == NPM:
		out, err = c.npmProofs(ctx, p, version, ep)
	case p.System == PyPI:
		out, err = c.pypiProofs(ctx, p, version, locked, ep)
	default:
		return Proofs{Reason: "its ecosystem has no attestations that are read here"}, ctx.Err()
	}
	if ctx.Err() != nil {
		return Proofs{}, ctx.Err()
	}
	if err != nil {
		return Proofs{Source: out.Source, Reason: err.Error()}, nil
	}
	return out, nil
}

// proofEndpoint says who may be asked for proofs about a package, or why nobody.
func (c *Client) proofEndpoint(p Package) (ep Endpoint, why string) {
	if ep, why = c.endpoint(p); why == "" && ep.URL == "" {
		why = "no registry of its ecosystem is configured, and deps.dev hands out no attestation"
	}
	return ep, why
}

// npmProofs asks for npm's list of attestations of a version, at the address
// that npm's own client asks ("npm audit signatures"). It does not change once it is there.
func (c *Client) npmProofs(ctx context.Context, p Package, version string, ep Endpoint) (Proofs, error) {
	out := Proofs{}
	if !versionText(version) {
		return out, fmt.Errorf("%q is not a version", plain(version))
	}
	address, err := npmAddress(ep.URL+"-/npm/v1/attestations/", p.Name)
	if err != nil {
		return out, err
	}
	out.Source = address + "@" + url.PathEscape(version)
	return c.proofs(ctx, out, NPM, ep.private)
}

// proofs asks for the document at out.Source; private says that its address holds a private name.
func (c *Client) proofs(ctx context.Context, out Proofs, s System, private bool) (Proofs, error) {
	doc, err := c.Get(ctx, Request{URL: out.Source, Accept: "application/json", Limit: maxProofs, System: s, Keep: true, private: private})
	if err != nil {
		return out, err
	}
	out.AsOf, out.Body, out.Answer = doc.Fetched, doc.Body, Known
	if doc.Absent {
		out.Body, out.Answer = nil, Absent
	}
	return out, nil
}

// RegistryKeys returns the list of keys with which the configured npm registry signs;
// nil when it has none, and when it cannot be reached over TLS: who can change
// the answer on its way could sign anything. They are as good as the registry
// itself: they show that it was consistent, and nothing about who published.
// Only a cancelled ctx is an error.
func (c *Client) RegistryKeys(ctx context.Context, p Package) ([]byte, error) {
	ep, why := c.proofEndpoint(p)
	if why != "" || p.System != NPM || !strings.HasPrefix(ep.URL, "https://") {
		return nil, ctx.Err()
	}
	doc, err := c.Get(ctx, Request{URL: ep.URL + "-/npm/v1/keys", Accept: "application/json", Limit: maxKeys, System: NPM})
	if err != nil || doc.Absent {
		return nil, ctx.Err()
	}
	return doc.Body, nil
}

// pypiProofs asks for the provenance of one file of a release (PEP 740). Of
// several indexes the first that lists the version is believed.
func (c *Client) pypiProofs(ctx context.Context, p Package, version string, locked []string, ep Endpoint) (Proofs, error) {
	name, ok := pypiName(p.Name)
	if !ok {
		return Proofs{}, fmt.Errorf("%q is not the name of a Python project", plain(p.Name))
	}
	out := Proofs{}
	for _, o := range append([]Other{{URL: ep.URL}}, ep.Others...) {
		out.Source = o.URL + name + "/"
		page, err := c.Get(ctx, Request{URL: out.Source, Accept: simpleForms, Limit: maxProject, System: PyPI})
		if err != nil {
			return out, err
		}
		out.AsOf = page.Fetched
		if page.Absent {
			continue
		}
		list, err := parseSimple(page.Body, name)
		if err != nil {
			return out, fmt.Errorf("read what the index says of %s: %w", p, err)
		}
		if f := proofFile(list.files, p, version, locked); f != nil {
			return c.pypiProof(ctx, out, f, list.keeps)
		}
	}
	return out, errors.New("the index lists no file of this version")
}

// pypiProof asks for the provenance of one file.
func (c *Client) pypiProof(ctx context.Context, out Proofs, f *pypiFile, keeps bool) (Proofs, error) {
	out.File = f.name
	if sum := hexSum("sha256", f.sha256); sum != "" {
		out.Digest = map[string]string{"sha256": sum}
	}
	switch {
	case !keeps:
		return out, errors.New("the index does not tell of attestations")
	case f.provenance == "":
		out.Answer = Absent
		return out, nil
	}
	at, err := proofAddress(out.Source, f.provenance)
	if err != nil {
		return out, fmt.Errorf("the attestation of %s: %w", plain(f.name), err)
	}
	out.Source = at
	return c.proofs(ctx, out, PyPI, false)
}

// proofAddress resolves an address against the one of the page that names it. One
// at another host is not followed: the page may come from anybody whom a proxy passes on.
func proofAddress(page, ref string) (string, error) {
	base, err := url.Parse(page)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(ref)
	if err != nil || u.User != nil {
		return "", errors.New("its address cannot be read")
	}
	if u.Scheme != base.Scheme || !strings.EqualFold(u.Host, base.Host) {
		return "", errors.New("it lies at another host than the index, which is not asked")
	}
	return u.String(), nil
}

// proofFile picks a file of a release: one whose digest a lockfile has, else one
// that is attested, and of those the wheel for every platform, another wheel, the source. Which
// one was installed is not known then; a release is built as a whole, so that one speaks for it.
func proofFile(files []pypiFile, p Package, want string, locked []string) *pypiFile {
	rank := func(f *pypiFile) int {
		n := 0
		for i, is := range []bool{strings.HasSuffix(f.name, ".whl"), strings.HasSuffix(f.name, "-none-any.whl"), f.attested,
			f.sha256 != "" && slices.Contains(locked, "sha256:"+strings.ToLower(f.sha256))} {
			if is {
				n += 1 << i
			}
		}
		return n
	}
	wanted, err := version.Parse("PyPI", p.Name, want)
	if err != nil {
		return nil
	}
	var best *pypiFile
	for i := range files {
		f := &files[i]
		if f.version != want {
			parsed, err := version.Parse("PyPI", p.Name, f.version)
			if err != nil {
				continue
			}
			if c, err := parsed.Compare(wanted); err != nil || c != 0 {
				continue
			}
		}
		if best == nil || cmp.Or(cmp.Compare(rank(f), rank(best)), cmp.Compare(best.name, f.name)) > 0 {
			best = f
		}
	}
	return best
}
