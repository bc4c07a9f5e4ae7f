package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Bounds in bytes on what a module proxy says.
const (
	maxModuleList = 16 << 20
	maxModuleInfo = 1 << 20
	maxModuleFile = 1 << 20 // parsed it takes a hundred times as much; the largest real ones have about 100 KB
)

// goFacts asks module proxies about a module by their protocol
// (https://go.dev/ref/mod#goproxy-protocol): the list of its versions, when the
// newest and those that are asked about were made, and what the newest one's
// go.mod says of all of them, which are retractions and a deprecation. It asks
// for no other version, because a proxy tells one at a time.
func goFacts(ctx context.Context, c *Client, p Package, ep Endpoint) (Facts, error) {
	f := Facts{Package: p, Source: ep.URL}
	path, err := module.EscapePath(p.Name)
	if err == nil {
		err = module.CheckPath(p.Name)
	}
	if err != nil {
		return f, fmt.Errorf("%q is not the path of a Go module", plain(p.Name))
	}
	m := &goModule{client: c, path: p.Name}
	doc, err := m.first(ctx, ep, path, "/@v/list", maxModuleList, false)
	f.AsOf = doc.Fetched
	if err != nil {
		return f, err
	}
	f.Source = m.source
	newest, err := m.versions(ctx, doc)
	if err != nil {
		return f, fmt.Errorf("read what %s says of %s: %w", m.source, p, err)
	}
	if err := m.dates(ctx, ep.visit.wanted(newest), f.AsOf); err != nil {
		return f, err
	}
	if newest != "" {
		if err := m.moduleFile(ctx, newest); err != nil {
			return f, err
		}
	}
	switch {
	case len(m.all) > 0:
	case doc.Absent:
		f.Answer = Absent
		return f, nil
	default:
		return f, fmt.Errorf("read what %s says of %s: it lists no version", m.source, p)
	}
	f.Answer, f.Versions = Known, m.all
	f.Default = goDefault(m.all)
	return f, nil
}

// goModule gathers what a proxy says of a module.
type goModule struct {
	client *Client
	path   string
	base   string // of the module at the proxy that knows it
	source string // that proxy
	all    []Version
}

// get asks the proxy for one of the module's addresses.
func (m *goModule) get(ctx context.Context, rest string, limit int64, keep bool) (Document, error) {
	return m.client.Get(ctx, Request{URL: m.base + rest, Limit: limit, System: Go, Keep: keep})
}

// first asks the proxies for one of the module's addresses, in the order and by
// the rules of GOPROXY: the next one when there is no such thing, and where the
// configuration says so after any error.
func (m *goModule) first(ctx context.Context, ep Endpoint, path, rest string, limit int64, keep bool) (Document, error) {
	var doc Document
	var err error
	for i, o := range append([]Other{{URL: ep.URL}}, ep.Others...) {
		if i > 0 && err != nil && !o.Error {
			break
		}
		m.source, m.base = o.URL, o.URL+path
		doc, err = m.get(ctx, rest, limit, keep)
		if err == nil && !doc.Absent || ctx.Err() != nil {
			break
		}
	}
	return doc, err
}

// versions reads the list and returns the newest version, as Go chooses it: the
// highest release, else the highest pre-release, else what the proxy calls the
// latest, which then has no tag.
func (m *goModule) versions(ctx context.Context, doc Document) (newest string, err error) {
	if err := m.readList(string(doc.Body)); err != nil {
		return "", err
	}
	if newest = goHighest(m.all); newest != "" {
		return newest, nil
	}
	latest, err := m.get(ctx, "/@latest", maxModuleInfo, false)
	if err != nil || latest.Absent {
		return "", err
	}
	info, err := parseGoInfo(latest.Body)
	if err != nil {
		return "", err
	}
	m.note(info, latest.Fetched)
	return info.Version, nil
}

// readList reads a list of versions, sorted. Those without a tag are left out:
// proxies list those that somebody asked for.
func (m *goModule) readList(list string) error {
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) == 0 || !goVersion(fields[0]) || module.IsPseudoVersion(fields[0]) {
			continue
		}
		if len(m.all) >= maxVersions {
			return fmt.Errorf("it lists over %d versions", maxVersions)
		}
		m.all = append(m.all, Version{Version: fields[0]})
	}
	slices.SortFunc(m.all, func(a, b Version) int { return compareGo(a.Version, b.Version) })
	m.all = slices.CompactFunc(m.all, func(a, b Version) bool { return a.Version == b.Version })
	return nil
}

