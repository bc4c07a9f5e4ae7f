package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// extensionsOf returns the purls of the components that are extensions.
func extensionsOf(s *sbom.SBOM) []string {
	var out []string
	for _, c := range s.Components {
		if slices.ContainsFunc(c.Evidence, func(e sbom.Evidence) bool { return e.Method == sbom.MethodExtension }) {
			out = append(out, fmt.Sprintf("%s %s %s %s", c.PURL, c.Origin, c.State, c.Occurrences[0].Path))
		}
	}
	return out
}

func TestExtensions(t *testing.T) {
	file := func(name, text string) txtar.File { return txtar.File{Name: name, Data: []byte(text)} }
	s := catalogueFiles(t, "nodejs24.x", []txtar.File{
		file("function/index.js", "exports.handler = () => 1"),
		file("function/extensions/mine", "#!/bin/sh"), // in the function's own folder the platform looks for none
		file("layer1/extensions/agent", "#!/bin/sh\nexec /opt/agent/run"),
		file("layer1/extensions/lib/helper", "#!/bin/sh"),
		file("layer1/extensions-old/other", "#!/bin/sh"),
		file("layer1/agent/run", "#!/bin/sh"),
		file("layer2/extensions/we@ird?name", "#!/bin/sh"),
	})
	want := []string{"pkg:generic/agent layer live extensions/agent", "pkg:generic/we%40ird%3Fname layer live extensions/we@ird?name"}
	if got := extensionsOf(s); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExtensionsOfImage(t *testing.T) {
	img := []member{{"opt/extensions/agent", "#!/bin/sh"}, {"var/task/index.js", "1"}, {"var/runtime/bootstrap", "#!/bin/sh"}, {"lambda-entrypoint.sh", "#!/bin/sh"}}
	fn := openImage(t, &bundle.Image{Entrypoint: []string{"/lambda-entrypoint.sh"}}, []member{{"etc/os-release", "ID=debian\n"}}, img)
	s, err := New(Options{}).Run(t.Context(), fn)
	if err != nil {
		t.Fatal(err)
	}
	if got := extensionsOf(s); len(got) != 1 || !strings.HasPrefix(got[0], "pkg:generic/agent app live opt/extensions/agent") {
		t.Errorf("%q", got)
	}
}

// TestExtensionsLimit: what is over the limit is not passed over.
func TestExtensionsLimit(t *testing.T) {
	var files []txtar.File
	for i := range maxExtensions + 1 {
		files = append(files, txtar.File{Name: fmt.Sprintf("layer1/extensions/e%03d", i), Data: []byte("#!/bin/sh")})
	}
	s := catalogueFiles(t, "nodejs24.x", files)
	if got := extensionsOf(s); len(got) != maxExtensions {
		t.Errorf("%d listed", len(got))
	}
	if !slices.ContainsFunc(s.Unknowns, func(u sbom.Unknown) bool {
		return u.Kind == sbom.Limit && u.Code && strings.Contains(u.Reason, "/opt/extensions")
	}) {
		t.Errorf("nothing says that there are more: %+v", s.Unknowns)
	}
}
