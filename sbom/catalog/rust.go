package catalog

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/rust"

	"github.com/fnaudit/fnaudit/sbom"
)

// rustBinaries finds the crate list that cargo-auditable stores in a binary:
// zlib-compressed JSON in the section ".dep-v0"
// (https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md).
//
// A binary goes to syft's cataloger once our own reader has inflated the list
// within bounds: syft inflates whatever the section holds.
func rustBinaries(ctx context.Context, a *artifact) {
	for i := range a.executables {
		if ctx.Err() != nil {
			return
		}
		e := &a.executables[i]
		if !e.crates || e.evident {
			continue
		}
		data, err := a.rustSection(e)
		if err != nil {
			a.unread(e.path, err)
			continue
		}
		crates, err := a.parseCrates(e.path, data)
		if err != nil {
			a.unread(e.path, err)
			continue
		}
		e.evident = true
		r := reading{withheld: a.rustWithheld(e, crates)}
		if r.withheld == "" {
			r = a.shownTo(ctx, rust.NewAuditBinaryCataloger(), a.viewOf(e.path, e.mime, 0, nil))
		}
		for _, f := range a.repaired(r, crates, rustIdentity) {
			a.add(f)
		}
	}
}

func rustIdentity(p *pkg.Package) (name, version string) { return p.Name, p.Version }

// rustWithheld says why syft is not given a binary, "" when it is. It keeps two
// whole packages for every dependency between crates.
func (a *artifact) rustWithheld(e *executable, crates []found) string {
	if e.packed {
		return "it carries the mark of UPX"
	}
	edges := 0
	for i := range crates {
		edges += len(crates[i].requires)
	}
	if edges > maxShownEdges {
		return "it lists too many packages"
	}
	return a.takes(len(crates))
}

// rustSection returns the content of the section.
func (a *artifact) rustSection(e *executable) (data []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			data, err = nil, fmt.Errorf("read sections: %v", r)
		}
	}()
	c, err := a.native(e.path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s := openRustSection(c, e.mime)
	if s == nil {
		return nil, errors.New("the section of the crate list is gone")
	}
	return a.bounded(s, "crate list")
}

// openRustSection opens the section; nil when there is none, which is also said
// of what cannot be read as a program: such a file is opaque. The second name is
// that of rust-audit, the tool's predecessor, and syft looks for both.
func openRustSection(c io.ReaderAt, mime string) io.Reader {
	switch mime {
	case mimePE:
		if f, err := pe.NewFile(c); err == nil {
			if s := cmp.Or(f.Section(".dep-v0"), f.Section("rdep-v0")); s != nil {
				return s.Open()
			}
		}
	case mimeMach:
		if f, err := macho.NewFile(c); err == nil {
			if s := cmp.Or(f.Section(".dep-v0"), f.Section("rust-deps-v0")); s != nil {
				return s.Open()
			}
		}
	default:
		if f, err := elf.NewFile(c); err == nil {
			if s := cmp.Or(f.Section(".dep-v0"), f.Section(".rust-deps-v0")); s != nil {
				return s.Open()
			}
		}
	}
	return nil
}

// hasRustSection reports whether there is one.
func hasRustSection(c io.ReaderAt, mime string) (yes bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			yes, err = false, fmt.Errorf("read sections: %v", r)
		}
	}()
	return openRustSection(c, mime) != nil, nil
}

// bounded reads at most MaxBuildInfo bytes and calls more an error.
func (a *artifact) bounded(r io.Reader, what string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, a.opts.MaxBuildInfo+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	if int64(len(data)) > a.opts.MaxBuildInfo {
		return nil, &limitError{what + " of more than " + fmt.Sprint(a.opts.MaxBuildInfo) + " bytes", a.opts.MaxBuildInfo}
	}
	return data, nil
}

func (a *artifact) parseCrates(p string, section []byte) ([]found, error) {
	// linkers pad the section with zero bytes, which zlib leaves unread
	z, err := zlib.NewReader(bytes.NewReader(section))
	if err != nil {
		return nil, fmt.Errorf("inflate crate list: %w", err)
	}
	data, err := a.bounded(z, "inflated crate list")
	if err != nil {
		return nil, err
	}
	if err := a.checkJSON(data); err != nil {
		return nil, err
	}
	var list struct {
		Packages []struct {
			Name, Version, Source, Kind string
			Root                        bool
			Dependencies                []int
		}
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("parse crate list: %w", err)
	}
	var out []found
	for _, c := range list.Packages {
		// build dependencies ran on the build machine; their code is not here
		if c.Name == "" || c.Kind == "build" {
			continue
		}
		f := found{typ: "cargo", name: c.Name, version: c.Version, path: p, method: sbom.MethodBuildInfo, confidence: 1, main: c.Root}
		switch c.Source {
		case "", "crates.io", "registry":
		default:
			f.detail = "from " + c.Source
			kind := map[string]sbom.TraitKind{"git": sbom.TraitGit, "local": sbom.TraitFolder}[c.Source]
			if kind != "" && !c.Root {
				f.has(sbom.Trait{Kind: kind, Path: p, Detail: "which is not told"})
			}
		}
		for _, d := range c.Dependencies {
			if d >= 0 && d < len(list.Packages) {
				f.requires = append(f.requires, list.Packages[d].Name)
			}
		}
		out = append(out, f)
	}
	return out, nil
}
