package integrity

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxNamed is how many files of one package are named for one rule; the rest is
// one more difference with their number.
const maxNamed = 20

// distribution is a Python distribution with a RECORD.
type distribution struct {
	volume    int
	info      string // path of its dist-info folder in the volume
	root      string // the folder that RECORD's paths start from: "" or with a slash behind
	component string // package URL, "" when the bill has none for it
	label     string // "requests 2.31.0"
	lines     []recordLine
	wheel     map[string]recordLine // RECORD of the published wheel; nil when that is not at hand

	compared int
	reasons  []string // why it is not known to be whole
	missing  []string // code that it lists
}

// claim is a line of a distribution about a file.
type claim struct {
	of   *distribution
	line *recordLine
}

// python is the comparison of what Python's installers wrote down.
type python struct {
	*check
	list   []*distribution
	claims map[string][]claim // path on the platform -> who lists it
	owned  map[string]*distribution
	alone  map[string]*distribution // path on the platform, without its ending, of a module in no package -> who lists it
	eggs   map[string]string        // folder on the platform -> metadata without a list that names it
	files  map[place][]claim        // files that are compared
}

// python finds the RECORDs and notes which files they need.
func (c *check) python(ctx context.Context) *python {
	py := &python{check: c, claims: map[string][]claim{}, owned: map[string]*distribution{}, alone: map[string]*distribution{}, eggs: map[string]string{}, files: map[place][]claim{}}
	components := c.byMetadata()
	for v := range c.files.volumes {
		for i, f := range c.files.volumes[v].Files() {
			dir, base := path.Split(f.Path)
			dir = strings.TrimSuffix(dir, "/")
			switch {
			case base == "RECORD" && strings.HasSuffix(dir, ".dist-info"):
				py.record(place{v, i}, dir, components[infoKey{v, dir}])
			case base == "METADATA" && strings.HasSuffix(dir, ".dist-info"):
				if _, ok := c.files.volumes[v].Find(dir + "/RECORD"); !ok {
					py.unrecorded(place{v, i}, dir, components[infoKey{v, dir}], "it has no RECORD")
				}
			case base == "PKG-INFO" && strings.HasSuffix(dir, ".egg-info"), strings.HasSuffix(base, ".egg-info"):
				if base != "PKG-INFO" {
					dir = f.Path
				}
				py.unrecorded(place{v, i}, dir, components[infoKey{v, dir}], "egg metadata lists no digests")
			}
		}
	}
	py.match()
	py.wheels(ctx)
	return py
}

// infoKey is a folder of metadata.
type infoKey struct {
	volume int
	dir    string
}

// byMetadata finds components by the folder (or the file) of their metadata.
func (c *check) byMetadata() map[infoKey]*sbom.Component {
	out := map[infoKey]*sbom.Component{}
	for i := range c.bom.Components {
		m := &c.bom.Components[i]
		if !strings.HasPrefix(m.PURL, "pkg:pypi/") {
			continue
		}
		for _, o := range m.Occurrences {
			dir := o.Path
			if base := path.Base(dir); base == "METADATA" || base == "PKG-INFO" {
				dir = path.Dir(dir)
			}
			out[infoKey{o.Artifact, dir}] = m
		}
	}
	return out
}

// labelOf names a package in a sentence.
func labelOf(m *sbom.Component, info string) (purl, label string) {
	if m == nil {
		name, version, _ := strings.Cut(strings.TrimSuffix(path.Base(info), ".dist-info"), "-")
		return "", clip(strings.TrimSpace(name + " " + version))
	}
	return m.PURL, clip(strings.TrimSpace(m.Name + " " + m.Version))
}

// unrecorded notes a distribution that has no list of its files. The folders
// that it is imported by may hold files of its own in another one's folder.
func (py *python) unrecorded(p place, info string, m *sbom.Component, why string) {
	purl, _ := labelOf(m, info)
	if purl != "" {
		py.left(purl, why)
	}
	top, ok := py.check.files.volumes[p.volume].Find(info + "/top_level.txt")
	if !ok {
		return
	}
	data, err := py.check.files.read(place{p.volume, top}, 64<<10)
	if err != nil {
		return
	}
	for _, name := range strings.Fields(string(data)) {
		if name != ".." && !strings.Contains(name, "/") {
			py.eggs[py.check.files.mounts[p.volume]+path.Join(path.Dir(info), name)] = info
		}
	}
}

