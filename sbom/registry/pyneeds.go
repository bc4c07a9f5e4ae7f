package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Needs returns what a release needs, from whoever says so without it being
// installed: the metadata beside one of its wheels (PEP 658, PEP 714), else the
// JSON API of the index (https://docs.pypi.org/api/json/), else, if wheels may
// be fetched for it, the METADATA inside a wheel. They are tried in the order of
// the release's files, and each only once. None of them changes, so what is in
// the cache is not asked for again. A source archive tells what it needs only
// when it is built, which is not done: then it is not known, which is an error,
// and never nothing. What contradicts the digests of the index is an error that
// wraps ErrChanged, and nothing else is tried then.
func (c *Client) Needs(ctx context.Context, p Package, r PythonRelease, wheels bool) (needs PythonNeeds, err error) {
	if _, why := c.endpoint(p); why != "" {
		return PythonNeeds{}, errors.New(why)
	}
	var first error
	for _, from := range []func(context.Context, Package, PythonRelease) (*PythonNeeds, error){
		c.needsBeside, c.needsOfJSON, func(ctx context.Context, p Package, r PythonRelease) (*PythonNeeds, error) {
			needs.Wheel = wheels && r.hasWheel()
			return c.needsInside(ctx, p, r, wheels)
		},
	} {
		n, err := from(ctx, p, r)
		switch {
		case ctx.Err() != nil:
			return needs, ctx.Err()
		case err == nil && n != nil:
			n.Wheel = needs.Wheel
			return *n, nil
		case errors.Is(err, ErrChanged):
			return needs, err
		case first == nil:
			first = err
		}
	}
	if first == nil {
		first = errors.New("there is only a source archive, which says what it needs when it is built, and that is not done")
	}
	return needs, first
}

// needsBeside reads the metadata that the index has beside a file; nil without
// an error when it has none.
func (c *Client) needsBeside(ctx context.Context, p Package, r PythonRelease) (*PythonNeeds, error) {
	for _, f := range r.Files {
		if f.at.metadata == "" || !strings.HasSuffix(f.Name, ".whl") {
			continue
		}
		n, err := c.besideFile(ctx, p, r.Version, f)
		if err != nil {
			return nil, fmt.Errorf("the metadata of %s: %w", plain(f.Name), err)
		}
		return n, nil
	}
	return nil, nil
}

