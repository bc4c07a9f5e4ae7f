package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/cmd/internal/vex"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/catalog"
	"github.com/fnaudit/fnaudit/vulndb"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	targetFlags
	outputs    []string
	policy     string
	failOn     string
	db         string
	dbMaxAge   string
	at         string
	explain    string
	runtimes   string
	attested   string
	baselines  []string
	vexFiles   []string
	jobs       int
	quiet      bool
	verbose    bool
	noColor    bool
	noProgress bool
	offline    bool
	online     bool
	deep       bool

	now       time.Time                             // the clock that judges
	based     []string                              // digests of the baselines
	vex       *vex.Set                              // what others say of findings; may be nil
	opened    func(opener) opener                   // looks at each function when it is opened; may be nil
	keep      func(*finding.Report) *finding.Report // what is still needed of a report when it is written; nil: all
	many      bool                                  // write what can be while the run goes on
	lockfiles []*catalog.Lockfile
	locked    []finding.Artifact // the same, by digest

	// recorded reads what is known of the components before anything is judged; nil:
	// nothing is.
	recorded func(context.Context) ([]*finding.Report, error)
}

// localPolicy is the policy file that is used when it lies in the current folder.
const localPolicy = ".fnaudit.yaml"

func scanCommand(env *Env) *cobra.Command {
	var o scanOptions
	cmd := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "Audit functions: open, list the packages, match advisories, judge",
		Long: `Scan audits each target as one function and ends in one verdict per function.

A target is a deployment zip, an unpacked function folder, a container image
(OCI layout folder, OCI or docker archive), a bare Go binary, an SBOM (CycloneDX,
SPDX or syft JSON), or an AWS SAM or CloudFormation template or .aws-sam/build,
whose functions are audited one by one; the content decides, a prefix forces:
zip:, dir:, oci:, archive:, binary:, sbom:, sam:. Of several images in one
archive, image.tar#NAME is one. "-" reads a target from standard input.
"image:" before a reference pulls a container image from its registry, with the
credentials of the docker configuration, into the user's cache.`,
		Example: `  fnaudit scan orders.zip
  fnaudit scan orders.zip --layer base.zip --layer patch.zip -o sarif=orders.sarif
  fnaudit scan --each build/ -o json=report.json
  fnaudit scan .aws-sam/build --function OrdersFunction
  fnaudit scan orders.zip --explain GHSA-p6mc-m468-83gw`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err = o.network(cmd); err != nil {
				return err
			}
			return scan(cmd.Context(), env, o, args)
		},
	}
	judgeFlagsOf(cmd, &o)
	f := cmd.Flags()
	f.BoolVar(&o.deep, "deep", false, "also compare every shipped file with what it should be (RECORD, published archives, checksum database) and verify the attestations of the dependencies")
	f.StringVar(&o.explain, "explain", "", "explain the finding with this `ID` instead of printing the table")
	f.StringVar(&o.runtimes, "runtimes", "", "`FILE` with dates of runtimes, instead of those that the program brings")
	return cmd
}

// judgeFlagsOf adds the flags that scan and gate share.
func judgeFlagsOf(cmd *cobra.Command, o *scanOptions) {
	targetFlagsOf(cmd, &o.targetFlags)
	runFlagsOf(cmd, o)
}

// runFlagsOf adds the flags of every command that judges: against what, at what
// time, and how it is said.
func runFlagsOf(cmd *cobra.Command, o *scanOptions) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: "+strings.Join(report.Formats(), ", ")+" (default table)")
	f.StringVar(&o.policy, "policy", "", "policy `FILE` or builtin:ci, builtin:release, builtin:report (default "+localPolicy+" here if there, else builtin:ci)")
	f.StringVar(&o.failOn, "fail-on", "", "fail at this `SEVERITY` or worse, fixable or not: critical, high, medium, low, any, none; malware always fails")
	f.StringVar(&o.db, "db", "", "folder of the advisory store (default $FNAUDIT_DB, else the user's cache)")
	f.StringVar(&o.dbMaxAge, "db-max-age", "", "how old the store may be, as `DURATION` (7d, 36h), instead of what the policy says")
	f.BoolVar(&o.online, "online", false, "fetch the advisories of ecosystems that the store lacks, and newer ones of those that are older than the policy allows, from where the store came from; and ask the registries that the user's own settings name, else deps.dev, about the packages")
	f.StringVar(&o.at, "at", "", "the clock that judges: RFC 3339 `TIME` or date (default now)")
	f.StringArrayVar(&o.baselines, "baseline", nil, "an earlier report as JSON or jsonl `FILE`, repeatable: only what is not in it counts")
	f.StringArrayVar(&o.vexFiles, "vex", nil, "OpenVEX or CycloneDX VEX `FILE`, repeatable: what it says is not affected or fixed does not count")
	f.StringVar(&o.attested, "attestations", "", "folder `DIR` with attestations, found by the digest that they are about")
	f.IntVar(&o.jobs, "jobs", 0, "functions judged side by side (default the number of CPUs)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing for a pass, and only the verdict otherwise")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "one line per finding, and everything that is folded")
	f.BoolVar(&o.noColor, "no-color", false, "no colour (also NO_COLOR)")
	f.BoolVar(&o.noProgress, "no-progress", false, "no progress line on a terminal")
}