// compareGo orders versions, those of equal rank ("+incompatible") by their text.
func compareGo(a, b string) int {
	if c := semver.Compare(a, b); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// goVersion says whether a proxy may list a version: a canonical one, so that it
// can be put into an address.
func goVersion(s string) bool {
	return len(s) <= 128 && semver.IsValid(s) && semver.Canonical(s) == strings.TrimSuffix(s, "+incompatible")
}

// goHighest is the highest release of sorted versions, else the highest pre-release.
func goHighest(sorted []Version) string {
	for _, v := range slices.Backward(sorted) {
		if semver.Prerelease(v.Version) == "" {
			return v.Version
		}
	}
	if len(sorted) > 0 {
		return sorted[len(sorted)-1].Version
	}
	return ""
}

// goDefault is the version that is taken when none is named: the highest that
// was not retracted.
func goDefault(sorted []Version) string {
	return goHighest(slices.DeleteFunc(slices.Clone(sorted), func(v Version) bool { return v.Yanked != "" }))
}

// goInfo is what a proxy says of a version.
type goInfo struct {
	Version string
	Time    time.Time
	Origin  struct{ URL string }
}

// parseGoInfo reads what a proxy says of a version.
func parseGoInfo(body []byte) (goInfo, error) {
	var raw struct{ Version, Time, Origin json.RawMessage }
	if json.Unmarshal(body, &raw) != nil {
		return goInfo{}, errors.New("what it says of a version is not of the form that was expected")
	}
	info := goInfo{Version: text(raw.Version), Time: date(text(raw.Time), time.Time{})}
	info.Origin.URL = texts(raw.Origin)["URL"]
	if !goVersion(info.Version) {
		return goInfo{}, fmt.Errorf("it calls %q a version", plain(info.Version))
	}
	return info, nil
}

// note puts what is known of a version among the others.
func (m *goModule) note(info goInfo, read time.Time) {
	i, found := slices.BinarySearchFunc(m.all, info.Version, func(v Version, s string) int { return compareGo(v.Version, s) })
	if !found {
		m.all = slices.Insert(m.all, i, Version{Version: info.Version})
	}
	m.all[i].Published = sane(info.Time, read)
	m.all[i].Repository = repository(info.Origin.URL)
}

// dates asks when versions were made. One that the proxy does not have is not
// among the versions afterwards, unless it was listed.
func (m *goModule) dates(ctx context.Context, wanted []string, read time.Time) error {
	for _, v := range wanted {
		if goVersion("v" + v) {
			v = "v" + v
		}
		if !goVersion(v) {
			continue
		}
		escaped, err := module.EscapeVersion(v)
		if err != nil {
			continue
		}
		doc, err := m.get(ctx, "/@v/"+escaped+".info", maxModuleInfo, true)
		if err != nil {
			return err
		}
		if doc.Absent {
			continue
		}
		info, err := parseGoInfo(doc.Body)
		if err != nil {
			return fmt.Errorf("read what %s says of %s at %s: %w", m.source, m.path, v, err)
		}
		if info.Version != v {
			return fmt.Errorf("read what %s says of %s at %s: it is about %s", m.source, m.path, v, plain(info.Version))
		}
		m.note(info, read)
	}
	return nil
}

// moduleFile asks for the newest version's go.mod and reads it.
func (m *goModule) moduleFile(ctx context.Context, newest string) error {
	escaped, err := module.EscapeVersion(newest)
	if err != nil {
		return err
	}
	doc, err := m.get(ctx, "/@v/"+escaped+".mod", maxModuleFile, true)
	if err != nil || doc.Absent {
		return err
	}
	return m.readModule(doc.Body, newest)
}

// readModule reads what the newest version's go.mod says of all versions
// (https://go.dev/ref/mod#go-mod-file-retract). One that cannot be parsed is an
// error: what it takes back is not known.
func (m *goModule) readModule(body []byte, newest string) error {
	file, err := modfile.ParseLax("go.mod", body, nil)
	if err != nil {
		return fmt.Errorf("read the go.mod of %s at %s: it is not of the form that was expected", m.path, newest)
	}
	if file.Module != nil && file.Module.Deprecated != "" {
		for i := range m.all {
			m.all[i].Deprecated = plain(file.Module.Deprecated)
		}
	}
	retract := file.Retract[:min(len(file.Retract), maxRetract)]
	for i := range m.all {
		v := &m.all[i]
		for _, r := range retract {
			if semver.Compare(r.Low, v.Version) <= 0 && semver.Compare(v.Version, r.High) <= 0 {
				v.Yanked = plain("retracted: " + r.Rationale)
				if r.Rationale == "" {
					v.Yanked = "retracted"
				}
				break
			}
		}
		if v.Version == newest {
			v.Requires = goRequires(file)
		}
	}
	return nil
}

// maxRetract bounds the retractions that are looked at: their number times that
// of the versions is the work.
const maxRetract = 200

// goRequires is what a module needs itself.
func goRequires(file *modfile.File) map[string]string {
	out := map[string]string{}
	for _, r := range file.Require {
		if !r.Indirect && len(out) <= maxRequires {
			out[r.Mod.Path] = r.Mod.Version
		}
	}
	return requires(out)
}
