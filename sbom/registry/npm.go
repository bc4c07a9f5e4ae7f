package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxPackument bounds the document of one npm package, in bytes. The largest
// real ones have about 60 MB.
const maxPackument = 128 << 20

// npmFacts asks a registry that speaks npm's protocol for the full document of
// a package
// (https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md).
// The short form lacks dates. What a mirror leaves out stays unknown.
func npmFacts(ctx context.Context, c *Client, p Package, ep Endpoint) (Facts, error) {
	f := Facts{Package: p, Source: ep.URL}
	address, err := npmAddress(ep.URL, p.Name)
	if err != nil {
		return f, err
	}
	doc, err := c.document(ctx, ep, Request{URL: address, Accept: "application/json", Limit: maxPackument, System: NPM, private: ep.private})
	if err != nil {
		return f, err
	}
	f.AsOf = doc.Fetched
	if doc.Absent {
		f.Answer = Absent
		return f, nil
	}
	if err := parsePackument(bytes.NewReader(doc.Body), &f); err != nil {
		return f, fmt.Errorf("read what %s says of %s: %w", ep.URL, p, err)
	}
	f.Answer = Known
	return f, nil
}

// npmAddress is where a package's document lies: "@scope%2fname" is one step of
// the path.
func npmAddress(base, name string) (string, error) {
	if !versionText(name) {
		return "", fmt.Errorf("%q is not the name of an npm package", plain(name))
	}
	step := ""
	own := name
	if scope, rest, scoped := strings.Cut(name, "/"); scoped {
		if len(scope) < 2 || scope[0] != '@' || strings.HasPrefix(scope, "@.") {
			return "", fmt.Errorf("%q is not the name of an npm package", plain(name))
		}
		step, own = "@"+url.PathEscape(scope[1:])+"%2f", rest
	}
	if own == "" || own[0] == '.' || strings.Contains(own, "/") {
		return "", fmt.Errorf("%q is not the name of an npm package", plain(name))
	}
	return base + step + url.PathEscape(own), nil
}

// packument gathers what the document says in any order.
type packument struct {
	read     time.Time
	name     string
	latest   string
	owners   []string
	times    map[string]string
	versions map[string]*Version
	order    []string // of the versions, as they are listed
	keeps    bool     // the registry keeps signatures or attestations
	attested map[string]bool
	gone     []string // versions of a package that was taken back as a whole
	erased   bool     // it was
}

