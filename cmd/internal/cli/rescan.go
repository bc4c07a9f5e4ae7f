package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/fleet"
	"github.com/fnaudit/fnaudit/cmd/internal/night"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// rescanOptions are the flags of rescan.
type rescanOptions struct {
	scanOptions
	exportFlags
	exports []string // lists of deployed functions
	since   string   // folder with the earlier set
	set     string   // folder of the new set
	told    alertFlags
}

func rescanCommand(env *Env) *cobra.Command {
	var o rescanOptions
	cmd := &cobra.Command{
		Use:   "rescan REPORT...",
		Short: "Judge stored reports again by today's store, policy and clock, and say what changed and why",
		Long: `Rescan takes reports that "scan -o json" or "-o jsonl" wrote, or folders of them,
matches the packages that they record against the store of today, and judges them
by the policy and the clock of today. The function itself is not needed: what only
its bytes can tell (signatures, archive, integrity) is kept as it was recorded, with
its date. It prints what changed since, by cause: a new, changed or withdrawn
advisory, other bytes, what is deployed, the policy, a runtime that crossed a date,
a waiver that ended, time.

Of thousands of reports little is held in memory, in whatever format: what is
known of one is written while it goes on, and what must wait until the end lies
beside the output's file, or in the folder for temporary files, and needs as much
room again. Of a report that was judged the table keeps the verdict.

--write replaces a folder as a whole or not at all. One run at a time may write it.

A function that is in several of the files or folders that are named is judged by
its newest report, and compared with the one before. "-" reads reports from
standard input.

lambda-export:FILE is what "aws lambda list-functions" saved, or a folder of such
files: several accounts, regions and versions together, and what get-function,
get-layer-version, list-aliases and "aws resourcegroupstaggingapi get-resources" say
beside. Deployed functions are joined by the
digest of their code with the reports, and with the summaries that gate signed
(--summaries DIR, verified as "gate check" does): which bytes nobody ever scanned or
gated, which are others than were judged, what would not pass today, which runtimes
end, which layer to bump first. A function of which nobody scanned what is deployed
is incomplete. Only the digest joins; a name, that of the template in one that
CloudFormation made too, tells that it is other bytes of a function that is known.
With --write the next night knows what was deployed, and tells what of that is new.
` + alertHelp,
		Example: `  fnaudit rescan reports/
  fnaudit rescan reports/ --write reports/
  fnaudit rescan yesterday/ today/
  fnaudit rescan orders.json -o json=night/orders.json
  fnaudit rescan reports/ lambda-export:prod.json --summaries summaries/ --key gate.pub \
      --verifier-id https://acme.example/fnaudit
  fnaudit rescan reports/ --slack @channel.url --alert-severity high`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err = o.network(cmd); err != nil {
				return err
			}
			o.exports, args = exportsOf(args)
			if err = o.exportFlags.check(cmd, o.exports, args); err != nil {
				return err
			}
			return rescan(cmd.Context(), env, o, args)
		},
	}
	runFlagsOf(cmd, &o.scanOptions)
	exportFlagsOf(cmd, &o.exportFlags)
	f := cmd.Flags()
	f.StringVar(&o.set, "write", "", "replace the folder `DIR`, as a whole or not at all, with the new reports, one file a function")
	f.StringVar(&o.since, "since", "", "compare with the reports in the folder `DIR`: what has one there and none now is gone (default that of --write, unless it is judged)")
	f.StringVar(&o.runtimes, "runtimes", "", "`FILE` with dates of runtimes, instead of those that the program brings")
	alertFlagsOf(cmd, &o.told)
	return cmd
}

