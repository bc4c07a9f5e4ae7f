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

// Confidence of each kind of evidence, 0 to 1.
const (
	sureProperties = 0.99
	surePOM        = 0.95
	sureAgreed     = 0.85 // the file name and the manifest say the same
	sureFileName   = 0.7
	sureManifest   = 0.6
	sureNameOnly   = 0.5 // the version is known and the group is not
)

// identify names the packages of an archive: those with metadata, the archive
// itself, and what was merged into it without any.
func (a *archive) identify() {
	if a.sourcesOnly() {
		return
	}
	found := a.metadataPackages()
	if p, ok := a.self(found); ok {
		found = append(found, p)
	}
	if p, ok := a.bootLoader(); ok {
		found = append(found, p)
	}
	for i := range found {
		found[i].Own = !a.root && (len(found) == 1 || found[i].Artifact == a.name.artifact)
	}
	a.named = len(found) > 0
	a.markMain(found)
	sets := a.sets(found)
	for i := range sets {
		found = append(found, a.ofSet(&sets[i]))
	}
	for i := range found {
		found[i].Older = a.older
		found[i].Archive = strings.TrimSuffix(a.at, "!/")
		if found[i].Group == "" {
			a.s.unknown(found[i].Path, sbom.Unmatched, fmt.Sprintf("the Maven group of %s is not known, so no advisory can be looked up", strings.TrimSpace(found[i].Artifact+" "+found[i].Version)), true)
		}
		a.s.add(found[i])
	}
	a.leftOver(found, sets)
}

// sourcesOnly reports whether the archive holds sources or documentation.
func (a *archive) sourcesOnly() bool {
	if a.root || a.classes > 0 || len(a.nested) > 0 {
		return false
	}
	switch a.name.classifier {
	case "sources", "javadoc", "src", "docs", "groovydoc", "scaladoc", "kdoc":
		return true
	}
	return false
}

// metadataPackages returns the packages of META-INF/maven, sorted by folder.
func (a *archive) metadataPackages() []Package {
	var out []Package
	for _, key := range slices.Sorted(maps.Keys(a.poms)) {
		if p, ok := a.ofPOM(a.poms[key]); ok {
			if p.Artifact == a.name.artifact && a.name.classifier != "" && !a.root {
				p.Classifier = a.name.classifier
			}
			out = append(out, p)
		}
	}
	return append(out, a.gradleVersions()...)
}

// ofPOM reads one folder of META-INF/maven. The folder's own name is a part of
// the evidence: what a file leaves out or spells as a variable is taken from it.
func (a *archive) ofPOM(files *pomFiles) (Package, bool) {
	p := Package{Method: sbom.MethodInstalled, Confidence: sureProperties, Path: a.at + cmp.Or(files.properties, files.xml)}
	if files.properties != "" {
		props, err := a.properties(files.properties)
		if err != nil {
			a.s.unread(a.at+files.properties, err)
		}
		p.complete(props["groupId"], props["artifactId"], props["version"])
	}
	if files.xml != "" {
		a.addXML(&p, files.xml)
	}
	p.complete(files.group, files.artifact, "")
	if p.Version == "" && p.Artifact == a.name.artifact {
		p.Version = a.name.version
	}
	return p, p.Artifact != ""
}

// addXML adds what a pom.xml says. One that cannot be read is a gap only where
// something is still missing.
func (a *archive) addXML(p *Package, file string) {
	data, err := a.text(file, a.s.opts.MaxText)
	var pom POM
	if err == nil {
		pom, err = ParsePOM(data)
	}
	if err != nil {
		if p.Group == "" || p.Artifact == "" || p.Version == "" {
			a.s.unread(a.at+file, err)
		}
		return
	}
	if p.Version == "" && pom.Version != "" {
		p.Confidence = surePOM
	}
	p.complete(pom.Group, pom.Artifact, pom.Version)
	p.Licences, p.Requires = pom.Licences, pom.Requires
}

