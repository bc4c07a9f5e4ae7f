package finding

// Accepted says whether somebody settled a finding, so that nothing is to be
// done about it for now: a waiver accepts it, an earlier report has it as what
// was there before, or a statement that the policy
// follows says that the function is not affected.
func (f *Finding) Accepted() bool {
	return f.Waived != nil || f.Baseline || f.Cleared()
}
