package catalog

import (
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// maxTraits is how many traits one place of a package keeps. Of real ones it
// has up to six.
const maxTraits = 64

// trait makes a trait of a value as it is written. The value is kept short and
// without secrets, since traits are printed.
func trait(kind sbom.TraitKind, value string) sbom.Trait {
	most := 300
	if kind == sbom.TraitScript { // cut, it could hide what it does behind a harmless start
		most = 2000
	}
	value = withoutSecrets(value[:min(len(value), 8*most)])
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	return sbom.Trait{Kind: kind, Detail: value}
}

// harmless are the parameters of an address that say which version is meant.
// The values of all others may be a token.
var harmless = []string{"ref", "rev", "branch", "tag", "commit", "path", "subdirectory", "subdir", "sha", "hash", "sha256", "sha512", "egg"}

// withoutSecrets takes out of text what addresses in it may carry to prove who
// asks: the user before the host, but for the name that ssh has there, and the
// values of parameters.
func withoutSecrets(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "://")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		out.WriteString("://")
		end := strings.IndexAny(rest, "/?# \"'")
		if end < 0 {
			end = len(rest)
		}
		host := rest[:end]
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			user, _, secret := strings.Cut(host[:i], ":")
			host = host[i+1:]
			if !secret && (strings.HasSuffix(before, "ssh") || user == "git") {
				host = user + "@" + host
			}
		}
		out.WriteString(host)
		s = rest[end:]
		stop := strings.IndexAny(s, " \"'")
		if stop < 0 {
			stop = len(s)
		}
		q := strings.IndexByte(s[:stop], '?')
		if q < 0 {
			continue
		}
		query, fragment, marked := strings.Cut(s[q+1:stop], "#")
		out.WriteString(s[:q+1])
		for i, field := range strings.Split(query, "&") {
			name, _, valued := strings.Cut(field, "=")
			if valued && !slices.Contains(harmless, strings.ToLower(name)) {
				field = name + "=…"
			}
			if i > 0 {
				out.WriteByte('&')
			}
			out.WriteString(field)
		}
		if marked {
			out.WriteString("#" + fragment)
		}
		s = s[stop:]
	}
}

// referenceKind says what a package manager's reference to a package is; "" when
// it is a version, a range or a tag, which a registry answers.
func referenceKind(ref string) sbom.TraitKind {
	lower := strings.ToLower(ref)
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(lower, p) })
	}
	switch {
	case starts("git+", "git:", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:", "hg+", "svn+", "bzr+"):
		return sbom.TraitGit
	case starts("file:", "link:", "portal:", "workspace:", "./", "../", "/") || ref == "." || ref == "..":
		return sbom.TraitFolder
	case starts("http://", "https://"):
		if gitArchive(lower) {
			return sbom.TraitGit
		}
		return sbom.TraitURL
	}
	return ""
}

// gitArchive reports whether a lower-case address is that of a repository, or of
// the archive that a host of repositories makes of a commit
// (https://docs.github.com/en/repositories/working-with-files/using-files/downloading-source-code-archives).
func gitArchive(address string) bool {
	address, _, _ = strings.Cut(address, "#")
	address, query, _ := strings.Cut(address, "?")
	_, rest, _ := strings.Cut(address, "://")
	host, at, _ := strings.Cut(rest, "/")
	switch {
	case strings.HasSuffix(at, ".git"):
		return true
	case host == "codeload.github.com":
		return true
	case host == "github.com":
		return strings.Contains(at, "/archive/") || strings.Contains(at, "/tarball/")
	case host == "bitbucket.org":
		return strings.Contains(at, "/get/")
	}
	return strings.Contains(at, "/-/archive/") || strings.HasSuffix(at, "/repository/archive.tar.gz") && query != ""
}

// lockOrigin is what a lockfile says about where one package came from.
type lockOrigin struct {
	reference string // what was taken, where it is no version: a git reference, a path, an address
	address   string // of the archive or of the registry, of a package that a registry answered for
	digest    string // as written
	lacks     bool   // the format has a place for a digest, and it is empty
	alias     string // the name that it is installed under, where that is not its own
}

