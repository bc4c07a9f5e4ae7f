package trust

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// The rules about where a package came from. What is weighed is how much stands
// between whoever can change the bytes there and the function: a registry keeps
// what a version is, and a lockfile's digest keeps it too.
const (
	// RuleGit: fetched from a version control system rather than a registry.
	// Low at a commit, which is a digest; medium at a branch or a tag, which
	// whoever owns the repository can move.
	RuleGit Rule = "origin-git"
	// RuleURL: fetched from an address. Low: no registry keeps the version.
	RuleURL Rule = "origin-url"
	// RuleHTTP: fetched without encryption, so that everybody on the way could
	// change it. Medium; low from this very machine (a local mirror).
	RuleHTTP Rule = "origin-http"
	// RuleFolder: built from a local folder or file. A note inside the project,
	// which is a workspace; low outside it, where nobody else can look.
	RuleFolder Rule = "origin-folder"
	// RuleReplaced: a go.mod replaces the module. A note by another version of
	// itself, low by another module, and medium by a folder: what is in it no
	// version says, and advisories about the module are not matched with it.
	RuleReplaced Rule = "origin-replaced"
	// RuleDevel: built from a working tree, not from a release. That is normal of
	// the function itself, a note; low of a dependency.
	RuleDevel Rule = "origin-devel"
	// RuleRegistry: came from an address that the policy does not list for its
	// kind of package. High: the policy says so, and this is how dependency
	// confusion and mirrors of strangers show.
	RuleRegistry Rule = "origin-registry"
	// RuleAlias: installed under another name than its own. A note where one name
	// holds the other ("string-width-cjs"), else low: whoever reads the code takes
	// it for another package.
	RuleAlias Rule = "origin-alias"
	// RuleNoIntegrity: the lockfile has no digest of it, so that another content
	// would not be noticed. Low; a note where it has a weak one (SHA-1), or where
	// the whole program was built from a vendor folder, as a project decides.
	RuleNoIntegrity Rule = "origin-no-integrity"
	// RuleModified: built with changes that nobody committed, or patched by the
	// project. Low: it is not what its version names.
	RuleModified Rule = "origin-modified"
	// RuleDisagrees: a lockfile says another thing of it than what is there.
	// Medium: one of them was exchanged or is out of date. High where the build
	// recorded another digest than the lockfile holds of that very version.
	RuleDisagrees Rule = "origin-disagrees"
	// RuleDirectURL: Python's direct_url.json says that it was not taken from an
	// index by its name (PEP 610). As strong as the rule for that kind of origin.
	RuleDirectURL Rule = "direct-url"
)

// maxEvidence is how many pieces of evidence a signal has.
const maxEvidence = 5

// originJudge collects what is to be said about one component: of each rule the
// strongest, with the evidence of all.
type originJudge struct {
	c   *sbom.Component
	out []Signal
}

// say adds a signal and returns it; nil when what was said before of the rule is
// at least as strong.
func (j *originJudge) say(rule Rule, w Weight, title string, t sbom.Trait) *Signal {
	i := slices.IndexFunc(j.out, func(s Signal) bool { return s.Rule == rule })
	if i < 0 {
		j.out = append(j.out, Signal{Rule: rule, Weight: w, Component: j.c.PURL, Title: title, Evidence: traitEvidence(t)})
		return &j.out[len(j.out)-1]
	}
	s := &j.out[i]
	if w <= s.Weight {
		s.Evidence = append(s.Evidence, traitEvidence(t)...)
		s.Evidence = s.Evidence[:min(len(s.Evidence), maxEvidence)]
		return nil
	}
	s.Weight, s.Title = w, title
	s.Evidence = append(traitEvidence(t), s.Evidence...)
	s.Evidence = s.Evidence[:min(len(s.Evidence), maxEvidence)]
	return s
}

// origin judges where a component came from, by its traits. registries are the
// addresses that the policy allows for its kind, nil for any.
func origin(c *sbom.Component, registries []string) []Signal {
	j := &originJudge{c: c}
	replaced, locked := false, ""
	for _, t := range c.Traits {
		replaced = replaced || t.Kind == sbom.TraitReplaced
		if t.Kind == sbom.TraitLocked && !strings.HasPrefix(t.Detail, "sha1") {
			locked = t.Detail
		}
	}
	for _, t := range c.Traits {
		switch t.Kind {
		case sbom.TraitModified:
			j.modified(t)
			continue
		case sbom.TraitDevel:
			j.devel(t)
			continue
		}
		if c.Main {
			continue // where the function itself came from is told by its signature
		}
		switch t.Kind {
		case sbom.TraitGit, sbom.TraitURL, sbom.TraitFolder:
			if t.Kind != sbom.TraitFolder || !replaced {
				j.fetched(t)
			}
			j.addressed(t, registries)
		case sbom.TraitResolved:
			j.addressed(t, registries)
		case sbom.TraitReplaced:
			j.replaced(t)
		case sbom.TraitAlias:
			j.alias(t)
		case sbom.TraitNoIntegrity:
			j.noIntegrity(t)
		case sbom.TraitLocked:
			if locked == "" {
				j.say(RuleNoIntegrity, Note, "has only a SHA-1 in the lockfile, which can be forged", t)
			}
		case sbom.TraitDisagrees:
			j.say(RuleDisagrees, Medium, "is not what the lockfile says: "+t.Detail, t)
		case sbom.TraitSum:
			j.sum(t)
		}
	}
	return j.out
}

