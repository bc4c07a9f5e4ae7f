package jsbundle

import (
	"strconv"
	"strings"
)

// The AWS SDK for JavaScript v3 is a client per service and some eighty
// packages under them. A client says its service id and, beside it, its version
// for the user agent. What lies below a client is known by single texts, since
// no other code speaks of it; whether its scope is @aws-sdk or @smithy, and in
// which version it is there, only the client's manifest tells.

// serviceReader finds clients: serviceId with a text, and clientVersion with a
// version after it.
type serviceReader struct {
	found   []service
	key     string // "serviceId" or "clientVersion", as long as its value may come
	tokens  int    // since the key
	pending int    // index+1 of the service whose clientVersion is still to come
}

type service struct {
	id, version string
	offset      int64
}

// Bounds: a client says both in one object or in two that follow each other.
const (
	maxServices    = 1_000
	serviceTokens  = 10
	serviceDistant = 20_000 // bytes between id and version
)

func (s *serviceReader) token(t *Token) {
	if t.Kind == Name && len(t.Text) >= 9 && (string(t.Text) == "serviceId" || string(t.Text) == "clientVersion") {
		if next := t.Next(); next == ':' || s.key == "" {
			if next == ':' {
				s.key, s.tokens = string(t.Text), 0
			}
		}
		return
	}
	if s.key == "" {
		return
	}
	if s.tokens++; s.tokens > serviceTokens || t.Kind == Punct && (t.Text[0] == ',' || t.Text[0] == '}' || t.Text[0] == ';') {
		s.key = ""
		return
	}
	if t.Kind != String {
		return
	}
	value := t.Value()
	switch {
	case s.key == "serviceId" && serviceID(value) && len(s.found) < maxServices:
		s.found = append(s.found, service{id: value, offset: t.Offset})
		s.pending = len(s.found)
	case s.key == "clientVersion" && exact(value) != "" && s.pending > 0:
		if f := &s.found[s.pending-1]; t.Offset-f.offset < serviceDistant {
			f.version, f.offset = value, t.Offset
		}
		s.pending = 0
	}
	s.key = ""
}

// serviceID reports whether s looks like "S3", "DynamoDB" or "SSO OIDC".
func serviceID(s string) bool {
	if s == "" || len(s) > 60 || !('A' <= s[0] && s[0] <= 'Z') && s != "mgn" && s != "codeartifact" && s != "imagebuilder" && s != "signer" && s != "fis" && s != "synthetics" && s != "finspace" {
		return false
	}
	for i := range len(s) {
		if s[i] != ' ' && !identifier(s[i]) {
			return false
		}
	}
	return true
}

// clientPrefix is what the names of all clients start with.
const clientPrefix = "@aws-sdk/client-"

// clientName returns the package of a service, by the SDK's own rule.
func clientName(id string) string {
	return clientPrefix + strings.ReplaceAll(strings.ToLower(id), " ", "-")
}

// nested reports whether a client may be one of those that newer releases carry
// inside @aws-sdk/nested-clients: those two are then no packages of their own.
func (s service) nested() bool {
	return (s.id == "STS" || s.id == "SSO OIDC" || s.id == "Signin") && !release(s.version).before(3, 720)
}

// clients returns a claim for each client that was found.
func (s *serviceReader) clients() []Claim {
	var out []Claim
	for _, f := range s.found {
		if f.nested() {
			continue
		}
		c := Claim{Name: clientName(f.id), Version: f.version, Method: MethodClientVersion, Confidence: 0.95, Offset: f.offset, Detail: "its service id"}
		if f.version != "" {
			c.Detail = "clientVersion beside its service id"
		}
		out = append(out, c)
	}
	return unique(out)
}

// release is a version's text; one that is not known is before none.
type release string

func (r release) before(major, minor int) bool {
	parts := strings.SplitN(string(r), ".", 3)
	if len(parts) != 3 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}

// kitRule is a package below the clients, by the name behind its scope.
type kitRule struct {
	base   string
	texts  []int // one of them is enough
	smithy bool  // its scope became @smithy in 3.363 to 3.370
}

