package reach

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// MaxBlob bounds a blob in bytes, as it is stored and as it is inflated. The
// blob of a binary with 10,000 functions has about 100 KB and inflates to 0.8 MB.
const (
	MaxBlob         = 8 << 20
	maxInflatedBlob = 128 << 20
)

// The header of a blob (golang.org/x/vuln v1.8.0, internal/scan/extract.go).
const (
	blobName    = "govulncheck-extract"
	blobVersion = "0.1.0"
)

type blobHeader struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// program is what reachability needs of a binary: the body of the blob that
// "govulncheck -mode extract" writes (vulncheck.Bin) and one more field, which
// govulncheck ignores.
type program struct {
	Path       string   `json:"path,omitempty"`
	Main       *module  `json:"main,omitempty"`
	Modules    []module `json:"modules,omitempty"`
	PkgSymbols []Symbol `json:"pkgSymbols,omitempty"`
	GoVersion  string   `json:"goVersion,omitempty"`
	GOOS       string   `json:"goos,omitempty"`
	GOARCH     string   `json:"goarch,omitempty"`
	Table      about    `json:"fnaudit"`
}

// module is a packages.Module as its JSON is.
type module struct {
	Path    string
	Version string  `json:",omitempty"`
	Replace *module `json:",omitempty"`
}

// about says what the symbols of a binary are worth.
type about struct {
	Stripped  bool     `json:"stripped"`            // no symbol table: data without code cannot be seen
	Format    string   `json:"format,omitempty"`    // of the function table: "go1.20"
	Functions int      `json:"functions,omitempty"` // with a body of their own
	Partial   string   `json:"partial,omitempty"`   // why a symbol that is not listed may still be there; "" when it cannot
	Data      []string `json:"data,omitempty"`      // packages that only have data, by the symbol table
	Inlined   []string `json:"inlined,omitempty"`   // functions of an unknown package, seen as inlined around closures
}

// pack writes the blob: two JSON texts, one a line, in gzip. The same binary gives the same bytes.
func (b *program) pack() (plain, packed []byte, err error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := errors.Join(enc.Encode(blobHeader{blobName, blobVersion}), enc.Encode(b)); err != nil {
		return nil, nil, fmt.Errorf("write blob: %w", err)
	}
	if text.Len() > maxInflatedBlob {
		return nil, nil, fmt.Errorf("write blob: %d bytes, over the limit of %d", text.Len(), maxInflatedBlob)
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
	if err != nil {
		return nil, nil, fmt.Errorf("write blob: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return nil, nil, fmt.Errorf("write blob: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, nil, fmt.Errorf("write blob: %w", err)
	}
	return text.Bytes(), out.Bytes(), nil
}

// unpack reads a blob that pack wrote, or that came from outside in its place.
func unpack(packed []byte) (*program, []byte, error) {
	if len(packed) > MaxBlob {
		return nil, nil, fmt.Errorf("read blob: %d bytes, over the limit of %d", len(packed), MaxBlob)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, fmt.Errorf("read blob: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxInflatedBlob+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read blob: %w", err)
	}
	if len(text) > maxInflatedBlob {
		return nil, nil, fmt.Errorf("read blob: inflates to more than %d bytes", maxInflatedBlob)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	var h blobHeader
	if err := dec.Decode(&h); err != nil || h != (blobHeader{blobName, blobVersion}) {
		return nil, nil, errors.New("read blob: its header is not govulncheck's")
	}
	// A blob that another tool extracted says nothing about stripping, and
	// then nothing is absent.
	b := program{Table: about{Stripped: true, Partial: "the stored symbols do not say whether they are complete"}}
	var body struct {
		*program
		Table *about `json:"fnaudit"`
	}
	body.program = &b
	if err := dec.Decode(&body); err != nil {
		return nil, nil, fmt.Errorf("read blob: %w", err)
	}
	if dec.More() {
		return nil, nil, errors.New("read blob: more than a header and a body")
	}
	if body.Table != nil {
		b.Table = *body.Table
	}
	return &b, text, nil
}

// describe takes over what the build information says.
func (b *program) describe(info *debug.BuildInfo) {
	b.Path, b.GoVersion = info.Path, info.GoVersion
	if info.Main.Path != "" {
		b.Main = &module{Path: info.Main.Path, Version: info.Main.Version}
	}
	for _, m := range info.Deps {
		if m == nil {
			continue
		}
		dep := module{Path: m.Path, Version: m.Version}
		if m.Replace != nil {
			dep.Replace = &module{Path: m.Replace.Path, Version: m.Replace.Version}
		}
		b.Modules = append(b.Modules, dep)
	}
	b.GOOS, b.GOARCH = setting(info, "GOOS"), setting(info, "GOARCH")
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// fill takes over the names. The functions of the main module are kept only if
// the module has a version, because else no advisory can be about it.
func (b *program) fill(n *names) {
	for s := range n.symbols {
		if s.Pkg == "main" && b.Path != "" {
			s.Pkg = b.Path // as advisories spell it
		}
		if b.Main != nil && (b.Main.Version == "" || b.Main.Version == "(devel)") && b.owner(s.Pkg) == b.Main.Path {
			continue
		}
		b.PkgSymbols = append(b.PkgSymbols, s)
	}
	slices.SortFunc(b.PkgSymbols, func(x, y Symbol) int {
		if c := strings.Compare(x.Pkg, y.Pkg); c != 0 {
			return c
		}
		return strings.Compare(x.Name, y.Name)
	})
	b.PkgSymbols = slices.Compact(b.PkgSymbols)
	for s := range n.inlined {
		b.Table.Inlined = append(b.Table.Inlined, s)
	}
	slices.Sort(b.Table.Inlined)
}

// owner returns the path of the module that a package belongs to: the longest
// that is a prefix of whole elements; "" when none is.
func (b *program) owner(pkg string) string {
	best := ""
	take := func(path string) {
		if (pkg == path || strings.HasPrefix(pkg, path) && pkg[len(path)] == '/') && len(path) > len(best) {
			best = path
		}
	}
	if b.Main != nil {
		take(b.Main.Path)
	}
	for i := range b.Modules {
		take(b.Modules[i].Path)
	}
	return best
}
