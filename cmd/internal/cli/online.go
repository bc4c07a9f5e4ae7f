package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/feed"
)

// onlineTimeout bounds one download of scan --online.
const onlineTimeout = 10 * time.Minute

// lacking names the ecosystems of which a run found packages and of which the
// store has no advisories, though there are some to be had; sorted. The
// starter set lacks every ecosystem.
func lacking(db *vulndb.DB, reports []*finding.Report) []string {
	var names []string
	for _, r := range reports {
		for _, c := range r.Components {
			base := vulndb.Base(c.Ecosystem)
			if c.Ecosystem == "" || db.Covers(c.Ecosystem) == vulndb.NoSource {
				continue
			}
			if _, there := db.Snapshot().Source(base); there && !db.Snapshot().Starter {
				continue
			}
			names = append(names, base)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// aged names the ecosystems of the store that are older than the policy allows,
// at the time that judges; sorted. A store is as old as its oldest ecosystem,
// whether or not the run found packages of that one. 0 allows any age.
func aged(s vulndb.Snapshot, now time.Time, allowed time.Duration) []string {
	var names []string
	for _, src := range s.Sources {
		if allowed > 0 && !s.Starter && now.Sub(src.AsOf) > allowed {
			names = append(names, src.Ecosystem)
		}
	}
	return names
}

// place is where ecosystems can be had: a registry or mirror with whole stores,
// or an address or folder with exports.
type place struct{ via, from string }

func (p place) String() string { return p.via + p.from }

// onlinePlace is where the store was made from: a registry or mirror that it
// was pulled from, the place that the last update read, the address that the
// exports of an imported store came from, or OSV's public export. sources are
// those of the store that say so.
func onlinePlace(s vulndb.Snapshot, sources []vulndb.Source) place {
	for i := range sources {
		for _, part := range sources[i].Origins() {
			if part.Via != "" {
				return place{via: part.Via}
			}
		}
	}
	for _, o := range s.Origins {
		if o.Name == vulndb.DefaultOrigin && o.From != "" {
			return place{from: o.From}
		}
	}
	for _, src := range sources {
		base, ok := strings.CutSuffix(src.URL, "/all.zip")
		if ok && !src.Folder && feed.Remote(base) {
			return place{from: base[:strings.LastIndexByte(base, '/')]}
		}
	}
	return place{from: feed.DefaultURL}
}

// fetch brings ecosystems from a place into the store.
func (o scanOptions) fetch(ctx context.Context, env *Env, dir string, p place, ecosystems []string) error {
	if p.via != "" {
		quiet := *env
		quiet.Stdout = env.Stderr // standard output is the report's
		return dbPull(ctx, &quiet, dir, pullOptions{adoptFlags: adoptFlags{ecosystems: ecosystems, quiet: true, noProgress: o.noProgress}}, p.via)
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	defer bar.Done()
	_, err := feed.Update(ctx, dir, feed.Options{
		From: p.from, Ecosystems: ecosystems, Now: env.Now, Timeout: onlineTimeout, Client: pull.Watched(0),
		Progress: func(p feed.Progress) { bar.Say("%s", report.Escape(progressWords(p))) },
		Notice:   noticer(env, bar, o.quiet),
	})
	return err
}

// supply fetches what a run found the store to lack and what is older in it
// than the policy allows, and opens the store again if that helped; nil, if
// there is nothing new to judge with. All functions of a run are judged with one
// store, so that the report can name it. Whatever fails is said and changes
// nothing: the verdict says what the store lacks and how old it is, as it does
// without --online.
func (o scanOptions) supply(ctx context.Context, env *Env, db *vulndb.DB, reports []*finding.Report, allowed time.Duration) (*vulndb.DB, error) {
	dir, err := storeDir(env, o.db)
	if err != nil {
		return nil, err
	}
	s := db.Snapshot()
	wanted := map[place][]string{}
	say := func(what string, p place, names []string) {
		if wanted[p] = append(wanted[p], names...); !o.quiet {
			fmt.Fprintf(env.Stderr, "fnaudit: %s: fetching from %s\n", fmt.Sprintf(what, strings.Join(names, ", ")), report.Escape(p.String()))
		}
	}
	if names := lacking(db, reports); len(names) > 0 {
		say("the store lacks %s", onlinePlace(s, s.Sources), names)
	}
	old := map[place][]string{}
	for _, name := range aged(s, o.now, allowed) {
		src, _ := s.Source(name)
		p := onlinePlace(s, []vulndb.Source{src})
		old[p] = append(old[p], name)
	}
	places := func(m map[place][]string) []place {
		return slices.SortedFunc(maps.Keys(m), func(a, b place) int { return strings.Compare(a.String(), b.String()) })
	}
	for _, p := range places(old) {
		say("%s: older than the policy allows", p, old[p])
	}
	for _, p := range places(wanted) {
		if err := o.fetch(ctx, env, dir, p, wanted[p]); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			fmt.Fprintf(env.Stderr, "fnaudit: fetch %s: %s\n", strings.Join(wanted[p], ", "), report.Escape(strings.ReplaceAll(err.Error(), "\n", "; ")))
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	fresh, err := vulndb.Open(dir)
	if err != nil {
		return nil, nil // nothing came; why was said
	}
	if slices.EqualFunc(fresh.Snapshot().Sources, s.Sources, func(a, b vulndb.Source) bool { return a.Digest == b.Digest && a.AsOf.Equal(b.AsOf) }) {
		fresh.Close()
		return nil, nil
	}
	return fresh, nil
}
