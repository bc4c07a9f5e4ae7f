package integrity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// maxFetches is how many archives are asked for side by side. The registry's
// client has its own limit for each host.
const maxFetches = 8

// npmFolder is a folder of node_modules that a package was installed in.
type npmFolder struct {
	volume int
	dir    string // in the volume, with a slash behind
	of     *npmPackage
	files  []int // of the volume, that are its own: not of a package below it
}

// npmPackage is a package of one version, in all its folders.
type npmPackage struct {
	component *sbom.Component
	pkg       registry.Package
	version   string
	folders   []*npmFolder
	published *listing
	reasons   []string // why it is not known to be whole
}

// npm is the comparison of node_modules with what the registry published.
type npm struct {
	*check
	list  []*npmPackage
	byDir map[infoKey]*npmFolder
	maps  map[place][]mapped
	known map[infoKey]bool // folders of all components, also of those that are not compared
	loose []place          // code in node_modules that lies in no package's folder
}

// npm finds the packages of which the archive is at hand, and notes the files
// that are to be compared with it.
func (c *check) npm(ctx context.Context) *npm {
	n := &npm{check: c, byDir: map[infoKey]*npmFolder{}, maps: map[place][]mapped{}, known: map[infoKey]bool{}}
	for i := range c.bom.Components {
		n.add(&c.bom.Components[i])
	}
	n.fetch(ctx)
	n.assign()
	for _, p := range n.list {
		for _, f := range p.folders {
			if p.published == nil {
				continue
			}
			for _, i := range f.files {
				c.files.want(place{f.volume, i}, algSHA256)
			}
		}
	}
	return n
}

// add notes where a package of npm is installed.
func (n *npm) add(m *sbom.Component) {
	for _, o := range m.Occurrences {
		if dir, base := path.Split(o.Path); base == "package.json" {
			n.known[infoKey{o.Artifact, dir}] = true
		}
	}
	pkg, version, ok := registry.ParsePURL(m.PURL)
	if !ok || pkg.System != registry.NPM || m.Main {
		return
	}
	p := &npmPackage{component: m, pkg: pkg, version: version}
	for _, o := range m.Occurrences {
		dir, base := path.Split(o.Path)
		if base != "package.json" || o.Artifact < 0 || o.Artifact >= len(n.files.volumes) || !installedFolder(strings.TrimSuffix(dir, "/")) {
			continue
		}
		key := infoKey{o.Artifact, dir}
		if n.byDir[key] != nil {
			continue
		}
		f := &npmFolder{volume: o.Artifact, dir: dir, of: p}
		n.byDir[key] = f
		p.folders = append(p.folders, f)
	}
	if m.Version != "" && n.addMapped(m, p) || len(p.folders) > 0 {
		n.list = append(n.list, p)
	}
}

// installedFolder reports whether a folder is one that npm installs packages
// in: node_modules/name or node_modules/@scope/name.
func installedFolder(dir string) bool {
	parent := path.Dir(dir)
	if strings.HasPrefix(path.Base(parent), "@") {
		parent = path.Dir(parent)
	}
	return path.Base(parent) == "node_modules" && !strings.HasPrefix(path.Base(dir), ".")
}

// fetch gets the published archives, and lists them.
func (n *npm) fetch(ctx context.Context) {
	budget := &budget{bytes: maxUnpackedAll, files: maxListed}
	var wg sync.WaitGroup
	turns := make(chan struct{}, maxFetches)
	for _, p := range n.list {
		if why := Elsewhere(p.component); why != "" {
			p.reasons = append(p.reasons, why)
			continue
		}
		if n.reg == nil {
			p.reasons = append(p.reasons, "no registry was asked")
			continue
		}
		if p.version == "" {
			p.reasons = append(p.reasons, "its version is not known")
			continue
		}
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			l, err := n.archive(ctx, p, budget)
			if err != nil {
				p.reasons = append(p.reasons, err.Error())
			}
			p.published = l
		})
	}
	wg.Wait()
}

