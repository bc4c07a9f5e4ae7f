package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/codec"
	"github.com/fnaudit/fnaudit/vulndb"
)

// functionEcosystems are what "db update" gets when no ecosystem is asked
// for: those in which the dependencies of functions are published.
var functionEcosystems = []string{"Go", "Maven", "NuGet", "Packagist", "PyPI", "RubyGems", "crates.io", "npm"}

func dbCommand(env *Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "db",
		Short: "The advisory store: update, status, lookup, check, prune, export, import, push, pull",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&dir, "db", "", "folder of the advisory store (default $FNAUDIT_DB, else the user's cache)")
	cmd.AddCommand(dbUpdateCommand(env, &dir), dbStatusCommand(env, &dir), dbLookupCommand(env, &dir), dbCheckCommand(env, &dir), dbPruneCommand(env, &dir))
	cmd.AddCommand(dbExportCommand(env, &dir), dbImportCommand(env, &dir), dbPushCommand(env, &dir), dbPullCommand(env, &dir))
	return cmd
}

func progressWords(p vulndb.Progress) string {
	if p.Total > 0 {
		return fmt.Sprintf("%s %s: %d of %d", p.Stage, p.Ecosystem, p.Done, p.Total)
	}
	if p.Done == 0 {
		return fmt.Sprintf("%s %s", p.Stage, p.Ecosystem) // and nothing came yet
	}
	return fmt.Sprintf("%s %s: %d", p.Stage, p.Ecosystem, p.Done)
}

func short(id string) string {
	if rest, ok := strings.CutPrefix(id, "sha256:"); ok && len(rest) > 12 {
		return "sha256:" + rest[:12]
	}
	return id
}

func dbStatusCommand(env *Env, dir *string) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what the store knows, from where, and as of when",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, db, err := mustOpen(env, *dir)
			if err != nil {
				return err
			}
			defer db.Close()
			d := audit.Database(db)
			held, err := factsHeld(filepath.Join(path, factsFolder))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return &exit{code: ExitUsage, err: fmt.Errorf("read the answers of registries in %s: %w", path, err)}
			}
			return printAs(env, format, struct {
				finding.Database
				Facts *heldFacts `json:"facts,omitempty"` // what the cache of registries' answers holds
			}{d, held.orNil()}, func(w io.Writer) error {
				age := policy.Age(d, env.Now())
				fmt.Fprintf(w, "store     %s\nsnapshot  %s\nrecords   %d\nage       %s (its oldest source)\nfacts     %s\n\n", report.Escape(path), d.ID, d.Records, ageWords(age), held.words())
				tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(tw, "ECOSYSTEM\tRECORDS\tAS OF\tSOURCE")
				for _, s := range db.Snapshot().Sources {
					if len(s.Parts) == 0 {
						fmt.Fprintf(tw, "%s\t%d\t%s\t%s\n", report.Escape(s.Ecosystem), s.Records, s.AsOf.UTC().Format(time.DateOnly), report.Escape(s.URL))
						continue
					}
					fmt.Fprintf(tw, "%s\t%d\t%s\tmerged, the last one counts:\n", report.Escape(s.Ecosystem), s.Records, s.AsOf.UTC().Format(time.DateOnly))
					for _, p := range s.Parts {
						fmt.Fprintf(tw, "  %s\t%d\t%s\t%s\n", report.Escape(p.Origin()), p.Records, p.AsOf.UTC().Format(time.DateOnly), report.Escape(p.URL))
					}
				}
				if len(d.Feeds) > 0 {
					fmt.Fprintln(tw, "\nLIST\tCVES\tAS OF\tSOURCE")
				}
				for _, f := range d.Feeds {
					fmt.Fprintf(tw, "%s\t%d\t%s (%s ago)\t%s\n", report.Escape(f.Name), f.Records, f.AsOf.UTC().Format(time.DateOnly), ageWords(env.Now().Sub(f.AsOf)), report.Escape(f.Source))
				}
				if err := tw.Flush(); err != nil || len(d.Feeds) == 2 {
					return err
				}
				_, err := fmt.Fprintf(w, "\n%s\n", report.Feeds(d.Feeds))
				return err
			})
		},
	}
	outputFlag(cmd, &format)
	return cmd
}

func ageWords(d time.Duration) string {
	switch {
	case d > 100*365*24*time.Hour:
		return "unknown"
	case d < 48*time.Hour:
		return finding.Count(int(d.Round(time.Hour)/time.Hour), "hour", "hours")
	}
	return finding.Count(int(d.Round(24*time.Hour)/(24*time.Hour)), "day", "days")
}

func outputFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVarP(format, "output", "o", "table", "`FORMAT`: table, json")
}