// record reads one RECORD.
func (py *python) record(p place, info string, m *sbom.Component) {
	d := &distribution{volume: p.volume, info: info}
	if root := path.Dir(info); root != "." {
		d.root = root + "/"
	}
	d.component, d.label = labelOf(m, info)
	py.list = append(py.list, d)
	data, err := py.check.files.read(p, maxRecord)
	if err != nil {
		d.reasons = append(d.reasons, "its RECORD cannot be read: "+err.Error())
		return
	}
	if d.lines, err = parseRecord(data); err != nil {
		d.reasons = append(d.reasons, err.Error())
	}
	if len(d.lines) == 0 {
		d.reasons = append(d.reasons, "its RECORD lists nothing")
	}
	for i := range d.lines {
		l := &d.lines[i]
		at, ok := d.at(l.path)
		if !ok {
			continue // outside the artifact: a script of the machine that it was installed on
		}
		mounted := py.check.files.mounts[p.volume] + at
		py.claims[mounted] = append(py.claims[mounted], claim{d, l})
		if stem, ok := strings.CutSuffix(mounted, ".py"); ok && !strings.Contains(l.path, "/") && py.alone[stem] == nil {
			py.alone[stem] = d
		}
	}
	for _, dir := range d.packages() {
		mounted := py.check.files.mounts[p.volume] + dir
		if py.owned[mounted] == nil {
			py.owned[mounted] = d
		}
	}
}

// name is the distribution's name as its folder of metadata spells it, in lower case.
func (d *distribution) name() string {
	name, _, _ := strings.Cut(strings.ToLower(path.Base(d.info)), "-")
	return name
}

