package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// bundleV03 is the media type of today's bundles.
const bundleV03 = "application/vnd.dev.sigstore.bundle.v0.3+json"

// unlist splits the lists in which package registries hand out bundles. What is
// no such list, or cannot be read, comes back as it is.
func unlist(ev Evidence) []Evidence {
	var docs []json.RawMessage
	var err error
	switch ev.Format {
	case FormatNPM:
		docs, err = npmBundles(ev.Data)
	case FormatPEP740:
		docs, err = pep740Bundles(ev.Data)
	default:
		return []Evidence{ev}
	}
	if err != nil || len(docs) > maxDocuments {
		return []Evidence{ev} // verifyList says why
	}
	var out []Evidence
	for i, doc := range docs {
		one := ev
		one.Format, one.Data = FormatBundle, doc
		if len(docs) > 1 {
			one.Source = fmt.Sprintf("%s, attestation %d", ev.Source, i+1)
		}
		out = append(out, one)
	}
	return out
}

// verifyList says why a list was not split.
func verifyList(_ context.Context, _ *Request, ev Evidence) []Result {
	read := npmBundles
	if ev.Format == FormatPEP740 {
		read = pep740Bundles
	}
	docs, err := read(ev.Data)
	if err == nil {
		return []Result{cannot(KindSigstore, StepParse, fmt.Sprintf("a list of %d attestations, and %d is the most that is read", len(docs), maxDocuments))}
	}
	return []Result{reject(KindSigstore, StepParse, err.Error())}
}

// npmBundles reads the npm registry's list of attestations of one version:
// {"attestations":[{"predicateType","bundle"}]}.
func npmBundles(data []byte) ([]json.RawMessage, error) {
	var doc struct {
		Attestations []struct {
			Bundle json.RawMessage `json:"bundle"`
		} `json:"attestations"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("list of npm attestations: %w", err)
	}
	if len(doc.Attestations) == 0 {
		return nil, errors.New("list of npm attestations: it is empty")
	}
	var out []json.RawMessage
	for i, a := range doc.Attestations {
		if len(a.Bundle) == 0 {
			return nil, fmt.Errorf("list of npm attestations: number %d has no bundle", i+1)
		}
		out = append(out, a.Bundle)
	}
	return out, nil
}

// pep740Attestation is an attestation object of PEP 740 (version 1).
type pep740Attestation struct {
	Version  int `json:"version"`
	Envelope struct {
		Statement []byte `json:"statement"`
		Signature []byte `json:"signature"`
	} `json:"envelope"`
	Material struct {
		Certificate []byte            `json:"certificate"`
		Entries     []json.RawMessage `json:"transparency_entries"`
	} `json:"verification_material"`
}

// pep740Bundles writes the attestations of PEP 740 as bundles: of a provenance
// object ({"attestation_bundles":[{"publisher","attestations"}]}) all, of a single
// attestation itself. What the publisher object says is signed by nobody and is
// not read.
func pep740Bundles(data []byte) ([]json.RawMessage, error) {
	var doc struct {
		Bundles []struct {
			Attestations []pep740Attestation `json:"attestations"`
		} `json:"attestation_bundles"`
		pep740Attestation
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("PEP 740 attestation: %w", err)
	}
	var list []pep740Attestation
	for _, b := range doc.Bundles {
		list = append(list, b.Attestations...)
	}
	if doc.Bundles == nil {
		list = append(list, doc.pep740Attestation)
	}
	if len(list) == 0 {
		return nil, errors.New("PEP 740 provenance: it holds no attestation")
	}
	var out []json.RawMessage
	for _, a := range list {
		one, err := a.bundle()
		if err != nil {
			return nil, fmt.Errorf("PEP 740 attestation: %w", err)
		}
		out = append(out, one)
	}
	return out, nil
}

// bundle writes the attestation as a bundle. PEP 740 took its parts from there.
func (a pep740Attestation) bundle() (json.RawMessage, error) {
	if a.Version != 1 {
		return nil, fmt.Errorf("version %d is not read here", a.Version)
	}
	type object map[string]any
	return json.Marshal(object{
		"mediaType": bundleV03,
		"verificationMaterial": object{
			"certificate": object{"rawBytes": a.Material.Certificate},
			"tlogEntries": a.Material.Entries,
		},
		"dsseEnvelope": object{
			"payload":     a.Envelope.Statement,
			"payloadType": payloadInToto,
			"signatures":  []object{{"sig": a.Envelope.Signature}},
		},
	})
}
