package bundle

// Declared holds facts that the deployer stated and that no byte proves.
type Declared struct {
	Owner string
	Tags  []string

	Descriptor   string    // path of the file that declares the function; "": none, and nothing below is set
	Resource     string    // its name in the descriptor, unique there: the logical id, after those of the nested stacks
	FunctionName string    // name on the platform, when it is literal
	Triggers     []Trigger // what invokes it, sorted
	URLAuth      string    // authorization of its function URL: "AWS_IAM", "NONE"; "": no URL
	Role         string    // execution role as written: an ARN, or the resource that makes it
	Policies     []string  // policies of that role by name, sorted; "inline policy" for one that is written out, with what it allows on every resource by a wildcard: "inline policy (s3:* on *)"
	Environment  []string  // names of environment variables, sorted; never their values
	CodeSigning  string    // code signing configuration as written
	SigningMode  string    // what a deployment of an untrusted artifact leads to: "Enforce" or "Warn"; "": not known, or no configuration
	Profiles     []string  // signing profile versions that the configuration allows, sorted; nil: not known
	Layers       []string  // ARNs of its layers that are no resources of the descriptor, in merge order
	Image        string    // reference of its container image, as written
	Condition    string    // the function is deployed only when this condition of the descriptor holds
	Unresolved   []string  // properties whose value is not known before deployment, sorted
	Gaps         []Gap     // what belongs to the function and cannot be read here, sorted
}

// Trigger is one source of events.
type Trigger struct {
	Name   string // in the descriptor
	Type   string // as the descriptor calls it: "Api", "SQS", "Schedule", ...
	Detail string // "GET /orders", a queue, a schedule; "" when nothing is stated
	Auth   string // authorization that is stated for it: "NONE", "AWS_IAM", an authorizer; "" when nothing is
}

// Gap is a part of a function that its descriptor names and that cannot be
// read here. Nobody can call the function judged while there is one.
type Gap struct {
	What   string // the layer's ARN, the file
	Reason string // why, and what to do about it
	Layer  bool   // it is a layer: naming the layers by hand closes it
}

// Inline is source text that stands in a descriptor: a function of one file.
type Inline struct {
	Name string // of the file on the platform: "index.py"
	Text string
}
