package integrity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

const (
	// knownKey is the hash and the key of Go's own checksum database, without its
	// name, as the go command knows it (cmd/go/internal/modfetch/key.go). The hash
	// is over name and key, so it fits no other name.
	knownKey = "033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

	maxSumAnswer = 1 << 20 // bytes; a tile has 8 KiB
	maxLookups   = 8       // side by side
)

// errNoModule says that a checksum database does not know a module version.
var errNoModule = errors.New("it knows no such module version")

// goSum is the sum of a module's source that a build recorded.
type goSum struct {
	component *sbom.Component
	trait     sbom.Trait
}

// goSums compares the sums that builds recorded with the checksum database: that
// the source which was compiled is the one that everybody gets
// (https://go.dev/ref/mod#checksum-database). What the database answers is
// verified against its key and its log, so it may come from any cache.
func (c *check) goSums(ctx context.Context) {
	byDatabase := map[string][]goSum{}
	for i := range c.bom.Components {
		m := &c.bom.Components[i]
		if !strings.HasPrefix(m.PURL, "pkg:golang/") || m.Main || m.Name == "stdlib" || m.Version == "" {
			continue
		}
		sums := slices.DeleteFunc(slices.Clone(m.Traits), func(t sbom.Trait) bool { return t.Kind != sbom.TraitSum })
		if len(sums) == 0 {
			continue // nothing at hand says how it should be
		}
		db := c.sums.database(m.Name)
		if db == "" {
			c.left(m.PURL, "no checksum database may be asked about it")
			continue
		}
		for _, t := range sums {
			byDatabase[db] = append(byDatabase[db], goSum{m, t})
		}
	}
	for db, list := range byDatabase {
		c.goDatabase(ctx, db, list)
	}
}

// goDatabase asks one database about the modules. Each answer is proven by the
// tree that came with it, so that it can be proven again from what was kept,
// whatever else was asked at the time. That all those trees are of one log is
// asked afterwards, as far as what is at hand tells.
func (c *check) goDatabase(ctx context.Context, setting string, list []goSum) {
	ops, err := c.sums.open(ctx, setting)
	if err != nil {
		for _, s := range list {
			c.left(s.component.PURL, err.Error())
		}
		return
	}
	lines, errs := make([][]string, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	turns := make(chan struct{}, maxLookups)
	for i, s := range list {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			alone := &sumOps{sumServer: ops.sumServer}
			if lines[i], errs[i] = sumdb.NewClient(alone).Lookup(s.component.Name, s.component.Version); errs[i] != nil {
				errs[i] = alone.reason(s.component.Name, s.component.Version, errs[i])
			}
		})
	}
	wg.Wait()
	together := sumdb.NewClient(ops)
	for i, s := range list {
		if errs[i] == nil && ops.broken == "" {
			together.Lookup(s.component.Name, s.component.Version) // proven above; a contradiction is noted
		}
	}
	for i, s := range list {
		if errs[i] == nil && ops.broken != "" {
			errs[i] = errBroken
		}
		c.goSum(s, lines[i], errs[i])
	}
}

// goSum judges one sum.
func (c *check) goSum(s goSum, lines []string, err error) {
	m := s.component
	if err == nil && len(lines) == 0 {
		err = fmt.Errorf("the checksum database: %w", errNoModule)
	}
	if err != nil {
		c.left(m.PURL, clip(err.Error()))
		return
	}
	want := m.Name + " " + m.Version + " " + s.trait.Detail
	if slices.Contains(lines, want) {
		c.whole[m.PURL] = true
		return
	}
	_, published, _ := strings.Cut(strings.TrimPrefix(lines[0], m.Name+" "), " ")
	c.left(m.PURL, "the source that was compiled is not the published one")
	c.differs(Difference{Rule: RuleSum, Weight: High, Component: m.PURL, Artifact: s.trait.Artifact, Path: s.trait.Path, Source: "checksum database",
		Title:  "was built from another source than the checksum database has",
		Detail: clip(fmt.Sprintf("built from %s, published %s", s.trait.Detail, published))})
}

// sums is who is asked about the sums of modules. The zero value asks nobody.
type sums struct {
	setting func(path string) string // the database that may be told of a module, as GOSUMDB spells it; "": none
	proxies []string                 // module proxies, in order
	refuse  string                   // why neither they nor the database may be asked; "" when they may
	private func(registry.Package) bool
	get     func(context.Context, registry.Request) (registry.Document, error)
	pack    fs.FS // tiles and lookups that the go command keeps, NAME/lookup/... and NAME/tile/...; nil: none
}

// clientSums asks as a registry's client is configured.
func clientSums(reg *registry.Client) sums {
	at := reg.Config.For(registry.Package{System: registry.Go})
	s := sums{private: reg.Private, get: reg.Get, refuse: at.Refuse}
	s.setting = func(path string) string {
		if own := reg.Config.For(registry.Package{System: registry.Go, Name: path}); own.Refuse != "" && at.Refuse == "" {
			return "" // what no proxy may be told of is not asked through one
		}
		return reg.Config.GoSums(path)
	}
	if at.URL != "" {
		s.proxies = append(s.proxies, at.URL)
	}
	for _, other := range at.Others {
		s.proxies = append(s.proxies, other.URL)
	}
	return s
}

// database returns the setting of the database that may be told of a module.
// Private names are told to nobody.
func (s *sums) database(path string) string {
	if s.setting == nil || s.private != nil && s.private(registry.Package{System: registry.Go, Name: path}) {
		return ""
	}
	return s.setting(path)
}

