package finding

import "time"

// Deployed is one version of a function as its cloud account lists it, and
// what is known about the bytes that it runs.
type Deployed struct {
	Name         string          `json:"name"`
	ARN          string          `json:"arn,omitempty"`
	Account      string          `json:"account,omitempty"` // twelve digits; "" when the export does not say
	Region       string          `json:"region,omitempty"`
	Version      string          `json:"version,omitempty"` // "$LATEST" or a number
	Aliases      []string        `json:"aliases,omitempty"` // that point at the version, with all of their calls or some
	Routes       []DeployedRoute `json:"routes,omitempty"`  // the aliases that send it only some of theirs
	Package      string          `json:"package,omitempty"` // "zip", "image"
	Digest       string          `json:"digest,omitempty"`  // "sha256:…" of the deployed code; "" when that is not known
	DigestReason string          `json:"digestReason,omitempty"`
	Size         int64           `json:"size,omitempty"` // bytes of the package; of an image it is not said
	Runtime      string          `json:"runtime,omitempty"`
	Architecture string          `json:"architecture,omitempty"`
	Modified     time.Time       `json:"lastModified,omitzero"`
	State        string          `json:"state,omitempty"` // "Active", ...; lists do not say it
	Layers       []DeployedLayer `json:"layers,omitempty"`
	Tags         []string        `json:"tags,omitempty"` // "key=value", sorted; lists do not say them, get-function and get-resources do
	Source       string          `json:"source"`         // the export that says so

	Scanned     bool        `json:"scanned"`               // a report of this run is about these bytes
	Gated       *GatedBy    `json:"gated,omitempty"`       // a verified summary is about these bytes
	LayersMatch LayersMatch `json:"layersMatch,omitempty"` // with those of the report, or of the summary without one
	JoinedBy    JoinedBy    `json:"joinedBy,omitempty"`    // what it has in common with a report
	Report      string      `json:"report,omitempty"`      // the name of that report, where it is about other bytes or other layers
	Drift       []string    `json:"drift,omitempty"`       // the rules of kind drift that it breaks, the most urgent first
}

// DeployedRoute is an alias that sends a share of its calls to a version.
type DeployedRoute struct {
	Alias  string  `json:"alias"`
	Weight float64 `json:"weight"` // 0-1
}

// JoinedBy says by what a deployed function and a report were found to belong
// together. The zero value is that none was found. Only the digest says that the
// report is about the bytes of its code.
type JoinedBy string

// The values of JoinedBy.
const (
	JoinedByDigest        JoinedBy = "digest"         // of the code
	JoinedByName          JoinedBy = "name"           // the two have one
	JoinedByMasterName    JoinedBy = "master-name"    // of the function that it is a replica of, in another region
	JoinedByGeneratedName JoinedBy = "generated-name" // CloudFormation made its name from that of the report
)

// DeployedLayer is one layer of a deployed function.
type DeployedLayer struct {
	ARN    string `json:"arn"`              // with its version
	Size   int64  `json:"size,omitempty"`   // bytes of its archive
	Digest string `json:"digest,omitempty"` // "sha256:…" of its archive; "" when no export says it
}

// GatedBy is a summary of the gate that was verified.
type GatedBy struct {
	Function string    `json:"function,omitempty"` // the name that the gate judged it by
	Signer   string    `json:"signer"`
	Verifier string    `json:"verifier"`
	Policy   string    `json:"policy,omitempty"` // digest of the policy that it was made under
	At       time.Time `json:"at"`
	Source   string    `json:"source"` // the file
}

// LayersMatch says how the layers of a deployed function compare with those
// that were judged. The zero value is that nobody compared them.
type LayersMatch string

// The values of LayersMatch.
const (
	LayersSame     LayersMatch = "same"     // there are none, or each has the judged digest
	LayersUnproven LayersMatch = "unproven" // as many, and nothing differs, but the digest of one is not known
	LayersOther    LayersMatch = "other"
)

// Fleet is what the exports of a run say as a whole.
type Fleet struct {
	Exports     []FleetExport  `json:"exports"`
	Functions   int            `json:"functions"` // names, each in its account and region
	Versions    int            `json:"versions"`  // entries: a function can be deployed in several
	Accounts    []string       `json:"accounts"`
	Regions     []string       `json:"regions"`
	Drift       []FleetDrift   `json:"drift"` // the most urgent rule first
	Scanned     int            `json:"scanned"`
	Gated       int            `json:"gated"`
	GateAsked   bool           `json:"gateAsked"` // summaries were looked for
	Runtimes    []FleetRuntime `json:"runtimes"`  // that end within Days or have ended, the most urgent first
	Days        int            `json:"days"`
	Layers      []FleetLayer   `json:"layers"` // with most functions to help first
	Superseded  []Deployed     `json:"superseded,omitempty"`
	NotDeployed []string       `json:"notDeployed,omitempty"` // reports whose bytes no export lists, by name
}

