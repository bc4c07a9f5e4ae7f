package jar

import (
	"bytes"
	"fmt"
	"strings"
)

// maxAttributes bounds the main attributes of one manifest that are kept.
const maxAttributes = 1000

// Manifest is the main section of META-INF/MANIFEST.MF: attribute names in
// lower case, since they are compared without case.
type Manifest map[string]string

// ParseManifest reads the main section of a manifest: lines "Name: value" up
// to the first empty line; a line that begins with a space continues the one
// before (https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html,
// "Name-Value pairs and Sections"). Lines end with CR LF, LF or CR. What is no
// attribute is skipped: tools of the world write such, and Java reads on. Of
// more than maxAttributes the first ones come with an error.
func ParseManifest(data []byte) (Manifest, error) {
	m := Manifest{}
	var name string
	var value []byte
	var over error
	keep := func() {
		if _, ok := m[name]; name != "" && !ok {
			if len(m) < maxAttributes {
				m[name] = strings.TrimSpace(string(value))
			} else {
				over = &limitError{fmt.Sprintf("more than %d main attributes in a manifest", maxAttributes)}
			}
		}
		name, value = "", nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for len(data) > 0 {
		end, skip := lineEnd(data)
		line := data[:end]
		data = data[end+skip:]
		if len(line) == 0 {
			if len(m) > 0 || name != "" {
				break // the sections of single entries follow
			}
			continue
		}
		if line[0] == ' ' {
			if name != "" {
				value = append(value, line[1:]...)
			}
			continue
		}
		keep()
		if key, rest, ok := bytes.Cut(line, []byte(":")); ok {
			name = strings.ToLower(strings.TrimSpace(string(key)))
			value = append([]byte{}, bytes.TrimPrefix(rest, []byte(" "))...)
		}
	}
	keep()
	return m, over
}

// lineEnd returns where the first line of b ends and how long its end is.
func lineEnd(b []byte) (end, skip int) {
	i := bytes.IndexAny(b, "\r\n")
	switch {
	case i < 0:
		return len(b), 0
	case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
		return i, 2
	}
	return i, 1
}

// symbolic returns the OSGi name of a bundle without its directives.
func (m Manifest) symbolic() string {
	name, _, _ := strings.Cut(m["bundle-symbolicname"], ";")
	return strings.TrimSpace(name)
}

// version returns what the manifest gives as the version of the implementation,
// else of the bundle. The specification's version is that of an API, which the
// artifact need not share, and counts last.
func (m Manifest) version() string {
	for _, key := range []string{"implementation-version", "bundle-version", "specification-version"} {
		if v := m[key]; plausibleVersion(v) {
			return v
		}
	}
	return ""
}

// nebula reads the title that Gradle's nebula plug-ins write:
// "group#artifact;version" (https://github.com/nebula-plugins/gradle-info-plugin, as of 2026-11).
func (m Manifest) nebula() (group, artifact, version string, ok bool) {
	group, rest, ok := strings.Cut(m["implementation-title"], "#")
	if !ok {
		return "", "", "", false
	}
	artifact, version, ok = strings.Cut(rest, ";")
	return group, artifact, version, ok && plausibleGroup(group) && plausibleArtifact(artifact) && plausibleVersion(version)
}
