package policy

// casesDir holds the cases of policies.
const casesDir = "../../../testdata/policy"
