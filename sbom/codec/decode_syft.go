package codec

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// The parts of syft's own JSON that are read (schemas 1 to 16: the fields here
// have kept their names, licences changed from texts to objects in schema 8).
type inSyft struct {
	Artifacts []struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Version   string `json:"version"`
		Type      string `json:"type"`
		FoundBy   string `json:"foundBy"`
		Locations []struct {
			Path string `json:"path"`
		} `json:"locations"`
		Licenses []json.RawMessage `json:"licenses"`
		PURL     string            `json:"purl"`
		Metadata json.RawMessage   `json:"metadata"`
	} `json:"artifacts"`
	Relationships []struct {
		Parent string `json:"parent"`
		Child  string `json:"child"`
		Type   string `json:"type"`
	} `json:"artifactRelationships"`
	Source struct {
		Name     string          `json:"name"`
		Metadata json.RawMessage `json:"metadata"`
	} `json:"source"`
	Distro struct {
		ID        string `json:"id"`
		VersionID string `json:"versionID"`
	} `json:"distro"`
	Descriptor struct {
		Name      string `json:"name"`
		Version   string `json:"version"`
		Timestamp string `json:"timestamp"`
	} `json:"descriptor"`
	Schema struct {
		Version string `json:"version"`
	} `json:"schema"`
}

func decodeSyft(text []byte) (Document, error) {
	var in inSyft
	if err := json.Unmarshal(text, &in); err != nil {
		return Document{}, fmt.Errorf("read syft JSON: %w: %w", ErrFormat, err)
	}
	doc := Document{
		Format: FormatSyft, SpecVersion: in.Schema.Version, Created: parseTime(in.Descriptor.Timestamp),
		Tool: truncate(in.Descriptor.Name, 200), ToolVersion: truncate(in.Descriptor.Version, 200),
	}
	names := map[string]string{}
	for _, a := range in.Artifacts {
		names[a.ID] = a.Name
	}
	requires := map[string][]string{}
	for _, r := range in.Relationships {
		// "parent is a dependency of child" (syft/artifact/relationship.go).
		if r.Type == "dependency-of" && names[r.Parent] != "" {
			requires[r.Child] = append(requires[r.Child], names[r.Parent])
		}
	}
	count := 0
	b := newBuilder(in.Source.Name, &count)
	if in.Distro.ID != "" && in.Distro.VersionID != "" {
		b.distro = in.Distro.ID + "-" + in.Distro.VersionID
	}
	for _, a := range in.Artifacts {
		e := entry{
			ref: a.ID, purl: a.PURL, name: a.Name, version: a.Version, requires: requires[a.ID],
			evidence: strings.TrimSuffix("syft "+a.Type+": "+a.FoundBy, ": "),
		}
		for _, l := range a.Locations {
			e.places = append(e.places, sbom.Occurrence{Path: strings.TrimPrefix(l.Path, "/")})
		}
		for _, l := range a.Licenses {
			e.licenses = append(e.licenses, syftLicense(l))
		}
		e.resolved, e.hashes = syftMetadata(a.Metadata)
		if err := b.add(e); err != nil {
			return Document{}, fmt.Errorf("read syft JSON: %w", err)
		}
	}
	doc.Functions = []Function{b.done()}
	return doc, nil
}

func syftLicense(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var l struct {
		Value          string `json:"value"`
		SPDXExpression string `json:"spdxExpression"`
	}
	if json.Unmarshal(raw, &l) != nil {
		return ""
	}
	if l.SPDXExpression != "" {
		return l.SPDXExpression
	}
	return l.Value
}

// syftMetadata reads what an npm lockfile entry says about its source; other
// kinds of metadata give nothing, whatever they look like.
func syftMetadata(raw json.RawMessage) (resolved string, hashes map[string]string) {
	var m struct {
		Resolved  string `json:"resolved"`
		Integrity string `json:"integrity"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return "", nil
	}
	for field := range strings.FieldsSeq(m.Integrity) { // subresource integrity: "sha512-BASE64"
		alg, content, ok := strings.Cut(field, "-")
		if b, err := base64.StdEncoding.DecodeString(content); ok && err == nil {
			hashes = addHash(hashes, algorithm(alg), hex.EncodeToString(b))
		}
	}
	return m.Resolved, hashes
}
