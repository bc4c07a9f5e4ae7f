package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

const (
	maxBundles = 4 // bundles of one function
	maxShares  = 5 // packages of one bundle, with -v
)

// coverage says whose the code is, where that is in question: when there are
// bundles, or bytes that nobody could name.
func (p *printer) coverage(r *finding.Report) {
	c := r.Coverage
	if c == nil || c.CodeBytes == 0 || len(c.Bundles) == 0 && c.UnknownBytes == 0 && !p.opt.Verbose {
		return
	}
	p.wrapped("  ", 2, 4, "Code: "+size(c.CodeBytes)+", "+shares(c.CodeBytes, c.AttributedBytes, c.OwnBytes, c.UnknownBytes))
	most := p.most(len(c.Bundles), maxBundles)
	for _, b := range c.Bundles[:most] {
		path := cmp.Or(b.Path, "(the whole artifact)")
		if len(r.Artifacts) > 1 {
			path = place(r, b.Artifact, b.Path)
		}
		text := clipPath(esc(path), p.opt.Width-6) + " (" + show(b.Bundler, maxName) + "): " + shares(b.CodeBytes, b.AttributedBytes, b.OwnBytes, b.UnknownBytes)
		if b.Lockfile != "" && b.UnknownBytes > 0 {
			text += "; bounded by " + esc(b.Lockfile)
		}
		p.wrapped("    ", 4, 6, text)
		if p.opt.Verbose {
			p.shares(b)
		}
	}
	if more := len(c.Bundles) - most; more > 0 {
		p.line("    and %d more bundles (-v lists them)", more)
	}
	p.line("")
}

// shares lists the packages with the most bytes of a bundle.
func (p *printer) shares(b finding.Bundle) {
	var parts []string
	for i, s := range b.Packages {
		if i == maxShares {
			parts = append(parts, fmt.Sprintf("and %d more packages", len(b.Packages)-i))
			break
		}
		parts = append(parts, show(s.Name, maxPackage)+" "+size(s.Bytes))
	}
	if len(parts) > 0 {
		p.wrapped("      ", 6, 8, strings.Join(parts, ", "))
	}
}

// shares says in percent what code is made of, leaving out what is nothing.
func shares(code, attributed, own, unknown int64) string {
	var parts []string
	for _, s := range []struct {
		n    int64
		what string
	}{{attributed, "of packages"}, {own, "own"}, {unknown, "that nobody could name"}} {
		switch percent := 100 * float64(s.n) / float64(max(code, 1)); {
		case s.n <= 0:
		case percent < 1:
			parts = append(parts, "under 1 % "+s.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %% %s", int(percent), s.what))
		}
	}
	return strings.Join(parts, ", ")
}

// size writes a number of bytes with three digits or less.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.3g KB", float64(n)/1000)
	}
	return fmt.Sprintf("%.3g MB", float64(n)/1_000_000)
}

// disagreements lists where two accounts of what is inside contradict.
func (p *printer) disagreements(r *finding.Report) {
	var list []finding.Unknown
	for _, u := range r.Unknowns {
		if disagreement(u) && u.Waived == nil {
			list = append(list, u)
		}
	}
	if len(list) == 0 {
		return
	}
	p.line("  Does not agree; the bytes were judged")
	most := p.most(len(list), maxUnknowns)
	for _, u := range list[:most] {
		path := u.Path
		if len(r.Artifacts) > 1 {
			path = place(r, u.Artifact, u.Path)
		}
		p.wrapped("    ", 4, 6, clipPath(esc(path), p.opt.Width-4)+": "+esc(u.Reason))
	}
	if more := len(list) - most; more > 0 {
		p.line("    and %d more (-v lists them)", more)
	}
	p.line("")
}

// disagreement reports whether an unknown is two accounts that contradict each
// other, rather than a component without an advisory source.
func disagreement(u finding.Unknown) bool { return u.Kind == "unmatched" && !u.Code }

// leftOut folds the packages of a lockfile that are proven not to be there.
func (p *printer) leftOut(r *finding.Report) {
	if len(r.Absent) == 0 {
		return
	}
	n := 0
	var names []string
	for _, a := range r.Absent {
		if len(a.Advisories) > 0 {
			n += len(a.Advisories)
			names = append(names, show(a.Name, maxPackage)+" "+show(a.Version, maxName))
		}
	}
	text := "Not in the bundle: " + finding.Count(len(r.Absent), "package", "packages") + " of the lockfile, which the bundler left out"
	if n > 0 {
		if !p.opt.Verbose && len(names) > maxFolded {
			names = append(names[:maxFolded:maxFolded], fmt.Sprintf("%d more", len(names)-maxFolded))
		}
		text += "; " + finding.Count(n, "advisory", "advisories") + " about " + strings.Join(names, ", ") + " not counted (-o openvex states it)"
	}
	p.dimmed(text)
	p.line("")
}
