package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Gate is what the release gate writes, and what is asked of it at deploy time.
// The zero value leaves everything to flags.
type Gate struct {
	VerifierID string        // URI that names who judges
	Resource   string        // URI of a function; "{name}" stands for its name
	MaxAge     time.Duration // how old a summary may be at deploy time; 0: any age

	Key        string   // file with a private key, "env://NAME" for one in the environment, "keyless" for none
	Fulcio     string   // base URL of the certificate authority, for keyless
	Rekor      string   // base URL of a transparency log
	Timestamps []string // URLs of timestamp authorities
}

// Keyless is the word for signing without a key.
const Keyless = "keyless"

type fileGate struct {
	MaxAge *string   `yaml:"max_age"`
	Emit   *fileEmit `yaml:"emit"`
}

type fileEmit struct {
	VerifierID string   `yaml:"verifier_id"`
	Resource   string   `yaml:"resource_uri"`
	Key        string   `yaml:"key"`
	Fulcio     string   `yaml:"fulcio"`
	Rekor      string   `yaml:"rekor"`
	Timestamps []string `yaml:"timestamps"`
}

// gateKeys are the keys of the section, for suggestions.
var gateKeys = []string{"gate", "emit", "verifier_id", "resource_uri", "key", "fulcio", "rekor", "timestamps"}

func (g *fileGate) apply(to *Gate) error {
	if g == nil {
		return nil
	}
	var errs []error
	if g.MaxAge != nil {
		d, err := ParseDuration(*g.MaxAge)
		if err != nil {
			errs = append(errs, fmt.Errorf("gate.max_age: %w", err))
		}
		to.MaxAge = d
	}
	if e := g.Emit; e != nil {
		to.VerifierID, to.Resource, to.Key, to.Fulcio, to.Rekor, to.Timestamps = e.VerifierID, e.Resource, e.Key, e.Fulcio, e.Rekor, e.Timestamps
		errs = append(errs, IsURI("gate.emit.verifier_id", e.VerifierID), IsURI("gate.emit.resource_uri", strings.ReplaceAll(e.Resource, "{name}", "name")),
			isService("gate.emit.fulcio", e.Fulcio), isService("gate.emit.rekor", e.Rekor))
		for _, t := range e.Timestamps {
			errs = append(errs, isService("gate.emit.timestamps", t))
		}
		if e.Fulcio != "" && e.Key != Keyless {
			errs = append(errs, errors.New("gate.emit.fulcio: a certificate is for signing without a key: write \"key: keyless\""))
		}
	}
	return errors.Join(errs...)
}

// IsURI returns an error unless text is empty or a URI with a scheme, as
// in-toto's ResourceURI has to be.
func IsURI(key, text string) error {
	if text == "" {
		return nil
	}
	if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Opaque == "" && u.Host == "" && u.Path == "" {
		return fmt.Errorf("%s: %q is no URI: write it as in https://acme.example/fnaudit", key, text)
	}
	return nil
}

func isService(key, text string) error {
	if text == "" {
		return nil
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("%s: %q is no address of a service: write it as in https://host", key, text)
	}
	return nil
}

// URI names the policy in a verification summary: "builtin:release", or
// "file:" and the file's name, so that no path of the machine is told. Overrides
// follow as a query, so that what a flag weakened does not go by the policy's name.
func (p *Policy) URI(overrides ...string) string {
	uri := p.Name
	if !strings.HasPrefix(uri, "builtin:") {
		uri = FileURI(uri)
	}
	if len(overrides) > 0 {
		uri += "?" + strings.Join(overrides, "&")
	}
	return uri
}

// FileURI names a file by the last part of its path.
func FileURI(path string) string {
	return "file:" + url.PathEscape(path[strings.LastIndexAny(path, `/\`)+1:])
}

// Identity is the digest of what is judged under: of the policy file, so that
// sha256sum says the same, or of a built-in policy's rules. With overrides, as
// flags make them ("fail-on=high"), it is another one, since it is another policy then.
func (p *Policy) Identity(overrides ...string) (string, error) {
	base := p.Digest
	if base == "" {
		built, ok := Builtin(p.Name)
		if !ok {
			return "", fmt.Errorf("policy %s has no digest", p.Name)
		}
		text, err := rules(built)
		if err != nil {
			return "", fmt.Errorf("digest of policy %s: %w", p.Name, err)
		}
		base = digestOf(text)
	}
	if len(overrides) == 0 {
		return base, nil
	}
	return digestOf([]byte(base + "\n" + strings.Join(overrides, "\n") + "\n")), nil
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// rules writes a policy down without what is zero, so that a rule that a later
// version adds and a built-in policy does not use changes no digest.
func rules(p *Policy) ([]byte, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	return json.Marshal(strip(v))
}

// strip takes what is zero out of a JSON value; nil when nothing is left.
func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x = strip(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		return v
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	}
	return v
}
