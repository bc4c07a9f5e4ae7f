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
	a.bareGems()
	a.pathGems()
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
		f.requires, f.ranges = gemRequires(data)
		for _, x := range gemExtensions(data) {
			f.has(sbom.Trait{Kind: sbom.TraitScript, Path: at, Detail: "extension: " + clip(x)})
		}
	}
	a.add(f)
}

// gemRequires returns the runtime dependencies that RubyGems wrote into a
// specification, and what versions of each it takes:
// s.add_runtime_dependency(%q<rack>.freeze, ["~> 2.0".freeze, ">= 2.0.8"]).
func gemRequires(data []byte) (names []string, ranges map[string]string) {
	ranges = map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		_, rest, ok := strings.Cut(lines.Text(), "dependency(%q<")
		if !ok || strings.Contains(lines.Text(), "add_development_dependency") {
			continue
		}
		name, rest, ok := strings.Cut(rest, ">")
		if !ok || name == "" {
			continue
		}
		rng := strings.Join(quotedWords(rest), ", ")
		if have, ok := ranges[name]; ok && have != rng {
			rng = ""
		}
		names, ranges[name] = append(names, name), rng
	}
	slices.Sort(names)
	return slices.Compact(names), ranges
}

// quotedWords are the texts in double quotes of a line of Ruby.
func quotedWords(s string) []string {
	var out []string
	for parts := strings.Split(s, `"`); len(parts) > 2; parts = parts[2:] {
		out = append(out, parts[1])
	}
	return out
}

// gemExtensions returns the programs that build the native parts of a gem when
// it is installed: s.extensions = ["ext/x/extconf.rb".freeze].
func gemExtensions(data []byte) []string {
	const most = 10
	_, rest, ok := bytes.Cut(data, []byte(".extensions = ["))
	list, _, closed := bytes.Cut(rest[:min(len(rest), 4096)], []byte("]"))
	if !ok || !closed {
		return nil
	}
	var out []string
	for part := range bytes.SplitSeq(list, []byte(",")) {
		if _, text, ok := bytes.Cut(part, []byte{'"'}); ok && len(out) < most {
			name, _, _ := bytes.Cut(text, []byte{'"'})
			out = append(out, string(name))
		}
	}
	return out
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
		f.has(sbom.Trait{Kind: sbom.TraitGit, Path: p, Detail: clip(folder[:dash]) + "#" + clip(folder[dash+1:])})
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

// bareGems finds gems whose specification was left out, by the folder that
// RubyGems unpacks them into: GEM_HOME/gems/NAME-VERSION[-PLATFORM].
func (a *artifact) bareGems() {
	seen := map[string]bool{}
	for i := range a.files {
		p := a.files[i].Path
		at := strings.LastIndex("/"+dirOf(p)+"/", "/gems/")
		if at < 0 {
			continue
		}
		home := strings.TrimSuffix(p[:at], "/")
		folder, _, ok := strings.Cut(p[at+len("gems/"):], "/")
		if !ok || seen[home+"/"+folder] || !rubyHome(home) || a.owners.owns(p) {
			continue
		}
		seen[home+"/"+folder] = true
		dir := path.Join(home, "gems", folder)
		name, version := gemFolder(folder)
		if a.has(path.Join(home, "specifications", folder+".gemspec")) {
			continue // reported when it was read
		}
		if name == "" {
			a.unknown(dir, sbom.Opaque, "gem without a specification, and its folder's name has no version", true)
			continue
		}
		a.owners.addDir(dir)
		a.add(found{
			typ: "gem", name: name, version: version, path: p, dir: dir, method: sbom.MethodInstalled, confidence: 0.6,
			detail: "the folder's name, since there is no specification of it",
		})
	}
}

// rubyHome reports whether dir is a GEM_HOME by its name: Bundler's
// vendor/bundle/ruby/X.Y.0, or ruby/gems/X.Y.0 of a layer
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
func rubyHome(dir string) bool {
	parent := dirOf(dir)
	return path.Base(parent) == "ruby" || path.Base(parent) == "gems" && path.Base(dirOf(parent)) == "ruby"
}

// gemFolder takes apart NAME-VERSION[-PLATFORM]. A name may have dashes; a
// version starts with a digit and has none
// (https://guides.rubygems.org/specification-reference/).
func gemFolder(folder string) (name, version string) {
	for i := 1; i+1 < len(folder); i++ {
		if folder[i] != '-' || folder[i+1] < '0' || folder[i+1] > '9' {
			continue
		}
		v, _, _ := strings.Cut(folder[i+1:], "-")
		if strings.Trim(v, "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			continue
		}
		if name == "" || strings.Contains(v, ".") {
			name, version = folder[:i], v
		}
		if strings.Contains(v, ".") {
			break // a number alone may end the name: http-2-0.10.1
		}
	}
	return name, version
}

// pathGems finds gems that lie in vendor/NAME with a gemspec, as Bundler takes
// them by "path:". Only literals count.
func (a *artifact) pathGems() {
	for i := range a.files {
		p := a.files[i].Path
		dir := dirOf(p)
		parent := path.Base(dirOf(dir))
		if !strings.HasSuffix(p, ".gemspec") || parent != "vendor" && dirOf(dir) != "vendor/gems" || a.files[i].Link != "" || a.owners.owns(p) {
			continue
		}
		data, err := a.read(p, a.opts.MaxManifest)
		if err != nil {
			a.unread(p, err)
			continue
		}
		name, version := gemLiteral(data, ".name"), gemLiteral(data, ".version")
		if name == "" || version == "" {
			continue // the function's own, by all that can be read
		}
		a.owners.addDir(dir)
		a.add(found{
			typ: "gem", name: name, version: version, path: p, dir: dir, method: sbom.MethodInstalled, confidence: 0.8,
			detail: "vendored with its gemspec",
		})
	}
}
