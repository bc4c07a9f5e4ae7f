package registry

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/vulndb/version"
)

// maxMetadata bounds a METADATA file in bytes: the longest real ones, with a
// book for a description, have about one million.
const maxMetadata = 4 << 20

// PythonNeeds is what a release of a Python project says that it needs.
type PythonNeeds struct {
	Python   string   // which versions of Python it runs on, as "Requires-Python"; "" any
	Requires []string // dependency specifiers (PEP 508), as they are written
	Wheel    bool     // a whole wheel was read to learn it, or was tried to
}

// parseMetadata reads the fields of a METADATA file that say what a release
// needs (https://packaging.python.org/en/latest/specifications/core-metadata/):
// header lines as in mail, up to the first empty one. It must be of the release
// that is asked about: a login page, or the file of another one, says nothing.
func parseMetadata(body []byte, p Package, want string) (PythonNeeds, error) {
	var out PythonNeeds
	name, said := "", ""
	err := headers(body, func(key, value string) error {
		switch key {
		case "name":
			name = value
		case "version":
			said = value
		case "requires-python":
			out.Python = clipped(value, maxText)
		case "requires-dist":
			if len(out.Requires) >= maxRequires {
				return fmt.Errorf("it names over %d packages", maxRequires)
			}
			out.Requires = append(out.Requires, value)
		}
		return nil
	})
	if err != nil {
		return PythonNeeds{}, err
	}
	if err := sameRelease(p, want, name, said); err != nil {
		return PythonNeeds{}, err
	}
	return out, nil
}

// headers calls f for each header, its key in lower case, its value without the
// line breaks in it.
func headers(body []byte, f func(key, value string) error) error {
	if !utf8.Valid(body) {
		return errors.New("it is not UTF-8")
	}
	key := ""
	var value strings.Builder
	end := func() error {
		if key == "" {
			return nil
		}
		return f(key, strings.TrimSpace(value.String()))
	}
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if (line[0] == ' ' || line[0] == '\t') && key != "" {
			value.WriteByte(' ')
			value.Write(bytes.TrimSpace(line))
			continue
		}
		if err := end(); err != nil {
			return err
		}
		k, v, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(k) > 64 {
			return errors.New("it is not of the form that was expected")
		}
		key = strings.ToLower(string(k))
		value.Reset()
		value.Write(v)
	}
	return end()
}

// sameRelease says what is wrong with a document that names itself so.
func sameRelease(p Package, want, name, said string) error {
	asked, _ := pypiName(p.Name)
	is, ok := pypiName(name)
	switch {
	case !ok || said == "":
		return errors.New("it does not say what it is about")
	case is != asked:
		return fmt.Errorf("it is about another project, %q", plain(name))
	case !sameVersion(want, said):
		return fmt.Errorf("it is about another version, %q", plain(said))
	}
	return nil
}

// sameVersion says whether two spellings are one version.
func sameVersion(a, b string) bool {
	if pypiCanon(a) == pypiCanon(b) {
		return true
	}
	v, err := version.Parse("PyPI", "", a)
	if err != nil {
		return false
	}
	w, err := version.Parse("PyPI", "", b)
	if err != nil {
		return false
	}
	c, err := v.Compare(w)
	return err == nil && c == 0
}
