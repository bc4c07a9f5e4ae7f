package jar

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzManifest(f *testing.F) {
	f.Add([]byte("Manifest-Version: 1.0\r\nBundle-SymbolicName: a.b;x:=1\r\nImplementation-Version: 1\r\n .2\r\n\r\nName: x\r\n"))
	f.Add([]byte("\xef\xbb\xbfImplementation-Title: g#a;1\n"))
	f.Add([]byte(" x\n:\n: y\r\rA:b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, _ := ParseManifest(data)
		if len(m) > maxAttributes {
			t.Errorf("%d attributes", len(m))
		}
		total := 0
		for k, v := range m {
			total += len(v)
			if utf8.ValidString(k) && strings.ToLower(k) != k || strings.ContainsAny(k+v, "\r\n") {
				t.Errorf("attribute %q: %q", k, v)
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes of values from %d", total, len(data))
		}
		if v := m.version(); v != "" && !plausibleVersion(v) {
			t.Errorf("version %q", v)
		}
		if g, a, v, ok := m.nebula(); ok && (!plausibleGroup(g) || !plausibleArtifact(a) || !plausibleVersion(v)) {
			t.Errorf("nebula %q %q %q", g, a, v)
		}
	})
}

func FuzzProperties(f *testing.F) {
	f.Add([]byte("#c\ngroupId=a\\\n  b\nartifactId : x\\u0041\nversion 1"))
	f.Add([]byte("a\\=b=c\n!x\n\\"))
	f.Add([]byte("\\u00\n\\uD800=\\uzzzz\r\n\\\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		props, err := ParseProperties(data)
		if len(props) > maxProperties || err == nil && len(props) > len(data) {
			t.Errorf("%d properties of %d bytes", len(props), len(data))
		}
		total := 0
		for k, v := range props {
			total += len(k) + len(v)
		}
		if total > len(data) {
			t.Errorf("%d bytes of text from %d", total, len(data))
		}
		propertyVersion(props, "*.x")
	})
}

func FuzzPOM(f *testing.F) {
	f.Add([]byte("<project><parent><groupId>g</groupId><version>1</version></parent><artifactId>a</artifactId><version>${v}</version><properties><v>2</v></properties></project>"))
	f.Add([]byte("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><project><artifactId>\xe9</artifactId></project>"))
	f.Add([]byte("<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"))
	f.Add([]byte("</x>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePOM(data)
		if err == nil && p.Artifact == "" {
			t.Error("no artifact and no error")
		}
		if n := len(p.Group) + len(p.Artifact) + len(p.Version); strings.Contains(p.Group+p.Artifact+p.Version, "${") || n > 4*2*maxXMLField*2 {
			t.Errorf("got %+v", p)
		}
		if len(p.Licences) > maxLicences {
			t.Errorf("%d licences", len(p.Licences))
		}
	})
}

func FuzzClass(f *testing.F) {
	f.Add(classOf([]string{"1.2.3", "text"}))
	f.Add(classOf(nil))
	f.Add([]byte{0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0xff, 0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseClass(data)
		total := 0
		for _, s := range c.Strings {
			total += len(s)
			if !bytes.Contains(data, []byte(s)) {
				t.Errorf("%q is not in the file", s)
			}
		}
		if total > len(data) || err != nil && total > 0 {
			t.Errorf("%d bytes of text from %d, %v", total, len(data), err)
		}
		literalVersion(c.Strings, "v_")
	})
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"lib/a-1.0.jar", "log4j-1.2-api-2.17.1.jar", "a-1.0-SNAPSHOT-all.jar", "-1.jar", "a-.jar", "com/a/b/1/b-1.jar", "a--1-2-x.war"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := splitFileName(s)
		if n.version != "" {
			again := n.artifact + "-" + n.version
			if n.classifier != "" {
				again += "-" + n.classifier
			}
			if !plausibleVersion(n.version) || strings.TrimRight(n.stem, "-") != strings.TrimRight(again, "-") {
				t.Errorf("%q is %+v", s, n)
			}
		}
		if g := layoutGroup(s, n); g != "" && !plausibleGroup(g) {
			t.Errorf("group %q", g)
		}
	})
}

// FuzzScan reads anything as an archive in an archive.
func FuzzScan(f *testing.F) {
	f.Add(zipOf(f, properties("g.h", "a", "1"), manifest("Main-Class: a.B")))
	f.Add(zipOf(f, append(gson("x/gson"), jarFile(f, "in.jar", pom("g.h", "b", "2")))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := Options{MaxDepth: 3, MaxInflated: 1 << 20, MaxNested: 1 << 20, MaxPackages: 20, MaxUnknowns: 20}
		r := scan(t, opts, "f.zip", zipOf(t, file{name: "x.jar", data: data}))
		if len(r.Packages) > 20 || len(r.Unknowns) > 22 {
			t.Errorf("%d packages, %d unknowns", len(r.Packages), len(r.Unknowns))
		}
		if len(r.Packages)+len(r.Unknowns) == 0 && !openable(t, data) {
			t.Error("nothing is said of an archive that cannot be read")
		}
	})
}
