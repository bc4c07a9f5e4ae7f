package jar

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplitFileName(t *testing.T) {
	tests := []struct{ in, artifact, version, classifier string }{
		{"lib/gson-2.8.5.jar", "gson", "2.8.5", ""},
		{"log4j-1.2-api-2.17.1.jar", "log4j-1.2-api", "2.17.1", ""},
		{"geronimo-jms_1.1_spec-1.1.1.jar", "geronimo-jms_1.1_spec", "1.1.1", ""},
		{"guava-31.1-jre.jar", "guava", "31.1-jre", ""},
		{"app-1.0-SNAPSHOT.jar", "app", "1.0-SNAPSHOT", ""},
		{"app-1.0-20260102.030405-7.jar", "app", "1.0-20260102.030405-7", ""},
		{"app-1.0-SNAPSHOT-all.jar", "app", "1.0-SNAPSHOT", "all"},
		{"app-1.0-jar-with-dependencies.jar", "app", "1.0", "jar-with-dependencies"},
		{"netty-transport-native-epoll-4.1.86.Final-linux-x86_64.jar", "netty-transport-native-epoll", "4.1.86.Final", "linux-x86_64"},
		{"lwjgl-3.3.1-natives-linux.jar", "lwjgl", "3.3.1", "natives-linux"},
		{"kafka_2.13-3.4.0.jar", "kafka_2.13", "3.4.0", ""},
		{"scala-library.jar", "scala-library", "", ""},
		{"a-1.0-sources.jar", "a", "1.0", "sources"},
		{"jackson-core-2.15.0-rc2.jar", "jackson-core", "2.15.0-rc2", ""},
		{"web.WAR", "web", "", ""},
		{"-1.jar", "-1", "", ""},
		{"a-.jar", "a-", "", ""},
		{".jar", "", "", ""},
		{"", ".", "", ""},
	}
	for _, tt := range tests {
		n := splitFileName(tt.in)
		if n.artifact != tt.artifact || n.version != tt.version || n.classifier != tt.classifier {
			t.Errorf("%q is %+v", tt.in, n)
		}
	}
}

func TestLayoutGroup(t *testing.T) {
	tests := []struct{ in, want string }{
		{"m2/repository/com/acme/x/rocket/1.0/rocket-1.0.jar", "com.acme.x"},
		{"repository/rocket/rocket/1.0/rocket-1.0.jar", "rocket"},
		{"opt/cache/com.acme/rocket/1.0/0123456789abcdef0123456789abcdef01234567/rocket-1.0.jar", "com.acme"},
		{"com/acme/rocket/2.0/rocket-1.0.jar", ""},
		{"com/acme/other/1.0/rocket-1.0.jar", ""},
		{"lib/rocket-1.0.jar", ""},
		{"rocket.jar", ""},
	}
	for _, tt := range tests {
		if got := layoutGroup(tt.in, splitFileName(tt.in)); got != tt.want {
			t.Errorf("%q is of %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestTable parses the table that the program panics without.
func TestTable(t *testing.T) {
	table, err := parseTable(librariesText)
	if err != nil || len(table.libraries) < 100 || len(table.groups) < 500 {
		t.Fatalf("%v", err)
	}
	for i := range table.libraries {
		if lib := &table.libraries[i]; needed(len(lib.markers)) > len(lib.markers) {
			t.Errorf("%s can never be found", lib.name)
		}
	}
	for _, bad := range []string{"nothing", "a:b root", ":b", "a:b root C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19 C20 C21 C22 C23 C24 C25 C26 C27 C28 C29 C30 C31 C32 C33"} {
		if _, err := parseTable(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestParseManifest(t *testing.T) {
	m, err := ParseManifest([]byte("\xef\xbb\xbfManifest-Version: 1.0\r\nBundle-SymbolicName: a.b;x:\r\n =1\rIMPLEMENTATION-version:1.2\nnonsense\n\nName: a\nBundle-Version: 9\n"))
	if err != nil || m.symbolic() != "a.b" || m.version() != "1.2" || len(m) != 3 {
		t.Errorf("got %q", m)
	}
	var many strings.Builder
	for i := range maxAttributes + 1 {
		fmt.Fprintf(&many, "Name-%d: x\nName-1: again\n", i)
	}
	if m, err := ParseManifest([]byte(many.String())); err == nil || len(m) != maxAttributes {
		t.Errorf("%d attributes and error %v of more than the limit", len(m), err)
	}
	many.Reset()
	for i := range maxAttributes {
		fmt.Fprintf(&many, "Name-%d: x\nName-1: again\n", i)
	}
	if m, err := ParseManifest([]byte(many.String())); err != nil || len(m) != maxAttributes {
		t.Errorf("%d attributes and error %v at the limit", len(m), err)
	}
}

func TestParseProperties(t *testing.T) {
	props, err := ParseProperties([]byte("# c \\\na=1\n  b : 2\nc 3\\\n   4\n! no\nd\\=e=\\u0041\\t\na=5\nf"))
	want := map[string]string{"a": "5", "b": "2", "c": "34", "d=e": "A\t", "f": ""}
	if err != nil || len(props) != len(want) {
		t.Errorf("got %q, %v", props, err)
	}
	for k, v := range want {
		if props[k] != v {
			t.Errorf("%s is %q", k, props[k])
		}
	}
}

func TestParsePOM(t *testing.T) {
	tests := []struct{ in, want string }{
		{"<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>", "g a 1"},
		{"<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent><artifactId>a</artifactId></project>", "g a 1"},
		{"<project><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version><properties><v>2</v></properties></project>", "g a 2"},
		{"<project><parent><version>3</version></parent><artifactId>a</artifactId><version>${project.parent.version}</version></project>", " a 3"},
		{"<project><artifactId>a</artifactId><version>${a}${b}</version></project>", " a "},
		{"<project><dependencies><dependency><artifactId>d</artifactId></dependency></dependencies><artifactId>a</artifactId></project>", " a "},
		{"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><project><name>\xe9</name><artifactId>a</artifactId></project>", " a "},
		{"<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><project><artifactId>a</artifactId><version>&x;</version></project>", " a &x;"},
	}
	for _, tt := range tests {
		p, err := ParsePOM([]byte(tt.in))
		if got := p.Group + " " + p.Artifact + " " + p.Version; err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", tt.in, got, err)
		}
	}
}

// TestTruncatedPOM demands an error where the version may follow.
func TestTruncatedPOM(t *testing.T) {
	for _, in := range []string{"", "<project>", "<project><parent><version>1</version></parent><artifactId>a</artifactId>", "<project></project></project>", "<project><artifactId>a</art"} {
		if p, err := ParsePOM([]byte(in)); err == nil {
			t.Errorf("%q: %+v", in, p)
		}
	}
}
