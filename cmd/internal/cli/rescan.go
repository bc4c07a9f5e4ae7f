package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

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
advisory, other bytes, the policy, a runtime that crossed a date, a waiver that
ended, time.

A function that is in several of the files or folders that are named is judged by
its newest report, and compared with the one before. "-" reads reports from
standard input.

lambda-export:FILE is what "aws lambda list-functions" saved, or a folder of such
files: several accounts, regions and versions together, and what get-function,
get-layer-version and list-aliases say beside. Deployed functions are joined by the
digest of their code with the reports, and with the summaries that gate signed
(--summaries DIR, verified as "gate check" does): which bytes nobody ever scanned or
gated, which are others than were judged, what would not pass today, which runtimes
end, which layer to bump first. A function of which nobody scanned what is deployed
is incomplete.
` + alertHelp,
		Example: `  fnaudit rescan reports/
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
	f.StringVar(&o.runtimes, "runtimes", "", "`FILE` with dates of runtimes, instead of those that the program brings")
	alertFlagsOf(cmd, &o.told)
	return cmd
}

func rescan(ctx context.Context, env *Env, o rescanOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, report.Formats(), "table")
	if err != nil {
		return err
	}
	alerts, err := o.told.alerts(env, o.offline, o.quiet, outputs)
	if err != nil {
		return err
	}
	pol, err := o.loadPolicy(env, nil)
	if err != nil {
		return err
	}
	found, err := night.Find(args, env.Stdin)
	if err != nil {
		return usage("", "read reports: %w", err)
	}
	if len(found) == 0 && len(o.exports) == 0 {
		return usage("a report is what \"fnaudit scan -o json=report.json\" writes", "read reports: %s holds none", strings.Join(args, ", "))
	}
	list, notes := night.Group(slices.DeleteFunc(found, func(s night.Stored) bool { return isExport(s.Target) })) // what a list said on another day
	now, err := o.clock(env)
	if err != nil {
		return err
	}
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
	n := &nightly{list: list, results: make([]night.Result, len(list)), run: night.Rescan{Tool: finding.Tool{Name: "fnaudit", Version: toolVersion()}}}
	if n.fleet, err = o.deployedOf(ctx, env, a, o.exports, &notes); err != nil {
		return err
	}
	o.keep = n.keep(outputs)
	doc, stream, err := o.auditAll(ctx, env, a, now, subjects{n: len(list), one: n.one}, outputs)
	if err != nil {
		return err
	}
	if err := addDeployed(n.fleet, a, doc, stream); err != nil {
		return err
	}
	doc.Warnings = append(doc.Warnings, notes...)
	doc.Delta = n.delta()
	if err := o.write(env, doc, outputs, stream); err != nil {
		return err
	}
	if err := alert(ctx, alerts, doc); err != nil {
		return err
	}
	return verdict(doc)
}

// nightly is one run of rescan.
type nightly struct {
	run     night.Rescan
	list    []night.Subject
	results []night.Result // by subject; of their reports nothing is kept
	fleet   *fleet.Join    // what is deployed; nil: nobody said
}

func (n *nightly) one(ctx context.Context, a *audit.Auditor, i int) (*finding.Report, error) {
	res, err := n.run.One(ctx, a, n.list[i])
	if err != nil {
		return nil, err
	}
	n.results[i] = night.Result{Changes: res.Changes, Before: res.Before}
	if n.fleet != nil {
		n.fleet.Judge(res.Report, decider(a))
	}
	return res.Report, nil
}

// keep returns what is kept of a report for the outputs: for the table its
// verdict, since of thousands nothing else is shown.
func (n *nightly) keep(outputs []output) func(*finding.Report) *finding.Report {
	if len(n.list) <= maxWhole || slices.ContainsFunc(outputs, func(o output) bool { return o.format != "table" && (o.format != "jsonl" || o.file != "") }) {
		return nil
	}
	return night.Brief
}

// maxWhole is how many functions are held whole for a table.
const maxWhole = 20

// delta puts together what changed.
func (n *nightly) delta() *finding.Delta {
	var changes []finding.Change
	var before []*night.Head
	for _, r := range n.results {
		changes = append(changes, r.Changes...)
		if r.Before != nil && (len(before) == 0 || before[len(before)-1] != r.Before) {
			before = append(before, r.Before)
		}
	}
	return night.Delta(changes, before)
}