func rescan(ctx context.Context, env *Env, o rescanOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, report.Formats(), "table")
	if err != nil {
		return err
	}
	alerts, err := o.told.alerts(env, o.offline, o.quiet, outputs, o.set)
	if err != nil {
		return err
	}
	pol, err := o.loadPolicy(env, nil)
	if err != nil {
		return err
	}
	claim, err := o.claim(outputs)
	if err != nil {
		return err
	}
	defer claim.Release()
	found, err := night.Find(args, env.Stdin)
	if err != nil {
		return usage("", "read reports: %w", err)
	}
	if len(found) == 0 && len(o.exports) == 0 {
		return usage("a report is what \"fnaudit scan -o json=report.json\" writes", "read reports: %s holds none", strings.Join(args, ", "))
	}
	now, err := o.clock(env)
	if err != nil {
		return err
	}
	night.RefuseFuture(found, maxTime(now, env.Now()))
	scans, said := apart(found)
	list, notes := night.Group(scans)
	db, err := openStore(env, o.db, o.quiet)
	if err != nil {
		return err
	}
	defer db.Close()
	runtimes, err := readRuntimes(o.runtimes)
	if err != nil {
		return err
	}
	reg, err := o.registryClient(env, pol)
	if err != nil {
		return err
	}
	if _, err := os.Stat(reg.Dir); errors.Is(err, fs.ErrNotExist) && !reg.Online {
		reg = nil // nothing is kept, and nobody may be asked
	}
	a := &audit.Auditor{Runtimes: runtimes, Registry: reg, DB: db, Policy: pol, Checks: audit.All(), Reach: reacher(env), Now: now}
	n := &nightly{env: env, o: &o, claim: claim, list: list, results: make([]night.Result, len(list)), said: said, run: night.Rescan{Tool: finding.Tool{Name: "fnaudit", Version: toolVersion()}}}
	if n.fleet, err = o.deployedOf(ctx, env, a, o.exports, &notes); err != nil {
		return err
	}
	if err := n.compare(found, notes); err != nil {
		return err
	}
	if err := n.begin(found); err != nil {
		return err
	}
	defer n.drop()
	if o.many = len(list) > maxWhole; o.many { // of which the table shows the verdicts, and the other outputs are written function by function
		o.keep, o.recorded = night.Brief, n.recorded
		defer roomy(env)()
	}
	rest := func(doc *finding.Document, stream *stream) error { return addDeployed(ctx, n.fleet, a, doc, stream) }
	doc, stream, err := o.auditAll(ctx, env, a, now, subjects{len(list), n.one, rest}, outputs)
	if err != nil {
		return err
	}
	defer stream.drop()
	if err := n.storeDeployed(a, doc.Functions[len(list):]); err != nil {
		return err
	}
	doc.Delta = n.delta(doc.Functions[len(list):])
	doc.Warnings = append(doc.Warnings, n.notes...)
	if err := o.write(env, doc, outputs, stream); err != nil {
		return err
	}
	if n.set != nil && alerts.Webhook+alerts.Slack != "" && inFolder(o.set, alerts.Record) { // what was sent is known even if the set is not placed
		if err := os.MkdirAll(o.set, 0o755); err != nil {
			return usage("", "write the record of alerts: %w", err)
		}
	}
	if err := alert(ctx, alerts, doc); err != nil {
		return err
	}
	if err := n.place(); err != nil { // after the alerts: a change of which nobody was told is one the next night, too
		return err
	}
	return verdict(doc)
}

// claim takes the right to replace the set of --write; nil if there is none to
// write. An output in a folder that is replaced would be lost with it.
func (o *rescanOptions) claim(outputs []output) (*night.Claim, error) {
	if o.set == "" {
		return nil, nil
	}
	for _, out := range outputs {
		if out.file != "" && inFolder(o.set, out.file) {
			return nil, usage("name a file elsewhere", "-o %s=%s: --write replaces the folder %s with all that is in it", out.format, out.file, o.set)
		}
	}
	if r := o.told.record; r != "" && inFolder(o.set, r) && filepath.Base(r) != night.AlertsName {
		return nil, usage("leave it out, and "+night.AlertsName+" in that folder says what was sent", "--alert-record %s: --write replaces the folder %s with all that is in it", r, o.set)
	}
	c, err := night.ClaimSet(o.set)
	switch {
	case errors.Is(err, night.ErrClaimed):
		return nil, usage("run them one after another, or name another folder with --write", "write reports to %s: %w", o.set, err)
	case err != nil:
		return nil, usage("", "write reports to %s: %w", o.set, err)
	}
	return c, nil
}

// place gives the new set its name.
func (n *nightly) place() error {
	if n.set == nil {
		return nil
	}
	err := n.set.Place()
	switch {
	case errors.Is(err, night.ErrUnconfirmed):
		return usage("", "write reports: %w", err)
	case err != nil:
		return usage("the earlier reports are as they were", "write reports: %w", err)
	}
	return nil
}

// nightly is one run of rescan.
type nightly struct {
	env     *Env
	o       *rescanOptions
	run     night.Rescan
	list    []night.Subject
	results []night.Result // by subject; of their reports nothing is kept
	gone    []night.Stored // of the earlier set
	said    []night.Stored // what lists of deployed functions said on another day of what nobody scanned
	notes   []string

	fleet *fleet.Join  // what is deployed; nil: nobody said
	claim *night.Claim // nil: no set is written
	set   *night.Set   // nil: none is written
	files []string     // by subject: of the new set; "" for none
}

