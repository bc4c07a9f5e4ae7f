package jar

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxSets bounds the places of known libraries in one archive. The table has
// some 450 libraries that are recognised, and a real fat jar has few of them twice.
const maxSets = 2000

// sets returns the libraries that were merged into the archive and that found,
// the packages with better evidence, does not name already.
func (a *archive) sets(found []Package) []classSet {
	all := a.finder.sets()
	if len(all) > maxSets || a.finder.over {
		a.s.unknown(strings.TrimSuffix(a.at, "!/"), sbom.Limit, "classes of known libraries in more places than are looked at", true)
		all = all[:min(len(all), maxSets)]
	}
	host := a.host(found)
	names := map[string]bool{}
	for i := range found {
		names[found[i].Name()] = true
		names[found[i].Source] = true
	}
	var out []classSet
	for i := range all {
		c := &all[i]
		group, artifact, _ := strings.Cut(c.lib.name, ":")
		if names[c.lib.name] || names[artifact] || slices.ContainsFunc(c.lib.same, func(n string) bool { return names[n] }) {
			continue
		}
		if len(out) > 0 && out[len(out)-1].lib.name == c.lib.name {
			continue // the same again elsewhere; the plain copy sorts first
		}
		if host != "" && a.ofHost(c, group, host) {
			continue
		}
		if c.relocated() && a.insideAnother(c, all) {
			continue
		}
		a.version(c)
		out = append(out, *c)
		names[c.lib.name] = true
	}
	return out
}

// host returns the group of the library that the archive is; "" for the
// function's own archive, in which everything was merged.
func (a *archive) host(found []Package) string {
	if a.root || a.refuted {
		return ""
	}
	for i := range found {
		if found[i].Artifact == a.name.artifact || len(found) == 1 {
			return cmp.Or(found[i].Group, found[i].Artifact)
		}
	}
	return ""
}

// ofHost reports whether a class set belongs to the library that the archive
// is: its own modules, a specification that it implements, or the classes of
// another library that it stands in for (jcl-over-slf4j).
func (a *archive) ofHost(c *classSet, group, host string) bool {
	if group == host || strings.HasPrefix(group, host+".") || strings.HasPrefix(host, group+".") {
		return true
	}
	if c.relocated() {
		return c.moved && a.fits(host) && strings.HasPrefix(c.prefix, twoWords(host))
	}
	if top, _, _ := strings.Cut(c.lib.root, "/"); top == "javax" || top == "jakarta" {
		return true
	}
	// an archive that has nothing but the set's classes is an edition of it
	return a.classes-a.below(c.folder()) < a.classes/4
}

// twoWords returns the first two words of a group as a folder, with a slash at the end.
func twoWords(group string) string {
	words := strings.SplitN(group, ".", 3)
	return strings.Join(words[:min(len(words), 2)], "/") + "/"
}

// insideAnother reports whether a set that was moved lies inside the classes of
// another library that was found: that library was published so, with its own
// copy, and its advisories cover it. What was moved together with the other
// library, by the same prefix, is a module of its own.
func (a *archive) insideAnother(c *classSet, all []classSet) bool {
	return slices.ContainsFunc(all, func(o classSet) bool {
		if o.lib == c.lib || o.moved || !within(c.folder(), o.folder()) {
			return false
		}
		return c.moved || o.prefix != c.prefix && !manyProjects(o.lib.root)
	})
}

// within reports whether folder is dir or lies below it.
func within(folder, dir string) bool {
	return folder == dir || strings.HasPrefix(folder, dir) && len(folder) > len(dir) && folder[len(dir)] == '/'
}

// ofSet makes a package of a class set.
func (a *archive) ofSet(c *classSet) Package {
	group, artifact, _ := strings.Cut(c.lib.name, ":")
	return Package{Group: group, Artifact: artifact, Version: c.version, Path: a.at + c.show,
		Method: sbom.MethodClassSet, Confidence: c.confidence(), Detail: c.detail()}
}

// version reads the version from where the table says that the library keeps it.
func (a *archive) version(c *classSet) {
	for _, src := range c.lib.versions {
		file := src.path
		if src.key == "" {
			file += ".class"
		}
		for _, p := range a.versionPaths(c, file) {
			if _, err := a.tree.Lstat(p); err != nil {
				continue
			}
			if v := a.versionIn(p, src); v != "" {
				c.version, c.source = v, p
				return
			}
		}
	}
}

// versionPaths lists where a version file can lie: moved along with the
// classes, or where it was.
func (a *archive) versionPaths(c *classSet, file string) []string {
	var out []string
	if c.moved {
		if rest, ok := strings.CutPrefix(file, c.lib.root+"/"); ok {
			out = append(out, c.prefix+rest)
		}
		return out
	}
	out = append(out, c.prefix+file)
	if c.prefix != "" {
		out = append(out, file)
	}
	return out
}

func (a *archive) versionIn(p string, src versionSource) string {
	if src.key != "" {
		props, err := a.properties(p)
		if err != nil {
			a.s.unread(a.at+p, err)
			return ""
		}
		return propertyVersion(props, src.key)
	}
	data, err := a.text(p, a.s.opts.MaxClass)
	if err != nil {
		a.s.unread(a.at+p, err)
		return ""
	}
	class, err := ParseClass(data)
	if err != nil {
		a.s.unread(a.at+p, err)
		return ""
	}
	return literalVersion(class.Strings, src.prefix)
}

