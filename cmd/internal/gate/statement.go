package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// rawJSON is a document that is a predicate as it is.
type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

func statement(subject attest.Descriptor, predicateType string, predicate any) (attest.Statement, error) {
	body, err := json.Marshal(predicate)
	if err != nil {
		return attest.Statement{}, fmt.Errorf("write the predicate: %w", err)
	}
	return attest.Statement{Subject: []attest.Descriptor{subject}, PredicateType: predicateType, Predicate: body}, nil
}

// summary is the predicate of a SLSA verification summary, v1
// (https://slsa.dev/spec/v1.1/verification_summary). Extension holds what the
// specification has no field for: in-toto lets producers add fields whose names
// collide with nobody's (attestation framework v1, "Parsing rules").
type summary struct {
	Verifier           verifier            `json:"verifier"`
	TimeVerified       time.Time           `json:"timeVerified"`
	ResourceURI        string              `json:"resourceUri"`
	Policy             attest.Descriptor   `json:"policy"`
	InputAttestations  []attest.Descriptor `json:"inputAttestations"`
	VerificationResult string              `json:"verificationResult"`
	VerifiedLevels     []string            `json:"verifiedLevels"`
	SLSAVersion        string              `json:"slsaVersion"`
	Extension          Extension           `json:"fnaudit"`
}

type verifier struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"`
}

// Extension is the part of a summary that only fnaudit writes and reads.
type Extension struct {
	Function Subject  `json:"function"`
	Layers   []Layer  `json:"layers"` // judged with the function, in merge order; no subjects
	Database Database `json:"database"`
	Checks   []string `json:"checks"`        // that ran
	Waived   int      `json:"waived"`        // findings that the policy's waivers accept
	VEX      int      `json:"vex,omitempty"` // findings that do not count because of what a VEX document says

	Accepted  int     `json:"waivedUnknowns,omitempty"` // of what could not be read or told, by the policy's waivers
	Baseline  int     `json:"baseline,omitempty"`       // findings that do not count because an earlier report has them
	Grace     int     `json:"grace,omitempty"`          // findings that fail when their time is over
	Lockfiles []Layer `json:"lockfiles,omitempty"`      // from outside, which named versions of what a bundle holds
}

// Subject says what the function is.
type Subject struct {
	Name         string `json:"name"`
	Platform     string `json:"platform,omitempty"`
	Runtime      string `json:"runtime,omitempty"`
	Handler      string `json:"handler,omitempty"`
	Architecture string `json:"architecture,omitempty"`
}

// Layer is a layer that was judged under the function.
type Layer struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// Database is the advisory snapshot that was judged with.
type Database struct {
	ID         string               `json:"id"` // "sha256:…"
	Records    int                  `json:"records"`
	Ecosystems map[string]time.Time `json:"ecosystems"`      // as of when each is
	Feeds      map[string]time.Time `json:"feeds,omitempty"` // and each list beside the advisories
}

// resultPassed is the only result that is ever written.
const resultPassed = "PASSED"

// slsaVersion is the version of the specification whose build levels are stated.
const slsaVersion = "1.0"

func (r *Run) summary(f Function, before []Attestation) summary {
	rep := f.Report
	s := summary{
		Verifier: verifier{r.VerifierID, map[string]string{r.Tool.Name: r.Tool.Version}}, TimeVerified: r.Judged.UTC().Truncate(time.Second),
		ResourceURI: f.Resource, Policy: attest.Descriptor{URI: r.Policy.URI, Digest: digestSet(r.Policy.Digest)},
		VerificationResult: resultPassed, VerifiedLevels: levels(f), SLSAVersion: slsaVersion, InputAttestations: slices.Clone(f.Evidence),
		Extension: Extension{
			Function: Subject{rep.Name, rep.Platform, rep.Runtime, rep.Handler, rep.Architecture},
			Layers:   []Layer{}, Checks: ran(rep),
			Database: Database{ID: r.Database.ID, Records: r.Database.Records, Ecosystems: map[string]time.Time{}},
		},
	}
	for _, a := range before { // that is what the policy was held against
		sum := sha256.Sum256(a.Bundle)
		s.InputAttestations = append(s.InputAttestations, attest.Descriptor{URI: "file:" + url.PathEscape(baseName(f.Name)+a.Suffix), Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}})
	}
	for _, l := range rep.Artifacts[1:] {
		s.Extension.Layers = append(s.Extension.Layers, Layer{Name: baseName(l.Ref), Digest: digestSet(l.Digest)})
	}
	for name, e := range r.Database.Ecosystems {
		s.Extension.Database.Ecosystems[name] = e.AsOf.UTC()
	}
	for _, l := range r.Database.Feeds {
		if s.Extension.Database.Feeds == nil {
			s.Extension.Database.Feeds = map[string]time.Time{}
		}
		s.Extension.Database.Feeds[l.Name] = l.AsOf.UTC()
	}
	for _, v := range rep.Findings {
		switch {
		case v.Waived != nil:
			s.Extension.Waived++
		case v.Cleared():
			s.Extension.VEX++
		case v.Baseline:
			s.Extension.Baseline++
		case v.GraceUntil != nil:
			s.Extension.Grace++
		}
	}
	for _, u := range rep.Unknowns {
		if u.Waived != nil {
			s.Extension.Accepted++
		}
	}
	for _, l := range r.Lockfiles {
		s.Extension.Lockfiles = append(s.Extension.Lockfiles, Layer{Name: baseName(l.Ref), Digest: digestSet(l.Digest)})
	}
	return s
}

