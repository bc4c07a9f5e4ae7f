package integrity

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxSidecar bounds a file that holds the digest of the one beside it, in bytes.
const maxSidecar = 4 << 10

// shippedArchive is an archive of a package that was shipped as it was published:
// a jar, a gem, a nupkg, a crate.
type shippedArchive struct {
	at        place
	component *sbom.Component // nil: none is known for it
	expected  []expectation
}

// expectation is a digest that an archive should have, and who says so.
type expectation struct {
	alg    algorithms
	values []string // raw bytes, any of them
	source string   // "lockfile", "registry", the path of the file beside it

	content bool  // a digest of what a nupkg holds besides its signature
	err     error // the file beside it cannot be read
}

// shipped is the comparison of archives that were shipped as a whole.
type shipped struct {
	*check
	list   []*shippedArchive
	nupkgs map[infoKey]int // folder -> how many are in it
}

// shipped finds archives of which a digest is known.
func (c *check) shipped() *shipped {
	s := &shipped{check: c, nupkgs: c.nupkgs()}
	byFile := c.byArchive()
	for v, volume := range c.files.volumes {
		for i, f := range volume.Files() {
			switch path.Ext(f.Path) {
			case ".jar", ".war", ".gem", ".nupkg", ".crate":
				a := &shippedArchive{at: place{v, i}, component: byFile[infoKey{v, f.Path}]}
				s.expect(a)
				if len(a.expected) > 0 {
					s.list = append(s.list, a)
				}
			}
		}
	}
	for _, a := range s.list {
		for _, e := range a.expected {
			c.files.want(a.at, e.alg)
		}
	}
	return s
}

// nupkgs counts the nupkgs of each folder.
func (c *check) nupkgs() map[infoKey]int {
	out := map[infoKey]int{}
	for v, volume := range c.files.volumes {
		for _, f := range volume.Files() {
			if path.Ext(f.Path) == ".nupkg" {
				out[infoKey{v, path.Dir(f.Path)}]++
			}
		}
	}
	return out
}

// byArchive finds components by the archive that is theirs alone: its name is
// that of the package with its version.
func (c *check) byArchive() map[infoKey]*sbom.Component {
	out := map[infoKey]*sbom.Component{}
	for i := range c.bom.Components {
		m := &c.bom.Components[i]
		if m.Version == "" {
			continue
		}
		_, artifact, ok := strings.Cut(m.Name, ":")
		if !ok {
			artifact = m.Name
		}
		name := strings.ToLower(artifact + "-" + m.Version)
		for _, o := range m.Occurrences {
			file, inside, _ := strings.Cut(o.Path, "!/")
			if strings.Contains(inside, "!/") {
				continue // of an archive in it
			}
			if strings.ToLower(strings.TrimSuffix(path.Base(file), path.Ext(file))) == name {
				out[infoKey{o.Artifact, file}] = m
			}
			if gems, ok := strings.CutSuffix(path.Dir(file), "/specifications"); ok && path.Ext(file) == ".gemspec" {
				out[infoKey{o.Artifact, gems + "/cache/" + strings.TrimSuffix(path.Base(file), ".gemspec") + ".gem"}] = m
			}
		}
	}
	return out
}

// expect collects what is said of an archive: by lockfiles, by the registry, and
// by files beside it as Maven and NuGet leave them in their folders.
func (s *shipped) expect(a *shippedArchive) {
	if m := a.component; m != nil {
		locked := lockedDigests(m)
		for _, alg := range []string{"sha512", "sha256", "sha1"} {
			a.add(alg, locked[alg], "lockfile")
		}
		if st := s.standings[m.PURL]; st != nil && st.Version {
			for _, alg := range []string{"sha512", "sha256", "sha1"} {
				if v := st.Integrity[alg]; v != "" {
					a.add(alg, []string{v}, "registry")
				}
			}
		}
	}
	file := s.files.path(a.at)
	for _, alg := range []string{"sha512", "sha256", "sha1", "md5"} {
		i, ok := s.files.volumes[a.at.volume].Find(file + "." + alg)
		if !ok {
			continue
		}
		if data, err := s.files.read(place{a.at.volume, i}, maxSidecar); err == nil {
			first, _, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
			a.add(alg, []string{sidecar(alg, first)}, file+"."+alg)
		}
	}
	if path.Ext(file) == ".nupkg" {
		s.expectContent(a)
	}
}

