package catalog

import (
	"archive/zip"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

var update = flag.Bool("update", false, "rewrite the golden sections of testdata/*.txtar")

// TestGolden catalogues each testdata/*.txtar: "function/..." is the code,
// "layer1/...", "layer2/..." are the layers. A file whose only line is
// "-> TARGET" is a symbolic link, "ELF" stands for a shared library; a last line
// "PAD" stands for 32 KiB of code. The comment may hold "runtime: ID", and
// "traits: yes" where only traits are asked for.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test cases: %v", err)
	}
	for _, p := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(p), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(p)
			if err != nil {
				t.Fatal(err)
			}
			s := catalogueFiles(t, runtimeOf(ar), ar.Files)
			got := render(s) + renderCode(s)
			if bytes.Contains(ar.Comment, []byte("traits: yes")) {
				got = renderTraits(s)
			}
			for i := range ar.Files {
				if ar.Files[i].Name != "golden" {
					continue
				}
				if *update {
					ar.Files[i].Data = []byte(got)
					if err := os.WriteFile(p, txtar.Format(ar), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if want := string(ar.Files[i].Data); got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
				return
			}
			t.Fatal("no golden section")
		})
	}
}

func runtimeOf(ar *txtar.Archive) string {
	for line := range strings.SplitSeq(string(ar.Comment), "\n") {
		if id, ok := strings.CutPrefix(line, "runtime: "); ok {
			return strings.TrimSpace(id)
		}
	}
	return ""
}

// catalogueFiles zips the files by their first path element and catalogues the function.
func catalogueFiles(t testing.TB, runtime string, files []txtar.File) *sbom.SBOM {
	t.Helper()
	dir := t.TempDir()
	parts := map[string][]txtar.File{"function": nil}
	layers := 0
	for _, f := range files {
		part, rest, ok := strings.Cut(f.Name, "/")
		if !ok {
			continue
		}
		if _, seen := parts[part]; !seen {
			layers++
		}
		parts[part] = append(parts[part], txtar.File{Name: rest, Data: f.Data})
	}
	spec := bundle.Spec{Ref: filepath.Join(dir, "function.zip"), Runtime: runtime, Platform: bundle.PlatformAWS}
	writeZip(t, spec.Ref, parts["function"])
	for i := range layers {
		name := fmt.Sprintf("layer%d", i+1)
		p := filepath.Join(dir, name+".zip")
		writeZip(t, p, parts[name])
		spec.Layers = append(spec.Layers, p)
	}
	f, err := (&bundle.Opener{}).Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	s, err := New(Options{}).Run(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	addsUp(t, s.Coverage)
	return s
}

func writeZip(t testing.TB, p string, files []txtar.File) {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate}
		data := f.Data
		h.SetMode(0o644)
		if target, ok := strings.CutPrefix(string(data), "-> "); ok {
			h.SetMode(fs.ModeSymlink | 0o777)
			data = []byte(strings.TrimSpace(target))
		}
		if string(data) == "ELF\n" {
			data = append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)
			data[16], data[18], data[20], data[52] = 3, 62, 1, 64 // ET_DYN, x86-64, version, size of the header
		}
		if code, ok := bytes.CutSuffix(data, []byte("PAD\n")); ok {
			data = append(bytes.Clone(code), strings.Repeat("f(1, 2, 3);\n", 32<<10/12+1)...)
		}
		e, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// render writes one line per component and occurrence, and one per unknown.
