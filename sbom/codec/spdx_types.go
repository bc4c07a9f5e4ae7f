package codec

// The parts of SPDX 2.3 that are written (https://spdx.github.io/spdx-spec/v2.3/).
type spdxDocument struct {
	ID                string             `json:"SPDXID"`
	Version           string             `json:"spdxVersion"`
	DataLicense       string             `json:"dataLicense"`
	Name              string             `json:"name"`
	Namespace         string             `json:"documentNamespace"`
	Comment           string             `json:"comment,omitempty"`
	CreationInfo      spdxCreation       `json:"creationInfo"`
	DocumentDescribes []string           `json:"documentDescribes,omitempty"`
	Packages          []spdxPackage      `json:"packages"`
	Relationships     []spdxRelationship `json:"relationships"`
	Extracted         []spdxExtracted    `json:"hasExtractedLicensingInfos,omitempty"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID               string           `json:"SPDXID"`
	Name             string           `json:"name"`
	Version          string           `json:"versionInfo,omitempty"`
	FileName         string           `json:"packageFileName,omitempty"`
	Purpose          string           `json:"primaryPackagePurpose,omitempty"`
	DownloadLocation string           `json:"downloadLocation"`
	FilesAnalyzed    bool             `json:"filesAnalyzed"`
	Checksums        []spdxChecksum   `json:"checksums,omitempty"`
	LicenseConcluded string           `json:"licenseConcluded"`
	LicenseDeclared  string           `json:"licenseDeclared"`
	Copyright        string           `json:"copyrightText"`
	SourceInfo       string           `json:"sourceInfo,omitempty"`
	Comment          string           `json:"comment,omitempty"`
	ExternalRefs     []spdxRef        `json:"externalRefs,omitempty"`
	Annotations      []spdxAnnotation `json:"annotations,omitempty"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxAnnotation struct {
	Type      string `json:"annotationType"`
	Annotator string `json:"annotator"`
	Date      string `json:"annotationDate"`
	Comment   string `json:"comment"`
}

type spdxRelationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

type spdxExtracted struct {
	ID   string `json:"licenseId"`
	Name string `json:"name,omitempty"`
	Text string `json:"extractedText"`
}

const (
	spdxDocumentID = "SPDXRef-DOCUMENT"
	noAssertion    = "NOASSERTION"

	// spdxFacts starts the comment of an annotation that holds spdxFact as JSON.
	spdxFacts = "fnaudit: "
)

// spdxFact is what we know beyond the standard, in an annotation of a package.
type spdxFact struct {
	Function string       `json:"function,omitempty"`
	Platform string       `json:"platform,omitempty"`
	Runtime  string       `json:"runtime,omitempty"`
	Snapshot string       `json:"snapshot,omitempty"`
	Unknown  *unknownJSON `json:"unknown,omitempty"`
	Absent   *absentJSON  `json:"absent,omitempty"`
	Artifact *spdxFile    `json:"artifact,omitempty"`

	Main          bool         `json:"main,omitempty"`
	State         string       `json:"state,omitempty"`
	Origin        string       `json:"origin,omitempty"`
	Versions      []string     `json:"versions,omitempty"`
	Ecosystem     string       `json:"ecosystem,omitempty"`
	Source        string       `json:"source,omitempty"`
	SourceVersion string       `json:"sourceVersion,omitempty"`
	Requires      []string     `json:"requires,omitempty"`
	Resolved      string       `json:"resolved,omitempty"`
	Locations     []spdxPlace  `json:"locations,omitempty"`
	Confidence    float64      `json:"confidence,omitempty"`
	Evidence      []spdxMethod `json:"evidence,omitempty"`
}

type spdxFile struct {
	Index  int    `json:"index"`
	Kind   string `json:"kind,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Digest string `json:"digest,omitempty"`
}

type spdxPlace struct {
	Artifact int    `json:"artifact"`
	Layer    string `json:"layer,omitempty"`
	Path     string `json:"path"`
	State    string `json:"state,omitempty"`
}

type spdxMethod struct {
	Method     string  `json:"method"`
	Confidence float64 `json:"confidence"`
	Path       string  `json:"path,omitempty"`
	Detail     string  `json:"detail,omitempty"`
}