func (c *Client) besideFile(ctx context.Context, p Package, version string, f PythonFile) (*PythonNeeds, error) {
	page, address, err := f.located(p)
	if err != nil {
		return nil, err
	}
	address.Path += ".metadata"
	if address.RawPath != "" {
		address.RawPath += ".metadata"
	}
	digest, told := strings.CutPrefix(f.at.metadata, "sha256=")
	if told && hexSum("sha256", digest) == "" { // an index that says a digest means it
		return nil, errors.New("the index tells no digest of it that could be one")
	}
	hold := func(body []byte) ([]byte, error) {
		sum := sha256.Sum256(body)
		if told && hex.EncodeToString(sum[:]) != hexSum("sha256", digest) {
			return nil, fmt.Errorf("it has the sha256 digest %x, and the index says %s: %w", sum, plain(digest), ErrChanged)
		}
		return body, nil
	}
	doc, err := c.Get(ctx, Request{URL: address.String(), source: page, Limit: maxMetadata, System: PyPI, Keep: true, reduce: hold})
	if err != nil {
		return nil, err
	}
	if doc.Absent {
		return nil, errors.New("it is not where the index says")
	}
	if _, err := hold(doc.Body); err != nil { // the index may say otherwise than when it was kept
		return nil, err
	}
	n, err := parseMetadata(doc.Body, p, version)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// located is the page that lists a file, and the file's address by it.
func (f PythonFile) located(p Package) (page string, address *url.URL, err error) {
	name, _ := pypiName(p.Name)
	page = f.index + name + "/"
	from, err := url.Parse(page)
	if err != nil || f.at.address == "" {
		return "", nil, errors.New("the index tells no address of it")
	}
	address, err = from.Parse(clipped(f.at.address, 4*maxText))
	if err != nil {
		return "", nil, errors.New("its address cannot be read")
	}
	address.Fragment = ""
	if err := mayFollow(from, from, address); err != nil {
		return "", nil, fmt.Errorf("the index sends elsewhere: %w", err)
	}
	return page, address, nil
}

// needsOfJSON asks the JSON API of the index for the release; nil without an
// error when it has none, or does not say. That a list is missing there says
// nothing, nor does an empty one where there is no wheel: it may be of the source
// archive, which did not know.
func (c *Client) needsOfJSON(ctx context.Context, p Package, r PythonRelease) (*PythonNeeds, error) {
	name, _ := pypiName(p.Name)
	if len(r.Files) == 0 {
		return nil, nil
	}
	root, ok := strings.CutSuffix(r.Files[0].index, "simple/")
	if !ok {
		return nil, nil
	}
	doc, err := c.Get(ctx, Request{URL: root + "pypi/" + name + "/" + step(r.Version) + "/json", Accept: "application/json", Limit: maxProject, System: PyPI, Keep: true})
	if err != nil || doc.Absent {
		return nil, err
	}
	n, err := parseJSONNeeds(doc.Body, p, r.Version)
	if err != nil {
		return nil, fmt.Errorf("read what %s says of %s: %w", root, p, err)
	}
	if n != nil && len(n.Requires) == 0 && !r.hasWheel() {
		return nil, nil
	}
	return n, nil
}

func (r PythonRelease) hasWheel() bool {
	return slices.ContainsFunc(r.Files, func(f PythonFile) bool { return strings.HasSuffix(f.Name, ".whl") })
}

func parseJSONNeeds(body []byte, p Package, version string) (*PythonNeeds, error) {
	var doc struct{ Info json.RawMessage }
	var info struct {
		Name, Version json.RawMessage
		Requires      json.RawMessage `json:"requires_dist"`
		Python        json.RawMessage `json:"requires_python"`
	}
	if json.Unmarshal(body, &doc) != nil || len(doc.Info) == 0 || loosely(json.Unmarshal(doc.Info, &info)) != nil {
		return nil, errors.New("it has no info")
	}
	if err := sameRelease(p, version, text(info.Name), text(info.Version)); err != nil {
		return nil, err
	}
	if len(info.Requires) == 0 || info.Requires[0] != '[' {
		return nil, nil
	}
	n := &PythonNeeds{Python: clipped(text(info.Python), maxText)}
	err := elements(info.Requires, func(dec *json.Decoder) error {
		var one string
		if err := dec.Decode(&one); err != nil {
			return errors.New("its requirements are no texts")
		}
		if n.Requires = append(n.Requires, one); len(n.Requires) > maxRequires {
			return fmt.Errorf("it names over %d packages", maxRequires)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// metadataForm names what is taken from a wheel: see [Taking].
const metadataForm = "METADATA of a wheel, 1"

// needsInside reads the METADATA inside the first wheel; nil without an error
// when there is no wheel.
func (c *Client) needsInside(ctx context.Context, p Package, r PythonRelease, may bool) (*PythonNeeds, error) {
	for _, f := range r.Files {
		if !strings.HasSuffix(f.Name, ".whl") {
			continue
		}
		if !may {
			return nil, errors.New("its index tells it only in the wheel, and over the limit of wheels were read already")
		}
		var n *PythonNeeds
		_, err := c.Extract(ctx, p, r.Version, f.Name, Taking{
			Form: metadataForm,
			Make: func(a *Archive) ([]byte, error) { return wheelMetadata(a, p) },
			Read: func(body []byte) error {
				one, err := parseMetadata(body, p, r.Version)
				n = &one
				return err
			},
		})
		if err != nil {
			return nil, fmt.Errorf("the metadata in %s: %w", plain(f.Name), err)
		}
		return n, nil
	}
	return nil, nil
}
