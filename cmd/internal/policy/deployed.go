package policy

import (
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// unknownBytes are the rules about deployed bytes of which nobody can say what
// is in them.
var unknownBytes = []string{
	finding.RuleDriftUnscanned, finding.RuleDriftChanged, finding.RuleDriftLayers, finding.RuleDriftNoDigest, finding.RuleDriftUnjudged,
}

// deployedGaps says why a deployed function that no report is about cannot be
// judged, unless a waiver accepts that, the baseline has it, or it fails anyway.
// ok is false when the report does not say that it is about one.
func deployedGaps(r *finding.Report) (out []string, ok bool) {
	if len(r.Deployed) == 0 || r.Check("open").State != finding.Skipped {
		return nil, false
	}
	for _, f := range r.Findings {
		if f.Kind != finding.KindDrift || !slices.Contains(unknownBytes, f.Rule) {
			continue
		}
		ok = true
		if f.Waived == nil && !f.Baseline && f.Counts != finding.Fail {
			out = append(out, f.Title)
		}
	}
	return out, ok
}

// nextDeployed is the next step for what is deployed and is not what was judged;
// "" when the report is not about that.
func nextDeployed(r *finding.Report) string {
	if file, ok := strings.CutPrefix(r.Target, "lambda-export:"); ok && len(r.Deployed) == 0 {
		return "save the list again (aws lambda list-functions > FILE) in place of " + file + ", then rescan"
	}
	for _, f := range r.Findings {
		if f.Kind != finding.KindDrift || f.Waived != nil || f.Baseline {
			continue
		}
		switch f.Rule {
		case finding.RuleDriftUnscanned, finding.RuleDriftChanged:
			return "scan the package that is deployed (aws lambda get-function says where it is) or deploy the one that was judged, keep the JSON report with the others, then rescan"
		case finding.RuleDriftLayers:
			return "scan it with the layers that are deployed (--layer, in their order), keep the JSON report with the others, then rescan"
		case finding.RuleDriftNoDigest:
			return "save the list again with CodeSha256 in it (aws lambda list-functions > FILE), then rescan"
		case finding.RuleDriftUnjudged:
			return "give the JSON report that the gate judged by, then rescan"
		}
	}
	return ""
}
