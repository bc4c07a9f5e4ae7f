package jsbundle

import (
	"slices"
	"strconv"
	"strings"
)

// kitRule is a package below the clients, by the name behind its scope.
type kitRule struct {
	base  string
	texts []int // one of them is enough
	life  life
}

// life is the scope of a package over the releases of the clients. It became
// @smithy for many between 3.363 and 3.371, and from about 3.720 on packages
// turned into folders of @aws-sdk/core and @smithy/core one after the other, so
// that only a manifest can say that one of those is still there.
type life byte

const (
	folded  life = iota // @aws-sdk, until it became a folder
	lasting             // @aws-sdk, to this day
	moved               // @aws-sdk, then @smithy, until it became a folder
	movedOn             // @aws-sdk, then @smithy to this day
	smithy              // @smithy from the start, to this day
	younger             // @smithy, in a form that only the releases after the move have, until it became a folder
	split               // @smithy, as far as a manifest says so
)

// kitTexts is the table, as of 2026-11: for each package texts of its code.
var kitTexts = []struct {
	base  string
	life  life
	texts []string
}{
	{"config-resolver", moved, []string{"AWS_USE_DUALSTACK_ENDPOINT"}},
	{"credential-provider-imds", movedOn, []string{"/latest/meta-data/iam/security-credentials/"}},
	{"middleware-content-length", moved, []string{"contentLengthMiddleware"}},
	{"middleware-endpoint", moved, []string{"endpointV2Middleware"}},
	{"middleware-retry", moved, []string{"AWS_MAX_ATTEMPTS"}},
	{"middleware-serde", moved, []string{"deserializerMiddleware"}},
	{"middleware-stack", moved, []string{"step cannot be overridden by"}},
	{"node-config-provider", moved, []string{"Cannot load config from", "Not found in config files w/ profile ["}},
	{"node-http-handler", movedOn, []string{"Socket timed out without establishing a connection within", "Connection timed out after"}},
	{"property-provider", moved, []string{"No providers in chain"}},
	{"service-error-classification", moved, []string{"BandwidthLimitExceeded"}},
	{"shared-ini-file-loader", moved, []string{"AWS_SHARED_CREDENTIALS_FILE"}},
	{"signature-v4", movedOn, []string{"Resolved credential object is not valid"}},
	{"smithy-client", moved, []string{"Expected real number, got implicit NaN"}},
	{"util-base64", moved, []string{"Incorrect padding on base64 string."}},
	{"util-body-length-node", moved, []string{"Body Length computation failed for"}},
	{"util-buffer-from", moved, []string{"argument must be ArrayBuffer. Received type"}},
	{"util-config-provider", moved, []string{"or \"false\", got", "or \\\"false\\\", got"}},
	{"util-defaults-mode-node", moved, []string{"AWS_DEFAULTS_MODE"}},
	{"util-hex-encoding", moved, []string{"Hex encoded strings must have an even number length"}},
	{"util-waiter", moved, []string{"WaiterConfiguration.maxWaitTime must"}},
	{"core", smithy, []string{"No HttpAuthScheme was selected: unable to sign request"}},
	{"eventstream-codec", younger, []string{"Provided message too short to accommodate event stream message overhead"}},
	{"eventstream-serde-universal", younger, []string{"Truncated event message received."}},
	{"fetch-http-handler", younger, []string{"Request did not complete within"}},
	{"hash-stream-node", younger, []string{"Unable to calculate hash for flowing readable stream"}},
	{"protocol-http", younger, []string{"getHttpHandlerExtensionConfiguration"}},
	{"util-retry", younger, []string{"Max attempts provider could not resolve. Using default of"}},
	{"util-stream", younger, []string{"The stream has already been transformed."}},
	{"util-endpoints", split, []string{"is not a string, function or reference."}},
	{"core", lasting, []string{"The request is not an instance of `HttpRequest` and cannot be signed"}},
	{"credential-provider-env", lasting, []string{"Unable to find environment variable credentials."}},
	{"credential-provider-http", lasting, []string{"HTTP credential provider response not of the required format, an object matching:"}},
	{"credential-provider-ini", lasting, []string{"Ec2InstanceMetadata"}},
	{"credential-provider-node", lasting, []string{"Could not load credentials from any providers"}},
	{"credential-provider-process", lasting, []string{"did not contain credential_process."}},
	{"credential-provider-sso", lasting, []string{"Profile is configured with invalid SSO credentials"}},
	{"credential-provider-web-identity", lasting, []string{"Web identity configuration not specified"}},
	{"lib-dynamodb", lasting, []string{"marshallOptions"}},
	{"lib-storage", lasting, []string{"parts in multipart upload to Bucket:"}},
	{"middleware-endpoint-discovery", lasting, []string{"AWS_ENABLE_ENDPOINT_DISCOVERY"}},
	{"middleware-sdk-s3", lasting, []string{"throw200ExceptionsMiddleware"}},
	{"middleware-sdk-sqs", lasting, []string{"sendMessageBatchMiddleware"}},
	{"token-providers", lasting, []string{"To refresh this SSO session run"}},
	{"util-dynamodb", lasting, []string{"removeUndefinedValues=true"}},
	{"middleware-bucket-endpoint", folded, []string{"Accelerate endpoint is not supported when bucket is an ARN"}},
	{"middleware-expect-continue", folded, []string{"addExpectContinueMiddleware"}},
	{"middleware-flexible-checksums", folded, []string{"flexibleChecksumsMiddleware"}},
	{"middleware-host-header", folded, []string{"hostHeaderMiddleware"}},
	{"middleware-location-constraint", folded, []string{"locationConstraintMiddleware"}},
	{"middleware-logger", folded, []string{"loggerMiddleware"}},
	{"middleware-recursion-detection", folded, []string{"recursionDetectionMiddleware"}},
	{"middleware-signing", folded, []string{`"AWSAUTH"`, `'AWSAUTH'`, `"AWSAUTH\`}},
	{"middleware-ssec", folded, []string{"ssecMiddleware"}},
	{"middleware-user-agent", folded, []string{"getUserAgentMiddleware"}},
	{"signature-v4-multi-region", folded, []string{"@aws-sdk/signature-v4-crt"}},
	{"util-arn-parser", folded, []string{"Malformed ARN"}},
	{"util-endpoints", folded, []string{"isVirtualHostableS3Bucket"}},
	{"util-user-agent-node", folded, []string{"sdk-ua-app-id"}},
}

// kitRules enters the texts into the table of literals.
func kitRules(t *literalTable) []kitRule {
	var rules []kitRule
	for _, k := range kitTexts {
		r := kitRule{base: k.base, life: k.life}
		for _, text := range k.texts {
			r.texts = append(r.texts, t.text(text))
		}
		rules = append(rules, r)
	}
	return rules
}

// kit returns claims for the packages below the clients. needed holds all that
// the manifests of clients in the bundle depend on.
func (r *literalReader) kit(clients []Claim, needed map[string]bool) []Claim {
	if r.table == nil || len(clients) == 0 {
		return nil
	}
	releases := ages(clients)
	var out []Claim
	for _, rule := range r.table.kit {
		i := slices.IndexFunc(rule.texts, func(n int) bool { return len(r.hits[n]) > 0 })
		if i < 0 {
			continue
		}
		if scope := rule.life.scope(rule.base, releases, needed); scope != "" {
			out = append(out, Claim{Name: scope + "/" + rule.base, Method: MethodLiteral, Confidence: 0.85, Offset: r.hits[rule.texts[i]][0],
				Detail: "a text of the AWS SDK that only this package has"})
		}
	}
	return out
}

// scope decides between @aws-sdk and @smithy: by what the manifests name, else
// by the age of the clients; "" when neither tells.
func (l life) scope(base string, ages []release, needed map[string]bool) string {
	const aws, smithyScope = "@aws-sdk", "@smithy"
	inAWS, inSmithy := needed[aws+"/"+base], needed[smithyScope+"/"+base]
	switch l {
	case lasting:
		return aws
	case smithy:
		return smithyScope
	case split:
		if inSmithy {
			return smithyScope
		}
		return ""
	case folded:
		if inAWS || between(ages, 0, 720) {
			return aws
		}
		return ""
	}
	switch {
	case inAWS != inSmithy && inSmithy:
		return smithyScope
	case inAWS != inSmithy && l != younger, l != younger && between(ages, 0, 363):
		return aws
	case between(ages, 371, 720), l == movedOn && between(ages, 371, 1<<30):
		return smithyScope
	}
	return ""
}

// release is a version of the SDK.
type release string

// between reports whether all clients are 3.from or later and before 3.to; false
// when none is known.
func between(ages []release, from, to int) bool {
	return len(ages) > 0 && !slices.ContainsFunc(ages, func(r release) bool {
		major, rest, _ := strings.Cut(string(r), ".")
		minor, _, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(minor)
		return major != "3" || err != nil || n < from || n >= to
	})
}

// ages returns the versions of all clients; none when one has no version, since
// it could be of any age.
func ages(clients []Claim) []release {
	known := map[string]release{}
	for _, c := range clients {
		if known[c.Name] == "" {
			known[c.Name] = release(c.Version)
		}
	}
	var out []release
	for _, r := range known {
		if r == "" {
			return nil
		}
		out = append(out, r)
	}
	return out
}

// configured lists what every client's configuration for Node takes from other
// packages: the module that reads the client's manifest builds on them.
var configured = []string{
	"config-resolver", "credential-provider-node", "hash-node", "middleware-content-length", "middleware-host-header", "middleware-logger",
	"middleware-recursion-detection", "middleware-retry", "middleware-user-agent", "node-config-provider", "node-http-handler", "smithy-client",
	"url-parser", "util-base64", "util-base64-node", "util-body-length-node", "util-defaults-mode-node", "util-user-agent-node", "util-utf8", "util-utf8-node",
}

// configuration returns claims for what a client, whose manifest the bundle
// holds, cannot run without on Node.
func configuration(client *Manifest) []Claim {
	var out []Claim
	for _, base := range configured {
		for _, name := range []string{"@aws-sdk/" + base, "@smithy/" + base} {
			if _, ok := client.Dependencies[name]; ok {
				out = append(out, Claim{Name: name, Method: MethodManifest, Confidence: 0.8, Offset: client.Offset,
					Detail: "the module of " + client.Name + " that holds its manifest builds on it"})
			}
		}
	}
	return out
}