// came notes where a package came from. A commit is a digest of its own, and a
// folder has none, so that neither lacks one.
func (e *lockEntry) came(o lockOrigin) {
	kind := referenceKind(o.reference)
	if kind != "" {
		e.is(kind, o.reference)
	} else {
		e.is(sbom.TraitResolved, o.address)
	}
	e.is(sbom.TraitLocked, o.digest)
	if o.lacks && o.digest == "" && kind != sbom.TraitGit && kind != sbom.TraitFolder {
		e.traits = append(e.traits, sbom.Trait{Kind: sbom.TraitNoIntegrity, Detail: clip(e.name + " " + e.version)})
	}
	if o.alias != e.name {
		e.is(sbom.TraitAlias, o.alias)
	}
}

// is notes one trait, unless the lockfile has no value for it.
func (e *lockEntry) is(kind sbom.TraitKind, value string) {
	if value != "" && len(e.traits) < maxTraits {
		e.traits = append(e.traits, trait(kind, value))
	}
}

// noted returns an entry's traits as those of a package that the lockfile at p
// names.
func (e *lockEntry) noted(p string) []sbom.Trait {
	out := slices.Clone(e.traits)
	for i := range out {
		out[i].Path = p
	}
	return out
}

// has adds traits to a place of a package. What one lockfile has said the next
// one (npm keeps a second in node_modules) need not repeat.
func (f *found) has(traits ...sbom.Trait) {
	for _, t := range traits {
		again := slices.ContainsFunc(f.traits, func(o sbom.Trait) bool { return o.Kind == t.Kind && o.Detail == t.Detail })
		if !again && len(f.traits) < maxTraits {
			f.traits = append(f.traits, t)
		}
	}
}

// originKey is what an entry of a lockfile and a package have in common.
type originKey struct{ typ, name, version, dir string }

// origins notes what the lockfiles say about where the packages came from: those
// that are installed and those in bundles. Where a lockfile names the place, it
// means the package there; else it means every one of that name and version. An
// entry without a version (a folder, a commit) means the only package of its
// name.
func (a *artifact) origins(locks []lock) {
	byKey := map[originKey][]int{}
	for i := range a.found {
		f := &a.found[i]
		if f.main || f.declared {
			continue
		}
		k := originKey{f.typ, sbom.CanonicalName(f.typ, f.name), f.version, ""}
		if f.typ == "npm" && !f.bundled {
			placed := k
			if placed.dir = f.dir; placed.dir != "" {
				byKey[placed] = append(byKey[placed], i)
				placed.version = ""
				byKey[placed] = append(byKey[placed], i)
			}
			k.dir = "*" // it has a place
		}
		byKey[k] = append(byKey[k], i)
		if k.version != "" {
			k.version = ""
			byKey[k] = append(byKey[k], i)
		}
	}
	for i := range locks {
		a.originsOf(&locks[i], byKey)
	}
	for _, x := range a.opts.lockIndexes {
		a.originsOf(x.lock, byKey)
	}
}

func (a *artifact) originsOf(l *lock, byKey map[originKey][]int) {
	asked := map[originKey]bool{}
	for i := range l.entries {
		e := &l.entries[i]
		if len(e.traits) == 0 && len(e.needs)+len(e.asks) == 0 || e.name == "" {
			continue
		}
		k := originKey{l.typ, sbom.CanonicalName(l.typ, e.name), e.version, ""}
		keys := []originKey{k} // in a bundle, or of an ecosystem without places
		if l.typ == "npm" {
			k.dir = "*"
			if e.path != "" {
				k.dir = path.Join(l.dir, e.path)
			}
			keys = append(keys, k)
		}
		for _, k := range keys {
			if asked[k] || e.main && k.dir == "" {
				continue
			}
			asked[k] = true
			there := byKey[k]
			if k.version == "" && len(there) > 1 && (k.dir == "" || k.dir == "*") {
				continue // which of them is meant is not known
			}
			for _, at := range there {
				f := &a.found[at]
				if !below(f.path, l.dir) {
					continue
				}
				f.has(e.noted(l.path)...)
				l.completes(f, i)
				if f.prepare != "" && slices.ContainsFunc(e.traits, func(t sbom.Trait) bool { return t.Kind == sbom.TraitGit }) {
					a.scripts(f, []string{"prepare: " + f.prepare})
					f.prepare = ""
				}
			}
		}
	}
}
