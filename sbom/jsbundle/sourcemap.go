package jsbundle

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// MapReference returns what the file's last source map comment names: a
// relative path, a URL, or a data URL that holds the map itself. "" means that
// there is none (https://tc39.es/ecma426/, section 11.1.2).
func MapReference(src []byte) string {
	i := max(bytes.LastIndex(src, []byte("//# sourceMappingURL=")), bytes.LastIndex(src, []byte("//@ sourceMappingURL=")))
	if i < 0 {
		return ""
	}
	rest := src[i+len("//# sourceMappingURL="):]
	if end := bytes.IndexAny(rest, "\r\n \t"); end >= 0 {
		rest = rest[:end]
	}
	return string(rest)
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
