package integrity

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// TestArriveTarball: what is taken while an archive arrives is what a comparison
// makes of it, whatever the sizes of the pieces.
func TestArriveTarball(t *testing.T) {
	data := packed(t, tree{"package.json": `{"name":"demo"}`, "index.js": strings.Repeat("x", 100_000), "lib/a.js": "a"})
	made, _, err := readArchive(t.Context(), &registry.Archive{Bytes: bytes.NewReader(data), Size: int64(len(data))}, maxUnpacked)
	if err != nil {
		t.Fatal(err)
	}
	taking := Arrive()(registry.Package{System: registry.NPM, Name: "demo"}, "")
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(data), "byte by byte": iotest.OneByteReader(bytes.NewReader(data)), "more behind": bytes.NewReader(append(bytes.Clone(data), "more"...))} {
		got, err := taking.Stream(r)
		if err != nil || !bytes.Equal(got, made.encode()) || taking.Read(got) != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, r := range map[string]io.Reader{"nothing": bytes.NewReader(nil), "cut short": bytes.NewReader(data[:len(data)/2]), "no archive": strings.NewReader("<html>")} {
		if got, err := taking.Stream(r); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if taking.Read([]byte("words")) == nil {
		t.Error("words were read as a list of files")
	}
}

// TestArriveBudget: what all archives of a client unpack to is bounded.
func TestArriveBudget(t *testing.T) {
	data := packed(t, tree{"big": strings.Repeat("x", 1<<20)})
	left := &budget{bytes: 3 << 20, files: 10}
	for i, ok := range []bool{true, true, false, false} {
		if _, err := listTarball(bytes.NewReader(data), left); (err == nil) != ok {
			t.Errorf("archive %d: %v", i, err)
		}
	}
}

// TestArriveOthers: of what is taken from archives of other systems.
func TestArriveOthers(t *testing.T) {
	arrive := Arrive()
	for _, p := range []registry.Package{{System: registry.Go, Name: "a.test/b"}, {System: registry.PyPI, Name: "demo"}, {System: registry.Maven, Name: "a:b"}} {
		if arrive(p, "demo-1.0.tar.gz") != nil {
			t.Errorf("something is taken of %s", p)
		}
	}
	wheel := arrive(registry.Package{System: registry.PyPI, Name: "demo"}, "demo-1.0-py3-none-any.whl")
	if wheel == nil || wheel.Form != wheelForm || wheel.Stream != nil || wheel.Read([]byte("a.py,sha256=x,1\n,")) == nil {
		t.Errorf("of a wheel: %+v", wheel)
	}
}