// at returns where a path of RECORD leads in the volume. A path that climbs out
// is that of a script or of data that belongs to the whole installation; false
// when it leaves the volume, or is absolute.
func (d *distribution) at(name string) (string, bool) {
	if path.IsAbs(name) || strings.Contains(name, `\`) {
		return "", false
	}
	p := path.Join(d.root, name)
	return p, p != "." && p != ".." && !strings.HasPrefix(p, "../")
}

// packages returns the folders that are the distribution's own: the topmost
// ones with an __init__ that it lists. A folder without one is a namespace,
// which anybody's modules may lie in.
func (d *distribution) packages() []string {
	var dirs []string
	for i := range d.lines {
		dir, base := path.Split(d.lines[i].path)
		if dir == "" || !strings.HasPrefix(base, "__init__.") || !isPythonCode(base) || path.Base(dir) == "__pycache__" {
			continue
		}
		if at, ok := d.at(strings.TrimSuffix(dir, "/")); ok && strings.HasPrefix(at, d.root) {
			dirs = append(dirs, at)
		}
	}
	slices.Sort(dirs)
	var top []string
	for _, dir := range dirs {
		if n := len(top); n > 0 && (dir == top[n-1] || strings.HasPrefix(dir, top[n-1]+"/")) {
			continue
		}
		top = append(top, dir)
	}
	return top
}

// match finds for every file the lines that speak of it: those of its own
// volume, else those of another one that the platform shows in the same folder.
func (py *python) match() {
	fs := py.check.files
	for mounted, claims := range py.claims {
		for v := range fs.volumes {
			p, ok := fs.find(v, mounted)
			if !ok {
				continue
			}
			own := slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c.of.volume != v })
			if len(own) == 0 {
				own = claims
			}
			for _, c := range claims { // a list of another name does not take away what one below says
				if c.of.volume < v && !slices.ContainsFunc(own, func(o claim) bool { return o.of.name() == c.of.name() }) {
					own = append(own, c)
				}
			}
			for _, c := range own {
				if c.line.alg != 0 && !rewritten(c.line.path) {
					py.files[p] = own
					fs.want(p, c.line.alg)
				}
			}
		}
	}
}

// rewritten reports whether installers write a file of the metadata after, or
// instead of, what a RECORD says.
func rewritten(name string) bool {
	switch path.Base(name) {
	case "RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json":
		return strings.HasSuffix(path.Dir(name), ".dist-info")
	}
	return false
}

// compare judges what was read.
func (py *python) compare() {
	named := map[string]int{}
	for _, p := range places(py.files) {
		py.file(p, named)
	}
	py.unlisted(named)
	for _, d := range py.list {
		py.against(d, named)
		py.distribution(d)
	}
	py.more(named)
}

// file compares one file with the lines that speak of it. One that agrees is
// enough: two distributions may bring the same file, and the one that was
// installed last wins.
func (py *python) file(p place, named map[string]int) {
	fs := py.check.files
	s, claims, at := fs.wanted[p], py.files[p], fs.path(p)
	c := claims[0]
	py.res.Files++
	if s.err != nil {
		py.name(named, c.of, Difference{Rule: RuleUnread, Weight: Medium, Artifact: p.volume, Path: at, Title: clip(at) + " could not be read", Source: "RECORD", Detail: s.err.Error()})
		c.of.because("a file of it could not be read")
		return
	}
	agrees := slices.IndexFunc(claims, func(c claim) bool { return c.line.alg != 0 && s.is(c.line.alg, c.line.sum) })
	for i, c := range claims {
		switch {
		case i == agrees:
			c.of.compared++
			if c.line.alg.weak() {
				c.of.because("its RECORD has digests that can be forged (md5 or sha1)")
			}
		case agrees >= 0 && c.line.alg != 0 && !s.is(c.line.alg, c.line.sum):
			c.of.because("another distribution lists some of the same files and brought its own")
			py.replaced(p, c, claims[agrees].of, named)
		}
	}
	if agrees >= 0 {
		return
	}
	d := Difference{Rule: RuleChanged, Weight: pythonWeight(at, c.line.path), Artifact: p.volume, Path: at, Source: "RECORD",
		Title: clip(at) + " is not the file that its RECORD lists", Detail: "its digest is not the one that RECORD has"}
	py.excuse(&d, p, c)
	if d.Weight > Low || d.Rule == RuleStripped {
		c.of.because("files of it differ from its RECORD")
	}
	py.name(named, c.of, d)
}

// replaced reports code that is the file of another distribution than the one
// that lists it with another digest. Two that were made from one source share
// files; but a second list is also what hides a change from the first one.
func (py *python) replaced(p place, c claim, by *distribution, named map[string]int) {
	if !neededCode(c.line.path) {
		return
	}
	at := py.check.files.path(p)
	py.name(named, c.of, Difference{Rule: RuleChanged, Weight: Medium, Probable: true, Artifact: p.volume, Path: at, Source: "RECORD",
		Title: clip(at) + " is not the file that its RECORD lists, but that of " + by.label, Detail: "two distributions list it with different digests"})
}

// excuse looks for an explanation of a difference that makes it say less.
func (py *python) excuse(d *Difference, p place, c claim) {
	fs := py.check.files
	switch {
	case machineCode(d.Path):
		content, err := fs.trees[p.volume].Content(d.Path)
		if err != nil {
			return
		}
		defer content.Close()
		if fs.wanted[p].size < c.line.size && stripped(content) {
			d.Rule, d.Weight, d.Probable = RuleStripped, Low, true
			d.Title = clip(d.Path) + " has no symbols and is not the file that its RECORD lists"
			d.Detail = "it was stripped, or replaced: that cannot be told apart"
		}
	case isScript(c.line.path):
		if data, err := fs.read(p, maxWrapper); err == nil && consoleScript().Match(data) {
			d.Weight, d.Detail = Low, "it is a start script as installers write it, and nothing else"
		}
	default:
		data, err := fs.read(p, maxText)
		if err == nil && otherLineEnds(data, func(b []byte) bool { return digestIs(c.line.alg, c.line.sum, b) }) {
			d.Weight, d.Detail = Low, "it differs in its line ends alone"
		}
	}
}

// maxWrapper bounds a console script in bytes.
const maxWrapper = 4 << 10

// consoleScript is what pip, uv, distlib and setuptools write to start an entry
// point; its first line names the interpreter of the machine.
var consoleScript = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\A#![^\n]*\n(?:'''exec' [^\n]*\n' '''\n)?(?:# -\*- coding: utf-8 -\*-\r?\n)?(?:import re\r?\n)?import sys\r?\n(?:import re\r?\n)?\r?\n?from [\w.]+ import \w+\r?\n\r?\n?if __name__ == ['"]__main__['"]:\r?\n(?:    sys\.argv\[0\] = [^\n;()]*(?:re\.sub\([^\n;()]*(?:\([^\n;()]*\))?[^\n;()]*\))?\r?\n|    if sys\.argv\[0\]\.endswith\("[\w.-]+"\):\r?\n        sys\.argv\[0\] = sys\.argv\[0\]\[:-\d+\]\r?\n|    elif sys\.argv\[0\]\.endswith\("[\w.-]+"\):\r?\n        sys\.argv\[0\] = sys\.argv\[0\]\[:-\d+\]\r?\n)*    sys\.exit\([\w.]+\(\)\)\r?\n\z`)
})