// FleetExport is one file.
type FleetExport struct {
	Source     string `json:"source"`
	Versions   int    `json:"versions"`
	Duplicates int    `json:"duplicates,omitempty"` // entries that say the same as another one
	Layers     int    `json:"layers,omitempty"`     // digests of layer versions that it gives
	Tagged     int    `json:"tagged,omitempty"`     // functions whose tags it gives
	Problem    string `json:"problem,omitempty"`    // why it does not say everything
}

// FleetDrift is what a rule of kind drift is about.
type FleetDrift struct {
	Rule      string `json:"rule"`
	Functions []Ref  `json:"functions"` // one for each version
}

// FleetRuntime is a runtime that ends.
type FleetRuntime struct {
	Runtime   string `json:"runtime"`
	Versions  int    `json:"versions"`
	Event     string `json:"event"` // the next step, or the last one that was taken: one of the events of a calendar
	Date      string `json:"date"`
	Days      int    `json:"days"` // until then; below 0: past
	Functions []Ref  `json:"functions"`

	UpdatesBlocked string    `json:"updatesBlocked,omitempty"` // from when on, where Event is another step and this one is still to come
	AsOf           time.Time `json:"asOf,omitzero"`            // of the table that says so
}

// Ref names a deployed function.
type Ref struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	KnownAs string `json:"knownAs,omitempty"` // the name of the report that is about other bytes of it, where that is another one
}

// FleetLayer is one version of a layer and who uses it.
type FleetLayer struct {
	ARN       string         `json:"arn"`
	Foreign   bool           `json:"foreign,omitempty"`   // it lies in an account that is not trusted with it
	Newest    string         `json:"newest,omitempty"`    // the highest version of it that an export lists, when that is another one
	Digest    string         `json:"digest,omitempty"`    // "sha256:…" of its archive; "" when no export says it
	Unscanned bool           `json:"unscanned,omitempty"` // no report of this run is about it, alone or under a function that uses it
	Functions []Ref          `json:"functions"`
	Helped    int            `json:"helped"`   // functions with a finding in a package that lies in the layer
	Total     int            `json:"total"`    // findings, each once
	Findings  []LayerFinding `json:"findings"` // the worst of them
}

// LayerFinding is one finding in the packages of a layer, once for all functions.
type LayerFinding struct {
	ID        string   `json:"id"`
	Component string   `json:"component"`
	Severity  Severity `json:"severity"`
	Fixed     []string `json:"fixed"`
}

// The rules of kind drift, the most urgent first: what runs is not what was
// judged, or nobody can say.
const (
	RuleDriftFailsNow  = "drift-fails-now"       // gated, and it would not pass today
	RuleDriftUnscanned = "drift-unscanned"       // nobody ever scanned the bytes
	RuleDriftChanged   = "drift-changed"         // the function is known, its deployed bytes are not
	RuleDriftLayers    = "drift-layers"          // the code is known, and runs on other layers
	RuleDriftNoDigest  = "drift-digest-unknown"  // the export does not say which bytes run
	RuleDriftUnjudged  = "drift-unjudged"        // gated, but no report is there to judge again
	RuleDriftUngated   = "drift-ungated"         // no valid summary is about the bytes
	RuleDriftRuntime   = "drift-runtime"         // runs on another runtime than it was judged for
	RuleDriftUnproven  = "drift-layers-unproven" // nothing shows that the layers are the judged ones
	RuleDriftNotActive = "drift-not-active"      // the platform says that it cannot run
)

// CheckDeployed is the check that finds drift.
const CheckDeployed = "deployed"

// DriftRules lists the rules of kind drift, the most urgent first.
func DriftRules() []string {
	return []string{RuleDriftFailsNow, RuleDriftUnscanned, RuleDriftChanged, RuleDriftLayers, RuleDriftNoDigest, RuleDriftUnjudged, RuleDriftUngated,
		RuleDriftRuntime, RuleDriftUnproven, RuleDriftNotActive}
}

// DriftTitle says what a rule of kind drift is about, whatever the function; ""
// for any other rule.
func DriftTitle(rule string) string {
	switch rule {
	case RuleDriftFailsNow:
		return "the gate let it pass, and today it would not"
	case RuleDriftUnscanned:
		return "nobody ever scanned the deployed bytes"
	case RuleDriftChanged:
		return "other bytes are deployed than were judged"
	case RuleDriftLayers:
		return "deployed with other layers than it was judged with"
	case RuleDriftNoDigest:
		return "which bytes are deployed is not known"
	case RuleDriftUnjudged:
		return "the gate let it pass, and no report is there to judge again"
	case RuleDriftUngated:
		return "no valid summary of the gate is about the deployed bytes"
	case RuleDriftRuntime:
		return "deployed on another runtime than it was judged for"
	case RuleDriftUnproven:
		return "nothing shows that its layers are the judged ones"
	case RuleDriftNotActive:
		return "the platform says that it cannot run"
	}
	return ""
}
