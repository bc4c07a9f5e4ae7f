package fleet

import (
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// called is a name that a report of a deployed function may have.
type called struct {
	name string
	by   finding.JoinedBy
}

// callings lists the names by which a deployed function may be known, the
// likeliest first: its own; that of the function that it is a replica of (master,
// "" for none); and that of the template, if its name was made from one.
func callings(d *finding.Deployed, master string) []called {
	out := []called{{d.Name, finding.JoinedByName}}
	if master != "" && master != d.Name {
		out = append(out, called{master, finding.JoinedByMasterName})
	}
	for _, base := range []string{d.Name, master} {
		logical, ok := logicalName(base)
		if !ok {
			continue
		}
		out = append(out, called{logical, finding.JoinedByGeneratedName})
		if bare, ok := constructName(logical); ok {
			out = append(out, called{bare, finding.JoinedByGeneratedName})
		}
	}
	return out
}

// logicalName is the logical ID from which CloudFormation made a physical name:
// STACK-LOGICALID-UNIQUE, of which the last are 12 or 13 letters and digits, and
// the logical ID has letters and digits only
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
// and aws-properties-name.html, read 2026-11-28; that there are 12 or 13 is how the
// names look, and no promise). Names that are too long are cut: then it is none that a
// report has. ok is false for a name that is not of this form.
func logicalName(name string) (logical string, ok bool) {
	rest, unique, ok := cutLast(name)
	if !ok || len(unique) != 12 && len(unique) != 13 || strings.ToLower(unique) == unique || !plain(unique, "") {
		return "", false
	}
	stack, logical, ok := cutLast(rest)
	return logical, ok && stack != "" && logical != "" && plain(logical, "")
}

// constructName is the path of a CDK construct that is in its logical ID, before
// the eight upper-case hexadecimal digits that tell it apart
// (https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html, "Logical IDs", read
// 2026-11-28).
func constructName(logical string) (name string, ok bool) {
	n := len(logical) - 8
	if n < 1 || strings.Trim(logical[n:], "0123456789ABCDEF") != "" {
		return "", false
	}
	return logical[:n], true
}

// cutLast cuts a name at its last hyphen.
func cutLast(name string) (before, after string, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}
