package finding

// Declared is what the descriptor of an application (a SAM template) states
// about a function and no byte proves.
type Declared struct {
	Descriptor   string    `json:"descriptor"` // its path
	Resource     string    `json:"resource"`   // the function's name in it
	FunctionName string    `json:"functionName,omitempty"`
	Triggers     []Trigger `json:"triggers,omitempty"`
	URLAuth      string    `json:"urlAuth,omitempty"` // of its function URL; "" when it has none
	Role         string    `json:"role,omitempty"`
	Policies     []string  `json:"policies,omitempty"`
	Environment  []string  `json:"environment,omitempty"` // names, never values
	CodeSigning  string    `json:"codeSigning,omitempty"`
	SigningMode  string    `json:"signingMode,omitempty"` // what an untrusted artifact leads to: Enforce or Warn; "" when not known
	Profiles     []string  `json:"signingProfiles,omitempty"`
	Layers       []string  `json:"layers,omitempty"`     // ARNs of layers that are no resources of the descriptor
	Image        string    `json:"image,omitempty"`      // reference of its container image, as written
	Condition    string    `json:"condition,omitempty"`  // deployed only when it holds
	Unresolved   []string  `json:"unresolved,omitempty"` // properties that only the deployment knows
}

// Trigger is one source of events.
type Trigger struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Detail string `json:"detail,omitempty"`
	Auth   string `json:"auth,omitempty"`
}
