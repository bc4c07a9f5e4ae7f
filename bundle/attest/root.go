package attest

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Root is what is trusted without proof, as a file given by the operator. The
// content decides what it is. The zero Root is none.
type Root struct {
	Source   string // the file, or "embedded public-good root of 2026-…"
	Sigstore []byte // trusted_root.json of a Sigstore instance; nil: none
	NPMKeys  []byte // keys.json of the npm registry, as the Sigstore root carries it; nil: none
	X509     []*x509.Certificate
	Dated    time.Time // of an embedded root, the day on which it was copied; zero otherwise
}

// Empty says whether nothing is trusted.
func (r Root) Empty() bool { return r.Sigstore == nil && r.NPMKeys == nil && len(r.X509) == 0 }

// ParseRoot reads a trust root: a trusted_root.json, the npm registry's keys, or
// certificates in PEM.
func ParseRoot(source string, data []byte) (Root, error) {
	r := Root{Source: source}
	trimmed := bytes.TrimLeft(data, "\ufeff \t\r\n")
	if bytes.HasPrefix(trimmed, []byte("{")) {
		var shape struct {
			MediaType string            `json:"mediaType"`
			Keys      []json.RawMessage `json:"keys"`
		}
		if err := json.Unmarshal(trimmed, &shape); err != nil {
			return r, fmt.Errorf("%s: %w", source, err)
		}
		switch {
		case shape.MediaType != "":
			r.Sigstore = trimmed
		case len(shape.Keys) > 0:
			r.NPMKeys = trimmed
		default:
			return r, fmt.Errorf("%s: neither a Sigstore trusted root (no mediaType) nor a list of registry keys", source)
		}
		return r, nil
	}
	certs, err := parseCertificates(data)
	if err != nil {
		return r, fmt.Errorf("%s: not a trust root (a Sigstore trusted_root.json, an npm keys.json, or certificates in PEM): %w", source, err)
	}
	r.X509 = certs
	return r, nil
}

// parseCertificates reads every certificate of a PEM text, or one in DER.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	rest := data
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	if len(certs) > 0 {
		return certs, nil
	}
	if c, err := x509.ParseCertificate(data); err == nil {
		return []*x509.Certificate{c}, nil
	}
	return nil, errors.New("no certificate in it")
}
