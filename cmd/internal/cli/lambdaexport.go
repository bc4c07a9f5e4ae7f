package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/fleet"
	"github.com/fnaudit/fnaudit/cmd/internal/gate"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// exportFlags say what deployed functions are held against, beside the reports.
type exportFlags struct {
	summaries []string
	trust     verifyOptions
	maxAge    string // of a summary
	days      int
}

// exportFlagsOf adds the flags of a command that takes lambda-export: targets.
func exportFlagsOf(cmd *cobra.Command, o *exportFlags) {
	f := cmd.Flags()
	t := &o.trust
	f.StringArrayVar(&o.summaries, "summaries", nil, "folder `DIR` with the summaries that gate signed, repeatable: which deployed bytes passed a gate")
	signerFlagsOf(cmd, t, "gate")
	f.StringVar(&t.demand.VerifierID, "verifier-id", "", "`URI` of who must have judged, in the summaries")
	f.StringVar(&t.demand.PolicyDigest, "policy-digest", "", "`DIGEST` of the release policy that summaries must be made under (default any)")
	f.StringVar(&o.maxAge, "summary-max-age", "", "how old a summary may be, as `DURATION` (7d, 36h; default any age)")
	f.IntVar(&o.days, "runtime-days", fleet.DefaultDays, "how many `DAYS` ahead the ends of runtimes are listed")
}

// exportsOf takes the lambda-export: targets out of the arguments.
func exportsOf(args []string) (exports, rest []string) {
	for _, a := range args {
		if path, ok := strings.CutPrefix(a, fleet.Prefix); ok {
			exports = append(exports, path)
		} else {
			rest = append(rest, a)
		}
	}
	return exports, rest
}

// check refuses flags that contradict each other, or that say nothing without an export.
func (o *exportFlags) check(cmd *cobra.Command, exports, reports []string) error {
	if slices.Contains(exports, "-") && slices.Contains(reports, "-") {
		return usage("save one of them as a file", "reports and %s-: standard input can be read once", fleet.Prefix)
	}
	if len(exports) == 0 {
		for _, name := range []string{"summaries", "key", "identity", "identity-regexp", "issuer", "trusted-root", "require", "verifier-id", "policy-digest", "summary-max-age", "runtime-days"} {
			if cmd.Flags().Changed(name) {
				return usage("name what is deployed: "+fleet.Prefix+"FILE", "--%s is about deployed functions, and no list of them was named", name)
			}
		}
		return nil
	}
	d := &o.trust.demand
	switch {
	case o.days < 1 || o.days > 3650:
		return usage("as in 90", "--runtime-days %d: it must be from 1 to 3650", o.days)
	case len(o.summaries) == 0 && (len(o.trust.keys) > 0 || d.Identity != "" || d.IdentityRegexp != "" || d.Issuer != "" || o.trust.root != "" || o.trust.require != "" || d.VerifierID != "" || d.PolicyDigest != "" || o.maxAge != ""):
		return usage("--summaries DIR", "who is trusted to sign summaries was named, and no summaries were")
	case len(o.summaries) == 0:
		return nil
	case d.VerifierID == "":
		return usage("--verifier-id https://acme.example/fnaudit", "--summaries: nothing says who must have judged")
	case len(o.trust.keys) == 0 && d.Identity == "" && d.IdentityRegexp == "":
		return usage("--key gate.pub, or --identity and --issuer of the CI job", "--summaries: nothing says whose signature is trusted")
	case len(o.trust.keys) > 0 && (d.Identity != "" || d.IdentityRegexp != "" || d.Issuer != ""):
		return usage("", "--key and --identity: a summary is signed by a key, or by an identity with a certificate: name the one that is trusted")
	case d.PolicyDigest != "":
		if _, _, err := attest.ParseDigest(d.PolicyDigest); err != nil {
			return usage("", "--policy-digest: %w", err)
		}
	}
	if o.maxAge != "" {
		age, err := policy.ParseDuration(o.maxAge)
		if err != nil {
			return usage("as in 30d", "--summary-max-age: %w", err)
		}
		d.MaxAge = age
	}
	return o.trust.trust()
}

// deployedOf reads exports and summaries and begins to compare what is deployed
// with what the auditor judges; nil when there is no export. It notes which
// summaries do not count.
func (o *exportFlags) deployedOf(ctx context.Context, env *Env, a *audit.Auditor, exports []string, notes *[]string) (*fleet.Join, error) {
	if len(exports) == 0 {
		return nil, nil
	}
	defer roomy(env)()
	opt := fleet.Options{
		Now: a.Now, Days: o.days, LayerAccount: a.DeployedLayer, GateAsked: len(o.summaries) > 0,
		Gated: map[string][]fleet.Summary{}, GatedName: map[string]bool{},
	}
	if _, _, err := a.DeployedRuntime(lambda, ""); err != nil {
		return nil, err
	}
	opt.Runtime = func(id string) []finding.Finding { found, _, _ := a.DeployedRuntime(lambda, id); return found }
	opt.Ends = func(id string) []finding.Event { _, ends, _ := a.DeployedRuntime(lambda, id); return ends }
	var inv fleet.Inventory
	var warnings []string
	both, reading := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		inv, err = readExports(reading, env, exports, a.Now)
		return err
	})
	both.Go(func() (err error) {
		warnings, err = o.readSummaries(reading, &opt)
		return err
	})
	if err := both.Wait(); err != nil {
		return nil, err
	}
	*notes = append(*notes, warnings...)
	return fleet.New(inv, opt), nil
}