// levels says what was verified: the build level of the provenance, one value
// for the track as the specification demands it, and in words of our own, which keep
// off the prefix SLSA_, the checks that ran. That somebody was asked who signed
// or built it is no property; that it was verified is.
func levels(f Function) []string {
	out := []string{"SLSA_BUILD_LEVEL_UNEVALUATED"}
	if f.BuildLevel > 0 {
		out[0] = "SLSA_BUILD_LEVEL_" + strconv.Itoa(f.BuildLevel)
	}
	for _, c := range ran(f.Report) {
		switch c {
		case "open", "catalog":
		case "signature", "provenance":
			if f.verified(c) {
				out = append(out, "FNAUDIT_"+strings.ToUpper(c)+"_VERIFIED")
			}
		default:
			out = append(out, "FNAUDIT_"+strings.ToUpper(c)+"_CHECKED")
		}
	}
	return out
}

// verified says whether a signature, or a provenance, of the function's code
// was verified.
func (f Function) verified(check string) bool {
	return slices.ContainsFunc(f.Report.Attestations, func(a finding.Attestation) bool {
		kind := attest.Kind(a.Kind)
		about := attest.Signatures(kind)
		if check == "provenance" {
			about = attest.Provenances(kind)
		}
		return about && a.Artifact == 0 && a.Status == attest.Verified.String()
	})
}

// ran lists the checks that ran, in the order of the report.
func ran(rep *finding.Report) []string {
	out := []string{}
	for _, c := range rep.Checks {
		if c.State == finding.Ran {
			out = append(out, c.Check)
		}
	}
	return out
}

// vulnerabilities is the predicate of an in-toto vulnerability attestation, v0.2
// (github.com/in-toto/attestation, spec/predicates/vulns_02.md).
type vulnerabilities struct {
	Scanner  scanner  `json:"scanner"`
	Metadata metadata `json:"metadata"`
}

type scanner struct {
	URI     string          `json:"uri"`
	Version string          `json:"version"`
	DB      scannerDB       `json:"db"`
	Result  []vulnerability `json:"result"` // never nil: an empty list says that nothing is known
}

type scannerDB struct {
	URI        string    `json:"uri"`
	Version    string    `json:"version"`
	LastUpdate time.Time `json:"lastUpdate"` // as of when the oldest of its ecosystems is
}

type vulnerability struct {
	ID          string       `json:"id"`
	Severity    []severity   `json:"severity"`
	Annotations []annotation `json:"annotations"`
}

type severity struct {
	Method string `json:"method"`
	Score  string `json:"score"`
}

type annotation struct {
	Component string          `json:"component"`
	Kind      finding.Kind    `json:"kind"`
	Certainty string          `json:"certainty"`
	State     string          `json:"state,omitempty"`
	Origin    string          `json:"origin,omitempty"`
	Reach     string          `json:"reach"`
	KEV       bool            `json:"kev"`
	Aliases   []string        `json:"aliases,omitempty"`
	Fixed     []string        `json:"fixed,omitempty"`
	Waived    *finding.Waived `json:"waived,omitempty"`
	VEX       *finding.VEX    `json:"vex,omitempty"`
}

type metadata struct {
	ScanStartedOn  time.Time `json:"scanStartedOn"`
	ScanFinishedOn time.Time `json:"scanFinishedOn"`
}

// repository is where the program comes from, as a purl names it.
const repository = "pkg:github/fnaudit/fnaudit"

func (r *Run) vulnerabilities(f Function) vulnerabilities {
	v := vulnerabilities{
		Scanner: scanner{
			URI: repository, Version: r.Tool.Version, Result: []vulnerability{},
			DB: scannerDB{URI: "pkg:generic/fnaudit-advisories?checksum=" + r.Database.ID, Version: r.Database.ID, LastUpdate: oldest(r.Database)},
		},
		Metadata: metadata{r.Started.UTC().Truncate(time.Second), r.Finished.UTC().Truncate(time.Second)},
	}
	for _, x := range f.Report.Findings {
		if x.Kind != finding.KindVulnerability && x.Kind != finding.KindMalware {
			continue
		}
		out := vulnerability{ID: x.ID, Severity: []severity{{"fnaudit", string(x.Severity)}}, Annotations: []annotation{{
			Component: x.Component, Kind: x.Kind, Certainty: string(x.Certainty), State: x.State, Origin: x.Origin, Reach: x.Reach,
			KEV: x.KEV, Aliases: x.Aliases, Fixed: x.Fixed, Waived: x.Waived, VEX: x.VEX,
		}}}
		if x.Vector != "" {
			out.Severity = append(out.Severity, severity{"cvss_score", strconv.FormatFloat(x.Score, 'f', 1, 64)}, severity{"cvss_vector", x.Vector})
		}
		v.Scanner.Result = append(v.Scanner.Result, out)
	}
	return v
}

// oldest is as of when the oldest part of a store is: what a later advisory
// says about that part was not known.
func oldest(db finding.Database) time.Time {
	at := db.BuiltAt
	for _, e := range db.Ecosystems {
		if e.AsOf.Before(at) {
			at = e.AsOf
		}
	}
	return at.UTC()
}

// isDigest says whether text is "sha256:" and 64 lower-case hexadecimal digits.
func isDigest(text string) bool {
	value, ok := strings.CutPrefix(text, "sha256:")
	return ok && len(value) == 2*sha256.Size && strings.Trim(value, "0123456789abcdef") == ""
}

func digestSet(digest string) map[string]string {
	algorithm, value, _ := strings.Cut(digest, ":")
	return map[string]string{algorithm: value}
}

// baseName is the last part of a path or a reference.
func baseName(ref string) string {
	return ref[strings.LastIndexAny(ref, `/\`)+1:]
}
