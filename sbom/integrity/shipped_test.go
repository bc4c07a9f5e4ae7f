package integrity

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// TestShipped: archives that were shipped as they were published.
func TestShipped(t *testing.T) {
	sum1 := func(s string) string { h := sha1.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
	sum256 := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	sum512 := func(s string) []byte { h := sha512.Sum512([]byte(s)); return h[:] }
	jar := sbom.Component{PURL: "pkg:maven/org.demo/demo@1.0", Name: "org.demo:demo", Version: "1.0", State: sbom.Live, Occurrences: []sbom.Occurrence{{Path: "lib/demo-1.0.jar!/META-INF/maven/org.demo/demo/pom.properties"}}}
	inner := jar
	inner.Occurrences = []sbom.Occurrence{{Path: "lib/demo-1.0.jar!/lib/x.jar!/a"}}
	gem := sbom.Component{PURL: "pkg:gem/demo@1.0", Name: "demo", Version: "1.0", State: sbom.Live, Occurrences: []sbom.Occurrence{{Path: "vendor/specifications/demo-1.0.gemspec"}}, Hashes: map[string]string{"sha256": sum256("gem")}}
	const lib, cached = "lib/demo-1.0.jar", "vendor/cache/demo-1.0.gem"
	const nothing = ": nothing at hand says how its files should be\n"
	const expected = ": its archive is not the one that is expected\n"
	told := func(alg, sum string) map[string]string { return map[string]string{alg: sum} }
	for name, tt := range map[string]struct {
		code tree
		m    sbom.Component
		told map[string]string
		want string
	}{
		"nothing known":     {tree{lib: "jar"}, jar, nil, "left " + jar.PURL + nothing},
		"as published":      {tree{lib: "jar"}, jar, told("sha256", sum256("jar")), ""},
		"weakly":            {tree{lib: "jar"}, jar, told("sha1", sum1("jar")), "left " + jar.PURL + ": only the digest beside its archive, or a weak one, says how it should be\n"},
		"another":           {tree{lib: "jar"}, jar, told("sha1", sum1("other")), "medium integrity-changed " + jar.PURL + " " + lib + "\nleft " + jar.PURL + expected},
		"of one in it":      {tree{lib: "jar"}, inner, told("sha1", sum1("other")), "left " + jar.PURL + nothing},
		"digest beside":     {tree{lib: "jar", lib + ".sha1": sum1("jar") + "  demo-1.0.jar\n"}, jar, nil, "left " + jar.PURL + ": only the digest beside its archive, or a weak one, says how it should be\n"},
		"other digest":      {tree{lib: "jar", lib + ".sha1": sum1("other")}, jar, nil, "medium integrity-changed " + jar.PURL + " " + lib + "\nleft " + jar.PURL + expected},
		"odd digest":        {tree{lib: "jar", lib + ".sha1": "words"}, jar, nil, "left " + jar.PURL + nothing},
		"of nobody":         {tree{"p/x.1.nupkg": "x", "p/x.1.nupkg.sha512": base64.StdEncoding.EncodeToString(sum512("y"))}, jar, nil, "medium integrity-changed  p/x.1.nupkg\nleft " + jar.PURL + nothing},
		"locked":            {tree{cached: "gem"}, gem, nil, ""},
		"locked, exchanged": {tree{cached: "evil"}, gem, nil, "high integrity-changed " + gem.PURL + " " + cached + "\nleft " + gem.PURL + expected},
		"locked, not there": {tree{"app.rb": "1"}, gem, nil, "left " + gem.PURL + nothing},
	} {
		c := newCheck(Of{Function: open(t, tt.code), SBOM: &sbom.SBOM{Components: []sbom.Component{tt.m}}})
		if tt.told != nil {
			c.standings = map[string]*registry.Standing{tt.m.PURL: {Answer: registry.Known, Version: true, Integrity: tt.told}}
		}
		if _, got := finish(t, c); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}