func printAs(env *Env, format string, v any, table func(io.Writer) error) error {
	out := output{format: format}
	switch format {
	case "table":
		return out.write(env, table)
	case "json":
		return out.write(env, func(w io.Writer) error { return report.WriteJSON(w, v) })
	}
	return usage("one of table, json", "output %q: unknown format", format)
}

// mustOpen opens a store that has to be there: the db commands are about it.
func mustOpen(env *Env, flag string) (string, *vulndb.DB, error) {
	dir, err := storeDir(env, flag)
	if err != nil {
		return "", nil, err
	}
	db, err := vulndb.Open(dir)
	if errors.Is(err, vulndb.ErrNoStore) {
		return "", nil, usage(updateCommandLine+" creates it", "open the advisory store: there is none in %s", dir)
	}
	if err != nil {
		return "", nil, usage("fnaudit db check says what is damaged; "+updateCommandLine+" builds it anew", "open the advisory store: %w", err)
	}
	return dir, db, nil
}

func dbLookupCommand(env *Env, dir *string) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "lookup PURL|ID",
		Short: "Show what the store knows about a package or an advisory",
		Example: `  fnaudit db lookup pkg:npm/lodash@4.17.15
  fnaudit db lookup CVE-2020-8203`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, db, err := mustOpen(env, *dir)
			if err != nil {
				return err
			}
			defer db.Close()
			return lookup(cmd.Context(), env, db, args[0], format)
		},
	}
	outputFlag(cmd, &format)
	return cmd
}

// lookup shows the advisories of a package (of one version, if the purl has
// one), or those with an id. Finding none is an answer, not an error.
func lookup(ctx context.Context, env *Env, db *vulndb.DB, what, format string) error {
	var found []*vulndb.Advisory
	title := what
	if strings.HasPrefix(what, "pkg:") {
		c, err := codec.FromPURL(what)
		if err != nil {
			return usage("a package URL looks like pkg:npm/lodash@4.17.15", "read %s: %w", what, err)
		}
		switch db.Covers(c.Ecosystem) {
		case vulndb.NoSource:
			return usage("", "no advisory source covers %s", what)
		case vulndb.Lacking:
			return usage("fnaudit db update --ecosystem "+c.Ecosystem, "the store has no %s advisories", c.Ecosystem)
		}
		if c.Version == "" {
			found, err = db.LookupName(ctx, c.Ecosystem, c.Name)
		} else {
			var r vulndb.Result
			r, err = db.Match(ctx, vulndb.Package{Ecosystem: c.Ecosystem, Name: c.Name, Version: c.Version, Source: c.Source})
			for _, m := range r.Matches {
				found = append(found, m.Advisory)
			}
			for _, p := range r.Problems {
				fmt.Fprintln(env.Stderr, "fnaudit: "+report.Escape(p))
			}
		}
		if err != nil {
			return &exit{code: ExitUsage, err: fmt.Errorf("look up %s: %w", what, err)}
		}
	} else {
		var err error
		if found, err = db.Lookup(ctx, what); err != nil {
			return &exit{code: ExitUsage, err: fmt.Errorf("look up %s: %w", what, err)}
		}
	}
	known, err := likelihoods(db, found)
	if err != nil {
		return &exit{code: ExitUsage, err: fmt.Errorf("look up %s: %w", what, err)}
	}
	return printAs(env, format, advisoriesJSON(found, known), func(w io.Writer) error {
		if len(found) == 0 {
			fmt.Fprintf(w, "%s: nothing known\n", report.Escape(title))
			return nil
		}
		for i, a := range found {
			if i > 0 {
				fmt.Fprintln(w)
			}
			printAdvisory(w, a, known[i])
		}
		return nil
	})
}

// likelihood is what the lists beside the advisories say of one; nil: nothing.
type likelihood struct {
	exploited *vulndb.Exploited
	score     *vulndb.Score
}

