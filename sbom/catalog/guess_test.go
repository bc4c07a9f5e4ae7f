package catalog

import (
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// TestGuessedPlatformProvidesNothing: only a declared platform or runtime may
// hide a declaration, and never one by URL.
func TestGuessedPlatformProvidesNothing(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		spec       bundle.Spec
		want       sbom.State
	}{
		{"guessed", "urllib3<1.25", bundle.Spec{}, sbom.Declared},
		{"platform", "urllib3<1.25", bundle.Spec{Platform: bundle.PlatformAWS}, sbom.Provided},
		{"runtime", "urllib3<1.25", bundle.Spec{Runtime: "python3.12"}, sbom.Provided},
		{"URL", "urllib3 @ https://host.example/urllib3.zip", bundle.Spec{Runtime: "python3.12"}, sbom.Declared},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Ref = t.TempDir() + "/f.zip"
			writeZip(t, tt.spec.Ref, []txtar.File{{Name: "lambda_function.py", Data: []byte("x = 1\n")}, {Name: "requirements.txt", Data: []byte(tt.line)}})
			f, err := (&bundle.Opener{}).Open(t.Context(), tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := New(Options{}).Run(t.Context(), f)
			if err != nil || len(s.Components) != 1 || s.Components[0].State != tt.want {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
}

// TestComponentsAreBoundedWhileTheyAreFound: lockfiles cannot make more
// packages than the limit either, and the unknown comes past a full list.
func TestComponentsAreBoundedWhileTheyAreFound(t *testing.T) {
	f := openZip(t,
		txtar.File{Name: "requirements.txt", Data: []byte("a==1\nb==1\nc==1\nd==1\n")},
		txtar.File{Name: "poetry.lock", Data: []byte("{")})
	a := newArtifact(Options{MaxComponents: 2, MaxUnknowns: 1}.withDefaults(), f.Volumes[0])
	if err := a.catalogue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(a.found) != 2 || a.tooMany != 2 {
		t.Errorf("%d packages, %d over the limit", len(a.found), a.tooMany)
	}
	if u := a.unknowns[len(a.unknowns)-1]; u.Kind != sbom.Limit || !u.Code {
		t.Errorf("got %+v", a.unknowns)
	}
}