func render(s *sbom.SBOM) string {
	var b strings.Builder
	for _, c := range s.Components {
		fmt.Fprintf(&b, "%s %s %s", c.State, c.Origin, c.PURL)
		if c.Main {
			b.WriteString(" main")
		}
		if kind, _, _ := strings.Cut(c.PURL, "/"); kind == "pkg:deb" || kind == "pkg:apk" || kind == "pkg:rpm" {
			fmt.Fprintf(&b, " %s=%s ecosystem=%q source=%s@%s", c.Name, c.Version, c.Ecosystem, c.Source, c.SourceVersion)
		}
		if c.Disputed {
			fmt.Fprintf(&b, " disputed=%s", strings.Join(c.Versions, "|"))
		}
		if len(c.Licenses) > 0 {
			fmt.Fprintf(&b, " licenses=%s", strings.Join(c.Licenses, ","))
		}
		if len(c.Requires) > 0 {
			fmt.Fprintf(&b, " requires=%s", strings.Join(c.Requires, ","))
		}
		if c.Resolved != "" {
			fmt.Fprintf(&b, " resolved=%s", c.Resolved)
		}
		for algorithm, sum := range c.Hashes {
			fmt.Fprintf(&b, " %s:%.8s", algorithm, sum)
		}
		b.WriteByte('\n')
		for _, o := range c.Occurrences {
			fmt.Fprintf(&b, "    %s %d %s\n", o.State, o.Artifact, o.Path)
		}
		for _, e := range c.Evidence {
			if e.Detail != "" || e.Method == sbom.MethodLockfile {
				fmt.Fprintf(&b, "    %s %d %s %s\n", e.Method, e.Artifact, e.Path, e.Detail)
			}
		}
	}
	for _, u := range s.Unknowns {
		fmt.Fprintf(&b, "? %s code=%v %d %s: %s\n", u.Kind, u.Code, u.Artifact, u.Path, u.Reason)
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

// renderTraits writes what is noted of components and of nobody's files.
func renderTraits(s *sbom.SBOM) string {
	var b strings.Builder
	write := func(list []sbom.Trait) {
		for _, t := range list {
			fmt.Fprintf(&b, "    %s %d %s: %s\n", t.Kind, t.Artifact, t.Path, t.Detail)
		}
	}
	for _, c := range s.Components {
		if len(c.Traits) > 0 {
			fmt.Fprintf(&b, "%s %s\n", c.State, c.PURL)
			write(c.Traits)
		}
	}
	if len(s.Traits) > 0 {
		b.WriteString("nobody's\n")
		write(s.Traits)
	}
	return b.String()
}

// renderCode writes what is proven not to be there, and whose the code is.
func renderCode(s *sbom.SBOM) string {
	var b strings.Builder
	for _, a := range s.Absent {
		fmt.Fprintf(&b, "absent %s %s %s\n", a.PURL, a.Lockfile, strings.Join(a.Bundles, ","))
	}
	if c := s.Coverage; c.Code > 0 {
		fmt.Fprintf(&b, "= code %d: attributed %d, own %d, unknown %d\n", c.Code, c.Attributed, c.Own, c.Unknown)
		for _, f := range c.Files {
			fmt.Fprintf(&b, "    %d %s %s: attributed %d, own %d, unknown %d %s", f.Artifact, f.Path, f.Bundle, f.Attributed, f.Own, f.Unknown, f.Bound)
			for _, part := range f.Shares {
				fmt.Fprintf(&b, " %s=%d", part.Name, part.Bytes)
			}
			b.WriteByte('\n')
		}
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

// addsUp checks what must hold of every coverage.
func addsUp(t testing.TB, c *sbom.Coverage) {
	t.Helper()
	if c == nil {
		t.Fatal("no coverage")
	}
	if c.Code != c.Attributed+c.Own+c.Unknown || min(c.Attributed, c.Own, c.Unknown) < 0 {
		t.Errorf("%d bytes of code are not %d attributed, %d own and %d unknown", c.Code, c.Attributed, c.Own, c.Unknown)
	}
	var unknown int64
	for _, f := range c.Files {
		unknown += f.Unknown
		if f.Code != f.Attributed+f.Own+f.Unknown || f.Unknown > 0 && f.Reason == "" {
			t.Errorf("%s: %+v does not add up, or has no reason", f.Path, f)
		}
		var shares int64
		for _, s := range f.Shares {
			shares += s.Bytes
		}
		if f.Bundle != "" && f.Attributed != shares {
			t.Errorf("%s: %d bytes are attributed, and the shares are %d", f.Path, f.Attributed, shares)
		}
	}
	if unknown != c.Unknown {
		t.Errorf("the files have %d unknown bytes, all together %d", unknown, c.Unknown)
	}
}
