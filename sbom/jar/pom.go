package jar

import (
	"bytes"
	"cmp"
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
	maxRequires  = 2_000
)

// POM is what a pom.xml says about its own artifact.
type POM struct {
	Group, Artifact, Version string // what the POM leaves out comes from its parent
	Licences                 []string
	Requires                 []string // group:artifact of what it needs to run, sorted
}

// errXML says that a POM is over a limit.
var errXML = errors.New("XML over the limits of depth or length")

// ParsePOM reads the coordinates, licences and dependencies of a pom.xml
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
			return r.pom()
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
	dependency map[string]string // fields of the dependency that is open
	requires   [][2]string       // group and artifact, as they are written
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
	case len(r.path) == 4 && strings.HasPrefix(at, "dependencies/dependency/"):
		if r.dependency == nil {
			r.dependency = map[string]string{}
		}
		switch field := r.path[3]; field {
		case "groupId", "artifactId", "scope", "optional", "type":
			r.dependency[field] = value
		}
	case at == "dependencies/dependency":
		r.require(r.dependency)
		r.dependency = nil
	case at == "licenses/license/name" && value != "" && len(r.licences) < maxLicences:
		r.licences = append(r.licences, value)
	}
}

// require takes a dependency that is there when the package runs: one of scope
// "compile", which is the default, or "runtime" that is not optional
// (https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html#dependency-scope).
func (r *pomReader) require(d map[string]string) {
	if scope := d["scope"]; scope != "" && scope != "compile" && scope != "runtime" || d["optional"] == "true" || d["type"] == "test-jar" || len(r.requires) == maxRequires {
		return
	}
	r.requires = append(r.requires, [2]string{d["groupId"], d["artifactId"]})
}

func wanted(at string) bool {
	switch at {
	case "groupId", "artifactId", "version", "parent/groupId", "parent/artifactId", "parent/version":
		return true
	}
	return false
}

func (r *pomReader) pom() (POM, error) {
	fields := r.fields
	value := func(v string) string {
		if name, ok := strings.CutPrefix(v, "${"); ok && strings.HasSuffix(name, "}") {
			name = strings.TrimSuffix(name, "}")
			v = r.properties[name]
			switch name {
			case "project.version", "pom.version", "project.parent.version", "version":
				v = fields["parent/version"]
			case "project.groupId", "pom.groupId", "project.parent.groupId", "groupId":
				v = fields["parent/groupId"]
			}
		}
		if strings.Contains(v, "${") {
			return ""
		}
		return v
	}
	p := POM{Group: cmp.Or(value(fields["groupId"]), value(fields["parent/groupId"])), Artifact: value(fields["artifactId"]),
		Version: cmp.Or(value(fields["version"]), value(fields["parent/version"])), Licences: r.licences}
	if p.Artifact == "" {
		return p, errors.New("parse pom.xml: no artifactId")
	}
	for _, d := range r.requires {
		group, artifact := value(d[0]), value(d[1])
		switch d[0] {
		case "${project.groupId}", "${pom.groupId}", "${groupId}":
			group = p.Group // its own, which may be another than its parent's
		}
		if group != "" && artifact != "" {
			p.Requires = append(p.Requires, group+":"+artifact)
		}
	}
	slices.Sort(p.Requires)
	p.Requires = slices.Compact(p.Requires)
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