// propertyVersion returns the version under a key; under "*.x" the only one of
// the keys that end in ".x", since a merged file may have kept those of another
// module of the same release. A name in front, "Apache Tomcat/9.0.70 (Debian)",
// is left out.
func propertyVersion(props map[string]string, key string) string {
	found := ""
	for k, v := range props {
		if suffix, any := strings.CutPrefix(key, "*"); k != key && !(any && strings.HasSuffix(k, suffix)) {
			continue
		}
		v, _, _ = strings.Cut(strings.TrimSpace(v[strings.IndexByte(v, '/')+1:]), " ")
		if !plausibleVersion(v) || found != "" && found != v {
			return ""
		}
		found = v
	}
	return found
}

// literalVersion returns the only version among a class's texts, behind prefix
// where there is one; "" when there are several.
func literalVersion(texts []string, prefix string) string {
	found := ""
	for _, t := range texts {
		v, ok := strings.CutPrefix(t, strings.ReplaceAll(prefix, "_", " "))
		if !ok {
			continue
		}
		if prefix != "" {
			v, _, _ = strings.Cut(strings.TrimSpace(v), " ")
			v = strings.TrimRight(v, "):;,")
		}
		if !plausibleVersion(v) || !strings.Contains(v, ".") {
			continue
		}
		if found != "" && found != v {
			return ""
		}
		found = v
	}
	return found
}

// leftOver reports classes of an archive without names: what is neither a
// library that was recognised nor the function's own code.
func (a *archive) leftOver(found []Package, sets []classSet) {
	if a.classes == 0 || a.older || a.named && !(a.root && len(sets) > 0) {
		return
	}
	if a.root && len(sets) == 0 && (a.archives || len(a.poms) > 0) {
		return // own code, whose libraries lie beside it or left their metadata
	}
	roots := a.unnamedRoots(found, sets)
	own := a.ownRoots(found)
	if len(own) == 0 && len(roots) == 1 && (len(sets) > 0 || a.root) {
		return // the one package beside the libraries is the function's own
	}
	var left []string
	for _, r := range slices.Sorted(maps.Keys(roots)) {
		if !slices.ContainsFunc(own, func(o string) bool { return within(o, r) || within(r, o) }) {
			left = append(left, fmt.Sprintf("%s (%d)", clipped(r), roots[r]))
		}
	}
	if len(left) == 0 {
		return
	}
	const most = 8
	more := ""
	if n := len(left) - most; n > 0 {
		left, more = left[:most], fmt.Sprintf(" and %d more", n)
	}
	p := strings.TrimSuffix(a.at, "!/")
	kind := sbom.Opaque
	if len(a.poms) > 0 {
		kind = sbom.Unattributed // the libraries that were merged brought their metadata along, so this is likely own code
	}
	a.s.unknown(p, kind, "Java classes that no metadata and no known class set names: "+strings.Join(left, ", ")+more, true)
}

// unnamedRoots counts the classes per root that no recognised package accounts for.
func (a *archive) unnamedRoots(found []Package, sets []classSet) map[string]int {
	out := map[string]int{}
	known := accounted(found)
	var taken []string
	for i := range sets {
		taken = append(taken, sets[i].folder())
		if !sets[i].moved {
			taken = append(taken, sets[i].prefix+rootOf(sets[i].lib.root))
		}
	}
	for dir, n := range a.folders {
		plain := packagePrefix(dir + "/")
		plain = strings.TrimSuffix(plain, "/")
		switch top, _, _ := strings.Cut(plain, "/"); top {
		case "java", "javax", "jakarta", "sun", "META-INF":
			continue
		}
		if known.cover(plain) || slices.ContainsFunc(taken, func(t string) bool { return within(dir, t) }) {
			continue
		}
		out[rootOf(plain)] += n
	}
	return out
}

// rootOf returns the folder that stands for a project: two words, or three
// below a host of many projects.
func rootOf(dir string) string {
	words := strings.SplitN(dir, "/", 4)
	n := 2
	if len(words) > 2 && manyProjects(words[0]+"/"+words[1]) {
		n = 3
	}
	return strings.Join(words[:min(len(words), n)], "/")
}

// manyProjects reports whether a folder is that of a host of many projects.
func manyProjects(dir string) bool {
	switch dir {
	case "org/apache", "com/google", "com/github", "io/github", "org/codehaus", "org/eclipse", "com/sun", "net/sf", "net/sourceforge", "com/amazonaws", "software/amazon", "com/microsoft", "com/oracle", "org/glassfish", "org/jboss", "com/squareup":
		return true
	}
	return false
}

// ownRoots returns the folders of the function's own code, as the archive
// itself shows them: the classes that it starts with and those that implement
// a platform's handler.
func (a *archive) ownRoots(found []Package) []string {
	var out []string
	for _, key := range []string{"start-class", "main-class"} {
		if c := a.manifest[key]; c != "" && plain(c, "._$") && !strings.HasPrefix(c, "org.springframework.boot.loader.") {
			out = append(out, rootOf(path.Dir(strings.ReplaceAll(c, ".", "/"))))
		}
	}
	for i := range found {
		if found[i].Main {
			out = append(out, strings.ReplaceAll(found[i].Group, ".", "/"))
		}
	}
	return out
}

// markMain marks the function's own package among those with metadata: the one
// that is called as the artifact, or whose group holds the class that it starts
// with. A package that the world knows is never the function, whatever its file
// is called.
func (a *archive) markMain(found []Package) {
	if !a.root {
		return
	}
	own := a.ownRoots(nil)
	mark := -1
	for i := range found {
		p := &found[i]
		if contains(a.knownGroups(p.Artifact), p.Group) || p.Method != sbom.MethodInstalled {
			continue
		}
		group := strings.ReplaceAll(p.Group, ".", "/")
		if p.Artifact == a.name.artifact || p.Artifact == a.name.stem {
			mark = i
			break
		}
		if group != "" && slices.ContainsFunc(own, func(o string) bool { return within(o, group) || within(group, o) }) {
			mark = i
		}
	}
	if mark >= 0 {
		found[mark].Main = true
	}
}
