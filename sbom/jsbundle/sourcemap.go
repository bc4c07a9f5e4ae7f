package jsbundle

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// mapComment is how a source map comment ends before the reference.
const mapComment = "sourceMappingURL="

// MapReference returns what the file's last source map comment names: a
// relative path, a URL, or a data URL that holds the map itself. "" means that
// there is none (https://tc39.es/ecma426/, section 11.1.2).
func MapReference(src []byte) string {
	ref := ""
	for { // forward, because searching forward is many times faster than bytes.LastIndex
		i := bytes.Index(src, []byte(mapComment))
		if i < 0 {
			return ref
		}
		before := src[max(0, i-4):i]
		src = src[i+len(mapComment):]
		if !bytes.HasSuffix(before, []byte("//# ")) && !bytes.HasSuffix(before, []byte("//@ ")) {
			continue
		}
		end := bytes.IndexAny(src, "\r\n \t")
		if end < 0 {
			end = len(src)
		}
		ref = string(src[:end])
		src = src[end:]
	}
}

// InlineMap returns the source map that a data URL holds, nil when the
// reference is not one or does not decode.
func InlineMap(reference string) []byte {
	rest, ok := strings.CutPrefix(reference, "data:")
	if !ok {
		return nil
	}
	kind, data, ok := strings.Cut(rest, ",")
	if !ok || !strings.HasSuffix(kind, ";base64") {
		return nil
	}
	out, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil
	}
	return out
}

// MapNamesPackages reports whether a source map was made from files of
// packages. A map of plain compiled code names only the function's own files.
func MapNamesPackages(sourceMap []byte) bool {
	return bytes.Contains(sourceMap, []byte("node_modules/"))
}
