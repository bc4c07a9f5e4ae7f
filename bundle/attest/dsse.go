package attest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// payloadInToto is the payload type of in-toto statements in a DSSE envelope.
const payloadInToto = "application/vnd.in-toto+json"

// maxEnvelope bounds in bytes what is read of one piece of evidence. SBOM
// attestations of large images have tens of megabytes.
const maxEnvelope = 128 << 20

// Envelope is a DSSE envelope (secure-systems-lab/dsse, envelope.md v1.0).
type Envelope struct {
	PayloadType string
	Payload     []byte // decoded
	Signatures  []EnvelopeSignature
}

// EnvelopeSignature is one signature of an envelope. KeyID is a hint that
// nothing vouches for.
type EnvelopeSignature struct {
	KeyID string
	Sig   []byte
	Cert  []byte // PEM; slsa-github-generator before v2 put it here
}

// ParseEnvelope reads an envelope. An envelope without signature is an error.
// Names are taken exactly, and one that comes twice is an error (see fields).
func ParseEnvelope(data []byte) (*Envelope, error) {
	e, err := parseEnvelope(data)
	if err != nil {
		return nil, fmt.Errorf("DSSE envelope: %w", err)
	}
	return e, nil
}

func parseEnvelope(data []byte) (*Envelope, error) {
	doc, err := fields(data)
	if err != nil {
		return nil, err
	}
	e := new(Envelope)
	if e.PayloadType, err = textField(doc, "payloadType"); err != nil {
		return nil, err
	}
	if e.Payload, err = bytesField(doc, "payload"); err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(doc["signatures"], &list); err != nil || len(list) == 0 {
		return nil, errors.New("it has no signature")
	}
	if len(list) > maxSignatures {
		return nil, fmt.Errorf("it has %d signatures, and %d is the most that is read", len(list), maxSignatures)
	}
	for i, raw := range list {
		s, err := parseSignature(raw)
		if err != nil {
			return nil, fmt.Errorf("signature %d: %w", i+1, err)
		}
		e.Signatures = append(e.Signatures, s)
	}
	return e, nil
}

// maxSignatures bounds how many signatures of an envelope are tried.
const maxSignatures = 16

func parseSignature(raw json.RawMessage) (s EnvelopeSignature, err error) {
	doc, err := fields(raw)
	if err != nil {
		return s, err
	}
	if s.Sig, err = bytesField(doc, "sig"); err != nil {
		return s, err
	}
	if s.KeyID, err = textField(doc, "keyid"); err != nil {
		return s, err
	}
	cert, err := textField(doc, "cert")
	s.Cert = []byte(cert)
	return s, err
}

// textField is the text of a field; "" when it is absent or null.
func textField(doc map[string]json.RawMessage, name string) (string, error) {
	var s string
	raw, ok := doc[name]
	if !ok {
		return "", nil
	}
	scan := scanner{data: raw}
	if s, ok := scan.text(); ok && scan.ended() {
		return s, nil
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%s is no text", name)
	}
	return s, nil
}

func bytesField(doc map[string]json.RawMessage, name string) ([]byte, error) {
	text, err := textField(doc, name)
	if err != nil {
		return nil, err
	}
	data, err := decodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// PAE is what the signatures of an envelope are over: DSSE v1.0, "Signature
// Definition".
func PAE(payloadType string, payload []byte) []byte {
	var b []byte
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(b, ' ')
	b = append(b, payloadType...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	b = append(b, ' ')
	return append(b, payload...)
}

// decodeBase64 reads standard and URL-safe base64, as DSSE allows both.
func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "-_") {
		return base64.URLEncoding.DecodeString(text)
	}
	return base64.StdEncoding.DecodeString(text)
}
