package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Question asks about a version of a package; "" asks only which there are.
type Question struct {
	Package Package
	Version string
}

// maxAsked is how many packages are looked into at a time. It is more than one
// host is asked at a time, so that a slow one does not hold up the others.
const maxAsked = 2 * maxPerHost

// maxDetailed is how many versions of one package are worth a question, where
// details come one by one. No function ships more; a hostile list may.
const maxDetailed = 16

// everyVersion asks for the details of all versions where a registry tells them
// at once, else of the one that is installed when none is named.
const everyVersion = "*"

// ReasonPrivate is why a private name is unknown.
const ReasonPrivate = "the policy calls the name private: it is not sent anywhere"

// Facts returns what is known of packages, in their order: as Ask, about the
// version that is installed when none is named, and about all of them where the
// registry tells everything at once.
func (c *Client) Facts(ctx context.Context, packages []Package) ([]Facts, error) {
	questions := make([]Question, len(packages))
	for i, p := range packages {
		questions[i] = Question{p, everyVersion}
	}
	return c.Ask(ctx, questions)
}

// Ask returns what is known of packages, in the order of the questions. What of
// a version is more than its name, its dates and who made it (Licenses,
// Integrity, Archive, Scripts, Requires, Signatures) is there for the versions
// that are asked about. What cannot be learnt is Unknown with a reason; only a
// cancelled ctx is an error. Each package is looked up once.
func (c *Client) Ask(ctx context.Context, questions []Question) ([]Facts, error) {
	out := make([]Facts, len(questions))
	err := c.each(ctx, questions, func(f *Facts, asked []int) error {
		for _, i := range asked {
			out[i] = *f
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Standings returns how the versions that are asked about stand, in the order
// of the questions: Ask and Facts.Standing in one. It does not keep what is
// known of all the other versions, which of 400 packages are megabytes.
func (c *Client) Standings(ctx context.Context, questions []Question) ([]Standing, error) {
	out := make([]Standing, len(questions))
	err := c.each(ctx, questions, func(f *Facts, asked []int) (err error) {
		defer func() { // as the caller cannot: this is another goroutine
			if r := recover(); r != nil {
				err = fmt.Errorf("compare the versions of %s: internal error: %v", f.Package, r)
			}
		}()
		for _, i := range asked {
			out[i] = f.Standing(questions[i].Version)
		}
		f.recycle()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// inquiry is all that is asked about one package.
type inquiry struct {
	p        Package
	versions []string
	asked    []int // indexes of the questions
}

// inquiries brings questions together by package, in the order in which they
// are first named.
func inquiries(questions []Question) []inquiry {
	out := make([]inquiry, 0, len(questions))
	at := make(map[Package]int, len(questions))
	seen := make(map[Question]bool, len(questions))
	for i, q := range questions {
		n, ok := at[q.Package]
		if !ok {
			n = len(out)
			at[q.Package] = n
			out = append(out, inquiry{p: q.Package})
		}
		in := &out[n]
		in.asked = append(in.asked, i)
		if !seen[q] {
			seen[q] = true
			in.versions = append(in.versions, q.Version)
		}
	}
	return out
}

// each hands out what is known of each package, with the indexes of the
// questions about it, to a function that several goroutines call. A few workers
// take one package after the other: a goroutine a package would grow a stack a
// package.
func (c *Client) each(ctx context.Context, questions []Question, known func(f *Facts, asked []int) error) error {
	all := inquiries(questions)
	var mu sync.Mutex
	next, done := 0, 0
	take := func(finished int) int {
		mu.Lock()
		defer mu.Unlock()
		if done += finished; finished > 0 && c.Done != nil {
			c.Done(done, len(all))
		}
		next++
		return next - 1
	}
	g, gctx := errgroup.WithContext(ctx)
	for range min(maxAsked, len(all)) {
		g.Go(func() error {
			for i := take(0); i < len(all); i = take(1) {
				f, err := c.about(gctx, all[i].p, all[i].versions)
				if err == nil {
					err = known(&f, all[i].asked)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cmp.Or(g.Wait(), ctx.Err())
}

// about says what is known of one package. Only a cancelled ctx is an error.
func (c *Client) about(ctx context.Context, p Package, versions []string) (Facts, error) {
	ep, why := c.endpoint(p)
	if why != "" {
		return Facts{Package: p, Reason: why}, ctx.Err()
	}
	f, err := c.lookUp(ctx, p, versions, ep)
	if err == nil && f.Answer == Absent && ep.Public {
		f, err = c.lookUp(ctx, p, versions, Endpoint{})
	}
	if ctx.Err() != nil {
		return Facts{}, ctx.Err()
	}
	if err != nil {
		return Facts{Package: p, Reason: err.Error()}, nil
	}
	return f, nil
}

// endpoint says who may be asked about a package, or why nobody.
func (c *Client) endpoint(p Package) (ep Endpoint, why string) {
	ep = c.Config.For(p)
	private := c.Private != nil && c.Private(p)
	switch {
	case !spelled(p.Name):
		return ep, reasonSpelling
	case ep.Refuse != "":
		return ep, ep.Refuse
	case private && (!ep.Own || ep.URL == ""):
		return ep, ReasonPrivate
	case private:
		ep.Public, ep.private = false, true
	}
	return ep, ""
}

// errUnchanged says that what is known is what the registry still says.
var errUnchanged = errors.New("unchanged")

// visit is one look-up of a package at its registry.
type visit struct {
	have, now validators // of its main document
	versions  []string   // that are asked about
	lane      *lane      // freed when the document is read
}

// wanted are the versions whose details are asked for one by one: those that
// are asked about, within bounds, and the newest.
func (v *visit) wanted(newest string) []string {
	out := []string{newest}
	if v == nil {
		return out
	}
	for _, version := range v.versions {
		if version != "" && version != everyVersion && version != newest && len(out) <= maxDetailed {
			out = append(out, version)
		}
	}
	return out
}

// document returns the main document about a package. It is not kept as it is,
// since the record has all that is used of it; when it did not change since
// that was made, the error is errUnchanged.
func (c *Client) document(ctx context.Context, ep Endpoint, r Request) (Document, error) {
	if ep.visit == nil {
		return c.Get(ctx, r)
	}
	r.lane = ep.visit.lane
	got, err := c.fetch(ctx, r, ep.visit.have)
	switch {
	case err != nil:
		return Document{}, err
	case got.unchanged:
		return Document{}, errUnchanged
	}
	ep.visit.now = got.validators
	got.Fetched = c.now()
	return got.Document, nil
}

// lookUp returns the facts of a package from its record, and before that brings
// the record up to date, if it is time and the network may be asked.
func (c *Client) lookUp(ctx context.Context, p Package, versions []string, ep Endpoint) (Facts, error) {
	key := c.recordKey(p, ep)
	done, err := c.cache.lock(ctx, key)
	if err != nil {
		return Facts{}, err
	}
	defer done()
	wanted := wants(versions)
	old, have := c.readRecord(key, p, wanted)
	if have && (!c.Online || c.suffices(&old, versions, ep)) {
		return old.Facts, nil
	}
	if !c.Online {
		return Facts{}, ErrOffline
	}
	if have && ep.URL == "" { // whose details come one by one: all are needed to write them again
		old, have = c.readRecord(key, p, nil)
	}
	fresh, err := c.ask(ctx, p, versions, ep, old, have)
	switch {
	case ctx.Err() != nil:
		return Facts{}, ctx.Err()
	case err != nil && !have:
		return Facts{}, err
	case err != nil:
		c.fellBack(err, p.String()+": ", old.AsOf)
		old.trim(wanted)
		return old.Facts, nil
	}
	if b := fresh.encode(key); b != nil {
		c.writeFile("facts", key, b)
	}
	fresh.trim(wanted)
	return fresh.Facts, nil
}

// Learned returns when the cache took in what it holds about a package; zero
// when it holds nothing, or nobody may be asked. It reads no more than a date.
func (c *Client) Learned(p Package) time.Time {
	ep, why := c.endpoint(p)
	if why != "" || c.Dir == "" {
		return time.Time{}
	}
	at := c.writtenAt("facts", c.recordKey(p, ep))
	if ep.Public {
		if other := c.writtenAt("facts", c.recordKey(p, Endpoint{})); other.After(at) {
			at = other
		}
	}
	return at
}

// recordKey names the record of a package at those who are asked.
func (c *Client) recordKey(p Package, ep Endpoint) string {
	from := ep.URL
	if from == "" {
		from = c.depsDev()
	}
	for _, o := range ep.Others {
		from += "\n" + o.URL
	}
	return hash(from + "\n" + p.String())
}

// wants says which versions have their details read; nil: all.
func wants(versions []string) func(string) bool {
	if slices.Contains(versions, everyVersion) {
		return nil
	}
	if len(versions) == 1 {
		return func(version string) bool { return sameSpelling(versions[0], version) }
	}
	set := make(map[string]bool, len(versions))
	for _, v := range versions {
		set[trimV(v)] = true
	}
	return func(version string) bool { return set[trimV(version)] }
}

// sameSpelling says whether two texts are one version, but for the "v" that some
// tools write and others do not.
func sameSpelling(a, b string) bool { return a == b || trimV(a) == trimV(b) }

func trimV(s string) string {
	if len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9' {
		return s[1:]
	}
	return s
}

// trim takes away the details of what was not asked about, so that an answer
// does not depend on whether it comes from the record.
func (r *record) trim(want func(string) bool) {
	if want == nil {
		return
	}
	for i := range r.Versions {
		if v := &r.Versions[i]; !want(v.Version) {
			v.forget()
		}
	}
}

// detailed says whether a version has any details: what is read only when it is
// asked about.
func (v *Version) detailed() bool {
	return len(v.Licenses)+len(v.Integrity)+len(v.Archive)+len(v.Scripts)+len(v.Requires)+len(v.Signatures) > 0
}

// forget takes the details away.
func (v *Version) forget() {
	if v.detailed() { // to write nothing is less work for the collector too
		v.Licenses, v.Integrity, v.Archive, v.Scripts, v.Requires, v.Signatures = nil, nil, "", nil, nil, nil
	}
}

// suffices says whether a record answers without asking again.
func (c *Client) suffices(r *record, versions []string, ep Endpoint) bool {
	if !c.listed(r, versions) {
		return false
	}
	switch {
	case r.Answer == Absent:
		return true
	case ep.URL != "" && r.Package.System == Go: // whose dates come one by one
		return !slices.ContainsFunc(versions[:min(len(versions), maxDetailed)], func(s string) bool { v := r.find(s); return v != nil && v.Published.IsZero() })
	case ep.URL != "":
		return true
	}
	return len(c.undetailed(r, versions)) == 0
}

// listed says whether a record is fresh. A version that it does not have may
// have been published since, so that is believed for a shorter time.
func (c *Client) listed(r *record, versions []string) bool {
	missing := r.Answer == Absent
	for _, v := range versions[:min(len(versions), maxDetailed)] {
		missing = missing || v != "" && v != everyVersion && r.find(v) == nil
	}
	return c.fresh(r.AsOf, missing)
}

// find is Find, whatever the spelling.
func (r *record) find(version string) *Version {
	for i := range r.Versions {
		if sameSpelling(r.Versions[i].Version, version) {
			return &r.Versions[i]
		}
	}
	return nil
}

// source asks one registry about one package, by the protocol of a system.
type source func(ctx context.Context, c *Client, p Package, ep Endpoint) (Facts, error)

// sources are the protocols that are spoken.
func sources() map[System]source {
	return map[System]source{NPM: npmFacts, PyPI: pypiFacts, Go: goFacts}
}

// ask asks whoever answers for a package.
func (c *Client) ask(ctx context.Context, p Package, versions []string, ep Endpoint, old record, have bool) (record, error) {
	if ep.URL == "" {
		return c.askDepsDev(ctx, p, versions, old, have)
	}
	from := sources()[p.System]
	if from == nil {
		return record{}, fmt.Errorf("the protocol of the registry that is configured for %s is not spoken", p.System)
	}
	ep.visit = &visit{versions: versions, lane: &lane{cache: &c.cache}}
	defer ep.visit.lane.free()
	if have && old.Answer == Known {
		ep.visit.have = old.validators
	}
	f, err := from(ctx, c, p, ep)
	switch {
	case errors.Is(err, errUnchanged):
		if old, have = c.readRecord(c.recordKey(p, ep), p, nil); !have {
			return record{}, errors.New("the cache was changed while the registry was asked")
		}
		old.AsOf = c.now()
		return old, nil
	case err != nil:
		return record{}, err
	}
	f.Package = p
	if have && p.System == Go {
		f.redate(&old.Facts)
	}
	return record{Facts: f, validators: ep.visit.now}, nil
}

// redate takes over what was known of versions that were not looked into this
// time: when they were made does not change.
func (f *Facts) redate(old *Facts) {
	for i := range f.Versions {
		if v := &f.Versions[i]; v.Published.IsZero() {
			if before := old.Find(v.Version); before != nil {
				v.Published, v.Repository = before.Published, before.Repository
			}
		}
	}
}