// open finds the database: its key, and where it is asked.
func (s *sums) open(ctx context.Context, setting string) (*sumOps, error) {
	fields := strings.Fields(setting)
	if len(fields) == 0 || len(fields) > 2 {
		return nil, errors.New("GOSUMDB cannot be read, so no checksum database was asked")
	}
	key := fields[0]
	if !strings.Contains(key, "+") {
		key += "+" + knownKey
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, errors.New("the key of the checksum database that GOSUMDB names is not known: give it as name+hash+key")
	}
	ops := &sumOps{sumServer: &sumServer{ctx: ctx, sums: s, key: key, name: verifier.Name(), kept: map[string]sumAnswer{}}}
	switch {
	case s.refuse != "": // the pack may have it
	case len(fields) == 2:
		ops.base = strings.TrimSuffix(fields[1], "/")
	default:
		ops.base = s.reach(ctx, verifier.Name())
	}
	return ops, nil
}

// reach returns where a database is asked: through the first module proxy that
// says it passes questions on, else itself
// (https://go.dev/design/25530-sumdb#proxying-a-checksum-database).
func (s *sums) reach(ctx context.Context, name string) string {
	for _, proxy := range s.proxies {
		base := strings.TrimSuffix(proxy, "/") + "/sumdb/" + name
		doc, err := s.get(ctx, registry.Request{URL: base + "/supported", Limit: maxSumAnswer, System: registry.Go})
		if err == nil && !doc.Absent {
			return base
		}
	}
	return "https://" + name
}

// sumServer is a database and what it answered in this run. It lives for one run,
// as does ctx, for which the client of the database has no parameter.
type sumServer struct {
	ctx  context.Context
	sums *sums
	key  string
	name string
	base string

	mu   sync.Mutex
	kept map[string]sumAnswer
}

type sumAnswer struct {
	body []byte
	err  error
}

// maxKeptAnswers bounds what is kept in memory; a tile has up to 8 KiB.
const maxKeptAnswers = 4096

// read asks the go command's cache first, then the registry's client with its own.
func (s *sumServer) read(path string) ([]byte, error) {
	s.mu.Lock()
	a, ok := s.kept[path]
	s.mu.Unlock()
	if ok {
		return a.body, a.err
	}
	if a.body, a.err = s.packed(s.name + path); a.err != nil && s.base == "" {
		a.err = registry.ErrOffline
	} else if a.err != nil {
		doc, err := s.sums.get(s.ctx, registry.Request{URL: s.base + path, Limit: maxSumAnswer, System: registry.Go, Keep: true})
		if err == nil && doc.Absent {
			err = errNoModule
		}
		a = sumAnswer{doc.Body, err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) < maxKeptAnswers {
		s.kept[path] = a
	}
	return a.body, a.err
}

func (s *sumServer) packed(file string) ([]byte, error) {
	if s.sums.pack == nil || !fs.ValidPath(file) {
		return nil, fs.ErrNotExist
	}
	info, err := fs.Stat(s.sums.pack, file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSumAnswer {
		return nil, fs.ErrNotExist
	}
	return fs.ReadFile(s.sums.pack, file)
}

// sumOps is what a client of the database asks of the world outside. It has no
// tree to begin with: the one of the first answer is taken.
type sumOps struct {
	*sumServer

	mu      sync.Mutex
	latest  []byte // the newest signed tree that was seen
	offline bool   // something was not at hand
	broken  string // what the database contradicted itself in
}

var errBroken = errors.New("the checksum database contradicts itself, so nothing that it says counts")

func (o *sumOps) ReadRemote(path string) ([]byte, error) {
	body, err := o.read(path)
	if errors.Is(err, registry.ErrOffline) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.offline = true
	}
	return body, err
}

func (o *sumOps) ReadConfig(file string) ([]byte, error) {
	if file == "key" {
		return []byte(o.key), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.latest, nil
}

func (o *sumOps) WriteConfig(file string, old, new []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if string(old) != string(o.latest) {
		return sumdb.ErrWriteConflict
	}
	o.latest = new
	return nil
}

func (o *sumOps) ReadCache(string) ([]byte, error) { return nil, fs.ErrNotExist } // sumServer has it
func (o *sumOps) WriteCache(string, []byte)        {}
func (o *sumOps) Log(string)                       {}

func (o *sumOps) SecurityError(msg string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken, _, _ = strings.Cut(msg, "\n")
}

// reason says in plain words why a module could not be looked up.
func (o *sumOps) reason(path, version string, err error) error {
	escaped, _ := module.EscapePath(path)
	at, _ := module.EscapeVersion(version)
	o.sumServer.mu.Lock()
	failed := o.kept["/lookup/"+escaped+"@"+at].err
	o.sumServer.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case errors.Is(failed, errNoModule):
		return errors.New("the checksum database does not know it")
	case errors.Is(failed, registry.ErrOffline):
		return errors.New("what the checksum database has of it is not at hand (--online asks it)")
	case o.broken != "":
		return errBroken
	case o.offline:
		return errors.New("the proof of what the checksum database has of it is not at hand (--online asks it)")
	case failed != nil:
		return fmt.Errorf("the checksum database could not be asked: %s", withoutAddress(failed))
	}
	return fmt.Errorf("what the checksum database says cannot be verified: %s", withoutAddress(err))
}

// withoutAddress leaves the address out of an error of the network, which may
// name a private mirror.
func withoutAddress(err error) string {
	if ue := (*url.Error)(nil); errors.As(err, &ue) {
		return ue.Err.Error()
	}
	return err.Error()
}
