package cli

import (
	"context"
	"fmt"
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

// onlineSource is where the store was made from: a registry or mirror that it
// was pulled from, the place that the last update read, the address that the
// exports of an imported store came from, or OSV's public export.
func onlineSource(s vulndb.Snapshot) (via, from string) {
	for i := range s.Sources {
		for _, part := range s.Sources[i].Origins() {
			if part.Via != "" {
				return part.Via, ""
			}
		}
	}
	for _, o := range s.Origins {
		if o.Name == vulndb.DefaultOrigin && o.From != "" {
			return "", o.From
		}
	}
	for _, src := range s.Sources {
		base, ok := strings.CutSuffix(src.URL, "/all.zip")
		if ok && !src.Folder && feed.Remote(base) {
			return "", base[:strings.LastIndexByte(base, '/')]
		}
	}
	return "", feed.DefaultURL
}

// fetchLacking brings ecosystems into the user's store. Whatever fails is said
// and changes nothing: what the store lacks then makes the verdict incomplete,
// as it does without --online.
func (o scanOptions) fetchLacking(ctx context.Context, env *Env, s vulndb.Snapshot, ecosystems []string) error {
	dir, err := storeDir(env, o.db)
	if err != nil {
		return err
	}
	via, from := onlineSource(s)
	if !o.quiet {
		where := via
		if via == "" {
			where = from
		}
		fmt.Fprintf(env.Stderr, "fnaudit: the store lacks %s: fetching from %s\n", strings.Join(ecosystems, ", "), report.Escape(where))
	}
	if via != "" {
		quiet := *env
		quiet.Stdout = env.Stderr // standard output is the report's
		return dbPull(ctx, &quiet, dir, pullOptions{adoptFlags: adoptFlags{ecosystems: ecosystems, quiet: true, noProgress: o.noProgress}}, via)
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	defer bar.Done()
	_, err = feed.Update(ctx, dir, feed.Options{
		From: from, Ecosystems: ecosystems, Now: env.Now, Timeout: onlineTimeout, Client: pull.Watched(0),
		Progress: func(p feed.Progress) { bar.Say("%s", report.Escape(progressWords(p))) },
		Notice:   noticer(env, bar, o.quiet),
	})
	return err
}

// supply fetches what a run found the store to lack, and opens the store again
// if that helped; nil, if there is nothing new to judge with. All functions of
// a run are judged with one store, so that the report can name it.
func (o scanOptions) supply(ctx context.Context, env *Env, db *vulndb.DB, reports []*finding.Report) (*vulndb.DB, error) {
	names := lacking(db, reports)
	if len(names) == 0 {
		return nil, nil
	}
	if err := o.fetchLacking(ctx, env, db.Snapshot(), names); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		fmt.Fprintf(env.Stderr, "fnaudit: fetch %s: %s\n", strings.Join(names, ", "), report.Escape(err.Error()))
	}
	dir, err := storeDir(env, o.db)
	if err != nil {
		return nil, err
	}
	fresh, err := vulndb.Open(dir)
	if err != nil || fresh.Snapshot().ID == db.Snapshot().ID {
		if err == nil {
			fresh.Close()
		}
		return nil, nil // nothing came; why was said
	}
	return fresh, nil
}
