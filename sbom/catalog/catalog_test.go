package catalog

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	syftartifact "github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

func openZip(t testing.TB, files ...txtar.File) *bundle.Function {
	t.Helper()
	return openZipAt(t, t.TempDir(), files...)
}

func openZipAt(t testing.TB, dir string, files ...txtar.File) *bundle.Function {
	t.Helper()
	p := filepath.Join(dir, "function.zip")
	writeZip(t, p, files)
	f, err := (&bundle.Opener{}).Open(context.Background(), bundle.Spec{Ref: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSameArtifactIsCataloguedOnce(t *testing.T) {
	f := openZip(t, txtar.File{Name: "node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1"}`)})
	c := New(Options{})
	var wg sync.WaitGroup
	results := make([]*result, 8)
	for i := range results {
		wg.Go(func() {
			r, err := c.artifact(t.Context(), f.Volumes[0])
			if err != nil {
				t.Error(err)
			}
			results[i] = r
		})
	}
	wg.Wait()
	for _, r := range results {
		if r != results[0] || r == nil {
			t.Fatal("the artifact was catalogued again")
		}
	}
}

func TestCancelledRunIsNotRemembered(t *testing.T) {
	f := openZip(t, txtar.File{Name: "node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1"}`)})
	c := New(Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Run(ctx, f); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	s, err := c.Run(context.Background(), f)
	if err != nil || len(s.Components) != 1 {
		t.Fatalf("got %+v, %v", s, err)
	}
}

func TestRememberedIsBounded(t *testing.T) {
	c := New(Options{MaxRemembered: 2})
	for i := range 5 {
		f := openZip(t, txtar.File{Name: "index.js", Data: fmt.Appendf(nil, "%d", i)})
		if _, err := c.Run(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.seen) > 2 {
		t.Errorf("%d results are kept", len(c.seen))
	}
}

// TestDuplicateNames: both copies are listed, the last one is live.
func TestDuplicateNames(t *testing.T) {
	f := openZip(t,
		txtar.File{Name: "node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1.0.0"}`)},
		txtar.File{Name: "node_modules/a/package.json", Data: []byte(`{"name":"a","version":"2.0.0"}`)})
	s, err := New(Options{}).Run(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	want := "shadowed app pkg:npm/a@1.0.0\n    shadowed 0 node_modules/a/package.json\nlive app pkg:npm/a@2.0.0\n    live 0 node_modules/a/package.json\n"
	if got := render(s); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestLimits(t *testing.T) {
	manifest := func(s string) txtar.File { return txtar.File{Name: "node_modules/x/package.json", Data: []byte(s)} }
	for _, tt := range []struct {
		name string
		opts Options
		file txtar.File
		want string
	}{
		{"size", Options{MaxManifest: 10}, manifest(`{"name":"xxxxxxxxxx"}`), "over the limit of 10"},
		{"depth", Options{}, manifest(strings.Repeat("[", 100_000)), "nested 201 deep"},
		{"keys", Options{MaxKeys: 10}, manifest("[" + strings.Repeat("1,", 100) + "1]"), "more than 10 keys"},
		{"lockfile", Options{MaxLockfile: 10}, txtar.File{Name: "yarn.lock", Data: []byte("# yarn lockfile v1\n")}, "over the limit of 10"},
		{"script", Options{MaxScript: 10}, txtar.File{Name: "index.js", Data: []byte("exports.handler = 1")}, "over the limit of 10"},
		{"executable", Options{MaxExecutable: 10}, txtar.File{Name: "bootstrap", Data: elfWith(".text", nil, 0)}, "over the limit of 10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New(tt.opts).Run(t.Context(), openZip(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Unknowns) != 1 || s.Unknowns[0].Kind != sbom.Limit || !s.Unknowns[0].Code || !strings.Contains(s.Unknowns[0].Reason, tt.want) {
				t.Errorf("got %+v", s.Unknowns)
			}
		})
	}
}

func TestComponentsAndUnknownsAreBounded(t *testing.T) {
	var files []txtar.File
	for i := range 20 {
		files = append(files, txtar.File{Name: fmt.Sprintf("node_modules/a%d/package.json", i), Data: fmt.Appendf(nil, `{"name":"a%d"}`, i)},
			txtar.File{Name: fmt.Sprintf("node_modules/b%d/package.json", i), Data: []byte("{")})
	}
	s, err := New(Options{MaxComponents: 5, MaxUnknowns: 5}).Run(t.Context(), openZip(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Components) != 5 || len(s.Unknowns) > 7 {
		t.Errorf("%d components, %d unknowns", len(s.Components), len(s.Unknowns))
	}
	told := 0
	for _, u := range s.Unknowns {
		if u.Kind == sbom.Limit && u.Code {
			told++
		}
	}
	if told == 0 {
		t.Error("what was dropped is not told")
	}
}

// fakeCataloger stands for one of syft's.
type fakeCataloger func(context.Context, file.Resolver) ([]pkg.Package, error)

func (fakeCataloger) Name() string { return "fake" }

func (f fakeCataloger) Catalog(ctx context.Context, r file.Resolver) ([]pkg.Package, []syftartifact.Relationship, error) {
	p, err := f(ctx, r)
	return p, nil, err
}

func TestSyftFailuresAreTold(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  fakeCataloger
		kind sbom.UnknownKind
		want string
	}{
		{"panic", func(context.Context, file.Resolver) ([]pkg.Package, error) { panic("boom") }, sbom.Unreadable, "boom"},
		{"error", func(context.Context, file.Resolver) ([]pkg.Package, error) { return nil, errors.New("bad") }, sbom.Unreadable, "fake: bad"},
		{"joined errors", func(context.Context, file.Resolver) ([]pkg.Package, error) {
			return nil, errors.Join(nil, errors.New("bad"))
		}, sbom.Unreadable, "fake: bad"},
		{"endless", func(ctx context.Context, r file.Resolver) ([]pkg.Package, error) {
			time.Sleep(300 * time.Millisecond)
			_, err := r.FileContentsByLocation(file.NewLocation("x"))
			return nil, err
		}, sbom.Limit, "fake: seconds"},
		{"unreadable file", func(_ context.Context, r file.Resolver) ([]pkg.Package, error) {
			_, _ = r.FileContentsByLocation(file.NewLocation("x"))
			return nil, nil
		}, sbom.Limit, "over the limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := openZip(t, txtar.File{Name: "x", Data: []byte("some content")})
			opts := Options{MaxTime: 30 * time.Millisecond}
			if tt.name != "endless" {
				opts.MaxTime = time.Minute
			}
			a := newArtifact(opts.withDefaults(), f.Volumes[0])
			a.syft(t.Context(), tt.run, a.newView(5, func(string) bool { return true }))
			if len(a.unknowns) != 1 || a.unknowns[0].Kind != tt.kind || !a.unknowns[0].Code || !strings.Contains(a.unknowns[0].Reason, tt.want) {
				t.Errorf("got %+v", a.unknowns)
			}
		})
	}
}

// located has the shape of syft's errors that carry a path.
type located struct {
	Coordinates file.Coordinates
	Reason      error
}

func (l *located) Error() string { return "located" }

func TestSyftErrorsKeepTheirPath(t *testing.T) {
	a := &artifact{failed: map[string]bool{}, opts: Options{}.withDefaults()}
	at := func(p string) error {
		return &located{Coordinates: file.Coordinates{RealPath: p}, Reason: errors.New("reason of " + p)}
	}
	a.syftErrors("fake", errors.Join(at("/a/b"), fmt.Errorf("wrapped: %w", at("c")), at("/a/b"), errors.New("plain")))
	var got []string
	for _, u := range a.unknowns {
		got = append(got, u.Path+"="+u.Reason)
	}
	if s := strings.Join(got, ";"); s != "a/b=reason of /a/b;c=reason of c;=fake: plain" {
		t.Errorf("got %s", s)
	}
}

func TestPanicOfACatalogerIsTold(t *testing.T) {
	a := &artifact{failed: map[string]bool{}, opts: Options{}.withDefaults()}
	a.guard("things", func() { panic("a parser of outside bytes gave up") })
	if len(a.unknowns) != 1 || !strings.Contains(a.unknowns[0].Reason, "things") || !a.unknowns[0].Code {
		t.Errorf("got %+v", a.unknowns)
	}
}

func TestQuadraticMetadata(t *testing.T) {
	data := []byte("Name: x\n" + strings.Repeat(" continued\n", 200_000) + "Version: 1\n")
	s, err := New(Options{}).Run(t.Context(), openZip(t, txtar.File{Name: "x.dist-info/METADATA", Data: data}))
	if err != nil || len(s.Components) != 1 || s.Components[0].PURL != "pkg:pypi/x@1" {
		t.Fatalf("got %+v, %v", s, err)
	}
}

func TestByteOrderMark(t *testing.T) {
	s, err := New(Options{}).Run(t.Context(), openZip(t, txtar.File{Name: "node_modules/x/package.json", Data: []byte("\xef\xbb\xbf{\"name\":\"x\",\"version\":\"1\"}")}))
	if err != nil || len(s.Components) != 1 || len(s.Unknowns) != 0 {
		t.Fatalf("got %+v, %v", s, err)
	}
}

// TestOutputDoesNotDependOnTiming runs the same function often.
func TestOutputDoesNotDependOnTiming(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/lock_declares.txtar")
	if err != nil {
		t.Fatal(err)
	}
	first := render(catalogueFiles(t, "nodejs22.x", ar.Files))
	for range 5 {
		if got := render(catalogueFiles(t, "nodejs22.x", ar.Files)); got != first {
			t.Fatalf("got:\n%s\nfirst:\n%s", got, first)
		}
	}
}

// BenchmarkRun catalogues a zip of about the shape of a large Node function:
// 13,000 files, 380 packages.
func BenchmarkRun(b *testing.B) {
	p := filepath.Join(b.TempDir(), "big.zip")
	out, err := os.Create(p)
	if err != nil {
		b.Fatal(err)
	}
	w := zip.NewWriter(out)
	put := func(name, content string) {
		e, err := w.Create(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(e, content); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 380 {
		dir := fmt.Sprintf("node_modules/package-%d", i)
		put(dir+"/package.json", fmt.Sprintf(`{"name":"package-%d","version":"1.2.%d","license":"MIT","description":"%s","dependencies":{"package-%d":"^1.0.0"}}`, i, i, strings.Repeat("text ", 300), i+1))
		for j := range 33 {
			put(fmt.Sprintf("%s/lib/file%d.js", dir, j), "module.exports = 1\n")
		}
		put(dir+"/LICENSE", "text")
		put(dir+"/bin/tool", "#!/usr/bin/env node\n")
	}
	put("index.js", "exports.handler = async () => 1\n")
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		b.Fatal(err)
	}
	f, err := (&bundle.Opener{}).Open(context.Background(), bundle.Spec{Ref: p})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		s, err := New(Options{}).Run(context.Background(), f)
		if err != nil || len(s.Components) != 380 {
			b.Fatalf("%d components, %v", len(s.Components), err)
		}
	}
}
