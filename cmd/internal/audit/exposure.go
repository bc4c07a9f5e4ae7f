package audit

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// The rules of kind exposure. What they say is what the descriptor says: the
// account may be set up otherwise.
const (
	ruleURLPublic     = "url-public"           // whoever knows the address of the function's URL may call it
	ruleURLUnknown    = "url-auth-unknown"     // whether that is so is decided at deployment
	ruleTriggerPublic = "trigger-public"       // an API that asks nobody who calls
	ruleTriggerOpen   = "trigger-auth-unsaid"  // an API of which nothing states whom it asks
	ruleRoleAdmin     = "role-administrator"   // the function may do anything in its account
	ruleRoleBroad     = "role-broad"           // it may do anything with a whole service
	ruleRoleWildcard  = "role-policy-wildcard" // a policy in the descriptor allows with wildcards
)

// checkExposure reports who may call the function and what its role may do, as
// far as a descriptor states it.
func checkExposure(ctx context.Context, _ *Auditor, s *Subject) (Result, error) {
	d := s.Declared
	if d == nil {
		return Result{}, Skipped("no descriptor says what may invoke the function, nor what it may do")
	}
	res := Result{}
	add := func(rule, name, what string, severity finding.Severity, certainty finding.Certainty, title string) {
		res.Findings = append(res.Findings, finding.Finding{
			Kind: finding.KindExposure, Rule: rule, ID: rule + ":" + name, Severity: severity, Certainty: certainty, Title: title, Origin: string(sbom.OriginApp),
			Evidence: []finding.Evidence{{Source: "descriptor", Locator: d.Descriptor, Detail: strings.TrimSpace(d.Resource + " " + what)}},
		})
	}
	switch d.URLAuth {
	case "", "AWS_IAM":
	case "NONE":
		add(ruleURLPublic, "url", "function URL", finding.Medium, finding.Certain, "the function's URL asks nobody who calls (AuthType NONE)")
	default:
		add(ruleURLUnknown, "url", "function URL", finding.Medium, finding.Possible, "whether the function's URL asks who calls is not known before deployment")
	}
	for _, t := range d.Triggers {
		what := strings.TrimSpace(t.Type + " " + cmp.Or(t.Detail, t.Name))
		switch {
		case t.Auth == "NONE":
			add(ruleTriggerPublic, t.Name, what, finding.Medium, finding.Certain, fmt.Sprintf("%s asks nobody who calls", oneLine(what)))
		case t.Auth == "" && (t.Type == "Api" || t.Type == "HttpApi"):
			add(ruleTriggerOpen, t.Name, what, finding.Low, finding.Possible, fmt.Sprintf("%s: nothing states whom it asks who calls", oneLine(what)))
		}
	}
	for _, p := range d.Policies {
		switch base := p[strings.LastIndexByte(p, '/')+1:]; {
		case base == "AdministratorAccess", base == "IAMFullAccess", strings.HasPrefix(p, "inline policy (*"): // who may write policies may allow itself the rest
			add(ruleRoleAdmin, base, base, finding.High, finding.Certain, "the function's role may do anything: "+oneLine(base))
		case strings.Contains(base, "*"):
			add(ruleRoleWildcard, base, base, finding.Medium, finding.Certain, "a policy of the function's role has wildcards: "+oneLine(base))
		case base == "PowerUserAccess", strings.HasSuffix(base, "FullAccess"):
			add(ruleRoleBroad, base, base, finding.Medium, finding.Certain, "the function's role may do anything with a whole service: "+oneLine(base))
		}
	}
	return res, ctx.Err()
}

// oneLine is a text of a descriptor as a title can hold it.
func oneLine(s string) string {
	const most = 120
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
