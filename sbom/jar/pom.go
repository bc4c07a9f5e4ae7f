package jar

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of one pom.xml.
const (
	maxXMLDepth  = 64
	maxXMLTokens = 200_000
	maxXMLField  = 1000 // bytes of one field
	maxXMLName   = 100  // bytes of one element's name that are kept: they are joined at the end of each element
	maxLicences  = 20
)

// POM is what a pom.xml says about its own artifact.
type POM struct {
	Group, Artifact, Version string // what the POM leaves out comes from its parent
	Licences                 []string
}

// errXML says that a POM is over a limit.
var errXML = errors.New("XML over the limits of depth or length")

// ParsePOM reads the coordinates and licences of a pom.xml
// (https://maven.apache.org/pom.html, as of 2026-11). Entities that a document
// type declares are not expanded, and nothing is fetched: encoding/xml knows
// the five entities of XML only. Properties such as ${revision} are resolved
// from the POM's own properties, one level deep.
func ParsePOM(data []byte) (POM, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	again := false
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if again { // each declaration reads all that follows, and may double it
			return nil, errors.New("a second declaration of a charset")
		}
		again = true
		return latin(charset, in)
	}
	r := pomReader{fields: map[string]string{}, properties: map[string]string{}}
	for range maxXMLTokens {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) && len(r.path) == 0 {
			return pomOf(r.fields, r.properties, r.licences)
		}
		if err == nil {
			err = r.token(t)
		}
		if err != nil {
			return POM{}, fmt.Errorf("parse pom.xml: %w", err)
		}
	}
	return POM{}, fmt.Errorf("parse pom.xml: %w", errXML)
}

// pomReader keeps what is wanted of a POM while its tokens go by.
type pomReader struct {
	path       []string // of the open elements
	text       strings.Builder
	fields     map[string]string // path below project -> value
	properties map[string]string
	licences   []string
}

func (r *pomReader) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		if len(r.path) == maxXMLDepth {
			return errXML
		}
		r.path = append(r.path, t.Name.Local[:min(len(t.Name.Local), maxXMLName)])
		r.text.Reset()
	case xml.CharData:
		if r.text.Len() < maxXMLField {
			r.text.Write(t[:min(len(t), maxXMLField)])
		}
	case xml.EndElement:
		if len(r.path) == 0 {
			return errors.New("an element ends that never began")
		}
		r.keep(strings.TrimSpace(r.text.String()))
		r.text.Reset()
		r.path = r.path[:len(r.path)-1]
	}
	return nil
}

// keep takes the value of the element that ends.
func (r *pomReader) keep(value string) {
	switch at := strings.Join(r.path[1:], "/"); {
	case len(r.path) <= 3 && wanted(at):
		if _, ok := r.fields[at]; !ok {
			r.fields[at] = value
		}
	case len(r.path) == 3 && r.path[1] == "properties" && len(r.properties) < maxProperties:
		r.properties[r.path[2]] = value
	case at == "licenses/license/name" && value != "" && len(r.licences) < maxLicences:
		r.licences = append(r.licences, value)
	}
}

func wanted(at string) bool {
	switch at {
	case "groupId", "artifactId", "version", "parent/groupId", "parent/artifactId", "parent/version":
		return true
	}
	return false
}

func pomOf(fields, properties map[string]string, licences []string) (POM, error) {
	resolve := func(keys ...string) string {
		for _, key := range keys {
			v := fields[key]
			if name, ok := strings.CutPrefix(v, "${"); ok && strings.HasSuffix(name, "}") {
				name = strings.TrimSuffix(name, "}")
				v = properties[name]
				switch name {
				case "project.version", "pom.version", "project.parent.version", "version":
					v = fields["parent/version"]
				case "project.groupId", "pom.groupId", "project.parent.groupId", "groupId":
					v = fields["parent/groupId"]
				}
			}
			if v != "" && !strings.Contains(v, "${") {
				return v
			}
		}
		return ""
	}
	p := POM{Group: resolve("groupId", "parent/groupId"), Artifact: resolve("artifactId"), Version: resolve("version", "parent/version"), Licences: licences}
	if p.Artifact == "" {
		return p, errors.New("parse pom.xml: no artifactId")
	}
	return p, nil
}

// latin reads the charsets that POMs are written in besides UTF-8, byte by
// byte. Names and versions are ASCII, so that the others come out well too.
func latin(_ string, in io.Reader) (io.Reader, error) {
	data, err := io.ReadAll(in) // bounded by the document, which is in memory
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(data, func(c byte) bool { return c >= 0x80 }) {
		return bytes.NewReader(data), nil
	}
	out := make([]rune, len(data))
	for i, c := range data {
		out[i] = rune(c)
	}
	return strings.NewReader(string(out)), nil
}