// Elsewhere says that a package did not come from a registry; "" if it may have.
func Elsewhere(m *sbom.Component) string {
	for _, t := range m.Traits {
		switch t.Kind {
		case sbom.TraitGit:
			return "it came from version control, not from a registry"
		case sbom.TraitURL:
			return "it came from an address, not from a registry"
		case sbom.TraitFolder:
			return "it came from a folder, not from a registry"
		}
	}
	return ""
}

// budget is what all archives of a run may cost. Which of them is the one too
// many depends on timing only where the limits are reached at all.
type budget struct {
	mu    sync.Mutex
	bytes int64
	files int
}

func (b *budget) take(bytes int64, files int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes, b.files = b.bytes-bytes, b.files-files
	return b.bytes >= 0 && b.files >= 0
}

func (b *budget) left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.bytes, 0)
}

// archive lists the published archive of a package: from the archive itself, or
// from what a run before this one listed. Either costs the same of the budget.
func (n *npm) archive(ctx context.Context, p *npmPackage, b *budget) (*listing, error) {
	var l *listing
	var spent int64
	var unread error
	e, err := n.reg.Extract(ctx, p.pkg, p.version, "", registry.Taking{
		Form: listingForm,
		Make: func(a *registry.Archive) ([]byte, error) {
			made, unpacked, err := readArchive(ctx, a, b.left())
			if spent, unread = unpacked, err; err != nil {
				return nil, err
			}
			return made.encode(), nil
		},
		Read: func(body []byte) (err error) {
			l, err = parseListing(body)
			return err
		},
	})
	if e != nil {
		n.lockedArchive(p.component, e)
	}
	switch {
	case errors.Is(err, registry.ErrOffline):
		return nil, errors.New("its published archive is not at hand (--online fetches it)")
	case unread != nil:
		b.take(spent, 0)
		return nil, unread
	case err != nil:
		return nil, fmt.Errorf("its published archive cannot be had: %s", clip(err.Error()))
	}
	if !b.take(l.unpacked, len(l.files)) {
		return nil, errors.New("the published archives of this function together unpack to more than is read")
	}
	return l, nil
}

// assign gives each file to the package in whose folder it lies, the deepest one.
func (n *npm) assign() {
	for v, volume := range n.files.volumes {
		for i, f := range volume.Files() {
			if !strings.Contains(f.Path, "node_modules/") {
				continue
			}
			owned := false
			for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
				key := infoKey{v, dir + "/"}
				if owner := n.byDir[key]; owner != nil {
					owner.files = append(owner.files, i)
				}
				if owned = n.known[key] || n.byDir[key] != nil; owned {
					break
				}
			}
			if !owned && f.Mode == 0 && npmCode(f.Path) && !hiddenFolder(f.Path) {
				n.loose = append(n.loose, place{v, i})
			}
		}
	}
}

// hiddenFolder reports whether a path in node_modules leads through a folder
// that no name of a package can lead to: .bin, .cache, .prisma.
func hiddenFolder(p string) bool {
	_, in, _ := strings.Cut(p, "node_modules/")
	return strings.HasPrefix(in, ".")
}

// unowned reports code in node_modules that is part of no package: whoever
// requires its name gets it, and no list of packages has it.
func (n *npm) unowned() {
	for k, at := range n.loose {
		if k == maxNamed {
			n.differs(Difference{Rule: RuleUnlisted, Weight: Medium, Probable: true, Artifact: at.volume, Source: "node_modules", Path: n.files.path(at),
				Title: fmt.Sprintf("and %d more files in node_modules that are part of no package", len(n.loose)-k), Detail: "they are not named one by one"})
			return
		}
		n.differs(Difference{Rule: RuleUnlisted, Weight: Medium, Probable: true, Artifact: at.volume, Source: "node_modules", Path: n.files.path(at),
			Title: clip(n.files.path(at)) + " is part of no package", Detail: "it lies in node_modules, in the folder of no package that was found"})
	}
}

