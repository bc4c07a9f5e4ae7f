package jar

import "testing"

// TestVersionInName holds that a version which an artifact id has is no version of the artifact.
func TestVersionInName(t *testing.T) {
	for file, want := range map[string][2]string{
		"xml-apis-1.4-1.4.01.jar":               {"xml-apis-1.4", "1.4.01"},
		"xml-apis-1.4.01.jar":                   {"xml-apis", "1.4.01"},
		"widget-core-1.2-20240102.030405-7.jar": {"widget-core", "1.2-20240102.030405-7"},
		"log4j-1.2-api-2.17.1.jar":              {"log4j-1.2-api", "2.17.1"},
		"guava-31.1-jre.jar":                    {"guava", "31.1-jre"},
		"protobuf-java-3.0.0-beta-3.jar":        {"protobuf-java", "3.0.0-beta-3"},
		"thing-1-10.0.jar":                      {"thing", "1-10.0"},
		"thing-1.2-1.20.jar":                    {"thing", "1.2-1.20"},
	} {
		if n := splitFileName(file); n.artifact != want[0] || n.version != want[1] {
			t.Errorf("splitFileName(%q) = %q, %q, want %q", file, n.artifact, n.version, want)
		}
	}
}
