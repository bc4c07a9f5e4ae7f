package jar

import (
	"slices"
	"strings"
)

// knownGroups returns the groups that the store and the table know of an
// artifact id, the store's first.
func (a *archive) knownGroups(artifact string) []string {
	if !plausibleArtifact(artifact) {
		return nil
	}
	var out []string
	for _, g := range append(slices.Clone(a.s.opts.Groups(artifact)), libraries().groups[artifact]...) {
		if plausibleGroup(g) && !contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// group finds the group id of the artifact that a file name names: the folder
// layout of a repository, what the manifest states if somebody knows it, the
// names of the store, the table, and then the manifest's word alone. "" when
// all of that says nothing, or several things.
func (a *archive) group(n fileName) string {
	if g := layoutGroup(a.path, n); g != "" {
		return g
	}
	stated := a.statedGroups(n.artifact)
	known := a.knownGroups(n.artifact)
	for _, g := range stated {
		if contains(known, g) && !a.refutes(g, n.artifact) {
			return g
		}
	}
	fits := slices.DeleteFunc(slices.Clone(known), func(g string) bool { return !a.supports(g, n.artifact) })
	if len(fits) > 1 {
		fits = a.closest(fits, n.artifact)
	}
	if len(fits) > 0 {
		return one(fits) // of several groups each would be a guess
	}
	for _, g := range stated {
		if strings.Count(g, ".") > 0 && a.related(g) {
			return g
		}
	}
	return ""
}

// refutes reports whether the classes are clearly another library's than the
// one that a manifest names: nothing in them speaks for that one, and most are
// those of a known library of another group. A manifest is easily copied along,
// or written so that the bytes pass for something else.
func (a *archive) refutes(group, artifact string) bool {
	if a.classes == 0 || a.supports(group, artifact) {
		return false
	}
	sets := a.finder.sets()
	for i := range sets {
		if other, _, _ := strings.Cut(sets[i].lib.name, ":"); other == group || strings.HasPrefix(other, group+".") || strings.HasPrefix(group, other+".") {
			continue
		}
		if a.below(sets[i].folder())*2 > a.classes {
			a.refuted = true
			return true
		}
	}
	return false
}

func one(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return ""
}

// closest narrows several groups that the classes support down to the one whose
// package most of them lie in, else to the one that the table has first.
func (a *archive) closest(groups []string, artifact string) []string {
	in := slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return a.below(folderOf(g))*2 <= a.classes })
	if len(in) == 1 {
		return in
	}
	if table := libraries().groups[artifact]; len(table) > 0 && contains(groups, table[0]) && (len(in) == 0 || contains(in, table[0])) {
		return table[:1]
	}
	return groups
}

// supports reports whether the classes agree that the archive is the group's
// artifact. An id that anybody may use needs classes in the group's own package
// or in the one that the table has; for another one a package is enough that is
// called like the group or the artifact. Without a class nothing contradicts.
func (a *archive) supports(group, artifact string) bool {
	if a.classes == 0 {
		return !common(artifact)
	}
	if root := libraries().roots[group+":"+artifact]; a.inRoot(root) {
		return true
	}
	if common(artifact) {
		return a.below(folderOf(group)) > 0
	}
	if (a.below("javax")+a.below("jakarta"))*2 > a.classes {
		return true // the API of a specification, which anybody publishes in the same packages
	}
	return a.related(group) || a.topWord(artifact) || slices.ContainsFunc(libraries().packages[group], a.inRoot)
}

// inRoot reports whether classes lie below a root of the table, if that is
// telling: org/apache is not.
func (a *archive) inRoot(root string) bool {
	return strings.Contains(root, "/") && !manyProjects(root) && a.below(root) > 0
}

// related reports whether the classes lie in a package of the group's
// organisation: com/typesafe/akka or akka for com.typesafe.akka.
func (a *archive) related(group string) bool { return a.fits(group) || a.topWord(group) }

