package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Inventory writes the components of each function as a table, and what could
// not be read, for a person. It judges nothing.
func Inventory(w io.Writer, doc *finding.Document) error {
	out := bufio.NewWriter(w)
	for i, r := range doc.Functions {
		if i > 0 {
			fmt.Fprintln(out)
		}
		head := Escape(r.Name)
		if r.Runtime != "" {
			head += "  " + Escape(r.Runtime)
		}
		fmt.Fprintf(out, "%s  %s\n\n", head, finding.Count(len(r.Components), "component", "components"))
		tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "NAME\tVERSION\tTYPE\tSTATE\tWHERE")
		for _, c := range r.Components {
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", Escape(c.Name), Escape(versionWords(c)), Escape(purlType(c.PURL)), Escape(stateOf(c)), Escape(where(r, c)))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		for _, u := range r.Unknowns {
			fmt.Fprintf(out, "%s: %s: %s\n", Escape(u.Kind), Escape(place(r, u.Artifact, u.Path)), Escape(u.Reason))
		}
	}
	return out.Flush()
}

func versionWords(c finding.Component) string {
	switch {
	case c.Version != "":
		return c.Version
	case len(c.Versions) > 0:
		return strings.Join(c.Versions, " or ")
	}
	return "unknown"
}

func purlType(purl string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	return kind
}

func stateOf(c finding.Component) string {
	if c.Main {
		return c.State + ", the function itself"
	}
	return c.State
}

// where is the first place of a component, and how many more there are.
func where(r *finding.Report, c finding.Component) string {
	if len(c.Locations) == 0 {
		return ""
	}
	l := c.Locations[0]
	s := l.Path
	if len(r.Artifacts) > 1 {
		s = place(r, l.Artifact, l.Path)
	}
	if n := len(c.Locations) - 1; n > 0 {
		s += fmt.Sprintf(" (+%d)", n)
	}
	return s
}