// compare judges what was read.
func (n *npm) compare() {
	n.compareMaps()
	n.unowned()
	for _, p := range n.list {
		if p.published != nil {
			for _, f := range p.folders {
				n.folder(p, f)
			}
		}
		if len(p.reasons) == 0 {
			n.whole[p.component.PURL] = true
			continue
		}
		slices.Sort(p.reasons)
		n.left(p.component.PURL, strings.Join(slices.Compact(p.reasons), "; "))
	}
}

// folder compares one installed package with its archive. Files of the archive
// that are not there were thinned out: they cannot run.
func (n *npm) folder(p *npmPackage, f *npmFolder) {
	named := map[string]int{}
	builds := n.builds(p)
	for _, i := range f.files {
		at := place{f.volume, i}
		name := strings.TrimPrefix(n.files.path(at), f.dir)
		s := n.files.wanted[at]
		want, listed := p.published.files[name]
		n.res.Files++
		d := Difference{Component: p.component.PURL, Artifact: f.volume, Path: n.files.path(at), Source: "registry"}
		switch {
		case !listed && n.folderLink(at):
			continue // to a package beside it, which is compared where it lies
		case s.err != nil:
			d.Rule, d.Weight, d.Detail = RuleUnread, Medium, s.err.Error()
			d.Title = clip(name) + " could not be read"
			p.because("a file of it could not be read")
		case listed && s.is(algSHA256, want.sha256), n.bundled(f, at, s):
			continue
		case listed:
			n.changed(&d, p, at, name, want, builds)
		default:
			n.added(&d, p, at, name, builds)
		}
		if d.Rule == "" {
			continue
		}
		if d.Weight > Low {
			p.because("files of it differ from what was published")
		}
		if named[d.Rule]++; named[d.Rule] <= maxNamed {
			n.differs(d)
		}
	}
	for _, rule := range []string{RuleChanged, RuleUnlisted, RuleUnread, RuleBuilt} {
		if more := named[rule] - maxNamed; more > 0 {
			n.differs(Difference{Rule: rule, Weight: Medium, Component: p.component.PURL, Artifact: f.volume, Path: f.dir + "package.json", Source: "registry",
				Title: fmt.Sprintf("and %d more files", more), Detail: "they are not named one by one"})
		}
	}
}

func (p *npmPackage) because(reason string) {
	if !slices.Contains(p.reasons, reason) {
		p.reasons = append(p.reasons, reason)
	}
}

// builds reports whether installing the package runs something that may write
// files: a script of its own, or node-gyp.
func (n *npm) builds(p *npmPackage) bool {
	if _, ok := p.published.files["binding.gyp"]; ok {
		return true
	}
	m, _ := parseManifest(p.published.manifest)
	for _, s := range []string{"preinstall", "install", "postinstall"} {
		if m.scripts()[s] != "" {
			return true
		}
	}
	return false
}

// changed judges a file that differs from the published one.
func (n *npm) changed(d *Difference, p *npmPackage, at place, name string, want published, builds bool) {
	d.Rule, d.Weight = RuleChanged, npmWeight(name)
	d.Title = clip(name) + " is not the file that the registry published"
	d.Detail = "its digest is not that of the file in the published archive"
	data, err := n.files.read(at, maxText)
	switch {
	case name == "package.json":
		d.Weight, d.Detail = manifestWeight(p.published.manifest, data)
	case err == nil && otherLineEnds(data, func(b []byte) bool { return digestIs(algSHA256, want.sha256, b) }):
		d.Weight, d.Detail = Low, "it differs in its line ends alone"
	case builds && n.machine(at):
		d.Rule, d.Weight, d.Probable = RuleBuilt, Low, true
		d.Title = clip(name) + " was put there when the package was installed, or afterwards"
		d.Detail = "machine code that is not in the published archive; the package runs a script at installation"
		p.because("what it built at installation has no digest")
	}
}