// complete sets what is missing and plausible.
func (p *Package) complete(group, artifact, version string) {
	if p.Group == "" && plausibleGroup(group) {
		p.Group = group
	}
	if p.Artifact == "" && plausibleArtifact(artifact) {
		p.Artifact = artifact
	}
	if p.Version == "" && plausibleMavenVersion(version) {
		p.Version = version
	}
}

// plausibleMavenVersion is plausibleVersion for metadata, where a version may
// begin with a letter, but is no variable that nobody filled in.
func plausibleMavenVersion(s string) bool {
	return s != "" && len(s) <= maxName && plain(s, "._-+~")
}

// gradleVersions reads META-INF/GROUP_ARTIFACT.version, which the Gradle builds
// of Android's libraries write: its content is the version.
func (a *archive) gradleVersions() []Package {
	var out []Package
	for _, p := range a.markers {
		group, artifact, ok := strings.Cut(strings.TrimSuffix(path.Base(p), ".version"), "_")
		if !ok || !plausibleGroup(group) || !strings.Contains(group, ".") || !plausibleArtifact(artifact) {
			continue
		}
		data, err := a.text(p, maxName)
		if err != nil {
			a.s.unread(a.at+p, err)
			continue
		}
		version := strings.TrimSpace(string(data))
		if !plausibleVersion(version) {
			continue
		}
		out = append(out, Package{Group: group, Artifact: artifact, Version: version, Method: sbom.MethodInstalled, Confidence: surePOM, Path: a.at + p})
	}
	return out
}

// self returns the package that the archive itself is, when the metadata does
// not say it.
func (a *archive) self(found []Package) (Package, bool) {
	if group, artifact, version, ok := a.manifest.nebula(); ok && !named(found, artifact) && !a.refutes(group, artifact) {
		return Package{Group: group, Artifact: artifact, Version: version, Method: sbom.MethodEmbedded, Confidence: sureAgreed, Path: a.at + manifestPath}, true
	}
	if a.root {
		return a.selfOfRoot(found)
	}
	if a.outer != nil && strings.EqualFold(path.Ext(a.outer.path), ".aar") && a.outer.named {
		return Package{}, false // classes.jar is the .aar's
	}
	if a.classes == 0 && len(found) == 0 && a.manifest["class-path"] != "" && a.name.version == "" {
		return Package{}, false // a launcher
	}
	n := a.name
	if p := "/" + a.path; strings.Contains(p, "/lib/main/") || strings.Contains(p, "/lib/boot/") {
		n = a.quarkusName(n)
	}
	switch {
	case len(found) > 0 && (n.version == "" || named(found, n.artifact) || named(found, n.stem)):
		return Package{}, false
	case len(found) == 1 && found[0].Version == n.version:
		return Package{}, false // the same under a file name of its own
	}
	return a.byName(n)
}

// selfOfRoot is self for the artifact itself. A jar that is audited alone is
// the function, whatever it is called, unless its file name is that of a library
// whose group is known and has the classes: then somebody audits the library.
func (a *archive) selfOfRoot(found []Package) (Package, bool) {
	if len(found) > 0 || a.name.version == "" || len(a.manifest) == 0 || !strings.EqualFold(path.Ext(a.path), ".jar") || a.classes == 0 {
		return Package{}, false
	}
	p, ok := a.byName(a.name)
	if !ok || p.Group == "" {
		return Package{}, false
	}
	p.Path = manifestPath // the name is not inside the artifact
	return p, true
}

const manifestPath = "META-INF/MANIFEST.MF"

func named(found []Package, artifact string) bool {
	return slices.ContainsFunc(found, func(p Package) bool { return p.Artifact == artifact })
}

