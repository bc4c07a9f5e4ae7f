package trust

import (
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/sbom"
)

// The rules about what the platform adds to a function, and who brings that.
//
// RuleLayerAccount: a layer lies in an AWS account that is none of the policy's,
// or without a policy not the one of the function's role. Its owner can put
// other code under the next version number, and runs inside the function.
// Medium; a note where nothing says whose account the function's is.
//
// RuleExtension: a file in /opt/extensions is started beside the function, with
// its credentials. A note: that is what extensions are for.
//
// RuleWrapper: AWS_LAMBDA_EXEC_WRAPPER names a program that starts the runtime
// and may load anything into it first. A note, since the value is not read.
//
// RuleImageTag: a container image is named by a tag, which whoever may push can
// move to other bytes. Low.
//
// RuleBaseAge: the newest layer of the base image was made more than 90 days
// ago, so that it lacks its distribution's fixes since: low, and medium after a
// year. Probable and low where the end of the base was guessed. A note where an
// image does not say how old its base is: dates that reproducible builds set to
// a constant count as that.
const (
	RuleLayerAccount Rule = "layer-account"
	RuleExtension    Rule = "extension"
	RuleWrapper      Rule = "exec-wrapper"
	RuleImageTag     Rule = "image-tag"
	RuleBaseAge      Rule = "base-image-age"
)

const (
	baseOld     = 90 * day
	baseVeryOld = 365 * day
)

// Platform is what was declared about a function beside its bytes, and what its
// image says.
type Platform struct {
	Descriptor  string   // path of the file that declares it; "": none
	Layers      []string // ARNs
	Role        string   // ARN of the execution role, or the name of what makes it
	Environment []string // names of variables
	Image       string   // reference of the image, as named; "": none, or a file
	Accounts    []string // AWS accounts whose layers may be used, by the policy; nil: any of the function's own

	Base *Base // nil: the function is no image
	Now  time.Time
}

// Base is the base of an image.
type Base struct {
	Layers  int       // how many layers of the image belong to it; 0: not known
	Guessed bool      // where it ends was concluded, not declared
	Created time.Time // of its newest layer; zero when not said
}

// JudgePlatform applies the rules about what the platform adds, to a function
// with these components. The result is sorted.
func JudgePlatform(p Platform, components []sbom.Component) []Signal {
	out := p.layers()
	if slices.Contains(p.Environment, "AWS_LAMBDA_EXEC_WRAPPER") {
		out = append(out, Signal{Rule: RuleWrapper, Title: "AWS_LAMBDA_EXEC_WRAPPER is set: a program of its choice starts the runtime", Evidence: p.declared("AWS_LAMBDA_EXEC_WRAPPER")})
	}
	if p.Image != "" && !strings.Contains(p.Image, "@sha256:") {
		out = append(out, Signal{Rule: RuleImageTag, Weight: Low, About: p.Image, Title: "the image " + p.Image + " is named by a tag, which can be moved to other bytes: name it by its digest", Evidence: p.declared(p.Image)})
	}
	out = append(out, p.base()...)
	for i := range components {
		c := &components[i]
		for _, e := range c.Evidence {
			if e.Method == sbom.MethodExtension {
				out = append(out, Signal{Rule: RuleExtension, Component: c.PURL, Title: "is started beside the function, with its credentials",
					Evidence: []Evidence{{Source: "bytes", Artifact: e.Artifact, Locator: e.Path}}})
				break
			}
		}
	}
	return sorted(out)
}

// layers judges whose the layers are that the descriptor names.
func (p *Platform) layers() []Signal {
	own := p.Accounts
	if own == nil {
		if a := accountOf(p.Role); a != "" {
			own = []string{a}
		}
	}
	var out []Signal
	for _, arn := range p.Layers {
		account := accountOf(arn)
		g := Signal{Rule: RuleLayerAccount, About: arn, Evidence: p.declared(arn)}
		switch {
		case account == "":
			g.Title = "the layer " + arn + " does not say whose account it lies in"
		case len(own) == 0 && p.Accounts == nil:
			g.Title = "the layer " + arn + " lies in the account " + account + ", and nothing says whether that is the function's: list it in the policy's dependencies.layer_accounts"
		case slices.Contains(own, account):
			continue
		default:
			g.Weight = Medium
			g.Title = "the layer " + arn + " lies in the account " + account + ", which is neither the function's nor one of the policy's"
			if p.Accounts != nil {
				g.Title = "the layer " + arn + " lies in the account " + account + ", which is none of the policy's"
			}
		}
		out = append(out, g)
	}
	return out
}

// base judges how old the base of an image is.
func (p *Platform) base() []Signal {
	if p.Base == nil {
		return nil
	}
	b := p.Base
	g := Signal{Rule: RuleBaseAge, Probable: b.Guessed, Evidence: []Evidence{{Source: "bytes", Detail: "history of the image"}}}
	if b.Layers == 0 || b.Created.Year() < 2010 || b.Created.After(p.Now.Add(2*day)) {
		g.Title, g.Probable = "how old the base image is, is not known", false
		return []Signal{g}
	}
	age := p.Now.Sub(b.Created)
	switch {
	case age < baseOld:
		return nil
	case age >= baseVeryOld && !b.Guessed:
		g.Weight = Medium
	default:
		g.Weight = Low
	}
	g.Title = "the base image was made " + ago(b.Created, p.Now) + ": it lacks what its distribution has fixed since"
	return []Signal{g}
}

func (p *Platform) declared(detail string) []Evidence {
	return []Evidence{{Source: "declared", Locator: p.Descriptor, Detail: detail}}
}

// accountOf returns the account of an ARN, "arn:PARTITION:SERVICE:REGION:ACCOUNT:…"
// (docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html); "" when it has
// none, or what stands there is no account.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || len(parts[4]) != 12 || strings.Trim(parts[4], "0123456789") != "" {
		return ""
	}
	return parts[4]
}
