package attest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
}

// Descriptor names something by its digests: in-toto's ResourceDescriptor as
// far as it matters here.
type Descriptor struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

// ParseStatement reads the payload of a verified envelope.
func ParseStatement(payload []byte) (*Statement, error) {
	var s Statement
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("in-toto statement: %w", err)
	}
	if d.More() {
		return nil, errors.New("in-toto statement: something follows the document")
	}
	if s.Type != statementV1 && s.Type != statementV01 {
		return nil, fmt.Errorf("in-toto statement: unknown type %q", s.Type)
	}
	if len(s.Subject) == 0 {
		return nil, errors.New("in-toto statement: it is about nothing (no subject)")
	}
	if s.PredicateType == "" {
		return nil, errors.New("in-toto statement: no predicateType")
	}
	return &s, nil
}

// strength orders the digest algorithms that bind bytes. Others (sha1, md5,
// git commits) are not compared: they prove nothing.
var strength = []string{"sha512", "sha384", "sha256"}

// errNotComparable says that a statement and a subject know no digest of one kind.
var errNotComparable = errors.New("its subjects have no digest that can be compared with the artifact")

// covers says which subject of the statement is the artifact, as "ALG:VALUE": the
// first that has a digest in common with it and none that both have and that
// differs.
func (st *Statement) covers(s *Subject) (digest string, err error) {
	var others []string
	for _, sub := range st.Subject {
		same, differ, err := compare(sub.Digest, s)
		if err != nil {
			return "", err
		}
		if same != "" && differ == "" {
			return same, nil
		}
		if differ != "" {
			others = append(others, differ)
		}
	}
	if len(others) == 0 {
		return "", errNotComparable
	}
	slices.Sort(others)
	return "", fmt.Errorf("it is about other bytes: %s", strings.Join(firstOf(others, 3), ", "))
}

// compare returns a digest that a set has in common with the artifact, and one
// that both have and that differs; "" for none. It prefers sha256.
func compare(set map[string]string, s *Subject) (same, differ string, err error) {
	for alg, want := range set {
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
		case !known:
		case want == got, s.Also[alg+":"+want] != "":
			if same == "" || alg == "sha256" {
				same = alg + ":" + want
			}
		default:
			differ = alg + ":" + want
		}
	}
	return same, differ, nil
}

func firstOf(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), fmt.Sprintf("and %d more", len(list)-n))
}