// byName names the archive by its file name and its manifest.
func (a *archive) byName(n fileName) (Package, bool) {
	p := Package{Artifact: n.artifact, Version: n.version, Method: sbom.MethodFileName, Confidence: sureFileName, Path: a.path}
	if n.classifier != "" && n.classifier != "sources" {
		p.Classifier = n.classifier
	}
	about := a.manifestIsAbout(n.artifact)
	stated := a.manifest.version()
	switch {
	case n.version != "":
		if about && sameVersion(stated, n.version) {
			p.Confidence = sureAgreed
			p.Detail = "the manifest says the same"
		} else if stated != "" && !sameVersion(stated, n.version) {
			p.Detail = fmt.Sprintf("the manifest says %s %s, which is not taken", clipped(cmp.Or(a.manifest["implementation-title"], a.manifest.symbolic(), "version")), clipped(stated))
		}
	case about || len(libraries().groups[n.artifact]) > 0 || len(a.s.opts.Groups(n.artifact)) > 0:
		p.Method, p.Confidence, p.Path = sbom.MethodEmbedded, sureManifest, a.at+manifestPath
		if p.Version = stated; !about && a.manifest.symbolic() != "" {
			p.Version = "" // the manifest names something else
		}
		if stated == "" {
			p.Method, p.Path = sbom.MethodFileName, a.path
		}
	default:
		return a.byBundle()
	}
	if !plausibleArtifact(p.Artifact) {
		return Package{}, false
	}
	p.Group = a.group(n)
	if p.Group == "" {
		p.Confidence = min(p.Confidence, sureNameOnly)
	}
	return p, true
}

// byBundle names an archive whose file name says nothing by the OSGi name in
// its manifest, if that is the name of a known artifact.
func (a *archive) byBundle() (Package, bool) {
	bundle, version := a.manifest.symbolic(), a.manifest.version()
	if version == "" {
		return Package{}, false
	}
	for i := strings.IndexByte(bundle, '.'); i > 0; {
		group, artifact := bundle[:i], bundle[i+1:]
		if contains(a.knownGroups(artifact), group) && !a.refutes(group, artifact) {
			return Package{Group: group, Artifact: artifact, Version: version, Method: sbom.MethodEmbedded, Confidence: sureManifest, Path: a.at + manifestPath}, true
		}
		next := strings.IndexByte(artifact, '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return Package{}, false
}

// sameVersion reports whether a manifest's version is the file name's. OSGi
// pads with zeros and puts a dot before the qualifier: 1.2 is 1.2.0, 31.1-jre
// is 31.1.0.jre.
func sameVersion(stated, name string) bool {
	if stated == "" {
		return false
	}
	return squash(stated) == squash(name)
}

func squash(v string) string {
	v = strings.ToLower(strings.NewReplacer("-", ".", "_", ".", "+", ".").Replace(v))
	var kept []string
	for part := range strings.SplitSeq(v, ".") {
		if part != "0" && part != "" && part != "release" && part != "final" && part != "ga" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ".")
}

// manifestIsAbout reports whether the manifest names the artifact: its last
// word stands in a title or in the bundle's name.
func (a *archive) manifestIsAbout(artifact string) bool {
	words := strings.FieldsFunc(strings.ToLower(artifact), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	if len(words) == 0 {
		return false
	}
	text := strings.ToLower(strings.Join([]string{a.manifest.symbolic(), a.manifest["implementation-title"], a.manifest["specification-title"], a.manifest["automatic-module-name"], a.manifest["bundle-name"]}, " "))
	return text != "" && strings.Contains(text, words[len(words)-1]) || strings.Contains(text, strings.ToLower(artifact))
}

// bootLoader returns Spring Boot's loader, whose classes lie at the root of an
// executable archive, by the version that the manifest gives
// (https://docs.spring.io/spring-boot/specification/executable-jar, as of 2026-11).
func (a *archive) bootLoader() (Package, bool) {
	v := a.manifest["spring-boot-version"]
	if !plausibleVersion(v) || !slices.ContainsFunc(slices.Collect(maps.Keys(a.folders)), func(dir string) bool { return strings.HasPrefix(dir, "org/springframework/boot/loader") }) {
		return Package{}, false
	}
	return Package{Group: "org.springframework.boot", Artifact: "spring-boot-loader", Version: v, Method: sbom.MethodEmbedded, Confidence: sureAgreed, Path: a.at + manifestPath}, true
}