// isScript reports whether a path of RECORD is that of a script in bin.
func isScript(name string) bool {
	dir := path.Base(path.Dir(name))
	return dir == "bin" || dir == "Scripts"
}

// unlisted looks for code in the folders of distributions that none of them lists.
func (py *python) unlisted(named map[string]int) {
	if len(py.owned)+len(py.alone) == 0 {
		return
	}
	fs := py.check.files
	for v, volume := range fs.volumes {
		for i, f := range volume.Files() {
			base := path.Base(f.Path)
			if !isPythonCode(base) && !machineCode(base) {
				continue
			}
			mounted := fs.mounts[v] + f.Path
			if len(py.claims[mounted]) > 0 {
				continue
			}
			d, top := py.owner(mounted)
			if d == nil {
				d, top = py.instead(mounted)
			}
			if d == nil {
				continue
			}
			py.foreign(place{v, i}, mounted, top, d, named)
		}
	}
}

// foreign judges one file that no distribution lists.
func (py *python) foreign(p place, mounted, top string, d *distribution, named map[string]int) {
	dir, base := path.Split(mounted)
	g := Difference{Rule: RuleUnlisted, Weight: High, Artifact: p.volume, Path: py.check.files.path(p), Source: "RECORD",
		Detail: "it lies in " + clip(top) + " and no RECORD lists it"}
	g.Title = clip(g.Path) + " is code that no RECORD lists"
	switch stem, cached := compiledFrom(base); {
	case stem == "":
	case cached && strings.HasSuffix(dir, "/__pycache__/"):
		source := strings.TrimSuffix(dir, "__pycache__/") + stem + ".py"
		if len(py.claims[source]) > 0 {
			if !py.unchecked(p) {
				return // what the interpreter compiled
			}
			g.Weight, g.Probable, g.Detail = Medium, true, "a compiled module that says of itself that its source is not to be looked at"
			d.because("its compiled modules run whatever their sources say")
			break
		}
		g.Weight, g.Detail = Low, "a compiled module of which no source is listed; nothing imports it without its source"
	case len(py.claims[dir+stem+".py"]) > 0:
		d.because("it was compiled: RECORD has the digests of its sources")
		return
	}
	if egg := py.egg(mounted); egg != "" && g.Weight == High {
		g.Weight, g.Probable = Medium, true
		g.Detail += "; it may be part of " + clip(egg) + ", which has no list of files"
	}
	py.name(named, d, g)
}

// owner returns the distribution in whose package a file lies.
func (py *python) owner(mounted string) (*distribution, string) {
	for dir := path.Dir(mounted); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if d := py.owned[dir]; d != nil {
			return d, dir
		}
	}
	return nil, ""
}

