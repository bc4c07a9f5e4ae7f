package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// pythonDirect notes what an installer wrote about a distribution that it did
// not take from an index by its name
// (https://packaging.python.org/specifications/direct-url-data-structure/). A
// file that cannot be read may say anything, and is a gap.
func (a *artifact) pythonDirect(f *found, metadata string) {
	at := path.Join(dirOf(metadata), "direct_url.json")
	if !pythonMetadataDir(dirOf(metadata)) || !a.has(at) {
		return
	}
	var doc struct {
		URL string `json:"url"`
		VCS *struct {
			Kind   string `json:"vcs"`
			Commit string `json:"commit_id"`
		} `json:"vcs_info"`
		Archive *struct {
			Hash   string            `json:"hash"`
			Hashes map[string]string `json:"hashes"`
		} `json:"archive_info"`
		Dir *struct {
			Editable bool `json:"editable"`
		} `json:"dir_info"`
	}
	data, err := a.readJSON(at, a.opts.MaxManifest)
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil || doc.URL == "" {
		a.unknown(at, sbom.Unreadable, fmt.Sprintf("where %s came from cannot be read", clip(f.name)), false)
		return
	}
	note := func(kind sbom.TraitKind, value string) {
		t := trait(kind, value)
		t.Path = at
		f.has(t)
	}
	switch {
	case doc.VCS != nil:
		ref := doc.VCS.Kind + "+" + doc.URL
		if doc.VCS.Commit != "" {
			ref += "@" + doc.VCS.Commit
		}
		note(sbom.TraitGit, ref)
	case doc.Dir != nil || strings.HasPrefix(doc.URL, "file:"):
		value := doc.URL
		if doc.Dir != nil && doc.Dir.Editable {
			value += " (editable: the code lies there, not here)"
		}
		note(sbom.TraitFolder, value)
	default:
		note(sbom.TraitURL, doc.URL)
	}
	if doc.Archive != nil {
		if sum := doc.Archive.Hashes["sha256"]; sum != "" {
			note(sbom.TraitLocked, "sha256:"+sum)
		} else if doc.Archive.Hash != "" {
			note(sbom.TraitLocked, strings.Replace(doc.Archive.Hash, "=", ":", 1))
		}
	}
}

// maxPth is how many bytes of a .pth file are read. Real ones have a few hundred,
// and a model of that name is no text.
const maxPth = 1 << 20

// pythonStart notes the lines of .pth files that Python runs whenever it starts
// with the folder as a site: those that begin with "import" and a blank
// (https://docs.python.org/3/library/site.html). They belong to the distribution
// whose RECORD lists the file, else to nobody.
func (a *artifact) pythonStart() {
	if a.depth > 0 {
		return // in an archive they are not looked for
	}
	sites := map[string]bool{}
	for _, d := range a.distributions {
		sites[d.Root] = true
	}
	owner := map[string]int{}
	for i := range a.found {
		if f := &a.found[i]; f.typ == "pypi" {
			owner[f.path] = i
		}
	}
	for i := range a.files {
		p := a.files[i].Path
		if !strings.HasSuffix(p, ".pth") || a.files[i].Link != "" {
			continue
		}
		dir := dirOf(p)
		if base := path.Base(dir); !sites[dir] && base != "site-packages" && base != "dist-packages" {
			continue
		}
		if a.files[i].Size > maxPth {
			continue // Python reads it in vain: a model
		}
		data, err := a.read(p, maxPth)
		if err != nil {
			a.unread(p, err)
			continue
		}
		for _, t := range pthLines(p, data) {
			who := a.claims[p]
			if at, ok := 0, false; len(who) > 0 {
				if at, ok = owner[a.distributions[who[0]].Metadata]; ok {
					a.found[at].has(t)
					continue
				}
			}
			if len(a.traits) < maxTraits {
				a.traits = append(a.traits, t)
			}
		}
	}
}

// pthLines returns the lines of code, at most ten.
func pthLines(p string, data []byte) []sbom.Trait {
	var out []sbom.Trait
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(out) < 10 && (bytes.HasPrefix(line, []byte("import ")) || bytes.HasPrefix(line, []byte("import\t"))) {
			t := trait(sbom.TraitScript, "start: "+string(bytes.TrimRight(line, "\r ")))
			t.Path = p
			out = append(out, t)
		}
	}
	return out
}

// pureWheel reports whether the wheel of a distribution says that it is for all
// platforms (https://packaging.python.org/specifications/binary-distribution-format/).
func (a *artifact) pureWheel(metadata string) bool {
	at := path.Join(dirOf(metadata), "WHEEL")
	if !pythonMetadataDir(dirOf(metadata)) || !a.has(at) {
		return false
	}
	data, err := a.read(at, a.opts.MaxManifest)
	if err != nil {
		return false
	}
	pure, tags := false, 0
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		name, value, _ := strings.Cut(string(bytes.TrimSpace(line)), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "root-is-purelib":
			pure = strings.EqualFold(value, "true")
		case "tag":
			if tags++; !strings.HasSuffix(value, "-any") {
				return false
			}
		}
	}
	return pure && tags > 0
}