func targetFlagsOf(cmd *cobra.Command, t *targetFlags) {
	f := cmd.Flags()
	f.StringArrayVar(&t.layers, "layer", nil, "a layer `ZIP` under the function, repeatable, in the platform's merge order")
	f.StringVar(&t.runtime, "runtime", "", "runtime `ID` such as nodejs20.x (default guessed)")
	f.StringVar(&t.platform, "platform", "", "`NAME`: "+strings.Join(platforms, ", ")+" (default guessed)")
	f.StringVar(&t.handler, "handler", "", "the function's handler as declared")
	f.StringVar(&t.name, "name", "", "`NAME` of the function (default the file's)")
	f.StringVar(&t.arch, "arch", "", "`ARCH` that the function runs on, x86_64 or arm64 (default guessed); of an image for several, the one that is audited (default x86_64)")
	f.StringVar(&t.base, "base", "", "where the base image of an image ends: `IMAGE|DIGEST`, the path of the base image or the digest of a layer (default by annotations and history)")
	f.StringArrayVar(&t.locks, "lockfile", nil, "a lock`FILE` kept beside the artifact, repeatable: of npm, Yarn, pnpm or bun, it gives the packages in bundles their versions; SARIF and annotations show the lines of any")
	f.StringVar(&t.each, "each", "", "every archive and image in `DIR` is a function")
	f.StringVar(&t.targets, "targets", "", "`FILE` of JSON lines, one function each: name, target, runtime, layers, owner, tags")
	descriptorFlagsOf(cmd, &t.descriptorFlags)
}

// network reads what the command may do over the network.
func (o *scanOptions) network(cmd *cobra.Command) (err error) {
	if o.offline, err = cmd.Flags().GetBool("offline"); err != nil {
		return err
	}
	if o.offline && o.online {
		return usage("", "--online and --offline contradict each other")
	}
	return nil
}

func scan(ctx context.Context, env *Env, o scanOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, report.Formats(), "table")
	if err != nil {
		return err
	}
	specs, err := o.specs(args)
	if err != nil {
		return err
	}
	pol, err := o.loadPolicy(env, specs)
	if err != nil {
		return err
	}
	doc, stream, err := o.judge(ctx, env, specs, pol, outputs)
	if err != nil {
		return err
	}
	if err := o.write(env, doc, outputs, stream); err != nil {
		return err
	}
	return verdict(doc)
}

// judge audits functions under a policy. The outputs are those that may be
// written while it goes on; with none every report is whole.
func (o *scanOptions) judge(ctx context.Context, env *Env, specs []bundle.Spec, pol *policy.Policy, outputs []output) (*finding.Document, *stream, error) {
	now, err := o.clock(env)
	if err != nil {
		return nil, nil, err
	}
	db, err := openStore(env, o.db, o.quiet)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	stdin, err := slurp(env, specs)
	if err != nil {
		return nil, nil, err
	}
	im, err := imagesOf(ctx, env, specs, o.offline, o.quiet || o.noProgress)
	if err != nil {
		return nil, nil, err
	}
	files := &bundle.Opener{Stdin: bytes.NewReader(stdin), Wanted: catalog.Wanted}
	runtimes, err := readRuntimes(o.runtimes)
	if err != nil {
		return nil, nil, err
	}
	var lines []audit.Lines
	if o.lockfiles, lines, o.locked, err = readLockfiles(o.locks); err != nil {
		return nil, nil, err
	}
	open := im.open(files.Begin)
	if o.opened != nil {
		open = o.opened(open)
	}
	trust, err := o.trustOf(ctx, env, pol, im)
	if err != nil {
		return nil, nil, err
	}
	reg, err := o.registryClient(env, pol)
	if err != nil {
		return nil, nil, err
	}
	a := &audit.Auditor{Runtimes: runtimes, Trust: trust, Registry: reg, Deep: o.deep,
		Open: o.refuse(open, len(specs) == 1), Catalog: o.cataloger(ctx, db),
		DB: db, Policy: pol, Checks: audit.All(), Reach: reacher(env), Now: now, Lines: lines,
	}
	return o.auditAll(ctx, env, a, now, subjects{n: len(specs), one: func(ctx context.Context, a *audit.Auditor, i int) (*finding.Report, error) {
		return auditOne(ctx, a, specs[i], stdin)
	}}, outputs)
}

