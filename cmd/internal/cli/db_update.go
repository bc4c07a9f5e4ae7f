package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/feed"
)

type updateOptions struct {
	from       string
	sources    []string
	drop       []string
	ecosystems []string
	kev, epss  string
	allowOlder bool
	quiet      bool
	noProgress bool
	timeout    time.Duration
	facts      factsOptions
}

func dbUpdateCommand(env *Env, dir *string) *cobra.Command {
	var o updateOptions
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Get the advisories and build the store",
		Long: `Update reads the layout of OSV's public export (ECOSYSTEM/all.zip) from its
public URL, from a mirror, or from a folder, and compiles it into the store.
What has not changed since the last update is not fetched again, and where the
export has its list of records (ECOSYSTEM/modified_id.csv), only the records
that changed are; once a week, and whenever the list leaves a doubt, it is the
whole export. The store is replaced as a whole: a killed update leaves the old
one. Ecosystems that are not asked for stay as they are.

--source lays advisories of your own over the export: in its layout, or a
folder of OSV records as .json files. A record with the id of one of the
export, or of a source named before, replaces it as a whole within each
ecosystem. One that no package could match, because OSV has no such ecosystem or
because it lies where nothing is read, is an error. A .json file of a folder
that is no record (it has no id, modified or affected) is named and passed over. A folder is as current as its newest record; a file as-of.txt in it
that holds a time (RFC 3339) says otherwise.

The store remembers its sources: an update without --from and --source reads
again what the last one read. --drop-source forgets one.

Beside the advisories it keeps CISA's catalogue of known exploited
vulnerabilities (KEV) and FIRST's exploit prediction scores (EPSS), each as of
its own date. They are read from their public addresses when the advisories
come from OSV's, and from a folder that holds kev.json (or
known_exploited_vulnerabilities.json) and epss*.csv or epss*.csv.gz beside its
advisories. --kev and --epss name another address or file, or none of them,
and are remembered, too. A list that cannot be had, or is not quite what it
should be, leaves the one of before.

--facts asks registries about every package of reports that scan or vet wrote as
JSON ("-" reads one from standard input), and keeps what they say beside the
advisories, so that later runs know it without a network. Only that is done
then, unless advisories are asked for, too (--from, --source, --drop-source,
--ecosystem, --kev, --epss). Who is asked is what the user's own configuration of npm, pip, Go
and the other tools names, else deps.dev; names that the policy calls private
are asked of nobody. --archives also fetches the published archives, for
scan --deep and vet.`,
		Example: `  fnaudit db update
  fnaudit db update --ecosystem npm --ecosystem PyPI
  fnaudit db update --from https://mirror.example/osv
  fnaudit db update --from ./osv --db ./store
  fnaudit db update --source acme=./our-advisories
  fnaudit db update --kev none --epss https://mirror.example/epss_scores-current.csv.gz
  fnaudit db update --facts report.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			offline, err := cmd.Flags().GetBool("offline")
			if err != nil {
				return err
			}
			if len(o.facts.reports) == 0 {
				if o.facts.archives || o.facts.policy != "" {
					return usage("fnaudit db update --facts report.json", "--archives and --policy are about --facts, which is missing")
				}
				return dbUpdate(cmd.Context(), env, *dir, o, offline)
			}
			if o.from+o.kev+o.epss != "" || len(o.sources)+len(o.drop)+len(o.ecosystems) > 0 {
				if err := dbUpdate(cmd.Context(), env, *dir, o, offline); err != nil {
					return err
				}
			}
			return updateFacts(cmd.Context(), env, *dir, o, offline)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "`URL|DIR` to read instead of OSV's public export (default: that of the last update)")
	f.StringArrayVar(&o.sources, "source", nil, "`NAME=URL|DIR` to lay over it, repeatable; the last one counts")
	f.StringArrayVar(&o.drop, "drop-source", nil, "forget the source `NAME` and what it said, repeatable")
	f.StringArrayVar(&o.ecosystems, "ecosystem", nil, "OSV `NAME` such as npm, repeatable (default: of a folder all, else "+strings.Join(functionEcosystems, ", ")+", and what the store has)")
	f.StringVar(&o.kev, "kev", "", "`URL|FILE|none` with the catalogue of known exploited vulnerabilities")
	f.StringVar(&o.epss, "epss", "", "`URL|FILE|none` with the exploit prediction scores")
	f.StringArrayVar(&o.facts.reports, "facts", nil, "ask registries about the packages of this JSON `REPORT`, repeatable")
	f.BoolVar(&o.facts.archives, "archives", false, "with --facts: fetch the published archives, too")
	f.StringVar(&o.facts.policy, "policy", "", "with --facts: policy `FILE` or builtin:NAME that says which names are private (default "+localPolicy+" here if there, else builtin:ci)")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up on one download after this long")
	f.BoolVar(&o.allowOlder, "allow-older", false, "take an export that is older than the one in the store, from the same address")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing on success")
	f.BoolVar(&o.noProgress, "no-progress", false, "no progress line on a terminal")
	return cmd
}

// unreachableHint says what to do where there is no way to the public export.
const unreachableHint = "check the network, and HTTPS_PROXY if there is a proxy; --from URL|DIR reads a mirror or a folder, and fnaudit db import a store that was exported elsewhere"

// origins reads the values of --source.
func (o updateOptions) origins() ([]vulndb.Origin, error) {
	var list []vulndb.Origin
	for _, s := range o.sources {
		name, from, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usage("as in --source acme=./advisories", "--source %s: no name", s)
		}
		list = append(list, vulndb.Origin{Name: name, From: from})
	}
	return list, nil
}

func dbUpdate(ctx context.Context, env *Env, flag string, o updateOptions, offline bool) error {
	dir, err := storeDir(env, flag)
	if err != nil {
		return err
	}
	sources, err := o.origins()
	if err != nil {
		return err
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	opts := feed.Options{
		From: o.from, Sources: sources, Drop: o.drop, Offline: offline, Ecosystems: o.ecosystems, Default: functionEcosystems,
		Feeds: []vulndb.Origin{{Name: vulndb.FeedKEV, From: o.kev}, {Name: vulndb.FeedEPSS, From: o.epss}}, AllowOlder: o.allowOlder,
		Now: env.Now, Timeout: o.timeout, Client: pull.Watched(0),
		Progress: func(p feed.Progress) { bar.Say("%s", report.Escape(progressWords(p))) },
		Notice:   noticer(env, bar, o.quiet),
	}
	// A store that cannot be read is built anew, so only usage matters here.
	previous, _ := vulndb.ReadSnapshot(dir)
	if _, err := opts.FeedPlaces(previous); err != nil {
		if errors.Is(err, feed.ErrOffline) {
			return usage("--from DIR, --kev FILE and --epss FILE read what is here", "db update reads from the network, and --offline forbids it: %w", err)
		}
		return usage("", "db update: %w", err)
	}
	start := env.Now()
	snap, err := feed.Update(ctx, dir, opts)
	bar.Done()
	if err != nil {
		hint := "the store holds what it held before, and what was updated successfully"
		switch {
		case errors.Is(err, vulndb.ErrUnread):
			hint = "all other records are in the store; a scan cannot know what those would have said"
		case errors.Is(err, vulndb.ErrBackwards), errors.Is(err, vulndb.ErrFewer):
			hint = "--allow-older takes it all the same; " + hint
		case errors.Is(err, feed.ErrUnreachable):
			hint = unreachableHint + "; " + hint
		}
		if errors.Is(err, feed.ErrList) {
			hint += "; --kev and --epss name another address or file for the lists, or none"
		}
		return &exit{code: ExitUsage, err: fmt.Errorf("update the advisory store in %s: %w", dir, err), hint: hint}
	}
	if !o.quiet {
		n := 0
		for _, s := range snap.Sources {
			n += s.Records
		}
		fmt.Fprintf(env.Stdout, "advisory store %s: %s of %s, snapshot %s, %.1f s\n", dir, finding.Count(n, "record", "records"), finding.Count(len(snap.Sources), "ecosystem", "ecosystems"), short(snap.ID), env.Now().Sub(start).Seconds())
		fmt.Fprintln(env.Stdout, "  "+report.Feeds(audit.Feeds(snap)))
	}
	return nil
}