// sidecar is the digest in a file beside an archive, in hexadecimal: Maven writes
// it so, NuGet in base64. "" when it is neither.
func sidecar(alg, text string) string {
	_, size, _ := algorithmOf(alg)
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == size {
		return strings.ToLower(text)
	}
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == size {
		return hex.EncodeToString(raw)
	}
	return ""
}

// add notes digests in hexadecimal; what cannot be read is none.
func (a *shippedArchive) add(name string, hexes []string, source string) {
	alg, size, _ := algorithmOf(name)
	e := expectation{alg: alg, source: source}
	for _, h := range hexes {
		if raw, err := hex.DecodeString(h); err == nil && len(raw) == size {
			e.values = append(e.values, string(raw))
		}
	}
	if len(e.values) > 0 {
		a.expected = append(a.expected, e)
	}
}

// compare judges what was read.
func (s *shipped) compare() {
	for _, a := range s.list {
		s.archive(a)
	}
}

func (s *shipped) archive(a *shippedArchive) {
	sum := s.files.wanted[a.at]
	d := Difference{Rule: RuleChanged, Artifact: a.at.volume, Path: s.files.path(a.at)}
	if a.component != nil {
		d.Component = a.component.PURL
	}
	s.res.Files++
	if sum.err != nil {
		s.unread(d, a.expected[0].source, sum.err)
		return
	}
	agrees := false
	for _, e := range a.expected {
		if e.err != nil {
			d.Path = e.source
			s.unread(d, "file beside it", e.err)
			return
		}
		same := slices.ContainsFunc(e.values, func(v string) bool { return sum.is(e.alg, v) })
		if !same && e.content {
			var err error
			if same, err = s.hasContent(a.at, e.values[0]); err != nil {
				s.unread(d, "file beside it", err)
				return
			}
		}
		if same {
			agrees = agrees || !e.alg.weak() && (e.source == "lockfile" || e.source == "registry")
			continue
		}
		switch e.source {
		case "lockfile":
			d.Weight, d.Source, d.Title = High, e.source, clip(d.Path)+" is not the archive that the lockfile has"
		case "registry":
			// rebuilt by a distribution or a company, or exchanged
			d.Weight, d.Source, d.Probable, d.Title = Medium, e.source, true, clip(d.Path)+" is not the archive that the registry published"
		default:
			d.Weight, d.Source, d.Title = Medium, "file beside it", clip(d.Path)+" is not the archive whose digest lies beside it"
		}
		d.Detail = fmt.Sprintf("its digest is not the one in %s", clip(e.source))
		s.differs(d)
		s.unsettled(d.Component, "its archive is not the one that is expected")
		return
	}
	switch {
	case d.Component == "":
	case agrees:
		s.whole[d.Component] = true
	default:
		s.left(d.Component, "only the digest beside its archive, or a weak one, says how it should be")
	}
}

// unread reports a file that nobody could compare.
func (s *shipped) unread(d Difference, source string, err error) {
	d.Rule, d.Weight, d.Source, d.Detail = RuleUnread, Medium, source, clip(err.Error())
	d.Title = clip(d.Path) + " could not be read"
	s.differs(d)
	s.unsettled(d.Component, "a file of it could not be read")
}

// unsettled says why a package is not known to be whole, if it is known at all.
func (c *check) unsettled(component, reason string) {
	if component != "" {
		c.left(component, reason)
	}
}
