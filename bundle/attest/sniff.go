package attest

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Sniff says how a piece of evidence is written down, from its content alone.
// What is nothing else is FormatRaw: a detached signature has no mark.
func Sniff(data []byte) Format {
	text := bytes.TrimLeft(data, "\ufeff \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("untrusted comment:")):
		return FormatMinisign
	case bytes.HasPrefix(text, []byte("-----BEGIN PGP")):
		return FormatPGP
	case (bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("["))) && utf8.Valid(text): // a bare signature can begin with any byte
		return sniffJSON(text)
	case len(data) > 1 && (data[0] == 0xd2 && data[1] == 0x84): // tag 18, an array of four: COSE_Sign1, RFC 9052 section 4.2
		return FormatCOSE
	case len(data) > 2 && isPGPPacket(data):
		return FormatPGP
	}
	return FormatRaw
}

// isPGPPacket says whether bytes start with a signature packet (RFC 9580,
// sections 4.2 and 5.2) of a version in use.
func isPGPPacket(data []byte) bool {
	for at := 2; at <= 4 && at < len(data); at++ { // behind one, two or three bytes of tag and length
		old := data[0]&0xfc == 0x88 // tag 2 in the old format
		if (old || data[0] == 0xc2) && (data[at] == 4 || data[at] == 6) && data[at+1] <= 1 {
			return true
		}
	}
	return false
}

func sniffJSON(text []byte) Format {
	keys, _, ok := members(text)
	if !ok {
		var bad Format
		if keys, bad = keysSlowly(text); bad != "" {
			return bad
		}
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := keys[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("mediaType") && strings.Contains(string(keys["mediaType"]), "dev.sigstore.bundle"):
		return FormatBundle
	case has("payloadType", "payload"):
		return FormatEnvelope
	case has("payload", "protected"):
		return FormatJWS
	case has("base64Signature"):
		return FormatCosignBundle
	case has("attestation_bundles"), has("envelope", "verification_material"):
		return FormatPEP740
	case has("attestations"):
		return FormatNPM
	case has("provenance_summary"):
		return FormatCloudBuild
	case has("dist"), has("versions", "dist-tags"):
		return FormatPackument
	}
	return FormatBundle
}

// keysSlowly is members by encoding/json, or says which format a text has that is no
// single object.
func keysSlowly(text []byte) (map[string]json.RawMessage, Format) {
	var first json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&first); err != nil {
		return nil, FormatBundle // broken: the reader of bundles says where
	}
	rest, _ := bytes.CutPrefix(text[d.InputOffset():], []byte("\ufeff"))
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, FormatLines
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(first, &keys) != nil {
		return nil, FormatLines // an array
	}
	return keys, ""
}
