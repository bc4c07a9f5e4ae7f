package policy

import _ "embed"

// Schema is the JSON Schema of a policy file (draft 2020-12), for editors. It
// says what a key may hold; what Parse refuses beyond that (a trust root that is
// misspelt, a date that is none) no schema can say.
//
//go:embed policy.schema.json
var Schema []byte
