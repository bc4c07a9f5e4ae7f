package codec

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// EncodeSPDX writes doc as SPDX 2.3 JSON. Each function is a package that the
// document describes; it contains its artifacts and its packages.
// Vulnerabilities are not written: SPDX 2.3 has no place for them.
func EncodeSPDX(w io.Writer, doc Document) error {
	functions := sortedFunctions(doc.Functions)
	name := cmp.Or(doc.Name, "functions")
	if len(functions) == 1 {
		name = cmp.Or(functions[0].Name, "function")
	}
	e := newSPDXEncoder(doc)
	equal := map[string]int{}
	for _, f := range functions {
		key := functionKey(f.Name, subject(f))
		e.function(f, doc.Snapshot, equal[key])
		equal[key]++
	}
	e.frame(doc, name, Serial(doc))
	return WriteJSON(w, e.out)
}

// functionKey tells functions apart by name and digest.
func functionKey(name, subject string) string { return itoa(len(name)) + " " + name + subject }

func newSPDXEncoder(doc Document) *spdxEncoder {
	return &spdxEncoder{
		extracted: map[string]string{}, tool: "Tool: " + spdxTool(doc), date: timestamp(doc.Created),
		out: spdxDocument{Packages: []spdxPackage{}, Relationships: []spdxRelationship{}},
	}
}

func spdxTool(doc Document) string {
	if doc.ToolVersion == "" {
		return toolName
	}
	return toolName + "-" + doc.ToolVersion
}

// frame fills in what stands around the functions.
func (e *spdxEncoder) frame(doc Document, name, serial string) {
	out := &e.out
	out.ID, out.Version, out.DataLicense, out.Name = spdxDocumentID, "SPDX-2.3", "CC0-1.0", name
	out.Namespace = homepage + "/spdx/" + url.PathEscape(truncate(name, 100)) + "-" + serial
	out.CreationInfo = spdxCreation{Created: e.date, Creators: []string{e.tool}}
	for _, id := range slices.Sorted(maps.Keys(e.extracted)) {
		out.Extracted = append(out.Extracted, spdxExtracted{ID: id, Name: truncate(e.extracted[id], 100), Text: e.extracted[id]})
	}
	if e.unknowns > 0 {
		out.Comment = fmt.Sprintf("Incomplete: %d parts could not be read or attributed; see the annotations of the described packages.", e.unknowns)
	}
}

type spdxEncoder struct {
	out       spdxDocument
	extracted map[string]string // LicenseRef -> text
	tool      string
	date      string
	unknowns  int
}

// function adds a function; ordinal is how many before it have its name and its
// digest.
func (e *spdxEncoder) function(f Function, snapshot string, ordinal int) {
	name := cmp.Or(f.Name, "function")
	main := spdxPackage{
		ID: spdxID("SPDXRef-Function-", name, itoa(ordinal)+" "+functionKey(f.Name, subject(f))), Name: name, Purpose: "APPLICATION",
		DownloadLocation: noAssertion, LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion,
		Checksums: spdxChecksums(splitDigest(subject(f))),
	}
	if len(f.Artifacts) > 0 {
		main.FileName = f.Artifacts[0].Ref
	}
	e.annotate(&main, spdxFact{Function: name, Platform: f.Platform, Runtime: f.Runtime, Snapshot: snapshot})
	for _, u := range unknowns(f.SBOM) {
		e.annotate(&main, spdxFact{Unknown: &unknownJSON{Kind: string(u.Kind), Artifact: u.Artifact, Path: u.Path, Reason: u.Reason, Code: u.Code}})
		if u.Kind != sbom.Unmatched {
			e.unknowns++
		}
	}
	for _, a := range absent(f.SBOM) {
		e.annotate(&main, spdxFact{Absent: absentOf(a)})
	}
	e.out.DocumentDescribes = append(e.out.DocumentDescribes, main.ID)
	e.out.Packages = append(e.out.Packages, main)
	e.relate(spdxDocumentID, "DESCRIBES", main.ID)
	for i, a := range f.Artifacts {
		file := spdxPackage{
			ID: spdxID("SPDXRef-Artifact-", a.Ref, main.ID+"\x00"+itoa(i)), Name: cmp.Or(a.Ref, "artifact "+itoa(i)), FileName: a.Ref, Purpose: "ARCHIVE",
			DownloadLocation: noAssertion, LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion,
			Checksums: spdxChecksums(splitDigest(string(a.Digest))),
		}
		e.annotate(&file, spdxFact{Artifact: &spdxFile{Index: i, Kind: string(a.Kind), Size: a.Size, Digest: string(a.Digest)}})
		e.out.Packages = append(e.out.Packages, file)
		e.relate(main.ID, "CONTAINS", file.ID)
	}

	refs := map[string]bool{}
	all := list(f.SBOM, "", refs)
	ids := make(map[string]string, len(all))
	for _, c := range all {
		p := e.component(c, main.ID)
		ids[c.ref] = p.ID
		e.out.Packages = append(e.out.Packages, p)
		e.relate(main.ID, "CONTAINS", p.ID)
	}
	needs := needsOf(all)
	for i, c := range all {
		for _, ref := range needs[i] {
			e.relate(ids[c.ref], "DEPENDS_ON", ids[ref])
		}
	}
}

