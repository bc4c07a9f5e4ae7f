package cli

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/catalog"
)

// maxVetted is how many packages and lockfiles one command may name.
const maxVetted = 1000

func vetCommand(env *Env) *cobra.Command {
	var o scanOptions
	var dev bool
	cmd := &cobra.Command{
		Use:   "vet PACKAGE... | vet --lockfile FILE",
		Short: "Ask about packages before they are taken in: the same questions, the same verdict",
		Long: `Vet answers for a package that is not in yet what scan answers for those that
are: advisories and malware, age and what is newer, who published it and from
which repository, what it runs at installation, its licence, names that look like
another's, and the same of everything that it needs to run. It is for pull
requests: the verdict is that of the policy.

A package is named by its system: npm:axios@1.9.0, pypi:requests,
golang:github.com/x/y@v1.2.3, maven:group:artifact@1.0, cargo:serde@1.0.219,
nuget:Serilog, gem:rack, or by package URL. Without a version it is the one that
the registry installs when none is asked for. With --lockfile it is everything
that a lockfile pins to run (--dev: to develop, too).

Registries are asked only with --online; else vet knows what the advisory store
and the cache of earlier answers know, and says what it does not know. A package
of which nothing is known is incomplete. The published archive of each package
that is named is looked into where it is at hand. With --deep so are those of
everything that it needs, and of everything that a lockfile pins: what they run
at installation, their machine code, whether they are what the registry and the
lockfile say. One that is not at hand then makes the verdict incomplete.`,
		Example: `  fnaudit vet npm:axios@1.9.0 pypi:requests --online
  fnaudit vet --lockfile package-lock.json -o json=vet.json`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err = o.network(cmd); err != nil {
				return err
			}
			return vet(cmd.Context(), env, o, args, dev)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.locks, "lockfile", nil, "vet what the lock`FILE` pins, repeatable; its name or else its content says the format")
	f.BoolVar(&dev, "dev", false, "of a lockfile, also what is only needed to develop")
	f.BoolVar(&o.deep, "deep", false, "also look into the published archives of all that a package needs or a lockfile pins")
	f.StringVar(&o.explain, "explain", "", "explain the finding with this `ID` instead of printing the table")
	runFlagsOf(cmd, &o)
	return cmd
}

// vet judges packages and lockfiles, each as one function.
func vet(ctx context.Context, env *Env, o scanOptions, args []string, dev bool) error {
	outputs, err := parseOutputs(o.outputs, report.Formats(), "table")
	if err != nil {
		return err
	}
	all, err := vetted(o, args, dev)
	if err != nil {
		return err
	}
	pol, err := o.loadPolicy(env, nil)
	if err != nil {
		return err
	}
	doc, stream, err := o.judgePackages(ctx, env, pol, outputs, all)
	if err != nil {
		return err
	}
	if err := o.write(env, doc, outputs, stream); err != nil {
		return err
	}
	return verdict(doc)
}

// vetted reads what the command line names: packages first, then lockfiles.
func vetted(o scanOptions, args []string, dev bool) ([]audit.Asked, error) {
	if len(args)+len(o.locks) == 0 {
		return nil, usage(vetHint+", or give --lockfile FILE", "no package was named")
	}
	if len(args)+len(o.locks) > maxVetted {
		return nil, usage("name fewer at a time, or give the lockfile", "%d packages are named, and the limit is %d", len(args)+len(o.locks), maxVetted)
	}
	var out []audit.Asked
	have := map[string]bool{}
	for _, arg := range args {
		a, err := parsePackage(arg)
		if err != nil {
			return nil, err
		}
		if !have[a.Name] {
			have[a.Name] = true
			out = append(out, a)
		}
	}
	for _, name := range o.locks {
		a, err := readVetLock(name, dev)
		if err != nil {
			return nil, err
		}
		if have[a.Name] {
			return nil, usage("", "--lockfile %s is named twice", name)
		}
		have[a.Name] = true
		out = append(out, a)
	}
	return out, nil
}

// readVetLock reads a lockfile and the manifest beside it, by which Yarn's tell
// production from development.
func readVetLock(name string, dev bool) (audit.Asked, error) {
	data, manifest, err := lockfileBytes(name)
	if err != nil {
		return audit.Asked{}, err
	}
	bom, err := catalog.Locked(filepath.ToSlash(name), data, manifest, dev)
	if err != nil {
		return audit.Asked{}, usage("give one of "+strings.Join(catalog.LockfileNames(), ", "), "read lockfile %s: %w", name, err)
	}
	lines := linesOf(name, data)
	return audit.Asked{Name: lines.File, Locked: bom, Lines: lines}, nil
}

// judgePackages audits what is asked about under a policy.
func (o *scanOptions) judgePackages(ctx context.Context, env *Env, pol *policy.Policy, outputs []output, all []audit.Asked) (*finding.Document, *stream, error) {
	now, err := o.clock(env)
	if err != nil {
		return nil, nil, err
	}
	db, err := openStore(env, o.db, o.quiet)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	trust, err := o.trustOf(ctx, env, pol, &images{})
	if err != nil {
		return nil, nil, err
	}
	reg, err := o.registryClient(env, pol)
	if err != nil {
		return nil, nil, err
	}
	o.locks = nil // they are what is judged, not evidence about bundles
	a := &audit.Auditor{Trust: trust, Registry: reg, Deep: true, DeepTree: o.deep, Catalog: o.cataloger(ctx, db),
		DB: db, Policy: pol, Checks: audit.All(), Now: now,
	}
	doc, stream, err := o.auditAll(ctx, env, a, now, subjects{n: len(all), one: func(ctx context.Context, a *audit.Auditor, i int) (*finding.Report, error) {
		return a.Package(ctx, all[i])
	}}, outputs)
	return doc, stream, err
}
