package catalog

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
)

// jarOf returns an archive that Maven built.
func jarOf(t testing.TB, group, artifact, version string) []byte {
	t.Helper()
	p := filepath.Join(t.TempDir(), "x.jar")
	writeZip(t, p, []txtar.File{
		{Name: "META-INF/maven/" + group + "/" + artifact + "/pom.properties", Data: []byte("groupId=" + group + "\nartifactId=" + artifact + "\nversion=" + version + "\n")},
		{Name: strings.ReplaceAll(group, ".", "/") + "/A.class", Data: []byte("\xca\xfe\xba\xbe")},
	})
	data, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestJavaArchives catalogues archives that lie in a function.
func TestJavaArchives(t *testing.T) {
	rocket := jarOf(t, "com.acme", "rocket", "1.0")
	newer := jarOf(t, "com.acme", "rocket", "2.0")
	tests := []struct {
		name  string
		files []txtar.File
		want  []string // parts of the rendered lines, in their order
	}{
		{"library", []txtar.File{{Name: "function/lib/rocket.jar", Data: rocket}}, []string{"live app pkg:maven/com.acme/rocket@1.0"}},
		{"behind something else", []txtar.File{{Name: "function/lib/rocket.jar", Data: append([]byte("#!/bin/sh\nexec java -jar $0\n"), rocket...)}}, []string{"live app pkg:maven/com.acme/rocket@1.0"}},
		{"behind junk", []txtar.File{{Name: "function/lib/rocket.jar", Data: append([]byte("junk"), rocket...)}}, []string{"live app pkg:maven/com.acme/rocket@1.0"}},
		{"no archive", []txtar.File{{Name: "function/lib/rocket.jar", Data: []byte("this is no archive, whatever it is called")}}, []string{"? unreadable code=true 0 lib/rocket.jar"}},
		{"short", []txtar.File{{Name: "function/lib/rocket.jar", Data: []byte("PK")}}, []string{"? unreadable code=true 0 lib/rocket.jar"}},
		{"empty", []txtar.File{{Name: "function/lib/rocket.jar"}}, []string{"? unreadable code=true 0 lib/rocket.jar"}},
		{"truncated", []txtar.File{{Name: "function/lib/rocket.jar", Data: rocket[:len(rocket)-30]}}, []string{"? unreadable code=true 0 lib/rocket.jar"}},
		{"the first on the class path wins", []txtar.File{{Name: "function/lib/a.jar", Data: newer}, {Name: "function/lib/b.jar", Data: rocket}},
			[]string{"shadowed app pkg:maven/com.acme/rocket@1.0", "live app pkg:maven/com.acme/rocket@2.0"}},
		{"the function's own comes before a layer's", []txtar.File{{Name: "function/lib/z.jar", Data: rocket}, {Name: "layer1/java/lib/a.jar", Data: newer}},
			[]string{"live app pkg:maven/com.acme/rocket@1.0", "shadowed layer pkg:maven/com.acme/rocket@2.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.TrimSpace(render(catalogueFiles(t, "java21", tt.files)))
			rest := got
			for _, w := range tt.want {
				i := strings.Index(rest, w)
				if i < 0 {
					t.Fatalf("no %q in order in:\n%s", w, got)
				}
				rest = rest[i:]
			}
		})
	}
}

// TestMavenGroups asks for the group that the bytes do not say.
func TestMavenGroups(t *testing.T) {
	var asked []string
	opts := Options{MavenGroups: func(artifact string) []string {
		asked = append(asked, artifact)
		return []string{"com.acme.rockets"}
	}}
	f := openZip(t, txtar.File{Name: "lib/rocket-engine-1.0.jar", Data: zipBytes(t, "com/acme/A.class")})
	s, err := New(opts).Run(t.Context(), f)
	if err != nil || len(s.Components) != 1 || s.Components[0].PURL != "pkg:maven/com.acme.rockets/rocket-engine@1.0" {
		t.Errorf("got %+v, %v", s, err)
	}
	if !slices.Contains(asked, "rocket-engine") {
		t.Errorf("asked for %q", asked)
	}
}

func zipBytes(t testing.TB, names ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, n := range names {
		if _, err := w.Create(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// BenchmarkScanFatJar catalogues a function of the shape of a Spring Boot
// service: 120 archives of 250 classes each.
func BenchmarkScanFatJar(b *testing.B) {
	p := filepath.Join(b.TempDir(), "app.jar")
	files := []txtar.File{{Name: "BOOT-INF/classes/com/shop/App.class"}}
	for i := range 120 {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for j := range 250 {
			if _, err := w.Create(fmt.Sprintf("com/acme/p%d/q%d/Class%d.class", i, j%20, j)); err != nil {
				b.Fatal(err)
			}
		}
		e, err := w.Create(fmt.Sprintf("META-INF/maven/com.acme/lib%d/pom.properties", i))
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(e, "groupId=com.acme\nartifactId=lib%d\nversion=1.%d\n", i, i)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		files = append(files, txtar.File{Name: fmt.Sprintf("BOOT-INF/lib/lib%d-1.%d.jar", i, i), Data: buf.Bytes()})
	}
	writeZip(b, p, files)
	f, err := (&bundle.Opener{}).Open(context.Background(), bundle.Spec{Ref: p})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		s, err := New(Options{}).Run(context.Background(), f)
		if err != nil || len(s.Components) != 120 || len(s.Unknowns) != 0 {
			b.Fatalf("%d components, %d unknowns, %v", len(s.Components), len(s.Unknowns), err)
		}
	}
}
