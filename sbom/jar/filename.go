package jar

import (
	"path"
	"strings"
)

// maxName bounds the bytes of a group, an artifact or a version that is taken
// from an archive: longer ones name nothing.
const maxName = 200

// fileName is an archive's file name taken apart.
type fileName struct {
	stem       string // without the extension
	artifact   string // the stem, when it holds no version
	version    string
	classifier string
}

// splitFileName reads ARTIFACT-VERSION[-CLASSIFIER].EXT
// (https://maven.apache.org/repository/layout.html). The version begins at a
// dash before a digit, but artifact ids have such too ("log4j-1.2-api",
// "geronimo-jms_1.1_spec"), so the first dash is taken whose rest is nothing
// but a version and a classifier.
func splitFileName(p string) fileName {
	stem := path.Base(p)
	if ext := path.Ext(stem); archiveExtension(ext) {
		stem = strings.TrimSuffix(stem, ext)
	}
	n := fileName{stem: stem, artifact: stem}
	if len(stem) > maxName {
		return fileName{}
	}
	for i := 1; i+1 < len(stem); i++ {
		if stem[i] != '-' || !digit(stem[i+1]) {
			continue
		}
		version, classifier, ok := splitVersion(stem[i+1:])
		if ok {
			n.artifact, n.version, n.classifier = stem[:i], version, classifier
			return n
		}
	}
	return n
}

// splitVersion parts a version from the classifier behind it.
func splitVersion(s string) (version, classifier string, ok bool) {
	parts := strings.Split(s, "-")
	end := 1
	for end < len(parts) && versionPart(parts[end]) {
		end++
	}
	for _, p := range parts[end:] { // another version follows: what stands before it is a name
		if digit0(p) && strings.Contains(p, ".") {
			return "", "", false
		}
	}
	version = strings.Join(parts[:end], "-")
	return version, strings.Join(parts[end:], "-"), plausibleVersion(version)
}

// versionPart reports whether a part between dashes belongs to the version
// rather than to a classifier.
func versionPart(p string) bool {
	if p == "" || digit0(p) {
		return p != ""
	}
	word := strings.ToLower(strings.TrimRight(p, "0123456789."))
	switch word {
	case "snapshot", "rc", "cr", "m", "b", "beta", "alpha", "a", "sp", "ga", "final", "release", "jre", "android", "incubating", "pre", "preview",
		"dev", "ea", "rev", "v", "r", "build", "milestone", "p", "patch", "redhat", "jbossorg", "jdk", "jenkins", "java", "hadoop", "noko", "atlassian":
		return true
	}
	return false
}

func digit(c byte) bool    { return '0' <= c && c <= '9' }
func digit0(s string) bool { return s != "" && digit(s[0]) }

// plausibleVersion reports whether s can be a version: it begins with a digit
// or with "v" or "r" and one, and has the characters of one.
func plausibleVersion(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	if !digit(s[0]) && !((s[0] == 'v' || s[0] == 'r' || s[0] == 'V' || s[0] == 'R') && digit0(s[1:])) {
		return false
	}
	return plain(s, "._-+~")
}

// plausibleArtifact reports whether s can be an artifact id:
// https://maven.apache.org/pom.html allows letters, digits, "-", "_" and ".".
func plausibleArtifact(s string) bool {
	return s != "" && len(s) <= maxName && plain(s, "._-") && strings.Trim(s, ".-_") != ""
}

func plausibleGroup(s string) bool {
	return plausibleArtifact(s) && s[0] != '.' && !strings.Contains(s, "..")
}

// plain reports whether s has letters and digits of ASCII and the given others only.
func plain(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if !(digit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return true
}

// archiveExtension reports whether a file name's extension is that of an
// archive which Java tools make.
func archiveExtension(ext string) bool {
	switch strings.ToLower(ext) {
	case ".jar", ".war", ".ear", ".aar", ".rar", ".sar", ".par", ".kar", ".har", ".hpi", ".jpi", ".nar", ".zip":
		return true
	}
	return false
}

// layoutGroup reads the group off a folder that follows the layout of a Maven
// repository (GROUP/ARTIFACT/VERSION/ARTIFACT-VERSION.jar, the group with
// slashes) or of Gradle's cache (GROUP/ARTIFACT/VERSION/HASH/...). Where a
// repository's folder begins is not known, so the group is the longest run of
// folders before the artifact that begins with one of the usual domains.
func layoutGroup(p string, n fileName) string {
	dirs := strings.Split(path.Dir(p), "/")
	if n.version == "" {
		return ""
	}
	if k := len(dirs) - 1; k >= 3 && len(dirs[k]) >= 32 && dirs[k-1] == n.version && dirs[k-2] == n.artifact && strings.Contains(dirs[k-3], ".") && plausibleGroup(dirs[k-3]) {
		return dirs[k-3]
	}
	k := len(dirs) - 1
	if k < 2 || dirs[k] != n.version || dirs[k-1] != n.artifact {
		return ""
	}
	for i := 0; i < k-1; i++ {
		if i > 0 && repositoryName(dirs[i-1]) && !repositoryName(dirs[i]) || topDomain(dirs[i]) {
			if g := strings.Join(dirs[i:k-1], "."); plausibleGroup(g) {
				return g
			}
		}
	}
	return ""
}

// repositoryName reports whether a folder is called as repositories are.
func repositoryName(dir string) bool {
	return dir == "repository" || dir == "maven-repo" || dir == "m2"
}

// topDomain reports whether a word is what package names usually begin with.
func topDomain(s string) bool {
	switch s {
	case "com", "org", "net", "io", "dev", "software", "edu", "gov", "jakarta", "javax", "de", "ch", "uk", "fr", "nl", "us", "me", "app", "ai", "info", "biz", "eu", "it", "cz", "co", "br", "cn", "ru", "jp", "tech", "cloud", "xyz":
		return true
	}
	return false
}
