package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// TestJoinDisputed: whatever says versions, none of them hides another.
func TestJoinDisputed(t *testing.T) {
	const (
		place = "node_modules/lodash"
		pnpm  = "node_modules/.pnpm/lodash@4.17.21/node_modules/lodash"
	)
	claim := func(version string, how jsbundle.Method, confidence float64, at string) jsbundle.Claim {
		return jsbundle.Claim{Name: "lodash", Version: version, Method: how, Confidence: confidence, Path: at}
	}
	literal := claim("4.17.15", jsbundle.MethodLiteral, 0.8, "")
	manifest := claim("4.17.15", jsbundle.MethodManifest, 0.95, "")
	comment := claim("4.17.21", jsbundle.MethodComment, 0.97, pnpm)
	lock := func(version string) string {
		return `{"lockfileVersion": 3, "packages": {"": {}, "node_modules/lodash": {"version": "` + version + `"}}}`
	}
	for _, tt := range []struct {
		name     string
		claims   []jsbundle.Claim
		inside   string // a lockfile that came with the bundle
		given    string
		disputed bool
		want     string // versions of each instance
	}{
		{"a path and a literal", []jsbundle.Claim{comment, literal}, "", "", true, "4.17.15|4.17.21"},
		{"a path and a manifest", []jsbundle.Claim{comment, manifest}, "", "", true, "4.17.15|4.17.21"},
		{"a map's path and a comment's", []jsbundle.Claim{claim("4.17.15", jsbundle.MethodSourceMap, 0.98, place), claim("4.17.21", jsbundle.MethodManifest, 0.97, place)}, "", "", true, "4.17.15|4.17.21"},
		{"an account and a literal", []jsbundle.Claim{claim("4.17.21", jsbundle.MethodMetafile, 0.99, pnpm), literal}, "", "", true, "4.17.15|4.17.21"},
		{"an SBOM and a literal", []jsbundle.Claim{claim("4.17.21", jsbundle.MethodMetafile, 0.3, ""), literal}, "", "", true, "4.17.15|4.17.21"},
		{"a lockfile and a literal", []jsbundle.Claim{claim("", jsbundle.MethodComment, 0.97, place), literal}, "", lock("4.17.21"), true, "4.17.15|4.17.21"},
		{"a lockfile and a manifest", []jsbundle.Claim{claim("", jsbundle.MethodComment, 0.97, place), manifest}, "", lock("4.17.21"), true, "4.17.15|4.17.21"},
		{"a lockfile and a path", []jsbundle.Claim{comment}, "", lock("4.17.15"), true, "4.17.15|4.17.21"},
		{"a lockfile that came along does not help the path", []jsbundle.Claim{comment}, lock("4.17.21"), lock("4.17.15"), true, "4.17.15|4.17.21"},
		{"a third piece does not decide", []jsbundle.Claim{comment, literal, claim("4.17.21", jsbundle.MethodLicence, 0.7, "")}, "", "", true, "4.17.15|4.17.21"},
		{"three versions", []jsbundle.Claim{comment, literal, claim("4.17.20", jsbundle.MethodLicence, 0.7, "")}, "", "", true, "4.17.15|4.17.20|4.17.21"},
		{"two copies and a literal of neither", []jsbundle.Claim{comment, claim("4.17.20", jsbundle.MethodComment, 0.97, "node_modules/a/node_modules/lodash"), literal}, "", "", true, "4.17.15|4.17.21 4.17.20"},
		{"they agree", []jsbundle.Claim{comment, claim("4.17.21", jsbundle.MethodLiteral, 0.8, "")}, "", lock("4.17.21"), false, "4.17.21"},
		{"two manifests are two copies", []jsbundle.Claim{manifest, claim("4.17.21", jsbundle.MethodManifest, 0.95, "")}, "", "", false, "4.17.15 4.17.21"},
	} {
		var locks []*lockIndex
		for _, l := range []struct {
			text  string
			given bool
		}{{tt.given, true}, {tt.inside, false}} {
			if l.text == "" {
				continue
			}
			file, err := ReadLockfile("package-lock.json", []byte(l.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			file.index.given = l.given
			locks = append(locks, file.index)
		}
		var got []string
		disputed := false
		for _, f := range join(&bundled{path: "index.js", claims: tt.claims}, locks) {
			if (f.version == "") != f.disputed || f.disputed != (len(f.versions) > 1) || f.disputed && f.hashes != nil {
				t.Errorf("%s: %+v", tt.name, f)
			}
			disputed = disputed || f.disputed
			got = append(got, f.version+strings.Join(f.versions, "|"))
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != tt.want || disputed != tt.disputed {
			t.Errorf("%s: %s, disputed %v; want %s", tt.name, s, disputed, tt.want)
		}
	}
}

// TestJoinCrowd: more versions than anybody can mean leave the version unknown.
func TestJoinCrowd(t *testing.T) {
	var claims []jsbundle.Claim
	for i := range maxCandidates + 5 {
		claims = append(claims, jsbundle.Claim{Name: "lodash", Version: fmt.Sprintf("4.17.%d", i), Method: jsbundle.MethodLiteral, Confidence: 0.8})
	}
	b := &bundled{path: "index.js", claims: claims}
	list := join(b, nil)
	if len(list) != 1 || list[0].version != "" || list[0].versions != nil || !list[0].disputed {
		t.Errorf("%+v", list)
	}
}