// subjects are what a run judges, by index.
type subjects struct {
	n    int
	one  func(ctx context.Context, a *audit.Auditor, i int) (*finding.Report, error)
	rest func(doc *finding.Document, stream *stream) error // adds what is only known after all of them; nil: nothing
}

// auditAll judges the subjects at the time now. The outputs are those that may
// be written while it goes on.
func (o *scanOptions) auditAll(ctx context.Context, env *Env, a *audit.Auditor, now time.Time, all subjects, outputs []output) (*finding.Document, *stream, error) {
	doc := &finding.Document{
		SchemaVersion: finding.SchemaVersion, Tool: finding.Tool{Name: "fnaudit", Version: toolVersion()},
		Database: a.Database(), Policy: a.Policy.Ref(),
	}
	doc.JudgedAt = stamp(env, o.at != "", now, doc.Database)
	o.now = now
	a.VEX, doc.VEX = o.vex, o.vex.Documents()
	stream, err := o.newStream(env, outputs, doc)
	if err != nil {
		return nil, nil, err
	}
	whole := false
	defer func() {
		if !whole {
			stream.drop()
		}
	}()
	uses, said := make([]policy.Use, all.n), make([]vex.Use, all.n)
	all = noted(all, uses, said)
	if o.online {
		if fresh, err := o.runOnline(ctx, env, a, all, stream, doc); err != nil {
			return nil, nil, err
		} else if fresh != nil {
			defer fresh.Close()
		}
	} else if doc.Functions, err = o.run(ctx, env, a, all, stream); err != nil {
		return nil, nil, err
	}
	if all.rest != nil {
		if err := all.rest(doc, stream); err != nil {
			return nil, nil, err
		}
		for _, rep := range doc.Functions[all.n:] {
			uses, said = append(uses, a.Policy.Use(rep)), append(said, a.VEX.Use(rep))
		}
	}
	doc.Summary = finding.Summarize(doc.Functions)
	doc.Warnings = append(doc.Warnings, a.Policy.Remarks(uses, doc.Database)...)
	doc.Warnings = append(doc.Warnings, o.vex.Remarks(said)...)
	o.warn(env, doc)
	whole = true
	return doc, stream, nil
}

// noted are subjects of which it is noted, by index, what they use of the policy
// and of what others say.
func noted(all subjects, uses []policy.Use, said []vex.Use) subjects {
	one := all.one
	all.one = func(ctx context.Context, a *audit.Auditor, i int) (*finding.Report, error) {
		rep, err := one(ctx, a, i)
		if err == nil {
			uses[i], said[i] = a.Policy.Use(rep), a.VEX.Use(rep)
		}
		return rep, err
	}
	return all
}

// maxRunWarnings is how many warnings about a run are printed; a report has all.
const maxRunWarnings = 10

// warn prints what a run says about itself rather than about one function.
func (o *scanOptions) warn(env *Env, doc *finding.Document) {
	if o.quiet {
		return
	}
	for i, text := range doc.Warnings {
		if i == maxRunWarnings && !o.verbose {
			fmt.Fprintf(env.Stderr, "fnaudit: and %s (-v prints them)\n", finding.Count(len(doc.Warnings)-i, "more warning", "more warnings"))
			return
		}
		fmt.Fprintf(env.Stderr, "fnaudit: warning: %s\n", report.Escape(text))
	}
}

// clock is the time that judges.
func (o *scanOptions) clock(env *Env) (time.Time, error) {
	if o.at == "" {
		return env.Now(), nil
	}
	return parseTime(o.at)
}

// cataloger returns the cataloger of a run that judges with db.
func (o scanOptions) cataloger(ctx context.Context, db *vulndb.DB) func(context.Context, *bundle.Function) (*sbom.SBOM, error) {
	return catalog.New(askStore(ctx, db, catalog.Options{Lockfiles: o.lockfiles})).Run
}

