package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Media type and bound in bytes of what an index says of a project.
const (
	simpleForms = "application/vnd.pypi.simple.v1+json, text/html;q=0.1" // many private indexes have the old form only
	maxProject  = 64 << 20
	maxFiles    = 200_000 // the largest real projects have about 10,000
)

// pypiFacts asks every configured index about a project: pip takes the best
// version of all of them, so what one of them says is not all there is. An
// index that does not answer makes the project unknown. Of a version that two
// have, what the first says is kept.
func pypiFacts(ctx context.Context, c *Client, p Package, ep Endpoint) (Facts, error) {
	all := Facts{Package: p, Source: ep.URL}
	var has []string
	for _, o := range append([]Other{{URL: ep.URL}}, ep.Others...) {
		f, err := pypiIndex(ctx, c, p, o.URL)
		if err != nil {
			return Facts{Package: p, Source: o.URL}, err
		}
		if all.AsOf.IsZero() || f.AsOf.Before(all.AsOf) {
			all.AsOf = f.AsOf
		}
		if f.Answer != Known {
			continue
		}
		if has = append(has, o.URL); len(has) == 1 {
			asOf := all.AsOf
			all, all.AsOf = f, asOf
			continue
		}
		for _, v := range f.Versions {
			if all.Find(v.Version) == nil {
				all.Versions = append(all.Versions, v)
			}
		}
	}
	switch {
	case len(has) == 0:
		all.Answer = Absent
	case len(has) > 1:
		c.notice(fmt.Sprintf("%s is on %d of the configured indexes (%s): pip takes the best version of any of them", p, len(has), strings.Join(has, ", ")))
		all.Default = "" // which index wins is decided by what each has
		all.Versions = ordered("PyPI", all.Versions)
	}
	return all, nil
}

// pypiIndex asks one index: by the Simple API
// (https://packaging.python.org/en/latest/specifications/simple-repository-api/),
// which has the files, and by the JSON API, if the index offers that
// (https://docs.pypi.org/api/json/), which has what a release says of itself, and
// the dates that the HTML form of the Simple API lacks. Only the Simple API is
// what every index must have, so only its failure is one.
func pypiIndex(ctx context.Context, c *Client, p Package, base string) (Facts, error) {
	f := Facts{Package: p, Source: base}
	name, ok := pypiName(p.Name)
	if !ok {
		return f, fmt.Errorf("%q is not the name of a Python project", plain(p.Name))
	}
	doc, err := c.Get(ctx, Request{URL: base + name + "/", Accept: simpleForms, Limit: maxProject, System: PyPI})
	if err != nil {
		return f, err
	}
	f.AsOf = doc.Fetched
	if doc.Absent {
		f.Answer = Absent
		return f, nil
	}
	listed, err := parseSimple(doc.Body, name)
	if err != nil {
		return f, fmt.Errorf("read what %s says of %s: %w", base, p, err)
	}
	d := &project{name: listed.name, status: listed.status, reason: listed.reason, versions: map[string]*pypiVersion{}, canon: map[string]string{}}
	files := !listed.dated // then the JSON API has more of them
	if root, ok := strings.CutSuffix(base, "simple/"); ok {
		more, err := c.Get(ctx, Request{URL: root + "pypi/" + name + "/json", Accept: "application/json", Limit: maxProject, System: PyPI})
		switch {
		case ctx.Err() != nil:
			return f, ctx.Err()
		case err == nil && !more.Absent:
			if err := d.readJSON(more.Body, files); err != nil {
				return f, fmt.Errorf("read what %s says of %s: %w", base, p, err)
			}
			if more.Fetched.Before(f.AsOf) {
				f.AsOf = more.Fetched
			}
		}
	}
	if len(d.versions) == 0 {
		if err := d.readList(listed); err != nil {
			return f, fmt.Errorf("read what %s says of %s: %w", base, p, err)
		}
	}
	if d.name != "" {
		if said, _ := pypiName(d.name); said != name {
			return f, fmt.Errorf("read what %s says of %s: it is about another project, %q", base, p, plain(d.name))
		}
	}
	if len(d.versions) == 0 && d.status == "" {
		return f, fmt.Errorf("read what %s says of %s: it lists no version", base, p)
	}
	f.Answer = Known
	d.facts(&f)
	return f, nil
}

