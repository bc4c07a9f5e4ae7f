package finding

// The statuses of a statement about a vulnerability, as OpenVEX has them.
const (
	VEXNotAffected  = "not_affected"
	VEXAffected     = "affected"
	VEXFixed        = "fixed"
	VEXInvestigated = "under_investigation"
)

// The justifications of OpenVEX for not_affected.
const (
	VEXComponentNotPresent = "component_not_present"
	VEXCodeNotPresent      = "vulnerable_code_not_present"
	VEXNotExecuted         = "vulnerable_code_not_in_execute_path"
	VEXNotControlled       = "vulnerable_code_cannot_be_controlled_by_adversary"
	VEXMitigated           = "inline_mitigations_already_exist"
)

// VEXJustifications lists the justifications of OpenVEX.
func VEXJustifications() []string {
	return []string{VEXComponentNotPresent, VEXCodeNotPresent, VEXNotExecuted, VEXNotControlled, VEXMitigated}
}

// RuleVersionUnknown is the rule of the finding that folds the advisories of a
// package whose version is not known.
const RuleVersionUnknown = "version-unknown"

// VEXSource is a document of statements that a run was given.
type VEXSource struct {
	Source     string `json:"source"` // the file, as it was given
	Digest     string `json:"digest"` // "sha256:…"
	Format     string `json:"format"` // "openvex", "cyclonedx"
	Author     string `json:"author,omitempty"`
	Statements int    `json:"statements"`
}

// ClearingVEX says whether a status is that a vulnerability does nothing here.
func ClearingVEX(status string) bool { return status == VEXNotAffected || status == VEXFixed }

// Cleared says whether a statement that the policy follows says that the finding
// does nothing here, so that it does not count.
func (f *Finding) Cleared() bool {
	return f.VEX != nil && f.VEX.Refused == "" && ClearingVEX(f.VEX.Status)
}