func likelihoods(db *vulndb.DB, list []*vulndb.Advisory) ([]likelihood, error) {
	out := make([]likelihood, len(list))
	for i, a := range list {
		var err error
		if out[i].exploited, err = db.Exploited(a.Names()); err != nil {
			return nil, err
		}
		if out[i].score, err = db.Score(a.Names()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// String says it in one line; "" when nothing is known.
func (l likelihood) String() string {
	var parts []string
	if e := l.exploited; e != nil {
		text := "known to be exploited since " + e.Added.Format(time.DateOnly)
		if !e.Due.IsZero() {
			text += ", due " + e.Due.Format(time.DateOnly)
		}
		if e.Ransomware {
			text += ", by ransomware too"
		}
		parts = append(parts, text)
	}
	if s := l.score; s != nil {
		parts = append(parts, fmt.Sprintf("EPSS %.2f%%, percentile %.1f", 100*s.EPSS, 100*s.Percentile))
	}
	return strings.Join(parts, "; ")
}

func printAdvisory(w io.Writer, a *vulndb.Advisory, known likelihood) {
	g := vulndb.Groups(vulndb.Package{}, []vulndb.Match{{Advisory: a}})
	line := a.ID
	if len(g) == 1 {
		line += "  " + g[0].Severity
		if g[0].Score > 0 {
			line += fmt.Sprintf(" %.1f", g[0].Score)
		}
	}
	if len(a.Aliases) > 0 {
		line += "  " + strings.Join(a.Aliases, " ")
	}
	fmt.Fprintln(w, report.Escape(line))
	if a.Summary != "" {
		fmt.Fprintln(w, "  "+report.Escape(a.Summary))
	}
	if s := known.String(); s != "" {
		fmt.Fprintln(w, "  "+s)
	}
	if !a.Withdrawn.IsZero() {
		fmt.Fprintf(w, "  withdrawn %s: never matches\n", a.Withdrawn.UTC().Format(time.DateOnly))
	}
	for _, aff := range a.Affected {
		fmt.Fprintln(w, "  "+report.Escape(aff.String()))
	}
}

// advisoryJSON is one advisory as "db lookup -o json" prints it.
type advisoryJSON struct {
	ID        string   `json:"id"`
	Aliases   []string `json:"aliases"`
	Summary   string   `json:"summary"`
	Severity  string   `json:"severity"`
	Score     float64  `json:"score,omitempty"`
	Vector    string   `json:"vector,omitempty"`
	Published string   `json:"published,omitempty"`
	Modified  string   `json:"modified,omitempty"`
	Withdrawn string   `json:"withdrawn,omitempty"`

	KEV        bool               `json:"kev"`
	Exploited  *finding.Exploited `json:"exploited,omitempty"`
	EPSS       *float64           `json:"epss,omitempty"` // absent: not scored
	Percentile float64            `json:"epssPercentile,omitempty"`

	Affected []affectedJSON `json:"affected"`
}

type affectedJSON struct {
	Ecosystem string   `json:"ecosystem"`
	Name      string   `json:"name"`
	Ranges    []string `json:"ranges"`
	Versions  int      `json:"versions"` // how many are listed one by one
}

func advisoriesJSON(list []*vulndb.Advisory, known []likelihood) []advisoryJSON {
	out := []advisoryJSON{}
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for i, a := range list {
		j := advisoryJSON{ID: a.ID, Aliases: append([]string{}, a.Aliases...), Summary: a.Summary, Severity: string(finding.UnknownSeverity),
			Published: date(a.Published), Modified: date(a.Modified), Withdrawn: date(a.Withdrawn), Affected: []affectedJSON{}}
		if e := known[i].exploited; e != nil {
			j.KEV, j.Exploited = true, audit.Exploited(*e)
		}
		if s := known[i].score; s != nil {
			j.EPSS, j.Percentile = &s.EPSS, s.Percentile
		}
		if g := vulndb.Groups(vulndb.Package{}, []vulndb.Match{{Advisory: a}}); len(g) == 1 {
			j.Severity, j.Score, j.Vector = g[0].Severity, g[0].Score, g[0].Vector
		}
		for _, aff := range a.Affected {
			entry := affectedJSON{Ecosystem: aff.Ecosystem, Name: aff.Name, Ranges: []string{}, Versions: len(aff.Versions)}
			for _, r := range aff.Ranges {
				entry.Ranges = append(entry.Ranges, r.String())
			}
			j.Affected = append(j.Affected, entry)
		}
		out = append(out, j)
	}
	return out
}

func dbCheckCommand(env *Env, dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Read every byte of the store and say what is damaged",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := storeDir(env, *dir)
			if err != nil {
				return err
			}
			damage, err := vulndb.Check(cmd.Context(), path)
			if errors.Is(err, vulndb.ErrNoStore) {
				return usage(updateCommandLine+" creates it", "check the advisory store: there is none in %s", path)
			}
			if err != nil {
				return &exit{code: ExitUsage, err: fmt.Errorf("check the advisory store: %w", err)}
			}
			for _, d := range damage {
				fmt.Fprintln(env.Stdout, report.Escape(d.String()))
			}
			if len(damage) > 0 {
				return &exit{code: ExitFail, err: fmt.Errorf("the advisory store in %s is damaged", path), hint: updateCommandLine + " builds it anew"}
			}
			fmt.Fprintf(env.Stdout, "advisory store %s: sound\n", report.Escape(path))
			return nil
		},
	}
}
