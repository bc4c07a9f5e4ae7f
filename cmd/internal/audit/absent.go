package audit

import (
	"context"
	"fmt"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/vulndb"
)

// maxAbsent is how many advisories about packages that are not there one
// function can have. Beyond that none is listed: they only ever take away.
const maxAbsent = 10_000

// absentAdvisories fills in what would apply to the packages of a lockfile that
// are proven not to be in the bytes, by purl. A malicious one is a finding all
// the same: what installs from the lockfile runs it, and has.
func absentAdvisories(ctx context.Context, db *vulndb.DB, list []sbom.Absent, res *Result) error {
	out := map[string][]finding.AbsentAdvisory{}
	res.Absent = out
	n := 0
	for _, c := range list {
		if _, done := out[c.PURL]; done || c.Version == "" || c.Ecosystem == "" || db.Covers(c.Ecosystem) != vulndb.Covered {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		pkg := vulndb.Package{Ecosystem: c.Ecosystem, Name: c.Name, Version: c.Version}
		r, err := db.Match(ctx, pkg)
		if err != nil {
			return fmt.Errorf("match %s, which is not in the bytes: %w", c.PURL, err)
		}
		found := []finding.AbsentAdvisory{}
		for _, g := range vulndb.Groups(pkg, r.Matches) {
			if n++; n > maxAbsent {
				return nil
			}
			if g.Malware {
				f := []finding.Finding{fromGroup(g, inLockfile(c), finding.Probable)}
				if err := likelihood(db, f); err != nil {
					return err
				}
				res.Findings = append(res.Findings, f...)
				continue
			}
			title := g.Summary
			if title == "" {
				title = g.ID + " in " + c.Name
			}
			found = append(found, finding.AbsentAdvisory{ID: g.ID, Aliases: without(g.IDs, g.ID), Severity: severity(g.Severity), Title: title})
		}
		out[c.PURL] = found
	}
	return nil
}

// inLockfile is the component that a lockfile declares.
func inLockfile(a sbom.Absent) sbom.Component {
	return sbom.Component{
		PURL: a.PURL, Name: a.Name, Version: a.Version, Ecosystem: a.Ecosystem, State: sbom.Declared, Origin: sbom.OriginApp,
		Occurrences: []sbom.Occurrence{{Path: a.Lockfile, State: sbom.Declared}},
		Evidence:    []sbom.Evidence{{Method: sbom.MethodLockfile, Path: a.Lockfile}},
	}
}