// fetched judges what no registry answered for.
func (j *originJudge) fetched(t sbom.Trait) {
	rule, w, title := RuleFolder, Low, ""
	switch t.Kind {
	case sbom.TraitGit:
		rule, title = RuleGit, "was fetched from version control: "+t.Detail
		if !pinned(t.Detail) && typeOf(j.c.PURL) != "cargo" { // Cargo knows no other way than by commit
			w, title = Medium, "was fetched from version control, and no commit says which state of it: "+t.Detail
		}
	case sbom.TraitURL:
		rule, title = RuleURL, "was fetched from an address, not from a registry by its version: "+t.Detail
	default:
		title = "was built from a local folder or file: " + t.Detail
		if inside(t.Detail) {
			w = Note
		}
	}
	switch path.Base(t.Path) {
	case "direct_url.json":
		rule = RuleDirectURL
	case "package.json": // what old npm wrote at installation; anybody can publish a package with such lines in it
		w = min(w, Low)
	}
	j.say(rule, w, title, t)
}

// addressed judges the address that it came from.
func (j *originJudge) addressed(t sbom.Trait, registries []string) {
	address := strings.ToLower(t.Detail)
	if plain(address) {
		w, title := Medium, "was fetched without encryption: "+t.Detail
		if host, _, _ := strings.Cut(hostOf(address), ":"); host == "localhost" || strings.HasPrefix(host, "127.") {
			w = Low
		}
		j.say(RuleHTTP, w, title, t)
	}
	if registries != nil && hostOf(address) != "" && !listed(t.Detail, registries) {
		j.say(RuleRegistry, High, "comes from where the policy allows no "+typeOf(j.c.PURL)+" package to come from: "+t.Detail, t)
	}
}

func (j *originJudge) replaced(t sbom.Trait) {
	for _, f := range j.c.Traits {
		if f.Kind == sbom.TraitFolder && f.Path == t.Path && f.Artifact == t.Artifact {
			j.say(RuleReplaced, Medium, "is replaced by the folder "+f.Detail+": what was built is no version of it", t)
			return
		}
	}
	if name, _, _ := strings.Cut(t.Detail, " "); name == j.c.Name {
		j.say(RuleReplaced, Note, "takes the place of another version of itself: "+t.Detail, t)
		return
	}
	j.say(RuleReplaced, Low, "takes the place of the module "+t.Detail, t)
}

func (j *originJudge) devel(t sbom.Trait) {
	if j.c.Main {
		j.say(RuleDevel, Note, "is built from a working tree", t)
		return
	}
	j.say(RuleDevel, Low, "is built from a working tree, so that no version says what is inside: "+t.Detail, t)
}

func (j *originJudge) modified(t sbom.Trait) {
	if patch, ok := strings.CutPrefix(t.Detail, "patch: "); ok {
		j.say(RuleModified, Low, "was changed by a patch of the project: "+patch, t)
		return
	}
	j.say(RuleModified, Low, "was built with changes that were not committed: "+cmp.Or(t.Detail, "no commit is named"), t)
}

func (j *originJudge) alias(t sbom.Trait) {
	w, own := Low, lastName(j.c.Name)
	if as := lastName(t.Detail); strings.Contains(as, own) || strings.Contains(own, as) {
		w = Note
	}
	j.say(RuleAlias, w, "is installed under the name "+t.Detail, t)
}

func (j *originJudge) noIntegrity(t sbom.Trait) {
	if t.Detail == sbom.FromVendor {
		j.say(RuleNoIntegrity, Note, "was built from a vendor folder, of which no digest is recorded", t)
		return
	}
	j.say(RuleNoIntegrity, Low, "has no digest in the lockfile: other content under its version would not be noticed", t)
}

// sum compares the digest that the build recorded with those of the lockfile.
func (j *originJudge) sum(t sbom.Trait) {
	for _, l := range j.c.Traits {
		if l.Kind == sbom.TraitLocked && strings.HasPrefix(l.Detail, "h1:") && l.Detail != t.Detail {
			j.say(RuleDisagrees, High, "was built from other bytes than the lockfile holds a digest of: "+t.Detail+", not "+l.Detail, t)
		}
	}
}

// traitEvidence is a trait as evidence.
func traitEvidence(t sbom.Trait) []Evidence {
	source := "bytes"
	switch base := path.Base(t.Path); {
	case strings.Contains(base, "lock"), base == "go.mod", base == "npm-shrinkwrap.json", base == ".yarn-integrity":
		source = "lockfile"
	}
	return []Evidence{{Source: source, Artifact: t.Artifact, Locator: t.Path, Detail: t.Detail}}
}

// lastName drops the scope of an npm name.
func lastName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// typeOf returns the type of a package URL.
func typeOf(purl string) string {
	typ, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	return typ
}
