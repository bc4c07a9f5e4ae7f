package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// ErrFormat is wrapped by the error of Decode for a document whose format it
// does not know; ErrLimit by the error for one that is over a limit.
var (
	ErrFormat = errors.New("not a CycloneDX, SPDX or syft JSON document")
	ErrLimit  = errors.New("over a limit")
)

// Decode reads one bill of materials of at most limit bytes; 0 or less means
// DefaultSize. The format is found from the content. Each function of the
// result has a non-nil SBOM; a document of another tool gives one function.
//
// A component keeps what the document says of it: no purl, or one that does
// not parse, is an Unknown of kind Unmatched beside the component. State,
// origin and candidate versions are taken from a document that fnaudit wrote;
// any other document's components are live, because nothing says otherwise.
func Decode(r io.Reader, limit int64) (Document, error) {
	text, err := read(r, limit)
	if err != nil {
		return Document{}, fmt.Errorf("read SBOM: %w", err)
	}
	var probe struct {
		BOMFormat   string          `json:"bomFormat"`
		SPDXVersion string          `json:"spdxVersion"`
		Context     json.RawMessage `json:"@context"`
		PayloadType json.RawMessage `json:"payloadType"`
		Predicate   json.RawMessage `json:"predicateType"`
		Artifacts   json.RawMessage `json:"artifacts"`
		Descriptor  struct {
			Name string `json:"name"`
		} `json:"descriptor"`
		Schema struct {
			URL string `json:"url"`
		} `json:"schema"`
	}
	if err := json.Unmarshal(text, &probe); err != nil {
		return Document{}, notJSON(text, err)
	}
	switch {
	case strings.EqualFold(probe.BOMFormat, "CycloneDX"):
		return decodeCycloneDX(text)
	case strings.HasPrefix(probe.SPDXVersion, "SPDX-2."):
		return decodeSPDX(text)
	case len(probe.Artifacts) > 0 && (probe.Descriptor.Name == "syft" || strings.Contains(probe.Schema.URL, "anchore/syft")):
		return decodeSyft(text)
	case len(probe.Context) > 0 || probe.SPDXVersion != "":
		return Document{}, fmt.Errorf("read SBOM: only SPDX 2.2 and 2.3 JSON can be read: %w", ErrFormat)
	case len(probe.PayloadType) > 0 || len(probe.Predicate) > 0:
		return Document{}, fmt.Errorf("read SBOM: this is an attestation; give the SBOM that is its predicate: %w", ErrFormat)
	}
	return Document{}, fmt.Errorf("read SBOM: %w", ErrFormat)
}

// notJSON says which known format a text is that is not JSON.
func notJSON(text []byte, err error) error {
	text = bytes.TrimLeft(text, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return fmt.Errorf("read SBOM: XML is not read; convert it to CycloneDX JSON: %w", ErrFormat)
	case bytes.HasPrefix(text, []byte("SPDXVersion:")):
		return fmt.Errorf("read SBOM: SPDX tag-value is not read; convert it to SPDX JSON: %w", ErrFormat)
	case !bytes.HasPrefix(text, []byte("{")):
		return fmt.Errorf("read SBOM: %w", ErrFormat)
	}
	return fmt.Errorf("read SBOM: %w: %w", ErrFormat, err)
}

// SBOM returns the components and unknowns of all functions as one bill of
// materials: that of the function when there is one.
func (d Document) SBOM() *sbom.SBOM {
	if len(d.Functions) == 1 && d.Functions[0].SBOM != nil {
		return d.Functions[0].SBOM
	}
	all := &sbom.SBOM{}
	for _, f := range d.Functions {
		if f.SBOM != nil {
			all.Components = append(all.Components, f.SBOM.Components...)
			all.Unknowns = append(all.Unknowns, f.SBOM.Unknowns...)
		}
	}
	all.Components = sbom.Merge(all.Components)
	all.Unknowns = sbom.SortUnknowns(all.Unknowns)
	return all
}
