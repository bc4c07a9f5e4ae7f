package integrity

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxRecord      = 32 << 20 // bytes of one RECORD; the longest real ones have 2 MiB
	maxRecordLines = 300_000
)

// recordLine is one line of a RECORD.
type recordLine struct {
	path string     // as written
	alg  algorithms // 0: no digest
	size int64      // bytes; -1: not told
	sum  string     // raw bytes
	odd  string     // the digest as written, where it is of a kind that is not known or cannot be read
}

// parseRecord reads a RECORD: lines of path, digest and size, as Python's csv
// module writes them
// (https://packaging.python.org/specifications/recording-installed-packages/#the-record-file).
// The error says why not all of it was read; the lines before count all the same.
func parseRecord(data []byte) ([]recordLine, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	var lines []recordLine
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("its RECORD cannot be read: %w", err)
		}
		if len(lines) == maxRecordLines {
			return lines, fmt.Errorf("its RECORD has more than %d lines", maxRecordLines)
		}
		if fields[0] == "" || strings.IndexByte(fields[0], 0) >= 0 {
			return lines, errors.New("its RECORD has a line without a path")
		}
		line := recordLine{path: strings.Clone(fields[0]), size: -1}
		if len(fields) > 1 && fields[1] != "" {
			line.digest(fields[1])
		}
		if len(fields) > 2 {
			if n, err := strconv.ParseInt(fields[2], 10, 64); err == nil && n >= 0 {
				line.size = n
			}
		}
		lines = append(lines, line)
	}
}

// digest reads "sha256=VALUE": URL-safe base64 without padding as the
// specification says, or hexadecimal as pybuild of Debian writes it.
func (l *recordLine) digest(text string) {
	name, value, ok := strings.Cut(text, "=")
	alg, size, known := algorithmOf(name)
	if !ok || !known {
		l.odd = clip(text)
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil || len(raw) != size {
		raw, err = hex.DecodeString(value)
	}
	if err != nil || len(raw) != size {
		l.odd = clip(text)
		return
	}
	l.alg, l.sum = alg, string(raw)
}

// clip shortens text of an artifact for a reason or a detail.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
