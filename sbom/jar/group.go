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
		if contains(known, g) {
			return g
		}
	}
	if fits := slices.DeleteFunc(slices.Clone(known), func(g string) bool { return !a.fits(g) }); len(fits) == 1 {
		return fits[0]
	} else if len(fits) > 1 {
		if table := libraries().groups[n.artifact]; len(table) > 0 && contains(fits, table[0]) {
			return table[0] // the table has the usual one first
		}
		return ""
	}
	if table := libraries().groups[n.artifact]; len(table) == 1 && a.tableFits(n.artifact) {
		return table[0]
	}
	if len(known) == 1 && (distinctive(n.artifact) || a.classes == 0) {
		return known[0]
	}
	for _, g := range stated {
		if strings.Count(g, ".") > 0 && a.fits(g) {
			return g
		}
	}
	return ""
}

// tableFits reports whether the archive can be the table's artifact although
// its classes lie in another package than the group's (h2 of com.h2database, in
// org/h2): the artifact id is nobody else's, or it is a word of the package.
func (a *archive) tableFits(artifact string) bool {
	if a.classes == 0 || distinctive(artifact) {
		return true
	}
	return !common(artifact) && a.fits(artifact)
}

// common reports whether an artifact id is a word that many groups use.
func common(artifact string) bool {
	switch artifact {
	case "annotations", "api", "base", "bom", "cli", "client", "common", "commons", "core", "dom", "http", "impl", "io", "json", "lang", "main", "model", "parent", "runtime", "sdk", "server", "spi", "util", "utils", "xml":
		return true
	}
	return false
}

// distinctive reports whether an artifact id is unlikely to be used by two
// groups: "core" and "utils" are not.
func distinctive(artifact string) bool {
	return len(artifact) >= 8 && strings.ContainsAny(artifact, "-_.")
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
