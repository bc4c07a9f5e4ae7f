package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/catalog"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// maxInput bounds in bytes what is read from standard input, and an SBOM.
const maxInput = 1 << 30

// sbomFormats are the formats of the sbom command.
var sbomFormats = []string{"table", "json", "cyclonedx-json", "spdx-json"}

type sbomOptions struct {
	targetFlags
	outputs []string
	quiet   bool
	offline bool
}

func sbomCommand(env *Env) *cobra.Command {
	var o sbomOptions
	cmd := &cobra.Command{
		Use:   "sbom TARGET",
		Short: "List the packages inside a function, and what could not be read",
		Example: `  fnaudit sbom orders.zip -o cyclonedx-json=orders.cdx.json
  fnaudit sbom orders.zip --layer base.zip -o spdx-json`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.offline, err = cmd.Flags().GetBool("offline"); err != nil {
				return err
			}
			return makeSBOM(cmd.Context(), env, o, args)
		},
	}
	f := cmd.Flags()
	targetFlagsOf(cmd, &o.targetFlags)
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: "+strings.Join(sbomFormats, ", ")+" (default table)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no note about what could not be read")
	return cmd
}

func makeSBOM(ctx context.Context, env *Env, o sbomOptions, args []string) error {
	outputs, err := parseOutputs(o.outputs, sbomFormats, "table")
	if err != nil {
		return err
	}
	specs, err := o.specs(args)
	if err != nil {
		return err
	}
	if err := oneFunction(specs); err != nil {
		return err
	}
	stdin, err := slurp(env, specs)
	if err != nil {
		return err
	}
	im, err := imagesOf(ctx, env, specs, o.offline, o.quiet)
	if err != nil {
		return err
	}
	open := o.refuse(im.open((&bundle.Opener{Stdin: bytes.NewReader(stdin), Wanted: catalog.Wanted}).Begin), len(specs) == 1)
	locks, _, _, err := readLockfiles(o.locks)
	if err != nil {
		return err
	}
	cataloger := catalog.New(catalog.Options{Lockfiles: locks})
	doc := &finding.Document{SchemaVersion: finding.SchemaVersion, Tool: finding.Tool{Name: "fnaudit", Version: toolVersion()},
		Database: finding.Database{Ecosystems: map[string]finding.Ecosystem{}}}
	for _, spec := range specs {
		rep, err := inventory(ctx, open, cataloger, spec, stdin)
		if err != nil {
			return err
		}
		doc.Functions = append(doc.Functions, rep)
	}
	doc.Summary = finding.Summarize(doc.Functions)
	for _, out := range outputs {
		err := out.write(env, func(w io.Writer) error {
			if out.format == "table" {
				return report.Inventory(w, doc)
			}
			return report.Write(w, out.format, doc, reportOptions(env, scanOptions{}, out))
		})
		if err != nil {
			return err
		}
	}
	return unread(env, doc, o.quiet)
}

// inventory lists what is inside one target. What cannot be opened is an
// error of exit code 3: nothing can be listed.
func inventory(ctx context.Context, open opener, cataloger *catalog.Cataloger, spec bundle.Spec, stdin []byte) (*finding.Report, error) {
	bom, isSBOM, err := readSBOM(spec, stdin)
	if isSBOM {
		if err != nil {
			return nil, &exit{code: ExitIncomplete, err: err}
		}
		return audit.Inventory(&bundle.Function{Name: spec.Name, Spec: spec,
			Layers: []bundle.Layer{{Artifact: bundle.Artifact{Ref: spec.Ref, Kind: bundle.KindSBOM, Digest: bom.Subject}}}}, bom), nil
	}
	f, err := open(ctx, spec)
	if refused := (audit.Refused{}); errors.As(err, &refused) {
		return nil, &exit{code: ExitUsage, err: err}
	}
	if err != nil {
		return nil, &exit{code: ExitIncomplete, err: err}
	}
	defer f.Close()
	if bom, err = cataloger.Run(ctx, f); err != nil {
		return nil, &exit{code: ExitIncomplete, err: fmt.Errorf("catalog %s: %w", spec.Ref, err)}
	}
	return audit.Inventory(f, bom), nil
}

// unread exits 3 when something in an artifact could not be read.
func unread(env *Env, doc *finding.Document, quiet bool) error {
	kinds := []string{string(sbom.Unreadable), string(sbom.Opaque), string(sbom.Limit)}
	n := 0
	for _, f := range doc.Functions {
		for _, u := range f.Unknowns {
			if u.Code && slices.Contains(kinds, u.Kind) {
				if n++; n <= 5 && !quiet {
					fmt.Fprintf(env.Stderr, "fnaudit: %s: %s: %s: %s\n", report.Escape(f.Name), report.Escape(u.Path), u.Kind, report.Escape(u.Reason))
				}
			}
		}
	}
	if n == 0 {
		return nil
	}
	if n > 5 && !quiet {
		fmt.Fprintf(env.Stderr, "fnaudit: and %d more; -o json lists all\n", n-5)
	}
	return &exit{code: ExitIncomplete}
}

// readSBOM reads a target that is a bill of materials. isSBOM is false when
// the target is something else; a target that was forced to be an SBOM, or
// looks like one, and cannot be read gives isSBOM and an error.
func readSBOM(spec bundle.Spec, stdin []byte) (bom *sbom.SBOM, isSBOM bool, err error) {
	kind, path := split(spec.Ref)
	var r io.Reader
	switch {
	case kind != "" && kind != "sbom", spec.Declared.Descriptor != "": // a descriptor names code: a document in its place is no bill of it
		return nil, false, nil
	case path == "-":
		if kind == "" && !startsObject(stdin) {
			return nil, false, nil
		}
		r = bytes.NewReader(stdin)
	default:
		if kind == "" {
			if head, err := readHead(path); err != nil || !startsObject(head) {
				return nil, false, nil // no document; a zip's directory need not be read twice to know that
			}
			if sniffed, err := bundle.Sniff(path); err != nil || sniffed != bundle.KindSBOM {
				return nil, false, nil
			}
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, true, fmt.Errorf("read SBOM: %w", err)
		}
		defer f.Close()
		r = f
	}
	if len(spec.Layers) > 0 {
		return nil, true, errors.New("an SBOM has no layers: list them in it, or give the function's zip")
	}
	doc, err := codec.Decode(r, maxInput)
	if err != nil {
		return nil, true, fmt.Errorf("%s: %w", path, err)
	}
	return doc.SBOM(), true, nil
}

// startsObject says whether a text starts like a JSON object.
func startsObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, "\ufeff \t\r\n"), []byte("{"))
}

// readHead reads the first bytes of a file.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := f.Read(head)
	return head[:n], err
}

// slurp reads standard input once, if a target asks for it.
func slurp(env *Env, specs []bundle.Spec) ([]byte, error) {
	n := 0
	for _, s := range specs {
		for _, ref := range append([]string{s.Ref}, s.Layers...) {
			if _, path := split(ref); path == "-" {
				n++
			}
		}
	}
	switch {
	case n == 0:
		return nil, nil
	case n > 1:
		return nil, usage("", "standard input can be read for one target only")
	}
	data, err := io.ReadAll(io.LimitReader(env.Stdin, maxInput+1))
	if err != nil {
		return nil, usage("", "read standard input: %w", err)
	}
	if len(data) > maxInput {
		return nil, usage("write it to a file", "read standard input: more than %d bytes", maxInput)
	}
	return data, nil
}