func (e *spdxEncoder) component(c listed, function string) spdxPackage {
	out := spdxPackage{
		ID: spdxID("SPDXRef-Package-", sbom.TypeOf(c.PURL)+"-"+c.Name+"-"+c.Version, function+"\x00"+c.ref), Name: cmp.Or(c.Name, c.PURL, "unnamed"),
		Version: c.Version, Purpose: "LIBRARY", DownloadLocation: noAssertion,
		LicenseConcluded: noAssertion, LicenseDeclared: e.license(c.Licenses), Copyright: noAssertion,
		Checksums: spdxChecksums(c.Hashes),
	}
	if c.Main {
		out.Purpose = "APPLICATION"
	}
	fact := spdxFact{
		Main: c.Main, State: string(c.State), Origin: string(c.Origin), Versions: c.Versions,
		Ecosystem: c.Ecosystem, Source: c.Source, SourceVersion: c.SourceVersion, Requires: c.Requires,
	}
	if u, ok := distribution(c.Resolved); ok {
		out.DownloadLocation = u
	} else {
		fact.Resolved = c.Resolved
	}
	if c.PURL != "" {
		out.ExternalRefs = []spdxRef{{Category: "PACKAGE-MANAGER", Type: "purl", Locator: c.PURL}}
	}
	for _, o := range c.Occurrences {
		fact.Locations = append(fact.Locations, spdxPlace{Artifact: o.Artifact, Layer: string(o.Layer), Path: o.Path, State: string(o.State)})
	}
	var how []string
	for _, m := range c.Evidence {
		fact.Evidence = append(fact.Evidence, spdxMethod{Method: m.Method, Confidence: float64(*confidence(m.Confidence)), Path: m.Path, Detail: m.Detail})
		how = append(how, strings.TrimSuffix(m.Method+": "+m.Path, ": "))
	}
	if len(how) > 0 {
		fact.Confidence = math.Round(1000*float64(*confidence(cmp.Or(c.Confidence, sbom.Confidence(c.Evidence))))) / 1000
		out.SourceInfo = fmt.Sprintf("recognised by %s; confidence %.3g", strings.Join(how, "; "), fact.Confidence)
	}
	if len(c.Versions) > 0 {
		out.Comment = "The version is one of: " + strings.Join(c.Versions, ", ")
	}
	e.annotate(&out, fact)
	return out
}

// license returns the declared licences as one expression. SPDX has a single
// field for them, so several are joined by AND, the reading that obliges most.
func (e *spdxEncoder) license(declared []string) string {
	var terms []string
	for _, s := range declared {
		if s == "" {
			continue
		}
		expression, ok := licenseExpression(s)
		if !ok {
			expression = spdxID("LicenseRef-", s, s)
			e.extracted[expression] = s
		}
		if strings.Contains(expression, " ") && len(declared) > 1 && !enclosed(expression) {
			expression = "(" + expression + ")"
		}
		terms = append(terms, expression)
	}
	if len(terms) == 0 {
		return noAssertion
	}
	return strings.Join(terms, " AND ")
}

func (e *spdxEncoder) annotate(p *spdxPackage, fact spdxFact) {
	b, err := json.Marshal(fact)
	if err != nil || string(b) == "{}" {
		return // strings, finite numbers and bools always marshal
	}
	p.Annotations = append(p.Annotations, spdxAnnotation{Type: "OTHER", Annotator: e.tool, Date: e.date, Comment: spdxFacts + string(b)})
}

func (e *spdxEncoder) relate(from, relation, to string) {
	e.out.Relationships = append(e.out.Relationships, spdxRelationship{Element: from, Type: relation, Related: to})
}

// spdxID makes an identifier of letters, digits, "." and "-" (SPDX 2.3 clause
// 3.2): name for people, cut to 80 bytes, and a digest of key, so that two
// names which differ only in other characters stay two. The digest is long enough
// that nobody finds two keys with one: functions are written that do not know the
// identifiers of each other.
func spdxID(prefix, name, key string) string {
	var b strings.Builder
	for _, r := range truncate(name, 80) {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	sum := sha256.Sum256([]byte(key))
	return prefix + strings.TrimLeft(b.String()+"-", "-") + hex.EncodeToString(sum[:16])
}

func spdxChecksums(hashes map[string]string) []spdxChecksum {
	var out []spdxChecksum
	for _, alg := range slices.Sorted(maps.Keys(hashes)) {
		if h, ok := cycloneDXHash(alg, hashes[alg]); ok { // the same algorithms, without the dash
			out = append(out, spdxChecksum{Algorithm: strings.ReplaceAll(string(h.Algorithm), "-", ""), Value: h.Value})
		}
	}
	return out
}

func splitDigest(digest string) map[string]string {
	alg, content, _ := strings.Cut(digest, ":")
	return map[string]string{alg: content}
}

// truncate cuts s to at most n bytes between two characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
