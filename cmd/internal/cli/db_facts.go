package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// factsOptions are the flags of "db update --facts".
type factsOptions struct {
	reports  []string
	archives bool
	policy   string
}

// archiveJobs is how many archives are fetched side by side.
const archiveJobs = 4

// maxWhy is how many reasons for what is not known are said, the most frequent first.
const maxWhy = 8

// learned is what came of asking registries.
type learned struct {
	asked, known     int
	private          int            // of those asked about: nobody may be asked
	why              map[string]int // reason -> packages that are not known for it
	archives, failed int
	first            error // why the first archive was not had
}

// updateFacts asks registries about every component of reports and keeps the
// answers. Private names, as the policy has them, are asked of nobody.
func updateFacts(ctx context.Context, env *Env, dir string, o updateOptions, offline bool) error {
	if offline {
		return usage("without it, and where there is a network", "db update --facts asks registries, and --offline forbids it")
	}
	bom, err := billOf(env, o.facts.reports)
	if err != nil {
		return err
	}
	pol, err := readPolicy(env, o.facts.policy, nil)
	if err != nil {
		return err
	}
	run := scanOptions{db: dir, online: true, quiet: o.quiet}
	client, err := run.registryClient(env, pol)
	if err != nil {
		return err
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	client.Notice = noticer(env, bar, o.quiet)
	client.Done = func(done, of int) {
		bar.Say("asking registries: %d of %s", done, finding.Count(of, "package", "packages"))
	}
	start := env.Now()
	rep, err := (&audit.Auditor{Policy: pol, Registry: client, Now: env.Now()}).Learn(ctx, bom)
	if err != nil {
		return err
	}
	l := tally(rep)
	if o.facts.archives {
		if err := l.fetch(ctx, client, bom, bar); err != nil {
			return err
		}
	}
	bar.Done()
	if !o.quiet {
		l.print(env, client.Dir, env.Now().Sub(start))
	}
	if l.asked > l.private && l.known == 0 {
		return &exit{code: ExitUsage, err: errors.New("db update --facts: nothing could be asked"), hint: "check the network, HTTPS_PROXY if there is a proxy, and which registries the user's own configuration names"}
	}
	return nil
}

// billOf gathers the components of reports, each once. "-" is standard input.
func billOf(env *Env, names []string) (*sbom.SBOM, error) {
	var all []sbom.Component
	for _, name := range names {
		doc, err := readReportFrom(env, name)
		if err != nil {
			return nil, err
		}
		for _, r := range doc.Functions {
			all = append(all, audit.Bill(r).Components...)
		}
	}
	return &sbom.SBOM{Components: sbom.Merge(all)}, nil
}

// tally counts the packages of a report by what is known of them.
func tally(rep *finding.Report) learned {
	l := learned{why: map[string]int{}}
	seen := map[registry.Package]bool{}
	check := rep.Check("facts")
	for _, c := range rep.Components {
		p, _, ok := registry.ParsePURL(c.PURL)
		if !ok || c.Main || seen[p] {
			continue
		}
		seen[p] = true
		l.asked++
		switch {
		case c.Facts == nil:
			l.why[cmp.Or(strings.TrimSuffix(check.Reason, audit.FactsHint), "nobody was asked")]++
		case c.Facts.State == "unknown":
			l.why[c.Facts.Reason]++
			if c.Facts.Private {
				l.private++
			}
		default:
			l.known++
		}
	}
	return l
}

// fetch brings the published archives of those versions that are known into the
// cache. What cannot be had is counted.
func (l *learned) fetch(ctx context.Context, client *registry.Client, bom *sbom.SBOM, bar *progress) error {
	var had, failed, done atomic.Int64
	first := make([]error, len(bom.Components))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(archiveJobs)
	for i := range bom.Components {
		c := &bom.Components[i]
		p, version, ok := registry.ParsePURL(c.PURL)
		if !ok || c.Main || version == "" {
			continue
		}
		g.Go(func() error {
			a, err := audit.Published(ctx, client, p, c.Version)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if first[i] = err; err != nil {
				failed.Add(1)
			} else {
				had.Add(1)
				a.Close()
			}
			bar.Say("fetching archives: %s", finding.Thousands(done.Add(1)))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	l.archives, l.failed = int(had.Load()), int(failed.Load())
	l.first = cmp.Or(first...)
	return nil
}

// print writes the summary.
func (l *learned) print(env *Env, dir string, took time.Duration) {
	held, _ := factsHeld(dir)
	fmt.Fprintf(env.Stdout, "registry facts %s: %s asked about, %s known, %s not known, %.1f s; the cache holds %s\n", report.Escape(dir),
		finding.Count(l.asked, "package", "packages"), finding.Thousands(l.known), finding.Thousands(l.asked-l.known), took.Seconds(), megabytes(held.Bytes))
	reasons := slices.SortedFunc(maps.Keys(l.why), func(a, b string) int { return cmp.Or(cmp.Compare(l.why[b], l.why[a]), cmp.Compare(a, b)) })
	for i, why := range reasons {
		if i == maxWhy && len(reasons) > maxWhy+1 {
			fmt.Fprintf(env.Stdout, "  and %s\n", finding.Count(len(reasons)-maxWhy, "other reason", "other reasons"))
			break
		}
		fmt.Fprintf(env.Stdout, "  %s: %s\n", finding.Count(l.why[why], "package", "packages"), report.Escape(why))
	}
	if l.archives+l.failed > 0 {
		fmt.Fprintf(env.Stdout, "  %s kept, %s not to be had\n", finding.Count(l.archives, "archive", "archives"), finding.Thousands(l.failed))
	}
	if l.first != nil {
		fmt.Fprintf(env.Stdout, "  such as: %s\n", report.Escape(l.first.Error()))
	}
}

// heldFacts is what the cache of registries' answers holds.
type heldFacts struct {
	Packages int       `json:"packages"`
	Archives int       `json:"archives"`
	Bytes    int64     `json:"bytes"`           // on disk, all together
	Oldest   time.Time `json:"oldest,omitzero"` // when the registry of a package was last asked
	Newest   time.Time `json:"newest,omitzero"`
}

// words says it in one line.
func (h heldFacts) words() string {
	if h.Packages+h.Archives == 0 {
		return "none of registries are kept"
	}
	text := fmt.Sprintf("of registries about %s", finding.Count(h.Packages, "package", "packages"))
	if h.Packages > 0 {
		text += fmt.Sprintf(", asked %s to %s", h.Oldest.UTC().Format(time.DateOnly), h.Newest.UTC().Format(time.DateOnly))
	}
	if h.Archives > 0 {
		text += ", " + finding.Count(h.Archives, "archive", "archives")
	}
	return text + ", " + megabytes(h.Bytes)
}

// orNil is nil when nothing is held.
func (h heldFacts) orNil() *heldFacts {
	if h.Packages+h.Archives == 0 {
		return nil
	}
	return &h
}

// factsHeld counts what the cache holds. The error is fs.ErrNotExist when there is none.
func factsHeld(dir string) (heldFacts, error) {
	var h heldFacts
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == dir {
				return err
			}
			return nil // removed meanwhile
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		h.Bytes += info.Size()
		switch first, _, _ := strings.Cut(filepath.ToSlash(rel), "/"); first {
		case "facts":
			h.Packages++
			at := info.ModTime().UTC()
			if h.Oldest.IsZero() || at.Before(h.Oldest) {
				h.Oldest = at
			}
			if at.After(h.Newest) {
				h.Newest = at
			}
		case "archives":
			h.Archives++
		}
		return nil
	})
	return h, err
}

// megabytes writes a size as people read it.
func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.0f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
