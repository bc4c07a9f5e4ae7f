package attest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The types of an in-toto statement that are read.
const (
	statementV01 = "https://in-toto.io/Statement/v0.1"
	statementV1  = "https://in-toto.io/Statement/v1"
)

// Statement is an in-toto statement (in-toto attestation framework v1,
// spec/v1/statement.md; v0.1 has the same fields).
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Descriptor    `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`

	document any // the predicate, once it was read
}

// Descriptor names something by its digests: in-toto's ResourceDescriptor as
// far as it matters here.
type Descriptor struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

// ParseStatement reads the payload of a verified envelope. Fields that are not
// known are ignored, as the framework's parsing rules want it; names are taken
// exactly, and one that comes twice is an error.
func ParseStatement(payload []byte) (*Statement, error) {
	doc, err := fields(payload)
	if err != nil {
		return nil, fmt.Errorf("in-toto statement: %w", err)
	}
	s := Statement{Predicate: doc["predicate"]}
	if s.Type, err = textField(doc, "_type"); err != nil {
		return nil, fmt.Errorf("in-toto statement: %w", err)
	}
	if s.PredicateType, err = textField(doc, "predicateType"); err != nil {
		return nil, fmt.Errorf("in-toto statement: %w", err)
	}
	if s.Type != statementV1 && s.Type != statementV01 {
		return nil, fmt.Errorf("in-toto statement: unknown type %q", s.Type)
	}
	if s.PredicateType == "" {
		return nil, errors.New("in-toto statement: no predicateType")
	}
	if raw, ok := doc["subject"]; ok {
		if s.Subject, err = parseSubjects(raw); err != nil {
			return nil, fmt.Errorf("in-toto statement: subject: %w", err)
		}
	}
	if len(s.Subject) == 0 {
		return nil, errors.New("in-toto statement: it is about nothing (no subject)")
	}
	return &s, nil
}

// UnverifiedStatement reads the statement in the envelope of a Sigstore bundle
// without asking who signed it: what the bundle says that it is about. Nobody
// vouches for it.
func UnverifiedStatement(bundle []byte) (*Statement, error) {
	doc, err := fields(bundle)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if doc["dsseEnvelope"] == nil {
		return nil, errors.New("bundle: it holds no envelope")
	}
	env, err := ParseEnvelope(doc["dsseEnvelope"])
	if err != nil {
		return nil, err
	}
	return ParseStatement(env.Payload)
}

// Document reads the predicate: nil, bool, string, json.Number, []any and
// map[string]any, with names as they are written. A name that comes twice in an
// object, more than 200 levels, and more than 16 MiB are errors. The statement keeps
// what was read, so one statement is not for concurrent use.
func (st *Statement) Document() (doc any, err error) {
	if st.document == nil {
		st.document, err = decode(st.Predicate)
	}
	return st.document, err
}

func parseSubjects(raw json.RawMessage) ([]Descriptor, error) {
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("no list")
	}
	out := make([]Descriptor, len(list))
	for i, one := range list {
		digests := digestAt(one, "digest")
		if all, _ := at(one, "digest").(map[string]any); len(all) != len(digests) {
			return nil, fmt.Errorf("number %d: a digest is no text", i+1)
		}
		out[i] = Descriptor{Name: textAt(one, "name"), URI: textAt(one, "uri"), Digest: digests}
	}
	return out, nil
}

// strength orders the digest algorithms that bind bytes and that can be computed.
var strength = []string{"sha512", "sha384", "sha256"}

// broken are the digest algorithms for which other bytes with the same digest
// can be made. They are never compared, even when the user gives one.
var broken = []string{"md5", "sha1", "sha-1"}

// The two ways in which a statement is not about the artifact.
var (
	errOtherBytes = errors.New("it is about other bytes")
	errNoDigest   = errors.New("its subjects have no digest that can be compared with the artifact")
)

// covers says which subject of the statement is the artifact, as "ALG:VALUE": the
// first that has a digest in common with it and none that both have and that
// differs. The error is errOtherBytes, errNoDigest, or that of reading the artifact.
func (st *Statement) covers(s *Subject) (digest string, err error) {
	_, digest, err = st.covering(s)
	return digest, err
}

// covering is covers, and returns the subject too.
func (st *Statement) covering(s *Subject) (sub Descriptor, digest string, err error) {
	var others []string
	for _, sub := range st.Subject {
		same, differ, err := compare(sub.Digest, s)
		if err != nil {
			return Descriptor{}, "", err
		}
		if same != "" && differ == "" {
			return sub, same, nil
		}
		if differ != "" && len(others) <= maxOthers {
			others = append(others, differ)
		}
	}
	if len(others) == 0 {
		return Descriptor{}, "", errNoDigest
	}
	return Descriptor{}, "", fmt.Errorf("%w: %s", errOtherBytes, joinFirst(others))
}

// maxOthers is how many other digests a reason names.
const maxOthers = 3

// compare returns a digest that a set has in common with the artifact, and one
// that both have and that differs; "" for none. It prefers sha256. A set with a
// digest of what the artifact belongs to is about that, and not compared further.
func compare(set map[string]string, s *Subject) (same, differ string, err error) {
	for _, alg := range slices.Sorted(maps.Keys(set)) {
		if slices.Contains(broken, strings.ToLower(alg)) || set[alg] == "" {
			continue
		}
		want := set[alg]
		if slices.Contains(strength, alg) {
			want = strings.ToLower(want)
		}
		got, known := s.Digests[alg]
		if !known && slices.Contains(strength, alg) {
			got, err = s.Digest(alg)
			if err != nil && !errors.Is(err, ErrNoBytes) {
				return "", "", err
			}
			known = err == nil
		}
		switch {
		case known && want == got:
			if same == "" || alg == "sha256" {
				same = alg + ":" + want
			}
		case s.Also[alg+":"+want] != "":
			return alg + ":" + want, "", nil
		case known:
			differ = alg + ":" + want
		}
	}
	return same, differ, nil
}

func firstOf(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), "and others")
}