// added judges a file that the published archive does not have.
func (n *npm) added(d *Difference, p *npmPackage, at place, name string, builds bool) {
	base := path.Base(name)
	switch {
	case leftover(name):
		return
	case npmCode(name), n.entry(p, name), soleModule(name):
		d.Weight = High
	default:
		return // data that nothing published refers to
	}
	d.Rule, d.Detail = RuleUnlisted, "the published archive does not have it"
	d.Title = clip(name) + " is not in the archive that the registry published"
	if builds && (path.Ext(base) == ".node" || machineCode(base)) {
		d.Rule, d.Weight, d.Probable = RuleBuilt, Low, true
		d.Detail = "machine code that is not in the published archive; the package runs a script at installation"
		p.because("what it built at installation has no digest")
	}
}

// leftover reports whether a path in a package's folder is what package
// managers leave there beside the package.
func leftover(name string) bool {
	if strings.HasPrefix(name, "node_modules/.bin/") {
		return true
	}
	switch path.Base(name) {
	case ".package-lock.json", ".yarn-integrity", ".yarn-metadata.json", ".modules.yaml":
		return true
	}
	return false
}

// soleModule reports whether a path is that of a file that stands for a whole
// package: require("x") also finds the file node_modules/x
// (https://nodejs.org/api/modules.html#all-together).
func soleModule(name string) bool {
	dir := path.Dir(name)
	if strings.HasPrefix(path.Base(dir), "@") {
		dir = path.Dir(dir)
	}
	return path.Base(dir) == "node_modules"
}

// entry reports whether the package's own manifest, as published, runs a file.
func (n *npm) entry(p *npmPackage, name string) bool {
	m, _ := parseManifest(p.published.manifest)
	return slices.Contains(m.entries(), name)
}

// folderLink reports whether a file is a link to a folder.
func (n *npm) folderLink(at place) bool {
	f := n.files.volumes[at.volume].Files()[at.file]
	if f.Mode&fs.ModeSymlink == 0 {
		return false
	}
	info, err := n.files.trees[at.volume].Stat(f.Path)
	return err == nil && info.IsDir()
}

// bundled reports whether a file is what a package above it published along
// with itself (https://docs.npmjs.com/cli/configuring-npm/package-json#bundledependencies).
func (n *npm) bundled(f *npmFolder, at place, s *digests) bool {
	name := n.files.path(at)
	for dir := path.Dir(strings.TrimSuffix(f.dir, "/")); dir != "."; dir = path.Dir(dir) {
		outer := n.byDir[infoKey{f.volume, dir + "/"}]
		if outer == nil || outer.of.published == nil {
			continue
		}
		if want, ok := outer.of.published.files[strings.TrimPrefix(name, outer.dir)]; ok && s.is(algSHA256, want.sha256) {
			return true
		}
	}
	return false
}

// machine reports whether a file is an executable or a library.
func (n *npm) machine(at place) bool {
	var head [4]byte
	got, err := n.files.trees[at.volume].Peek(n.files.path(at), head[:])
	return err == nil && got == len(head) && (string(head[:]) == "\x7fELF" || string(head[:2]) == "MZ" || head == [4]byte{0xcf, 0xfa, 0xed, 0xfe})
}

// npmCode reports whether Node runs a file of that name.
func npmCode(name string) bool {
	switch path.Ext(name) {
	case ".js", ".mjs", ".cjs", ".node", ".wasm", ".jsx", ".sh":
		return true
	}
	return machineCode(name)
}

// npmWeight says how much a changed file says.
func npmWeight(name string) Weight {
	base := path.Base(name)
	switch {
	case npmCode(base), path.Ext(base) == "" && !isProse(base):
		return High
	case isProse(base), path.Ext(base) == ".map", path.Ext(base) == ".flow", strings.HasSuffix(base, ".ts"), strings.HasSuffix(base, ".mts"), strings.HasSuffix(base, ".cts"):
		return Low
	}
	return Medium
}
