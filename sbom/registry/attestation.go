package registry

import (
	"cmp"
	"context"
	"encoding/json"
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

// Bounds in bytes of answers. Real lists have about 20 KB; an index page of a
// project with many releases some megabytes.
const (
	maxProofs = 4 << 20
	maxKeys   = 1 << 20
	maxIndex  = 64 << 20
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
	ep = c.Config.For(p)
	switch {
	case ep.Refuse != "":
		return ep, ep.Refuse
	case ep.URL == "":
		return ep, "no registry of its ecosystem is configured, and deps.dev hands out no attestation"
	case c.Private != nil && c.Private(p) && !ep.Own:
		return ep, "the policy calls the name private: it is not sent anywhere"
	}
	return ep, ""
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
	return c.proofs(ctx, out, NPM)
}

// proofs asks for the document at out.Source.
func (c *Client) proofs(ctx context.Context, out Proofs, s System) (Proofs, error) {
	doc, err := c.Get(ctx, Request{URL: out.Source, Accept: "application/json", Limit: maxProofs, System: s, Keep: true})
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

// proofPage is the form of an index page that tells of attestations (Python
// packaging specifications, "Simple repository API", version 1.3).
const proofPage = "application/vnd.pypi.simple.v1+json"

// proofIndexFile is a file of an index page, as far as attestations need it.
type proofIndexFile struct {
	Name       string            `json:"filename"`
	Hashes     map[string]string `json:"hashes"`
	Provenance json.RawMessage   `json:"provenance"` // an address, or null; absent: the index does not tell
}

// pypiProofs asks for the provenance of one file of a release (PEP 740).
func (c *Client) pypiProofs(ctx context.Context, p Package, version string, locked []string, ep Endpoint) (Proofs, error) {
	out := Proofs{Source: ep.URL + url.PathEscape(proofProject(p.Name)) + "/"}
	page, err := c.Get(ctx, Request{URL: out.Source, Accept: proofPage, Limit: maxIndex, System: PyPI})
	switch {
	case err != nil:
		return out, err
	case page.Absent:
		return out, errors.New("the index has no such project")
	}
	out.AsOf = page.Fetched
	var index struct {
		Files []proofIndexFile `json:"files"`
	}
	if err := json.Unmarshal(page.Body, &index); err != nil {
		return out, fmt.Errorf("read the index page of %s: %w", p, err)
	}
	f := proofFile(index.Files, p, version, locked)
	if f == nil {
		return out, errors.New("the index lists no file of this version")
	}
	out.File, out.Digest = f.Name, map[string]string{"sha256": strings.ToLower(f.Hashes["sha256"])}
	switch {
	case len(f.Provenance) == 0:
		return out, errors.New("the index does not tell of attestations")
	case string(f.Provenance) == "null":
		out.Answer = Absent
		return out, nil
	}
	var text string
	if err := json.Unmarshal(f.Provenance, &text); err != nil {
		return out, errors.New("the address of the attestation is no text")
	}
	at, err := proofAddress(out.Source, text)
	if err != nil {
		return out, fmt.Errorf("the attestation of %s: %w", plain(f.Name), err)
	}
	out.Source = at
	return c.proofs(ctx, out, PyPI)
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

// proofFile picks a file of a release: one whose digest a lockfile has, else the
// wheel for every platform, else another wheel, else the source. Which one was installed is not
// known then; a release is built as a whole, so that one speaks for it.
func proofFile(files []proofIndexFile, p Package, want string, locked []string) *proofIndexFile {
	var best *proofIndexFile
	rank := func(f *proofIndexFile) int {
		switch {
		case f.Hashes["sha256"] != "" && slices.Contains(locked, "sha256:"+strings.ToLower(f.Hashes["sha256"])):
			return 3
		case strings.HasSuffix(f.Name, "-none-any.whl"):
			return 2
		case strings.HasSuffix(f.Name, ".whl"):
			return 1
		}
		return 0
	}
	wanted, err := version.Parse("PyPI", p.Name, want)
	if err != nil {
		return nil
	}
	for i := range files {
		f := &files[i]
		name, v, ok := proofFileVersion(f.Name)
		if !ok || name != proofProject(p.Name) {
			continue
		}
		if v != want {
			parsed, err := version.Parse("PyPI", p.Name, v)
			if err != nil {
				continue
			}
			if c, err := parsed.Compare(wanted); err != nil || c != 0 {
				continue
			}
		}
		if best == nil || cmp.Or(cmp.Compare(rank(f), rank(best)), cmp.Compare(best.Name, f.Name)) > 0 {
			best = f
		}
	}
	return best
}

// proofFileVersion reads the name of a distribution's file: NAME-VERSION-….whl, or
// NAME-VERSION.tar.gz (Python packaging specifications, "Binary distribution
// format" and "Source distribution format").
func proofFileVersion(file string) (name, version string, ok bool) {
	if base, wheel := strings.CutSuffix(file, ".whl"); wheel {
		parts := strings.Split(base, "-")
		if len(parts) != 5 && len(parts) != 6 {
			return "", "", false
		}
		return proofProject(parts[0]), parts[1], true
	}
	base, source := strings.CutSuffix(file, ".tar.gz")
	if !source {
		base, source = strings.CutSuffix(file, ".zip")
	}
	i := strings.LastIndexByte(base, '-')
	if !source || i <= 0 {
		return "", "", false
	}
	return proofProject(base[:i]), base[i+1:], true
}

// proofProject is the normal form of a project's name (Python packaging
// specifications, "Names and normalization").
func proofProject(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
