package cli

import (
	"fmt"
	"path/filepath"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/cmd/internal/vex"
)

// vexHint says what a VEX document is.
const vexHint = "OpenVEX 0.2.0 as \"fnaudit scan -o openvex=FILE\" writes it, or CycloneDX 1.4 to 1.7 with vulnerabilities[].analysis, as JSON"

// readVEX reads the files of --vex, before anything is judged. Each is believed
// because it was named here.
func (o *scanOptions) readVEX(env *Env) error {
	if len(o.vexFiles) == 0 {
		return nil
	}
	if len(o.vexFiles) > vex.MaxDocuments {
		return usage("", "--vex is given %d times, and the limit is %d", len(o.vexFiles), vex.MaxDocuments)
	}
	var docs []vex.Document
	for _, name := range o.vexFiles {
		data, err := readSmall(name, vex.MaxBytes)
		if err != nil {
			return usage("", "read VEX: %w", err)
		}
		docs = append(docs, vex.Document{Name: filepath.ToSlash(name), Data: data})
	}
	now, err := o.clock(env)
	if err != nil {
		return err
	}
	if o.vex, err = vex.Read(docs, now); err != nil {
		return usage(vexHint, "%w", err)
	}
	return nil
}

// gateVEX makes what was read fit for a gate: it refuses a document that lies in
// what is audited, since it may have come with it, and believes no name that the
// audited files give themselves.
func (o *scanOptions) gateVEX(audited []bundle.Spec) error {
	for _, name := range o.vexFiles {
		if inside := targetAround(name, audited); inside != "" {
			return usage("keep it where those who decide keep the policy", "gate: the VEX document %s lies inside the target %s, so it may have come with what is audited", name, inside)
		}
	}
	if o.vex != nil {
		o.vex.Wary = true
	}
	return nil
}

// sayVEX prints what was read: with -q too, since it is part of what judges.
func (o *scanOptions) sayVEX(env *Env) {
	for _, d := range o.vex.Documents() {
		fmt.Fprintf(env.Stderr, "fnaudit: VEX %s, %s, %s\n", report.Escape(d.Source), d.Digest, finding.Count(d.Statements, "statement", "statements"))
	}
}
