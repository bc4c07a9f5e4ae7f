package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/pystrip"
)

// claim notes that the last of the distributions accounts for a file or folder.
func (a *artifact) claim(p string) {
	if a.claims == nil {
		a.claims = map[string][]int{}
	}
	i := len(a.distributions) - 1
	if list := a.claims[p]; len(list) < maxClaimants && !slices.Contains(list, i) {
		a.claims[p] = append(list, i)
	}
}

// maxClaimants is how many distributions are kept of one file. Of real ones there
// is one, or two where it was installed twice.
const maxClaimants = 8

// claimants returns the distributions whose metadata accounts for a file, none
// when a package of another kind does, whose word counts.
func (a *artifact) claimants(p string) []pystrip.Distribution {
	if _, system := a.owners.owner(p); system {
		return nil
	}
	for at := p; at != ""; at = dirOf(at) {
		if list := a.claims[at]; len(list) > 0 {
			out := make([]pystrip.Distribution, len(list))
			for i, d := range list {
				out[i] = a.distributions[d]
			}
			return out
		}
	}
	return nil
}

// contradicted adds what the code of an installed package says about its version
// against its metadata. Which of them is right the bytes do not tell: an old
// folder under new metadata and a version that nobody counted up look alike. So
// both are candidates where the code's version is known to be the release's,
// unless RECORD has the hashes of the very files: then they were released
// together, and the metadata is what the index and the advisories call it.
func (a *artifact) contradicted(s *pystrip.Stated) {
	i := slices.IndexFunc(a.found, func(f found) bool { return f.typ == "pypi" && f.path == s.Metadata })
	if i < 0 || a.found[i].version == "" && len(a.found[i].versions) == 0 {
		return
	}
	f := &a.found[i]
	e := sbom.Evidence{Method: sbom.MethodVersion, Confidence: 0.9, Path: s.Path, Detail: "the code says version " + clip(s.Says)}
	why := ""
	switch {
	case a.recordVouches(s):
		why = "; RECORD has the hash of the file"
	case s.Known:
		if f.version != "" {
			f.versions, f.version, f.confidence, f.disputed = []string{f.version}, "", 0.5, true
			f.detail = strings.TrimPrefix(f.detail+"; it says version "+clip(s.Version), "; ")
		}
		f.disputed = true
		if !slices.Contains(f.versions, s.Says) {
			f.versions = append(f.versions, s.Says)
		}
		e.Confidence = 0.5
		f.also = append(f.also, e)
		a.disagree(s.Path, fmt.Sprintf("the code of %s says version %s, its metadata %s: both are looked up", clip(f.name), clip(s.Says), clip(s.Version)))
		return
	}
	e.Differs = true
	f.also = append(f.also, e)
	a.disagree(s.Path, fmt.Sprintf("the code of %s says version %s, its metadata %s, which counts%s", clip(f.name), clip(s.Says), clip(s.Version), why))
}

// recordVouches reports whether the distribution's RECORD has the hashes of the
// metadata and of all the modules that were read for a version
// (https://packaging.python.org/specifications/recording-installed-packages/#the-record-file).
func (a *artifact) recordVouches(s *pystrip.Stated) bool {
	record := path.Join(dirOf(s.Metadata), "RECORD")
	if !a.has(record) {
		return false
	}
	data, err := a.read(record, a.opts.MaxManifest)
	if err != nil {
		return false
	}
	need := map[string]bool{s.Metadata: true}
	for _, p := range s.Files {
		need[p] = true
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		name, ok := recordName(line)
		if !ok {
			continue
		}
		p := path.Join(s.Root, string(name))
		if !need[p] {
			continue
		}
		fields := bytes.Split(bytes.TrimRight(line, "\r"), []byte(","))
		content, err := a.readRaw(p)
		if err != nil || len(fields) != 3 {
			return false
		}
		sum := sha256.Sum256(content)
		if string(fields[1]) != "sha256="+base64.RawURLEncoding.EncodeToString(sum[:]) {
			return false
		}
		delete(need, p)
	}
	return len(need) == 0
}

// readRaw returns the content of a Python file byte for byte.
func (a *artifact) readRaw(p string) ([]byte, error) {
	if err := a.promise(a.size(p), a.opts.MaxManifest); err != nil {
		return nil, err
	}
	s := &scratch{}
	_, err := a.readPromised(p, a.opts.MaxManifest, s)
	return s.buf, err
}