// pypiName normalises a project's name (PEP 503); ok is false for what is none.
func pypiName(name string) (string, bool) {
	if name == "" || len(name) > maxText {
		return "", false
	}
	var b strings.Builder
	dash := false
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '-' || c == '_' || c == '.':
			dash = true
			continue
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		default:
			return "", false
		}
		if dash {
			b.WriteByte('-')
		}
		dash = false
		b.WriteByte(name[i])
	}
	out := strings.ToLower(b.String())
	if dash || out == "" || out[0] == '-' {
		return "", false
	}
	return out, true
}

// project gathers what an index says of a project.
type project struct {
	name           string
	status, reason string // of the project, if it is not an active one (PEP 792)
	keeps          bool   // the index tells of attestations (PEP 740)
	latest         string
	owners         []string
	licenses       []string // of the latest version
	repository     string   // likewise
	requires       map[string]string
	versions       map[string]*pypiVersion
	order          []string
	canon          map[string]string // how a version is compared -> how it is spelled here
	files          int
}

// pypiVersion is one version and its files.
type pypiVersion struct {
	files     int
	published time.Time // of the first file
	good      int       // files that were not taken back
	reason    string    // why one was
	attested  bool
	sha256    string
	address   string
}

// readList takes over what the Simple API lists.
func (d *project) readList(l simpleList) error {
	d.keeps = l.keeps
	for _, name := range l.versions {
		if _, err := d.version(name); err != nil {
			return err
		}
	}
	for _, f := range l.files {
		if err := d.file(f.version, f); err != nil {
			return err
		}
	}
	return nil
}

// elements calls f for each element of a JSON list; what is none has none.
func elements(raw json.RawMessage, f func(dec *json.Decoder) error) error {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		if err := f(dec); err != nil {
			return err
		}
	}
	return nil
}

// loosely forgives a value of another form than was expected: it says nothing.
func loosely(err error) error {
	if typed := (*json.UnmarshalTypeError)(nil); errors.As(err, &typed) {
		return nil
	}
	return err
}

// jsonProject is a project in the JSON API.
type jsonProject struct {
	Info      json.RawMessage
	Releases  json.RawMessage
	Ownership json.RawMessage
}

type jsonInfo struct {
	Name, Version, License json.RawMessage
	Expression             json.RawMessage `json:"license_expression"`
	Classifiers            json.RawMessage
	URLs                   json.RawMessage `json:"project_urls"`
	HomePage               json.RawMessage `json:"home_page"`
	Requires               json.RawMessage `json:"requires_dist"`
}

type jsonFile struct {
	Uploaded json.RawMessage `json:"upload_time_iso_8601"`
	Yanked   json.RawMessage
	Reason   json.RawMessage `json:"yanked_reason"`
	Digests  json.RawMessage
	URL      json.RawMessage
}

// readJSON reads a project of the JSON API; its files too, if the Simple API
// did not tell them.
func (d *project) readJSON(body []byte, files bool) error {
	var p jsonProject
	if json.Unmarshal(body, &p) != nil {
		return errors.New("it is not of the form that was expected")
	}
	var info jsonInfo
	if len(p.Info) == 0 || loosely(json.Unmarshal(p.Info, &info)) != nil {
		return errors.New("it has no info")
	}
	if name := text(info.Name); name != "" && d.name == "" {
		d.name = name
	}
	d.latest = text(info.Version)
	d.licenses = pypiLicenses(&info)
	d.repository = pypiRepository(texts(info.URLs), text(info.HomePage))
	d.requires = pypiRequires(info.Requires)
	d.owners = pypiOwners(p.Ownership)
	if !files {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(p.Releases))
	if len(p.Releases) == 0 || p.Releases[0] != '{' {
		return nil
	}
	return members(dec, func(version string) error {
		if _, err := d.version(version); err != nil {
			return err
		}
		var all json.RawMessage
		if err := dec.Decode(&all); err != nil {
			return err
		}
		return elements(all, func(dec *json.Decoder) error {
			var file jsonFile
			if err := loosely(dec.Decode(&file)); err != nil {
				return err
			}
			return d.file(version, pypiFile{
				uploaded: text(file.Uploaded), yanked: yes(file.Yanked), reason: plain(text(file.Reason)),
				sha256: texts(file.Digests)["sha256"], address: text(file.URL),
			})
		})
	})
}

