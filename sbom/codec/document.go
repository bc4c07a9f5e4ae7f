package codec

import (
	"time"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// Document is one bill of materials: of one function, or of all functions of a run.
type Document struct {
	Name        string // of the run; used only when there are several functions. "" is written as "functions"
	Functions   []Function
	Created     time.Time // written as the time of the document; zero is written as the Unix epoch, so that output stays the same
	Snapshot    string    // id of the advisory snapshot, "" when none was used
	Lists       []string  // what was known beside the advisories, and as of when, in words; Decode does not read it
	ToolVersion string    // of fnaudit; Decode sets it to the version of the tool that wrote the document

	Format      string // set by Decode: "cyclonedx-json", "spdx-json" or "syft-json"
	SpecVersion string // set by Decode: version of the format, as the document states it
	Tool        string // set by Decode: name of the tool that wrote the document, "" when it does not say
}

// Function is one function of a Document.
type Function struct {
	Name            string
	Platform        string // such as "aws-lambda"; "" when not known
	Runtime         string // such as "nodejs20.x"; "" when not known
	Artifacts       []Artifact
	SBOM            *sbom.SBOM      // nil counts as empty
	Vulnerabilities []Vulnerability // written by EncodeCycloneDX only
}

// Artifact is one judged artifact; occurrences and unknowns index the function's list of them.
type Artifact = bundle.Artifact

// Vulnerability is one advisory that applies to a component of a function.
type Vulnerability struct {
	ID        string // preferred id
	Aliases   []string
	URL       string  // page about ID, "" when there is none
	Severity  string  // critical, high, medium, low, none; anything else is written as unknown
	Score     float64 // CVSS base score, 0 to 10; 0 when not known
	Vector    string  // CVSS vector; "" when not known
	Title     string
	Fixed     []string // versions that clear it, lowest first
	Ref       string   // Component.Ref that it applies to; PURL when Ref is not a component's
	PURL      string
	Version   string
	Published time.Time
	Modified  time.Time
	Accepted  string            // who accepted it until when and why; "" when nobody did
	Analysis  Analysis          // what is known of its impact; the zero value when nothing is
	Facts     map[string]string // further properties: key "certainty" is written as "fnaudit:certainty"
}

// The formats that Decode knows.
const (
	FormatCycloneDX = "cyclonedx-json"
	FormatSPDX      = "spdx-json"
	FormatSyft      = "syft-json"
)

// toolName is how fnaudit names itself in documents.
const toolName = "fnaudit"

// homepage is the page of the tool; SPDX namespaces start with it.
const homepage = "https://github.com/fnaudit/fnaudit"

// timestamp formats t in UTC to the second, as both formats want it.
func timestamp(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339)
}

// Analysis says what an advisory means for the function, in CycloneDX's words
// (https://cyclonedx.org/docs/1.6/json/, "analysis").
type Analysis struct {
	State         string // "not_affected", "resolved", "exploitable", "in_triage"; "" none
	Justification string // "code_not_present", "code_not_reachable", ...; "" none
	Detail        string
}