// kitRules is the table, as of 2026-11: for each package texts of its code.
func kitRules(t *literalTable) []kitRule {
	var rules []kitRule
	for _, k := range []struct {
		base   string
		smithy bool
		texts  []string
	}{
		{"config-resolver", true, []string{"AWS_USE_DUALSTACK_ENDPOINT"}},
		{"credential-provider-imds", true, []string{"/latest/meta-data/iam/security-credentials/"}},
		{"middleware-content-length", true, []string{"contentLengthMiddleware"}},
		{"middleware-endpoint", true, []string{"endpointV2Middleware"}},
		{"middleware-retry", true, []string{"AWS_MAX_ATTEMPTS"}},
		{"middleware-serde", true, []string{"deserializerMiddleware"}},
		{"node-config-provider", true, []string{"Cannot load config from"}},
		{"node-http-handler", true, []string{"Socket timed out without establishing a connection within", "Connection timed out after"}},
		{"property-provider", true, []string{"No providers in chain"}},
		{"service-error-classification", true, []string{"BandwidthLimitExceeded"}},
		{"shared-ini-file-loader", true, []string{"AWS_SHARED_CREDENTIALS_FILE"}},
		{"signature-v4", true, []string{"Resolved credential object is not valid"}},
		{"smithy-client", true, []string{"Expected real number, got implicit NaN"}},
		{"util-base64", true, []string{"Incorrect padding on base64 string."}},
		{"util-body-length-node", true, []string{"Body Length computation failed for"}},
		{"util-buffer-from", true, []string{"argument must be ArrayBuffer. Received type"}},
		{"util-config-provider", true, []string{"or \"false\", got", "or \\\"false\\\", got"}},
		{"util-defaults-mode-node", true, []string{"AWS_DEFAULTS_MODE"}},
		{"util-hex-encoding", true, []string{"Hex encoded strings must have an even number length"}},
		{"util-waiter", true, []string{"WaiterConfiguration.maxWaitTime must"}},
		{"credential-provider-env", false, []string{"Unable to find environment variable credentials."}},
		{"credential-provider-ini", false, []string{"Ec2InstanceMetadata"}},
		{"credential-provider-node", false, []string{"Could not load credentials from any providers"}},
		{"credential-provider-process", false, []string{"did not contain credential_process."}},
		{"credential-provider-sso", false, []string{"Profile is configured with invalid SSO credentials"}},
		{"credential-provider-web-identity", false, []string{"Web identity configuration not specified"}},
		{"lib-dynamodb", false, []string{"marshallOptions"}},
		{"lib-storage", false, []string{"Exceeded ${this.MAX_PARTS}", "parts in multipart upload to Bucket:"}},
		{"middleware-endpoint-discovery", false, []string{"AWS_ENABLE_ENDPOINT_DISCOVERY"}},
		{"middleware-expect-continue", false, []string{"addExpectContinueMiddleware"}},
		{"middleware-flexible-checksums", false, []string{"flexibleChecksumsMiddleware"}},
		{"middleware-host-header", false, []string{"hostHeaderMiddleware"}},
		{"middleware-location-constraint", false, []string{"locationConstraintMiddleware"}},
		{"middleware-logger", false, []string{"loggerMiddleware"}},
		{"middleware-recursion-detection", false, []string{"recursionDetectionMiddleware"}},
		{"middleware-sdk-s3", false, []string{"throw200ExceptionsMiddleware"}},
		{"middleware-sdk-sqs", false, []string{"sendMessageBatchMiddleware"}},
		{"middleware-signing", false, []string{"awsAuthMiddleware"}},
		{"middleware-ssec", false, []string{"ssecMiddleware"}},
		{"middleware-user-agent", false, []string{"getUserAgentMiddleware"}},
		{"signature-v4-multi-region", false, []string{"@aws-sdk/signature-v4-crt"}},
		{"token-providers", false, []string{"To refresh this SSO session run"}},
		{"util-arn-parser", false, []string{"Malformed ARN"}},
		{"util-dynamodb", false, []string{"removeUndefinedValues=true"}},
		{"util-endpoints", false, []string{"isVirtualHostableS3Bucket"}},
		{"util-user-agent-node", false, []string{"sdk-ua-app-id"}},
	} {
		r := kitRule{base: k.base, smithy: k.smithy}
		for _, text := range k.texts {
			r.texts = append(r.texts, t.text(text))
		}
		rules = append(rules, r)
	}
	return rules
}

// kit returns claims for the packages below the clients. needed holds all that
// the manifests in the bundle depend on, with the versions and ranges they say.
func (r *literalReader) kit(clients []Claim, needed map[string]string) []Claim {
	if r.table == nil || len(clients) == 0 {
		return nil
	}
	var out []Claim
	for _, rule := range r.table.kit {
		for _, n := range rule.texts {
			if len(r.hits[n]) == 0 {
				continue
			}
			if scope := rule.scope(clients, needed); scope != "" {
				out = append(out, Claim{Name: scope + "/" + rule.base, Method: MethodLiteral, Confidence: 0.85, Offset: r.hits[n][0],
					Detail: "a text of the AWS SDK that only this package has"})
			}
			break
		}
	}
	return out
}

// scope decides between @aws-sdk and @smithy: by what the manifests name, then
// by the age of all clients; "" when neither tells.
func (k *kitRule) scope(clients []Claim, needed map[string]string) string {
	if !k.smithy {
		return "@aws-sdk"
	}
	_, aws := needed["@aws-sdk/"+k.base]
	_, smithy := needed["@smithy/"+k.base]
	switch {
	case aws && !smithy:
		return "@aws-sdk"
	case smithy && !aws:
		return "@smithy"
	}
	before, after := true, true
	for _, c := range clients {
		if c.Version == "" {
			return ""
		}
		before = before && release(c.Version).before(3, 363)
		after = after && !release(c.Version).before(3, 371)
	}
	switch {
	case before:
		return "@aws-sdk"
	case after:
		return "@smithy"
	}
	return ""
}