// parsePackument reads a package document into facts, a version at a time.
func parsePackument(r io.Reader, f *Facts) error {
	d := &packument{read: f.AsOf, versions: map[string]*Version{}, attested: map[string]bool{}}
	dec := json.NewDecoder(r)
	err := members(dec, func(key string) error {
		switch key {
		case "versions":
			return members(dec, func(v string) error { return d.version(dec, v) })
		case "time":
			return d.readTimes(dec)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		switch key {
		case "name":
			d.name = text(raw)
		case "dist-tags":
			d.latest = texts(raw)["latest"]
		case "maintainers":
			d.owners = npmPeople(raw)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case d.name != f.Package.Name:
		return fmt.Errorf("it is about another package, %q", plain(d.name))
	case len(d.versions) == 0 && !d.erased:
		return errors.New("it lists no version")
	}
	return d.facts(f)
}

// members calls f for each member of the JSON object that comes next; f reads
// its value. null is an object without members.
func members(dec *json.Decoder, f func(key string) error) error {
	t, err := dec.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("it is not of the form that was expected: an object is missing")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if err := f(key.(string)); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// npmManifest is what is read of one version. Everything may have any form.
type npmManifest struct {
	Deprecated, License, Licenses, Repository, Scripts, Dependencies json.RawMessage
	Dist                                                             npmDist
	HasInstallScript, Gypfile                                        json.RawMessage
	OptionalDependencies, PeerDependencies, PeerDependenciesMeta     json.RawMessage
	User                                                             json.RawMessage `json:"_npmUser"`
}

type npmDist struct {
	Integrity, Shasum, Tarball, Attestations, Signatures json.RawMessage
}

// UnmarshalJSON accepts any form: what is no object says nothing.
func (d *npmDist) UnmarshalJSON(b []byte) error {
	type fields npmDist
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, (*fields)(d))
}

// version reads one member of "versions".
func (d *packument) version(dec *json.Decoder, name string) error {
	var m npmManifest
	if err := dec.Decode(&m); err != nil {
		if typed := (*json.UnmarshalTypeError)(nil); !errors.As(err, &typed) {
			return err
		}
	}
	if !versionText(name) {
		return nil
	}
	if len(d.versions) >= maxVersions {
		return fmt.Errorf("it lists over %d versions", maxVersions)
	}
	v := &Version{
		Version: name, Deprecated: npmDeprecated(m.Deprecated), Licenses: npmLicenses(m.License, m.Licenses), Repository: npmRepository(m.Repository),
		Publisher: npmPerson(m.User), Scripts: npmScripts(&m), Integrity: npmIntegrity(&m.Dist), Archive: clipped(text(m.Dist.Tarball), 4*maxText),
		Requires: npmRequires(&m),
	}
	v.Signatures = npmSignatures(m.Dist.Signatures)
	if a := m.Dist.Attestations; len(a) > 0 && a[0] == '{' {
		v.Attested, d.keeps = Known, true
	}
	d.keeps = d.keeps || len(v.Signatures) > 0
	if _, twice := d.versions[name]; !twice {
		d.order = append(d.order, name)
	}
	d.versions[name] = v
	return nil
}

// readTimes reads when each version was published, and whether the package was
// taken back as a whole.
func (d *packument) readTimes(dec *json.Decoder) error {
	d.times = map[string]string{}
	return members(dec, func(key string) error {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		switch key {
		case "created", "modified":
		case "unpublished":
			var gone struct{ Versions []string }
			d.erased = len(raw) > 0 && raw[0] == '{'
			if d.erased && len(raw) <= maxInner && json.Unmarshal(raw, &gone) == nil {
				d.gone = gone.Versions
			}
		default:
			if len(d.times) >= 2*maxVersions {
				return fmt.Errorf("it dates over %d versions", 2*maxVersions)
			}
			if versionText(key) {
				d.times[key] = text(raw)
			}
		}
		return nil
	})
}

// facts puts together what was read. A version that is dated and no longer
// listed was taken back: npm keeps its date.
func (d *packument) facts(f *Facts) error {
	for version := range d.times {
		d.takenBack(version)
	}
	for _, version := range d.gone {
		d.takenBack(version)
	}
	if len(d.versions) > maxVersions {
		return fmt.Errorf("it names over %d versions", maxVersions)
	}
	slices.Sort(d.order) // of what has no order among versions, so that facts depend on no map
	f.Versions = make([]Version, 0, len(d.order))
	for _, name := range d.order {
		v := d.versions[name]
		v.Published = date(d.times[name], d.read)
		if d.keeps && v.Attested == Unknown && v.Yanked == "" {
			v.Attested = Absent
		}
		f.Versions = append(f.Versions, *v)
	}
	f.Versions = ordered("npm", f.Versions)
	f.Maintainers = d.owners
	if v := d.versions[d.latest]; v != nil && v.Yanked == "" {
		f.Default = d.latest
	}
	return nil
}

func (d *packument) takenBack(version string) {
	if _, listed := d.versions[version]; listed || !versionText(version) {
		return
	}
	d.versions[version] = &Version{Version: version, Yanked: Unpublished}
	d.order = append(d.order, version)
}

// npmDeprecated is a version's message; some publish true instead of one, and
// "" or false take it back.
func npmDeprecated(raw json.RawMessage) string {
	if yes(raw) {
		return "deprecated"
	}
	return plain(text(raw))
}

// npmPerson is the name of one account: {"name": ...} or "name <email>".
func npmPerson(raw json.RawMessage) string {
	name := text(raw)
	if name == "" {
		name = texts(raw)["name"]
	}
	if i := strings.IndexByte(name, '<'); i >= 0 {
		name = name[:i]
	}
	return plain(name)
}

// npmPeople are the names of accounts, sorted; nil when not told.
func npmPeople(raw json.RawMessage) []string {
	var names []string
	for _, one := range list(raw) {
		if name := npmPerson(one); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// npmLicenses reads "license": "MIT", {"type": "MIT"}, or the old
// "licenses": [{"type": "MIT"}, ...].
func npmLicenses(one, many json.RawMessage) []string {
	var out []string
	for _, raw := range append([]json.RawMessage{one}, list(many)...) {
		name := text(raw)
		if name == "" {
			name = texts(raw)["type"]
		}
		if name = plain(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// npmRepository reads "repository": "github:a/b" or {"url": ...}.
func npmRepository(raw json.RawMessage) string {
	if s := text(raw); s != "" {
		return repository(s)
	}
	return repository(texts(raw)["url"])
}

// npmScripts are the scripts that npm runs at installation.
func npmScripts(m *npmManifest) []string {
	all := texts(m.Scripts)
	var out []string
	for _, hook := range []string{"preinstall", "install", "postinstall"} {
		if s := plain(all[hook]); s != "" {
			out = append(out, hook+": "+s)
		}
	}
	switch {
	case all["install"] == "" && all["preinstall"] == "" && yes(m.Gypfile):
		out = append(out, "install: node-gyp rebuild")
	case len(out) == 0 && yes(m.HasInstallScript):
		out = append(out, "install: (the registry does not tell it)")
	}
	return out
}

// npmIntegrity are the digests of a version's archive.
func npmIntegrity(d *npmDist) map[string]string {
	out := sri(clipped(text(d.Integrity), 4*maxText))
	if sum := hexSum("sha1", text(d.Shasum)); sum != "" {
		out["sha1"] = sum
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// npmSignatures are the registry's signatures of a version; nil when not told.
func npmSignatures(raw json.RawMessage) []Signature {
	var out []Signature
	for _, one := range list(raw) {
		s := texts(one)
		if id, sig := s["keyid"], s["sig"]; id != "" && sig != "" && len(id) <= maxText && len(sig) <= 4*maxText {
			out = append(out, Signature{KeyID: id, Signature: sig})
		}
	}
	return out
}

// clipped is s, or "" when it is too long to be used.
func clipped(s string, limit int) string {
	if len(s) > limit {
		return ""
	}
	return s
}