// lambda is the platform whose lists are read.
const lambda = "aws-lambda"

// readSummaries verifies the summaries that gates signed.
func (o *exportFlags) readSummaries(ctx context.Context, opt *fleet.Options) (warnings []string, err error) {
	for _, dir := range o.summaries {
		found, err := gate.ReadSummaries(ctx, dir, o.trust.demand, opt.Now)
		if err != nil {
			return nil, usage("--summaries takes a folder, as gate --out wrote it", "%w", err)
		}
		for _, s := range found.Hold {
			by := fleet.Summary{GatedBy: finding.GatedBy{Function: s.Extension.Function.Name, Signer: s.Signer, Verifier: s.Verifier, Policy: s.Under, At: s.TimeVerified, Source: s.Source}}
			for _, l := range s.Extension.Layers {
				by.Layers = append(by.Layers, "sha256:"+l.Digest["sha256"])
			}
			opt.Gated[s.Digest] = append(opt.Gated[s.Digest], by)
			if name := s.Extension.Function.Name; name != "" {
				opt.GatedName[name] = true
			}
		}
		if n := refusedOf(found.Refused); n > 0 {
			warnings = append(warnings, fmt.Sprintf("%s in %s %s not count: %s", finding.Count(n, "summary", "summaries"), dir, plural(n, "does", "do"), refusals(found.Refused)))
		} else if len(found.Hold) == 0 {
			warnings = append(warnings, fmt.Sprintf("there is no summary in %s", dir))
		}
	}
	return warnings, nil
}

// refusedOf counts summaries that do not count.
func refusedOf(list []gate.Refusal) (n int) {
	for _, r := range list {
		n += r.Count
	}
	return n
}

// maxRefusals is how many reasons a warning names.
const maxRefusals = 3

// refusals says why summaries do not count, with one file for each reason.
func refusals(list []gate.Refusal) string {
	var out []string
	for i, r := range list {
		if i == maxRefusals {
			out = append(out, fmt.Sprintf("and %d for other reasons", refusedOf(list[i:])))
			break
		}
		text := r.First + ": " + r.Why
		if more := r.Count - 1; more > 0 {
			text += fmt.Sprintf(" (and %d more)", more)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// readExports reads what is deployed: files, "-" for standard input, and folders of files.
func readExports(ctx context.Context, env *Env, names []string, now time.Time) (fleet.Inventory, error) {
	files, err := exportFiles(names)
	if err != nil {
		return fleet.Inventory{}, err
	}
	var exports []*fleet.Export
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return fleet.Inventory{}, err
		}
		e, err := readExport(env, name)
		if err != nil {
			return fleet.Inventory{}, err
		}
		exports = append(exports, e)
	}
	return fleet.Merge(exports, now), nil
}

func readExport(env *Env, name string) (*fleet.Export, error) {
	if name == "-" {
		return fleet.Read(env.Stdin, "stdin"), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("", "%w", err)
	}
	defer f.Close()
	return fleet.Read(f, name), nil
}

// exportFiles lists the files of exports: of a folder those directly in it.
func exportFiles(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		if name == "-" {
			if slices.Contains(out, name) {
				return nil, usage("", "%s-: standard input can be read once", fleet.Prefix)
			}
			out = append(out, name)
			continue
		}
		st, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usage("save it with aws lambda list-functions > "+name, "open %s: no such file or folder", name)
		}
		if err != nil {
			return nil, usage("", "%w", err)
		}
		if !st.IsDir() {
			out = append(out, name)
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, usage("", "%w", err)
		}
		n := len(out)
		for _, e := range entries {
			if e.Type().IsRegular() && strings.EqualFold(filepath.Ext(e.Name()), ".json") {
				out = append(out, filepath.Join(name, e.Name()))
			}
		}
		if len(out) == n {
			return nil, usage("save a list in it with aws lambda list-functions", "folder %s holds no .json file", name)
		}
	}
	return out, nil
}

// decider gives a report its verdict once more.
func decider(a *audit.Auditor) func(*finding.Report) {
	return func(r *finding.Report) { r.Verdict = a.Policy.Decide(r, a.Database(), a.Now) }
}

// addDeployed adds the functions that no report is about to a document, after all
// others, and what the lists say as a whole. A nil join adds nothing.
func addDeployed(ctx context.Context, j *fleet.Join, a *audit.Auditor, doc *finding.Document, stream *stream) error {
	if j == nil {
		return nil
	}
	decide, n := decider(a), len(doc.Functions)
	for i, r := range j.Rest() {
		decide(r)
		if err := stream.put(ctx, n+i, r); err != nil {
			return err
		}
		doc.Functions = append(doc.Functions, r)
	}
	doc.Fleet = j.Fleet()
	return nil
}

// isExport says whether a target is a list of deployed functions, or a function
// of one that nobody scanned.
func isExport(target string) bool { return strings.HasPrefix(target, fleet.Prefix) }