// topWord reports whether a word of a group or an artifact id is the first or
// the second one of a class's package: h2 of org/h2.
func (a *archive) topWord(id string) bool {
	if a.tops == nil {
		a.tops = map[string]bool{}
		for dir := range a.folders {
			words := strings.SplitN(strings.TrimSuffix(packagePrefix(dir+"/"), "/"), "/", 3)
			for _, w := range words[:min(len(words), 2)] {
				a.tops[w] = len(w) > 1 && !common(w) && !topDomain(w)
			}
		}
	}
	return slices.ContainsFunc(strings.FieldsFunc(id, func(r rune) bool { return r == '.' || r == '-' || r == '_' }), func(w string) bool { return a.tops[w] })
}

func folderOf(group string) string { return strings.ReplaceAll(group, ".", "/") }

// common reports whether an artifact id is a word that many groups use.
func common(artifact string) bool {
	switch artifact {
	case "admin", "agent", "annotations", "api", "app", "base", "bom", "boot", "cli", "client", "cloud", "common", "commons", "compiler", "config", "core", "data", "dom", "engine", "http", "impl", "io",
		"java", "javax", "jakarta", "json", "lang", "launcher", "lib", "loader", "main", "model", "parent", "parser", "plugin", "processor", "runtime", "sdk", "server", "service", "shared", "spi", "support",
		"test", "testing", "tools", "ui", "util", "utils", "web", "xml":
		return true
	}
	return false
}

// statedGroups returns the groups that the manifest's names imply, the most
// telling first. The name of a bundle or module is usually group and artifact
// with a dot, or with the words of the artifact parted by dots.
func (a *archive) statedGroups(artifact string) []string {
	var out []string
	add := func(g string) {
		if plausibleGroup(g) && !contains(out, g) {
			out = append(out, g)
		}
	}
	add(a.manifest["implementation-vendor-id"])
	dotted := strings.ReplaceAll(artifact, "-", ".")
	for _, name := range []string{a.manifest.symbolic(), a.manifest["automatic-module-name"]} {
		if name == "" {
			continue
		}
		if g, ok := strings.CutSuffix(name, "."+artifact); ok && strings.Contains(g, ".") {
			add(g)
		}
		if strings.HasSuffix(name, "."+dotted) {
			add(name[:strings.LastIndexByte(name, '.')])
		}
		add(name)
	}
	// an id such as org.apache is the vendor's and no group
	return slices.DeleteFunc(out, func(g string) bool { return g == "org.apache" || g == "org" || g == "com" })
}

// fits reports whether a group can be that of the archive's classes: they lie
// in a package that shares its first two words. A group of one word (log4j,
// commons-io) fits when it is a word of the classes' packages.
func (a *archive) fits(group string) bool {
	if a.classes == 0 {
		return true
	}
	fits, ok := a.fitting[group]
	if !ok {
		if words := strings.SplitN(group, ".", 3); len(words) > 1 {
			fits = a.below(words[0]+"/"+words[1]) > 0
		} else {
			fits = a.hasWord(strings.Split(group, "-"))
		}
		a.fitting[group] = fits
	}
	return fits
}

// hasWord reports whether a folder of the classes begins with one of the words.
func (a *archive) hasWord(words []string) bool {
	for dir := range a.folders {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains("/"+dir+"/", "/"+w) }) {
			return true
		}
	}
	return false
}

// quarkusName parts GROUP.ARTIFACT-VERSION, as Quarkus names the files of
// lib/main and lib/boot (https://quarkus.io/guides/maven-tooling, "fast-jar",
// as of 2026-11). Ids have dots of their own, so a known pair is looked for
// first; else the last dot before the version parts them.
func (a *archive) quarkusName(n fileName) fileName {
	last := -1
	for i := range len(n.artifact) {
		if n.artifact[i] != '.' {
			continue
		}
		group, artifact := n.artifact[:i], n.artifact[i+1:]
		if contains(a.knownGroups(artifact), group) {
			n.artifact = artifact
			return n
		}
		if strings.Contains(group, ".") {
			last = i
		}
	}
	if last > 0 && last+1 < len(n.artifact) {
		n.artifact = n.artifact[last+1:]
	}
	return n
}
