package vulndb

import (
	"encoding/json"
	"strings"
)

// Stray reports whether a .json file among the records of a folder is none of
// them: a whole JSON document without any of the fields that every record has.
// One with some of them, or that is cut off, may be a damaged record.
func Stray(data []byte) bool {
	if !json.Valid(data) {
		return false
	}
	var doc map[string]json.RawMessage
	if json.Unmarshal(data, &doc) != nil {
		return true // a list, a number, a text
	}
	for key := range doc {
		for _, field := range [...]string{"id", "modified", "affected"} {
			if strings.EqualFold(key, field) {
				return false
			}
		}
	}
	return true
}