// runOnline runs once to learn which ecosystems the store lacks and, if it
// could get some, or newer ones of those that are too old, again with the store as it is then, which it returns.
// Where the components are recorded, they are read instead, and nothing is judged twice.
func (o scanOptions) runOnline(ctx context.Context, env *Env, a *audit.Auditor, all subjects, stream *stream, doc *finding.Document) (fresh *vulndb.DB, err error) {
	learn := o.recorded
	if learn == nil {
		learn = func(ctx context.Context) ([]*finding.Report, error) { return o.run(ctx, env, a, all, nil) }
	}
	if doc.Functions, err = learn(ctx); err != nil {
		return nil, err
	}
	if fresh, err = o.supply(ctx, env, a.DB, doc.Functions, a.Policy.MaxAge); err != nil {
		return nil, err
	}
	if fresh == nil && o.recorded == nil {
		for i, r := range doc.Functions {
			if err := stream.put(ctx, i, r); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	if fresh != nil {
		a = a.With(fresh, o.cataloger(ctx, fresh))
		doc.Database = a.Database()
		doc.JudgedAt = stamp(env, o.at != "", o.now, doc.Database)
	}
	doc.Functions, err = o.run(ctx, env, a, all, stream)
	return fresh, err
}

// run audits the subjects side by side. Results go to their index, so that
// no output depends on timing.
func (o scanOptions) run(ctx context.Context, env *Env, a *audit.Auditor, all subjects, stream *stream) ([]*finding.Report, error) {
	jobs := o.jobs
	if jobs < 0 {
		return nil, usage("", "--jobs %d: it must be at least 1", jobs)
	}
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	bar := newProgress(env, o.noProgress || o.quiet)
	defer bar.Done()
	reports := make([]*finding.Report, all.n)
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for i := range all.n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			rep, err := all.one(ctx, a, i)
			if err != nil {
				return err
			}
			reports[i] = rep
			if stream.alone() { // thousands of functions: the verdict is all that is still needed
				reports[i] = &finding.Report{Name: rep.Name, Verdict: rep.Verdict}
			}
			if o.keep != nil {
				reports[i] = o.keep(reports[i])
			}
			bar.Say("audited %s of %s", finding.Thousands(done.Add(1)), finding.Count(all.n, "function", "functions"))
			return stream.put(ctx, i, rep)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return reports, nil
}

// auditOne audits one target, whatever its kind.
func auditOne(ctx context.Context, a *audit.Auditor, spec bundle.Spec, stdin []byte) (*finding.Report, error) {
	bom, isSBOM, err := readSBOM(spec, stdin)
	if isSBOM {
		return a.Components(ctx, spec, bom, err)
	}
	rep, err := a.Function(ctx, spec)
	if refused := (audit.Refused{}); errors.As(err, &refused) {
		err = &exit{code: ExitUsage, err: err}
	}
	return rep, err
}

func (o *scanOptions) loadPolicy(env *Env, specs []bundle.Spec) (*policy.Policy, error) {
	pol, err := readPolicy(env, o.policy, specs)
	if err != nil {
		return nil, err
	}
	if o.failOn != "" && !pol.FailOn(o.failOn) {
		return nil, usage("one of critical, high, medium, low, any, none", "--fail-on %q is not a severity", o.failOn)
	}
	if o.dbMaxAge != "" {
		age, err := policy.ParseDuration(o.dbMaxAge)
		if err != nil {
			return nil, usage("", "--db-max-age: %w", err)
		}
		pol.MaxAge = age
	}
	if pol.Baseline, err = o.readBaselines(); err != nil {
		return nil, err
	}
	if err := o.readVEX(env); err != nil {
		return nil, err
	}
	return pol, nil
}

// readPolicy finds the policy. One that merely lies in the current folder may
// have come with what is audited, so its path and digest are always said.
func readPolicy(env *Env, name string, specs []bundle.Spec) (*policy.Policy, error) {
	found := false
	if name == "" {
		name = policy.CI
		if _, err := os.Lstat(localPolicy); err == nil {
			name, found = localPolicy, true
			if inside := targetAround(localPolicy, specs); inside != "" {
				return nil, usage("if it is yours, name it: --policy "+localPolicy, "the policy %s lies inside the target %s, so it may have come with what is audited", localPolicy, inside)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, usage("", "look for %s: %w", localPolicy, err)
		}
	}
	if strings.HasPrefix(name, "builtin:") {
		pol, ok := policy.Builtin(name)
		if !ok {
			return nil, usage("one of "+strings.Join(policy.Names(), ", "), "unknown policy %q", name)
		}
		return pol, nil
	}
	data, err := readSmall(name, policy.MaxBytes)
	if err != nil {
		return nil, usage("", "read policy: %w", err)
	}
	pol, err := policy.Parse(data, name)
	if err != nil {
		return nil, &exit{code: ExitUsage, err: err}
	}
	if found { // said with -q too: who judged must be known
		fmt.Fprintf(env.Stderr, "fnaudit: policy %s of the current folder, %s\n", name, pol.Digest)
	}
	return pol, nil
}

// targetAround returns the target, or the layer of one, that is a folder which
// holds the file, or what the file is a link to; "" if none is. Folders are
// compared as such, too: a mount, and on some systems case, give one several names.
func targetAround(file string, specs []bundle.Spec) string {
	at, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	places := []string{at}
	if real, err := filepath.EvalSymlinks(filepath.Dir(at)); err == nil {
		places[0] = filepath.Join(real, filepath.Base(at))
	}
	if real, err := filepath.EvalSymlinks(at); err == nil {
		places = append(places, real)
	}
	for _, s := range specs {
		for _, ref := range append([]string{s.Ref}, s.Layers...) {
			if slices.ContainsFunc(places, func(at string) bool { return folderAround(at, ref) }) {
				return ref
			}
		}
	}
	return ""
}

// folderAround says whether a target is a file, or a folder at whatever height
// above it.
func folderAround(file, ref string) bool {
	_, dir, _ := bundle.SplitRef(ref)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		return true
	}
	target, err := os.Stat(dir)
	if err != nil || !target.IsDir() {
		return false
	}
	for up := filepath.Dir(file); ; up = filepath.Dir(up) {
		if st, err := os.Stat(up); err == nil && os.SameFile(st, target) {
			return true
		}
		if up == filepath.Dir(up) {
			return false
		}
	}
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("write it as 2026-11-22T15:04:05Z or 2026-11-22", "--at %q is not a time", s)
}

// write renders the document to every output, and ends those of the stream. --explain takes the place of the table.
func (o scanOptions) write(env *Env, doc *finding.Document, outputs []output, stream *stream) error {
	errs := make([]error, len(outputs))
	if len(outputs) > 1 {
		defer roomyIfSmall(env)()
	}
	var all sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, out := range outputs {
		all.Go(func() { // side by side: no output knows of another
			free <- struct{}{}
			defer func() { <-free }()
			if stream.has(out) {
				errs[i] = stream.finish(env, doc, out)
				return
			}
			errs[i] = o.writeOne(env, doc, out)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (o scanOptions) writeOne(env *Env, doc *finding.Document, out output) error {
	if o.explain != "" && out.format == "table" {
		return explain(env, doc, o.explain, out)
	}
	err := out.write(env, func(w io.Writer) error {
		return report.Write(w, out.format, doc, reportOptions(env, o, out))
	})
	if err != nil {
		return err
	}
	return summarize(env, doc, out)
}

func reportOptions(env *Env, o scanOptions, out output) report.Options {
	terminal := out.file == "" && env.StdoutTerminal
	opt := report.Options{
		Color:   terminal && !o.noColor && env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb",
		Verbose: o.verbose, Quiet: o.quiet, UpdateCommand: updateCommandLine,
		Created: created(env), Now: o.now,
	}
	if terminal {
		opt.Width = env.Width
	}
	return opt
}

// stamp is the time that a report bears: the clock of --at, else
// SOURCE_DATE_EPOCH, else the store's own date, so that the same input gives
// the same bytes.
func stamp(env *Env, named bool, now time.Time, db finding.Database) time.Time {
	if named {
		return now.UTC()
	}
	if t := created(env); !t.IsZero() {
		return t
	}
	return db.BuiltAt
}

// created is the time to write into documents: SOURCE_DATE_EPOCH, else the
// zero time, for which the formats take the store's own date.
func created(env *Env) time.Time {
	var sec int64
	if s := env.Getenv("SOURCE_DATE_EPOCH"); s != "" {
		if _, err := fmt.Sscanf(s, "%d", &sec); err == nil && sec >= 0 {
			return time.Unix(sec, 0).UTC()
		}
	}
	return time.Time{}
}

// verdict turns the summary into the exit code: it always agrees with what was printed.
func verdict(doc *finding.Document) error {
	switch {
	case doc.Summary.Fail > 0:
		return &exit{code: ExitFail}
	case doc.Summary.Pass < doc.Summary.Functions || doc.Summary.Functions == 0:
		return &exit{code: ExitIncomplete}
	}
	return nil
}
