package report

import _ "embed"

// Schema is the JSON Schema (2020-12) of format "json"; its $defs/line is that
// of one line of format "jsonl". The bytes are for printing and for tests: the
// program never parses them.
//
//go:embed schema/report.schema.json
var Schema []byte
