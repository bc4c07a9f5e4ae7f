package attest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// jarManifest is a manifest or a signature file of a jar (JAR File
// Specification of Java SE 21, "Name-Value pairs and Sections").
type jarManifest struct {
	main  jarSection
	named map[string]*jarSection // by the attribute Name
	raw   []byte
}

// jarSection is one section. Attribute names are in lower case, as they are
// compared without case.
type jarSection struct {
	attrs map[string]string
	raw   []byte // with the empty line at its end: what a digest of the section is over
}

// maxManifest bounds in bytes a manifest or a signature file. Jars of 100,000
// files have about 15 MB.
const maxManifest = 64 << 20

// maxSections bounds how many files a manifest lists: empty sections are five bytes
// each and take a hundred times that in memory.
const maxSections = 500_000

// parseManifest reads sections. It is strict where readers differ: a line that is no
// attribute, an attribute that is there twice in one section and two sections of one
// name are errors.
func parseManifest(data []byte) (*jarManifest, error) {
	m := &jarManifest{named: map[string]*jarSection{}, raw: data}
	first := true
	for rest := data; len(rest) > 0; {
		s, after, err := readSection(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		switch name, ok := s.attrs["name"]; {
		case first:
			m.main, first = s, false
		case len(s.attrs) == 0: // empty lines
		case !ok:
			return nil, errors.New("a section without a name")
		case m.named[name] != nil:
			return nil, fmt.Errorf("two sections for %q", name)
		case len(m.named) == maxSections:
			return nil, fmt.Errorf("more than %d sections: %w", maxSections, bundle.ErrLimit)
		default:
			m.named[name] = &s
		}
	}
	return m, nil
}

// readSection reads up to the next empty line.
func readSection(data []byte) (s jarSection, rest []byte, err error) {
	s.attrs = map[string]string{}
	key, value := "", []byte(nil)
	put := func() error {
		if key == "" {
			return nil
		}
		if _, ok := s.attrs[key]; ok {
			return fmt.Errorf("the attribute %q is twice in one section", key)
		}
		s.attrs[key] = string(value)
		key = ""
		return nil
	}
	for rest = data; len(rest) > 0; {
		var line []byte
		line, rest = readLine(rest)
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' { // a long value goes on
			if key == "" {
				return s, nil, errors.New("a line that continues nothing")
			}
			value = append(value, line[1:]...)
			continue
		}
		if err := put(); err != nil {
			return s, nil, err
		}
		k, v, ok := bytes.Cut(line, []byte(": "))
		if !ok || len(k) == 0 || bytes.ContainsAny(k, " \x00") {
			return s, nil, fmt.Errorf("a line that is no attribute: %q", firstBytes(line))
		}
		key, value = strings.ToLower(string(k)), append([]byte(nil), v...)
	}
	s.raw = data[:len(data)-len(rest)]
	return s, rest, put()
}

// readLine cuts a line off; CR LF, LF and CR end it.
func readLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil
	}
	if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
		return data[:i], data[i+2:]
	}
	return data[:i], data[i+1:]
}

func firstBytes(b []byte) []byte { return b[:min(len(b), 40)] }
