package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/integrity"
)

// checkIntegrity compares shipped files with what they should be. It reads
// every byte of them, so only those runs do it that are told to.
func checkIntegrity(ctx context.Context, a *Auditor, s *Subject) (Result, error) {
	if !a.Deep {
		return Result{}, Skipped("it reads every byte: scan --deep, gate and vet do")
	}
	if s.Function == nil {
		found := integrity.Locked(s.SBOM, s.Standings, s.Archives)
		return Result{Note: lockedNote(found), Findings: differenceFindings(found, s.SBOM)}, ctx.Err()
	}
	found, err := integrity.Check(ctx, integrity.Of{Function: s.Function, SBOM: s.SBOM, Standings: s.Standings}, a.Registry)
	s.compared(found)
	return Result{Note: integrityNote(found), Findings: differenceFindings(found, s.SBOM)}, err
}

// differenceFindings are the differences of a comparison as findings.
func differenceFindings(found integrity.Result, bom *sbom.SBOM) []finding.Finding {
	byPURL := components(bom)
	var out []finding.Finding
	for _, d := range found.Differences {
		out = append(out, differenceFinding(d, byPURL[d.Component]))
	}
	return out
}

// differenceFinding is a difference as a finding; c may be nil.
func differenceFinding(d integrity.Difference, c *sbom.Component) finding.Finding {
	f := finding.Finding{Kind: finding.KindUntrusted, Rule: d.Rule, ID: d.Rule,
		Severity: integritySeverity(d.Weight), Certainty: finding.Certain, Component: d.Component, Title: d.Title,
		Evidence: []finding.Evidence{{Source: d.Source, Artifact: d.Artifact, Locator: d.Path, Detail: d.Detail}}}
	if d.Probable {
		f.Certainty = finding.Probable
	}
	about(&f, c)
	f.ID += ":" + pathID(d.Path) // each file is a finding of its own
	return f
}

func integritySeverity(w integrity.Weight) finding.Severity {
	switch w {
	case integrity.High:
		return finding.High
	case integrity.Medium:
		return finding.Medium
	case integrity.Low:
		return finding.Low
	}
	return finding.None
}

// integrityNote says how much was compared and what was not.
func integrityNote(r integrity.Result) string {
	switch {
	case len(r.Left) > 0 || r.Compared > 0:
	case r.Files > 0: // archives that were shipped as they were published
		return "compared " + finding.Count(r.Files, "file", "files") + ", of no package that is known"
	default:
		return "there is nothing that says how the files should be"
	}
	note := fmt.Sprintf("compared %d of %s", r.Compared, finding.Count(r.Compared+r.LeftPackages(), "package", "packages"))
	if r.Claimed > 0 {
		note += fmt.Sprintf(" (%d only with the list that was shipped beside the files)", r.Claimed)
	}
	if len(r.Left) == 0 {
		return note
	}
	reason, n := r.MainReason()
	return fmt.Sprintf("%s; %d not known to be whole (%d: %s)", note, r.LeftPackages(), n, reason)
}

// lockedNote says how many digests of a lockfile were compared.
func lockedNote(r integrity.Result) string {
	note := fmt.Sprintf("compared the lockfile's digests of %d of %s", r.Compared, finding.Count(r.Compared+r.LeftPackages(), "package", "packages"))
	if len(r.Left) == 0 {
		return note
	}
	reason, n := r.MainReason()
	return fmt.Sprintf("%s; %d left (%d: %s)", note, r.LeftPackages(), n, reason)
}

// pathID is a path as part of an id, which people paste into a shell: as it is,
// or a digest of it where it has unusual characters.
func pathID(path string) string {
	odd := strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.,+@/=", r))
	})
	if !odd && len(path) <= maxPathID {
		return path
	}
	sum := sha256.Sum256([]byte(path))
	return "path-" + hex.EncodeToString(sum[:6])
}

// maxPathID bounds the length of a path in an id.
const maxPathID = 200
