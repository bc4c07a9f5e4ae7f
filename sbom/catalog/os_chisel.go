package catalog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/fnaudit/fnaudit/sbom"
)

// Bounds of one manifest of chisel. That of the largest chiselled image has some
// 50 packages and 3,000 paths.
const (
	maxChiselLine     = 64 << 10
	maxChiselPackages = 100_000
	maxChiselLines    = 500_000
	maxChiselWindow   = 64 << 20 // bytes that the compressed form may make the decoder hold
)

// chiselLine is one line of a manifest. The first one has no kind.
type chiselLine struct {
	JSONWall string   `json:"jsonwall"`
	Count    int      `json:"count"` // of lines, the first one too
	Kind     string   `json:"kind"`
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Arch     string   `json:"arch"`
	Path     string   `json:"path"`
	Slices   []string `json:"slices"` // PACKAGE_SLICE, of a path
	SHA256   string   `json:"sha256"`
	Final    string   `json:"final_sha256"` // of a path that a script of the slice changed
}

// readChisel reads the manifest of a chiselled Ubuntu, which has no database of
// dpkg: lines of JSON, sorted, compressed with zstd, of which those of kind
// package name what was cut and those of kind path what is there
// (documentation.ubuntu.com/chisel/en/latest/reference/manifest, as of 2026-11).
// It does not name source packages, by which Ubuntu's advisories go: that is
// said, since what is called otherwise than its source is not matched.
func readChisel(ctx context.Context, a *artifact, _, p string, each func(*osPackage)) error {
	data, err := a.read(p, maxOSDatabase)
	if err != nil {
		return err
	}
	z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxChiselWindow))
	if err != nil {
		return fmt.Errorf("read manifest of chisel: %w", err)
	}
	defer z.Close()
	m := chiselManifest{at: p, packages: map[string]*osPackage{}}
	limited := &io.LimitedReader{R: z, N: maxOSDatabase}
	err = m.read(ctx, limited)
	if limited.N == 0 {
		err = &limitError{"bytes of a manifest", maxOSDatabase}
	}
	for _, name := range slices.Sorted(maps.Keys(m.packages)) {
		each(m.packages[name])
	}
	if err != nil {
		return fmt.Errorf("read manifest of chisel: %w", err)
	}
	if len(m.packages) == 0 {
		return errNoPackage
	}
	a.unknown(p, sbom.Unmatched, "chisel's manifest does not name source packages: advisories were looked up under the packages' own names only", true)
	return nil
}

// chiselManifest gathers the packages of one manifest.
type chiselManifest struct {
	at       string
	packages map[string]*osPackage
}

// read goes through the lines. What was found before an error stays.
func (m *chiselManifest) read(ctx context.Context, r io.Reader) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxChiselLine)
	lines, count := 0, 0
	for s.Scan() {
		if lines%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var l chiselLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return fmt.Errorf("line %d: %w", lines+1, err)
		}
		if lines++; lines > maxChiselLines {
			return &limitError{"lines", maxChiselLines}
		}
		if lines == 1 {
			if !strings.HasPrefix(l.JSONWall, "1.") {
				return fmt.Errorf("a format that is not known: jsonwall %q", clip(l.JSONWall))
			}
			count = l.Count
			continue
		}
		if err := m.line(&l); err != nil {
			return fmt.Errorf("line %d: %w", lines, err)
		}
	}
	switch err := s.Err(); {
	case err != nil:
		return err
	case lines == 0:
		return errors.New("it is empty")
	case lines < count:
		return fmt.Errorf("it has %d of %d lines", lines, count)
	}
	return nil
}

func (m *chiselManifest) line(l *chiselLine) error {
	switch l.Kind {
	case "package":
		if l.Name == "" || l.Version == "" {
			return fmt.Errorf("a package without a name or a version: %q", clip(l.Name))
		}
		if m.packages[l.Name] != nil {
			return fmt.Errorf("the package %q comes twice", clip(l.Name))
		}
		if len(m.packages) == maxChiselPackages {
			return &limitError{"packages", maxChiselPackages}
		}
		m.packages[l.Name] = &osPackage{typ: "deb", name: l.Name, version: l.Version, release: l.Version, arch: l.Arch, path: m.at}
	case "path":
		if strings.HasSuffix(l.Path, "/") {
			return nil // a folder
		}
		digest := l.Final
		if digest == "" {
			digest = l.SHA256
		}
		for _, slice := range l.Slices {
			name, _, _ := strings.Cut(slice, "_")
			if pkg := m.packages[name]; pkg != nil { // packages sort before paths
				pkg.addFile("", strings.TrimLeft(l.Path, "/"), digest)
			}
		}
	}
	return nil
}
