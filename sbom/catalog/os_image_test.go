package catalog

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// member is one file of a layer made for a test; a body "-> x" is a link to x.
type member struct{ name, body string }

func layerTar(t *testing.T, members []member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o755, Size: int64(len(m.body))}
		if to, ok := strings.CutPrefix(m.body, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size, m.body = tar.TypeSymlink, to, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// catalogueImage catalogues a docker archive of these layers, bottom first.
func catalogueImage(t *testing.T, layers ...[]member) (*sbom.SBOM, *bundle.Image) {
	t.Helper()
	fn := openImage(t, &bundle.Image{}, layers...)
	s, err := New(Options{}).Run(context.Background(), fn)
	if err != nil {
		t.Fatal(err)
	}
	return s, fn.Volumes[0].Image()
}

// openImage opens a docker archive of these layers, bottom first, which says of
// itself what runs has.
func openImage(t *testing.T, runs *bundle.Image, layers ...[]member) *bundle.Function {
	t.Helper()
	var archive []member
	var diffs, names []string
	for i, l := range layers {
		b := layerTar(t, l)
		name := fmt.Sprintf("layer%d.tar", i)
		archive = append(archive, member{name, string(b)})
		names = append(names, name)
		diffs = append(diffs, fmt.Sprintf("sha256:%x", sha256.Sum256(b)))
	}
	config, err := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64",
		"config": map[string]any{"Entrypoint": runs.Entrypoint, "Cmd": runs.Cmd, "Env": runs.Env, "WorkingDir": runs.WorkingDir}, "rootfs": map[string]any{"type": "layers", "diff_ids": diffs}})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "Layers": names}})
	if err != nil {
		t.Fatal(err)
	}
	archive = append(archive, member{"config.json", string(config)}, member{"manifest.json", string(manifest)})
	p := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(p, layerTar(t, archive), 0o600); err != nil {
		t.Fatal(err)
	}
	fn, err := (&bundle.Opener{}).Open(context.Background(), bundle.Spec{Ref: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fn.Close() })
	return fn
}

// placed says of each component whose it is and in which layer it lies, of each
// gap whether it counts.
func placed(s *sbom.SBOM, img *bundle.Image) string {
	var out []string
	for _, c := range s.Components {
		layer := "?"
		for i, l := range img.Layers {
			if d := c.Occurrences[0].Layer; d != "" && (d == l.Digest || d == l.DiffID) {
				layer = fmt.Sprint(i)
			}
		}
		out = append(out, fmt.Sprintf("%s %s %s %s", c.Origin, layer, c.Name, c.Version))
	}
	for _, u := range s.Unknowns {
		out = append(out, fmt.Sprintf("? %s %s code=%v %s", u.Origin, u.Kind, u.Code, u.Path))
	}
	return strings.Join(out, "\n")
}

func dpkgEntry(name, version string) string {
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: all\nMaintainer: a <a@debian.org>\nVersion: " + version + "\n"
}

// TestImageLayers: a package belongs to the layer that brought it, though every
// later one rewrites the database, and keeps its files only while they are its
// own.
func TestImageLayers(t *testing.T) {
	program := string(elfWith(".text", []byte("code"), 0))
	sum := fmt.Sprintf("%x", md5.Sum([]byte(program)))
	tool := []member{
		{"var/lib/dpkg/info/tool.list", "/.\n/bin/tool\n/bin/kept\n"},
		{"var/lib/dpkg/info/tool.md5sums", sum + "  bin/tool\n" + sum + "  bin/kept\n"},
	}
	got := placed(catalogueImage(t,
		append([]member{
			{"etc/os-release", "ID=debian\nVERSION_ID=12\n"}, {"bin", "-> usr/bin"},
			{"var/lib/dpkg/status", dpkgEntry("tool", "1")},
			{"usr/bin/tool", program}, {"usr/bin/kept", program}, {"usr/bin/stray", program},
		}, tool...),
		[]member{ // apt-get install
			{"var/lib/dpkg/status", dpkgEntry("tool", "1") + "\n" + dpkgEntry("mine", "2")},
			{"var/lib/dpkg/info/mine.list", "/usr/bin/mine\n"},
			{"usr/bin/mine", program},
		},
		[]member{ // a copy over the distribution's program, and a change of its owner
			{"usr/bin/tool", program + "changed"},
			{"usr/bin/kept", program},
			{"var/task/node_modules/left-pad/package.json", `{"name": "left-pad", "version": "1.3.0"}`},
		},
	))
	want := `app 1 mine 2
base 0 tool 1
app 2 left-pad 1.3.0
? base opaque code=false usr/bin/stray
? app opaque code=true usr/bin/tool`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestLambdaImage: AWS's images have Amazon Linux below and the runtime above
// it. No advisory source covers the packages, which are listed all the same.
func TestLambdaImage(t *testing.T) {
	program := string(elfWith(".text", []byte("code"), 0))
	got := placed(catalogueImage(t,
		[]member{
			{"etc/os-release", "ID=\"amzn\"\nVERSION_ID=\"2023\"\n"},
			{"var/lib/rpm/rpmdb.sqlite", string(rpmFixture(t, "rpmdb.sqlite"))},
		},
		[]member{
			{"lambda-entrypoint.sh", "#!/bin/sh\n"}, {"var/runtime/bootstrap", "#!/bin/sh\n"},
			{"var/lang/lib/node_modules/npm/package.json", `{"name": "npm", "version": "10.8.2"}`},
			{"var/lang/lib/libextra.so", program},
		},
		[]member{ // npm install -g, as a build step of the function
			{"var/lang/lib/node_modules/esbuild/package.json", `{"name": "esbuild", "version": "0.20.0"}`},
			{"var/task/bin/tool", program},
		},
	))
	want := `app 2 esbuild 0.20.0
runtime 1 npm 10.8.2
base 0 alpha 1.2.3-4.el9
base 0 beta 2:0.9-1.el9
base 0 gamma 7-0.1.rc2.el9
? runtime opaque code=false var/lang/lib/libextra.so
? app opaque code=true var/task/bin/tool`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestUnreadableBase: what could not be read stays a gap, wherever it lies.
func TestUnreadableBase(t *testing.T) {
	got := placed(catalogueImage(t,
		[]member{
			{"etc/os-release", "ID=alpine\nVERSION_ID=3.20.1\n"},
			{"lib/apk/db/installed", "P:a\nV:1-r0\n\nP:b\n"},
		},
		[]member{{"var/task/index.js", "exports.handler = async () => 1\n"}},
	))
	want := "base 0 a 1-r0\n? base unreadable code=true lib/apk/db/installed"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
