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
func ParseEnvelope(data []byte) (*Envelope, error) {
	var doc struct {
		PayloadType string `json:"payloadType"`
		Payload     string `json:"payload"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
			Cert  string `json:"cert"`
		} `json:"signatures"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("DSSE envelope: %w", err)
	}
	e := &Envelope{PayloadType: doc.PayloadType}
	var err error
	if e.Payload, err = decodeBase64(doc.Payload); err != nil {
		return nil, fmt.Errorf("DSSE envelope: payload: %w", err)
	}
	if len(doc.Signatures) == 0 {
		return nil, errors.New("DSSE envelope: it has no signature")
	}
	for i, s := range doc.Signatures {
		sig, err := decodeBase64(s.Sig)
		if err != nil {
			return nil, fmt.Errorf("DSSE envelope: signature %d: %w", i+1, err)
		}
		e.Signatures = append(e.Signatures, EnvelopeSignature{KeyID: s.KeyID, Sig: sig, Cert: []byte(s.Cert)})
	}
	return e, nil
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
