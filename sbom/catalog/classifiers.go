package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg/cataloger/binary"

	"github.com/fnaudit/fnaudit/sbom"
)

// knownBinaries recognises interpreters and libraries that came without a
// package manager, as in a custom runtime, by the version strings in them.
// Files that a package owns are left to that package: a wheel's own copy of a
// library is part of the wheel. So are those whose build information was read.
func knownBinaries(ctx context.Context, a *artifact) {
	a.nodeBinaries()
	v := &view{a: a, set: map[string]bool{}, mime: map[string]string{}}
	for i := range a.executables {
		e := &a.executables[i]
		if e.unsafe != "" || e.packed || e.evident || a.owners.owns(e.path) {
			continue
		}
		v.files = append(v.files, e.path)
		v.set[e.path] = true
		v.mime[e.path] = e.mime
	}
	if len(v.files) == 0 {
		return
	}
	slices.Sort(v.files)
	cfg := binary.DefaultClassifierCatalogerConfig()
	for _, p := range a.syft(ctx, binary.NewClassifierCataloger(cfg), v) {
		typ, name := "generic", p.Name
		if t, n, ok := purlName(p.PURL); ok {
			typ, name = t, n
		}
		for _, l := range p.Locations.ToSlice() {
			at := clean(l.RealPath)
			a.evident(at)
			a.add(found{
				typ: typ, name: name, version: p.Version, path: at, method: sbom.MethodBinary, confidence: 0.8,
				detail: "version string in " + at, licenses: a.syftLicences(&p),
			})
		}
	}
}

// nodeBinaries recognises Node.js by the release name that it sends as user
// agent, "node.js/v22.9.0". syft looks for the same, but tries a pattern for
// releases before 2018 first, which takes 4 s on a binary of 100 MB.
func (a *artifact) nodeBinaries() {
	for i := range a.executables {
		e := &a.executables[i]
		if path.Base(e.path) != "node" || e.unsafe != "" || a.owners.owns(e.path) {
			continue
		}
		version, err := a.textAfter(e.path, "node.js/v", "0123456789.")
		if err != nil {
			a.unread(e.path, err)
			continue
		}
		if strings.Count(version, ".") != 2 {
			continue
		}
		e.evident = true
		a.add(found{typ: "generic", name: "node", version: version, path: e.path, method: sbom.MethodBinary, confidence: 0.8, detail: "version string in " + e.path})
	}
}

// textAfter returns the run of the given characters that follows the first
// place of a marker in an executable, "" when there is none.
func (a *artifact) textAfter(p, marker, chars string) (string, error) {
	c, err := a.native(p)
	if err != nil {
		return "", err
	}
	defer c.Close()
	const longest = 32
	buf := make([]byte, 1<<20)
	for kept := 0; ; {
		n, err := io.ReadFull(c, buf[kept:])
		data := buf[:kept+n]
		if i := bytes.Index(data, []byte(marker)); i >= 0 && (len(data)-i > len(marker)+longest || err != nil) {
			rest := data[i+len(marker):]
			rest = rest[:min(len(rest), longest)]
			return string(rest[:len(rest)-len(bytes.TrimLeft(rest, chars))]), nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("read executable: %w", err)
		}
		kept = copy(buf, data[len(data)-len(marker)-longest:])
	}
}

// purlName returns type and name of a package URL that syft's table holds.
func purlName(purl string) (typ, name string, ok bool) {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return "", "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "@")
	typ, name, ok = strings.Cut(rest, "/")
	return typ, name, ok && typ != "" && name != "" && !strings.Contains(name, "%")
}
