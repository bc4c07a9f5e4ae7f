package codec

import (
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/fnaudit/fnaudit/sbom"
)

// technique maps a method of ours to CycloneDX's list (specification 1.6,
// component evidence, identity methods). What the list has no word for is "other".
func technique(method string) cdx.EvidenceIdentityTechnique {
	switch method {
	case sbom.MethodInstalled, sbom.MethodLockfile, sbom.MethodManifest, sbom.MethodEmbedded, sbom.MethodVendorList, "installed-db":
		return cdx.EvidenceIdentityTechniqueManifestAnalysis
	case sbom.MethodBuildInfo, sbom.MethodBinary:
		return cdx.EvidenceIdentityTechniqueBinaryAnalysis
	case "source-map", "path-comment", "module-key", sbom.MethodVersion, "licence-comment", "client-version":
		return cdx.EvidenceIdentityTechniqueSourceCodeAnalysis
	case "fingerprint", sbom.MethodClassSet:
		return cdx.EvidenceIdentityTechniqueASTFingerprint
	case "hash":
		return cdx.EvidenceIdentityTechniqueHashComparison
	case sbom.MethodFileName, sbom.MethodModule, "filename":
		return cdx.EvidenceIdentityTechniqueFilename
	}
	return cdx.EvidenceIdentityTechniqueOther
}

// sortedEvidence returns the evidence strongest first, the rest of the order
// fixed by content.
func sortedEvidence(evidence []sbom.Evidence) []sbom.Evidence {
	out := slices.Clone(evidence)
	slices.SortStableFunc(out, compareEvidence)
	return out
}