// version returns the entry of a version, nil for what is none. Indexes spell
// one version in several ways, in file names above all.
func (d *project) version(name string) (*pypiVersion, error) {
	if !versionText(name) {
		return nil, nil
	}
	key := pypiCanon(name)
	if spelled, ok := d.canon[key]; ok {
		return d.versions[spelled], nil
	}
	if len(d.order) >= maxVersions {
		return nil, fmt.Errorf("it lists over %d versions", maxVersions)
	}
	v := &pypiVersion{}
	d.canon[key], d.versions[name] = name, v
	d.order = append(d.order, name)
	return v, nil
}

// pypiCanon brings the spellings of a version together that differ in case and
// separators only.
func pypiCanon(s string) string {
	return strings.TrimPrefix(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '+' {
			return '.'
		}
		return r
	}, strings.ToLower(s)), "v")
}

// pypiFile is what an index says of a file.
type pypiFile struct {
	name, version    string
	uploaded         string
	yanked, attested bool
	reason           string
	sha256, address  string
	provenance       string // address of its attestations, as the index writes it
	python           string // which versions of Python it runs on ("Requires-Python"); "" any, or not told
	metadata         string // its metadata lies beside it (PEP 658): "sha256=…", or "true" without a digest; "" it does not
}

// file adds a file to its version.
func (d *project) file(version string, f pypiFile) error {
	if d.files++; d.files > maxFiles {
		return fmt.Errorf("it lists over %d files", maxFiles)
	}
	v, err := d.version(version)
	if err != nil || v == nil {
		return err
	}
	v.files++
	if t := date(f.uploaded, time.Time{}); !t.IsZero() && (v.published.IsZero() || t.Before(v.published)) {
		v.published = t
	}
	if f.yanked {
		v.reason = max(v.reason, f.reason)
	} else {
		v.good++
	}
	v.attested = v.attested || f.attested
	v.sha256, v.address = hexSum("sha256", f.sha256), clipped(f.address, 4*maxText)
	return nil
}

// pypiFileVersion is the version in the name of a file of a project; "" for a
// name that holds none (PEP 427, PEP 625).
func pypiFileVersion(project, file string) string {
	if len(file) > maxText {
		return ""
	}
	if stem, ok := strings.CutSuffix(file, ".whl"); ok {
		if parts := strings.Split(stem, "-"); len(parts) >= 5 {
			return parts[1]
		}
		return ""
	}
	stem := file
	for _, ext := range []string{".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".egg", ".exe", ".msi", ".rpm", ".tar.Z", ".dmg", ".deb"} {
		if s, ok := strings.CutSuffix(file, ext); ok {
			stem = s
			break
		}
	}
	if stem == file {
		return ""
	}
	if len(stem) <= len(project) || pypiCanon(stem[:len(project)]) != pypiCanon(project) || stem[len(project)] != '-' {
		return ""
	}
	version := stem[len(project)+1:]
	if !strings.HasSuffix(file, ".tar.gz") && !strings.HasSuffix(file, ".zip") { // platform and Python follow
		version, _, _ = strings.Cut(version, "-")
	}
	return version
}

// facts puts together what was read.
func (d *project) facts(f *Facts) {
	slices.Sort(d.order)
	for _, name := range d.order {
		from := d.versions[name]
		v := Version{Version: name, Published: sane(from.published, f.AsOf)}
		switch {
		case from.files == 0:
			v.Yanked = "no longer published"
		case from.good == 0:
			v.Yanked = from.reason
			if v.Yanked == "" {
				v.Yanked = "yanked"
			}
		}
		if from.files == 1 { // of several, which one is meant is not known
			v.Archive = from.address
			if from.sha256 != "" {
				v.Integrity = map[string]string{"sha256": from.sha256}
			}
		}
		switch {
		case from.attested:
			v.Attested = Known
		case d.keeps && from.files > 0:
			v.Attested = Absent
		}
		f.Versions = append(f.Versions, v)
	}
	f.Versions = ordered("PyPI", f.Versions)
	d.marked(f)
	if v := f.Find(d.canon[pypiCanon(d.latest)]); v != nil && d.latest != "" {
		v.Licenses, v.Repository, v.Requires = d.licenses, d.repository, d.requires
		if v.Yanked == "" {
			f.Default = v.Version
		}
	}
	f.Maintainers = d.owners
}