// instead returns the distribution one of whose modules a file takes the place
// of: Python looks for a package first, then for a library, then for a module
// (importlib.machinery.FileFinder).
func (py *python) instead(mounted string) (*distribution, string) {
	dir, base := path.Split(mounted)
	stem := strings.TrimSuffix(dir, "/")
	switch {
	case strings.HasPrefix(base, "__init__."):
	case machineCode(base):
		name, _, _ := strings.Cut(base, ".")
		stem = dir + name
	default:
		return nil, ""
	}
	return py.alone[stem], stem
}

// unchecked reports whether a compiled module says that the interpreter is not
// to hold it against its source (https://peps.python.org/pep-0552/): the second
// word of its head is 1.
func (py *python) unchecked(p place) bool {
	content, err := py.check.files.trees[p.volume].Content(py.check.files.path(p))
	if err != nil {
		return false
	}
	defer content.Close()
	head := make([]byte, 8)
	if _, err := content.ReadAt(head, 0); err != nil {
		return false
	}
	return binary.LittleEndian.Uint32(head[4:]) == 1
}

// egg returns the metadata without a list that names a folder above a file.
func (py *python) egg(mounted string) string {
	for dir := path.Dir(mounted); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if info := py.eggs[dir]; info != "" {
			return info
		}
	}
	return ""
}

// distribution concludes what is known of one distribution.
func (py *python) distribution(d *distribution) {
	fs := py.check.files
	odd, plain := 0, 0
	for i := range d.lines {
		l := &d.lines[i]
		at, ok := d.at(l.path)
		if !ok || rewritten(l.path) {
			continue
		}
		_, there := fs.volumes[d.volume].Find(at)
		switch {
		case there && l.odd != "":
			odd++
		case there && l.alg == 0 && (isPythonCode(at) && !strings.HasSuffix(at, ".pyc") || machineCode(at)):
			plain++
		case !there && neededCode(l.path):
			if _, compiled := fs.volumes[d.volume].Find(at + "c"); compiled {
				d.because("it was compiled: RECORD has the digests of its sources")
			} else if !py.elsewhere(fs.mounts[d.volume] + at) {
				d.missing = append(d.missing, at)
			}
		}
	}
	if odd > 0 {
		d.because(fmt.Sprintf("its RECORD has %d digests of a kind that is not known", odd))
	}
	if plain > 0 {
		d.because(fmt.Sprintf("its RECORD has no digest of %d of its modules", plain))
	}
	if n := len(d.missing); n > 0 {
		slices.Sort(d.missing)
		py.differs(Difference{Rule: RuleMissing, Weight: Low, Component: d.component, Artifact: d.volume, Path: d.info + "/RECORD", Source: "RECORD",
			Title:  fmt.Sprintf("%d modules that its RECORD lists are not there", n),
			Detail: clip(strings.Join(d.missing[:min(n, 5)], ", "))})
	}
	if d.compared == 0 && len(d.reasons) == 0 {
		d.because("none of the files that its RECORD has digests of is there")
	}
	name := cmp.Or(d.component, d.label)
	if len(d.reasons) == 0 {
		py.whole[name] = true
		return
	}
	slices.Sort(d.reasons)
	py.left(name, strings.Join(d.reasons, "; "))
}

// elsewhere reports whether another volume has a file of the platform.
func (py *python) elsewhere(mounted string) bool {
	for v := range py.check.files.volumes {
		if _, ok := py.check.files.find(v, mounted); ok {
			return true
		}
	}
	return false
}

func (d *distribution) because(reason string) {
	if !slices.Contains(d.reasons, reason) {
		d.reasons = append(d.reasons, reason)
	}
}

func (d *distribution) key(rule string) string {
	return fmt.Sprintf("%s %d %s", rule, d.volume, d.info)
}

// name reports a difference of a distribution, the first of each rule one by one.
func (py *python) name(named map[string]int, d *distribution, g Difference) {
	g.Component = d.component
	if d.component == "" {
		g.Title += " (" + d.label + ")"
	}
	key := d.key(g.Rule)
	if named[key]++; named[key] <= maxNamed {
		py.differs(g)
	}
}