// compare sets what the functions are compared with.
func (n *nightly) compare(found []night.Stored, notes []string) error {
	n.notes = notes
	since := n.o.since
	if since == "" && n.o.set != "" && !slices.ContainsFunc(found, func(s night.Stored) bool { return inFolder(n.o.set, s.File) }) {
		if night.IsSet(n.o.set) {
			since = n.o.set
		}
	}
	if since == "" {
		return nil
	}
	earlier, err := night.Find([]string{since}, nil)
	if err != nil {
		return usage("", "read the earlier reports: %w", err)
	}
	var more []string
	earlier, n.said = apart(earlier)
	n.gone, more = night.Since(n.list, earlier)
	n.notes = append(n.notes, more...)
	return nil
}

// inFolder says whether a file lies in a folder, or below it.
func inFolder(dir, file string) bool {
	a, err := filepath.Abs(dir)
	b, err2 := filepath.Abs(file)
	if err != nil || err2 != nil || file == "-" {
		return false
	}
	if real, err := filepath.EvalSymlinks(a); err == nil {
		a = real
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(b)); err == nil {
		b = filepath.Join(real, filepath.Base(b))
	}
	return below(a, b)
}

// begin opens the new set and names its files.
func (n *nightly) begin(found []night.Stored) (err error) {
	if n.claim == nil {
		return nil
	}
	if n.set, err = night.OpenSet(n.claim, found); err != nil {
		return usage("name another folder with --write", "write reports: %w", err)
	}
	kept := map[string]bool{} // files that stay as they are, because not all of them can be read
	for _, s := range found {
		if s.Err == nil || kept[s.File] || !inFolder(n.o.set, s.File) {
			continue
		}
		kept[s.File] = true
		n.set.Reserve(s.File)
		if err := n.set.Keep(s.File); err != nil {
			return usage("take it away", "write reports: keep %s, which cannot be read: %w", s.File, err)
		}
	}
	if err := n.keepDeployed(found, kept); err != nil {
		return err
	}
	n.files = make([]string, len(n.list))
	for i := range n.list {
		if s := &n.list[i].Newest; s.Err == nil && !kept[s.File] {
			n.files[i] = n.set.Name(s.Name)
		}
	}
	return nil
}

// drop removes what was written of a set that is not placed.
func (n *nightly) drop() {
	if n.set != nil {
		n.set.Drop()
	}
}

func (n *nightly) one(ctx context.Context, a *audit.Auditor, i int) (*finding.Report, error) {
	run := n.run
	run.Add, run.Joined = func(rep *finding.Report) { fleet.Recall(rep, deployedOptions(a), decider(a)) }, n.fleet != nil
	if run.Joined {
		run.Add = func(rep *finding.Report) { n.fleet.Judge(rep, decider(a)) }
	}
	res, err := run.One(ctx, a, n.list[i])
	if err != nil {
		return nil, err
	}
	n.results[i] = res
	n.results[i].Report = nil
	if n.set == nil || n.files[i] == "" || n.list[i].Newest.Err != nil {
		return res.Report, nil
	}
	return res.Report, n.store(a, n.files[i], res.Report)
}

// store writes a report into the new set.
func (n *nightly) store(a *audit.Auditor, file string, rep *finding.Report) error {
	doc := &finding.Document{SchemaVersion: finding.SchemaVersion, Tool: n.run.Tool, Database: a.Database(), Policy: a.Policy.Ref(), Functions: []*finding.Report{rep}}
	doc.JudgedAt = stamp(n.env, n.o.at != "", a.Now, doc.Database)
	if err := n.set.Write(file, func(w io.Writer) error { return report.WriteStored(w, doc) }); err != nil {
		return usage("the earlier reports are as they were", "write reports: %s: %w", file, err)
	}
	return nil
}

// maxWhole is how many functions are held whole, whatever the outputs are.
const maxWhole = 20

// delta puts together what changed. rest is what is deployed and nobody scanned.
func (n *nightly) delta(rest []*finding.Report) *finding.Delta {
	var changes []finding.Change
	var before []*night.Head
	renamed := night.Renamed(n.list)
	for _, s := range n.gone {
		changes = append(changes, night.Gone(s, renamed[s.Digest]))
	}
	unread := 0
	for _, r := range n.results {
		if r.Before == nil && len(r.Changes) == 0 { // nothing was there to compare, and it is not new
			unread++
		}
		changes = append(changes, r.Changes...)
		if r.Note != "" {
			n.notes = append(n.notes, r.Note)
		}
		if r.Before != nil && (len(before) == 0 || before[len(before)-1] != r.Before) {
			before = append(before, r.Before)
		}
	}
	if n.fleet != nil {
		deployed, heads := n.deployed(rest)
		changes, before = night.WithDeployed(changes, deployed), append(before, heads...)
	}
	d := night.Delta(changes, before)
	d.Unread = unread
	return d
}

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
