package catalog

import (
	"bufio"
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg/cataloger/ruby"

	"github.com/fnaudit/fnaudit/sbom"
)

// rubyInstalled finds gems by the specification that RubyGems writes when it
// installs one, specifications/NAME-VERSION.gemspec, and those that Bundler
// takes from git, bundler/gems/NAME-COMMIT.
func rubyInstalled(ctx context.Context, a *artifact) {
	v := a.newView(a.opts.MaxManifest, func(p string) bool {
		return strings.HasSuffix(p, ".gemspec") && gemSpecification(dirOf(p))
	})
	v.reduce = gemHeader
	shown := map[string]bool{}
	for _, p := range a.syft(ctx, ruby.NewInstalledGemSpecCataloger(), v) {
		at := primary(&p)
		if p.Name == "" {
			continue
		}
		shown[at] = true
		a.gem(at, p.Name, p.Version, a.syftLicences(&p))
	}
	for _, p := range v.files {
		if !shown[p] {
			a.unknown(p, sbom.Unreadable, "no name in the gem's specification", true)
		}
	}
	a.gitGems()
}

// gemHeader leaves of a specification the lines that are read, once each: syft
// tries several regular expressions on every line.
func gemHeader(_ string, data []byte) []byte {
	const longest = 512
	var out []byte
	seen := [3]bool{}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(line) > longest {
			continue
		}
		for i, attribute := range []string{".name = ", ".version = ", ".licenses = "} {
			if !seen[i] && bytes.Contains(line, []byte(attribute)) {
				seen[i] = true
				out = append(append(out, line...), '\n')
			}
		}
	}
	return out
}

func gemSpecification(dir string) bool {
	base := path.Base(dir)
	return base == "specifications" || base == "default" && path.Base(dirOf(dir)) == "specifications"
}

func (a *artifact) gem(at, name, version string, licences []string) {
	home, _, _ := strings.Cut(at, "specifications/")
	full := strings.TrimSuffix(path.Base(at), ".gemspec")
	dir := path.Join(home, "gems", full)
	a.owners.addDir(dir)
	a.owners.addDir(path.Join(home, "extensions")) // native parts, one folder per gem below it
	f := found{
		typ: "gem", name: name, version: version, path: at, dir: dir, method: sbom.MethodInstalled, confidence: 0.99, licenses: licences,
	}
	if data, err := a.read(at, a.opts.MaxManifest); err == nil {
		f.requires = gemRequires(data)
	}
	a.add(f)
}

// gemRequires returns the runtime dependencies that RubyGems wrote into a
// specification: s.add_runtime_dependency(%q<rack>.freeze, ...).
func gemRequires(data []byte) []string {
	var out []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		_, rest, ok := strings.Cut(lines.Text(), "dependency(%q<")
		if !ok || strings.Contains(lines.Text(), "add_development_dependency") {
			continue
		}
		if name, _, ok := strings.Cut(rest, ">"); ok && name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// gitGems finds gems that Bundler checked out of git. Their gemspec is the
// author's program, so name and version count only where they stand there as
// literals; else the folder gives the name.
func (a *artifact) gitGems() {
	for i := range a.files {
		p := a.files[i].Path
		if !strings.HasSuffix(p, ".gemspec") {
			continue
		}
		dir := dirOf(p)
		parent := dirOf(dir)
		if path.Base(parent) != "gems" || path.Base(dirOf(parent)) != "bundler" {
			continue
		}
		folder := path.Base(dir)
		dash := strings.LastIndexByte(folder, '-')
		if dash <= 0 {
			continue
		}
		a.owners.addDir(dir)
		f := found{
			typ: "gem", name: strings.TrimSuffix(path.Base(p), ".gemspec"), path: p, dir: dir, method: sbom.MethodInstalled, confidence: 0.9,
			detail: "checked out of git at " + folder[dash+1:],
		}
		data, err := a.read(p, a.opts.MaxManifest)
		if err != nil {
			a.unread(p, err)
		}
		f.version = gemLiteral(data, ".version")
		if name := gemLiteral(data, ".name"); name != "" {
			f.name = name
		}
		a.add(f)
	}
}

// gemLiteral returns the string literal that a gemspec assigns to an attribute.
func gemLiteral(data []byte, attribute string) string {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		_, rest, ok := strings.Cut(lines.Text(), attribute)
		if !ok {
			continue
		}
		rest, ok = strings.CutPrefix(strings.TrimSpace(rest), "=")
		rest = strings.TrimSpace(rest)
		if !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			continue
		}
		if value, _, ok := strings.Cut(rest[1:], rest[:1]); ok && !strings.Contains(value, "#{") {
			return value
		}
	}
	return ""
}
