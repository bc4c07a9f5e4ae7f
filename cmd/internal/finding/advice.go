package finding

import "time"

// Upgrade is one step that a person takes: a package, where to move it, and
// what that clears.
type Upgrade struct {
	Component string   `json:"component"` // purl of what is moved: of a transitive package the direct one, where moving that is what helps
	Name      string   `json:"name"`
	From      string   `json:"from"`
	To        string   `json:"to,omitempty"` // "" when no version clears anything; "newer" of a base image or a runtime
	Major     bool     `json:"major,omitempty"`
	Clears    []string `json:"clears"`            // fingerprints, worst first
	Remains   []string `json:"remains,omitempty"` // fingerprints of the same component that stay
	For       string   `json:"for,omitempty"`     // purl of the transitive package that the step is for; "" when it is the component itself
	Manager   string   `json:"manager,omitempty"` // "npm", "pip", ...
	Command   string   `json:"command,omitempty"` // as typed into a shell
	Note      string   `json:"note,omitempty"`    // what the command does not say: who must accept the version, what else there is
	Layer     string   `json:"layer,omitempty"`   // the layer that holds it, where the function's own package does not
	Priority  int      `json:"priority"`          // the highest of what it clears and nobody accepted
}

// VEX is what a statement of somebody says about a finding.
type VEX struct {
	Status        string    `json:"status"` // "not_affected", "affected", "fixed", "under_investigation"
	Justification string    `json:"justification,omitempty"`
	Statement     string    `json:"statement,omitempty"` // impact or action, one line
	Author        string    `json:"author,omitempty"`
	Source        string    `json:"source"` // the file
	At            time.Time `json:"at,omitzero"`
	Refused       string    `json:"refused,omitempty"` // why it clears nothing though it would; "" when the policy follows it
}

// Exploited is what the catalogue of known exploited vulnerabilities says.
type Exploited struct {
	Added      string `json:"added"`         // day, "2024-05-01"
	Due        string `json:"due,omitempty"` // day by which its readers must act
	Ransomware bool   `json:"ransomware,omitempty"`
}