// more says how many were not named.
func (py *python) more(named map[string]int) {
	for _, d := range py.list {
		for _, rule := range []string{RuleChanged, RuleUnlisted, RuleUnread, RuleStripped} {
			if n := named[d.key(rule)] - maxNamed; n > 0 {
				py.differs(Difference{Rule: rule, Weight: Medium, Component: d.component, Artifact: d.volume, Path: d.info + "/RECORD", Source: "RECORD",
					Title: fmt.Sprintf("and %d more files", n), Detail: "they are not named one by one"})
			}
		}
	}
}

// isPythonCode reports whether Python runs a file of that name.
func isPythonCode(name string) bool {
	switch path.Ext(name) {
	case ".py", ".pyc", ".pyo", ".pyd", ".pth", ".pyw":
		return true
	}
	return machineCode(name)
}

// machineCode reports whether a name is that of a shared library: "_x.so",
// "libz.so.1.2".
func machineCode(name string) bool {
	base := path.Base(name)
	at := strings.LastIndex(base, ".so")
	return at > 0 && strings.Trim(base[at+3:], ".0123456789") == "" || strings.HasSuffix(base, ".pyd") || strings.HasSuffix(base, ".dll") || strings.HasSuffix(base, ".dylib")
}

// compiledFrom returns the module that a compiled file is of, and whether its
// name is that of the interpreter's cache: "a.cpython-311.opt-1.pyc" is of "a"
// (https://peps.python.org/pep-3147/, https://peps.python.org/pep-0488/). "" for
// a file that is not compiled.
func compiledFrom(base string) (stem string, cached bool) {
	stem, ok := strings.CutSuffix(base, ".pyc")
	if !ok {
		return "", false
	}
	if i := strings.LastIndex(stem, ".opt-"); i > 0 {
		stem = stem[:i]
	}
	if i := strings.LastIndexByte(stem, '.'); i > 0 && strings.Contains(stem[i:], "-") {
		return stem[:i], true
	}
	return stem, false
}

// neededCode reports whether a listed file is code that a package is thinned
// out without only by mistake: not its tests, examples, documents, scripts.
func neededCode(name string) bool {
	if strings.HasPrefix(name, "../") || path.IsAbs(name) || !strings.Contains(name, "/") && path.Ext(name) == ".pth" {
		return false
	}
	if ext := path.Ext(name); ext != ".py" && !machineCode(name) {
		return false
	}
	for _, part := range strings.Split(path.Dir(name), "/") {
		switch strings.ToLower(part) {
		case "test", "tests", "testing", "example", "examples", "doc", "docs", "benchmark", "benchmarks", "__pycache__", "bin", "scripts":
			return false
		}
		if strings.HasSuffix(part, ".data") || strings.HasSuffix(part, ".dist-info") {
			return false
		}
	}
	base := path.Base(name)
	return !strings.HasPrefix(base, "test_") && base != "conftest.py" && base != "setup.py"
}

// pythonWeight says how much a changed file says; name is as RECORD has it.
func pythonWeight(at, name string) Weight {
	base := path.Base(at)
	switch {
	case isPythonCode(base), isScript(name), strings.HasSuffix(base, ".sh"), strings.HasSuffix(base, ".js"), strings.HasSuffix(base, ".exe"):
		return High
	case isProse(base), strings.HasSuffix(base, ".pyi"), base == "py.typed":
		return Low
	}
	return Medium
}

// isProse reports whether a file is text for people.
func isProse(base string) bool {
	upper := strings.ToUpper(base)
	for _, p := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS", "README", "CHANGELOG", "CHANGES", "HISTORY"} {
		if strings.HasPrefix(upper, p) {
			return true
		}
	}
	switch path.Ext(base) {
	case ".md", ".rst", ".txt", ".po", ".markdown":
		return base != "entry_points.txt" && base != "top_level.txt"
	}
	return false
}
