package jsbundle

import "strings"

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
// inside @aws-sdk/nested-clients: they are then no packages of their own.
func (s service) nested() bool {
	return (s.id == "STS" || s.id == "SSO" || s.id == "SSO OIDC" || s.id == "Signin" || s.id == "Cognito Identity") && !between([]release{release(s.version)}, 0, 720)
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