// marked puts the status of the project on what it is about.
func (d *project) marked(f *Facts) {
	why := strings.TrimSuffix("the project is "+d.status+": "+d.reason, ": ")
	switch d.status {
	case "":
		return
	case "archived":
		f.Archived = f.Package.Name
		return
	}
	for i := range f.Versions {
		if d.status == "deprecated" {
			f.Versions[i].Deprecated = why
		} else { // quarantined, and what may be invented yet
			f.Versions[i].Yanked = why
		}
	}
}

// pypiLicenses is what the latest version says of its licence: an expression,
// classifiers, or the text of the field if that is a name.
func pypiLicenses(info *jsonInfo) []string {
	if s := plain(text(info.Expression)); s != "" {
		return []string{s}
	}
	var out []string
	for _, raw := range list(info.Classifiers) {
		if s, ok := strings.CutPrefix(text(raw), "License :: "); ok && s != "OSI Approved" {
			parts := strings.Split(s, " :: ")
			out = append(out, plain(parts[len(parts)-1]))
		}
	}
	if s := text(info.License); len(out) == 0 && s != "" && len(s) <= 100 && !strings.Contains(s, "\n") {
		out = append(out, plain(s))
	}
	return out
}

// pypiRepository is the source repository among the addresses of a project.
func pypiRepository(urls map[string]string, home string) string {
	best, rank := home, 9
	for _, label := range slices.Sorted(maps.Keys(urls)) {
		key := strings.ToLower(strings.ReplaceAll(label, " ", ""))
		for i, want := range []string{"sourcecode", "source", "repository", "sources", "code", "github", "gitlab"} {
			if key == want && i < rank {
				best, rank = urls[label], i
			}
		}
		if key == "homepage" && rank == 9 && best == "" {
			best = urls[label]
		}
	}
	u, err := url.Parse(best)
	if err != nil || rank == 9 && !knownForge(u.Hostname()) {
		return ""
	}
	return repository(best)
}

// knownForge says whether a host is one of source repositories: a home page elsewhere is none.
func knownForge(host string) bool {
	host = strings.TrimPrefix(strings.ToLower(host), "www.")
	return host == "github.com" || host == "gitlab.com" || host == "bitbucket.org" || host == "codeberg.org"
}

// pypiRequires reads dependency specifiers (PEP 508), without those of extras:
// "name (>=1) ; marker" -> name: ">=1 ; marker".
func pypiRequires(raw json.RawMessage) map[string]string {
	var all []json.RawMessage
	if len(raw) > maxInner || len(raw) == 0 || json.Unmarshal(raw, &all) != nil || len(all) > maxRequires {
		return nil
	}
	out := map[string]string{}
	for _, one := range all {
		spec, marker, _ := strings.Cut(plain(text(one)), ";")
		if strings.Contains(strings.ReplaceAll(marker, " ", ""), "extra==") {
			continue
		}
		end := strings.IndexFunc(spec, func(r rune) bool { return strings.ContainsRune(" ([<>=!~@", r) })
		name, wanted := spec, ""
		if end >= 0 {
			name, wanted = spec[:end], spec[end:]
		}
		if i := strings.IndexByte(wanted, ']'); i >= 0 {
			wanted = wanted[i+1:]
		}
		if name, ok := pypiName(name); ok {
			wanted = strings.Trim(strings.TrimSpace(wanted), "()")
			if marker = strings.TrimSpace(marker); marker != "" {
				wanted += " ; " + marker
			}
			out[name] = strings.TrimSpace(wanted)
		}
	}
	return requires(out)
}

// pypiOwners are the accounts that may publish a project; nil when not told.
func pypiOwners(raw json.RawMessage) []string {
	var o struct{ Roles json.RawMessage }
	if len(raw) == 0 || loosely(json.Unmarshal(raw, &o)) != nil {
		return nil
	}
	var names []string
	for _, r := range list(o.Roles) {
		if name := plain(texts(r)["user"]); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
