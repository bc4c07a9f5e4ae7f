package attest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// beside are the endings that tools give to what they write next to an
// artifact, in the order in which they are looked at: cosign and sigstore
// clients (.sigstore.json, .sigstore, .bundle, .att.jsonl),
// slsa-github-generator (.intoto.jsonl), minisign, OpenPGP.
var beside = []string{
	".sigstore.json", ".sigstore", ".bundle", ".intoto.jsonl", ".att.jsonl", ".sigstore.jsonl",
	".minisig", ".asc", ".sig",
}

// gateEndings are those of the release gate. A build replaces the artifact and not
// what an earlier gate wrote beside it, so that only what is about these very
// bytes is evidence: of the rest nobody claims anything.
var gateEndings = []string{".vsa.sigstore.json", ".vulns.sigstore.json", ".cdx.sigstore.json"}

// certificates are the endings of the certificate beside a ".sig".
var certificates = []string{".pem", ".crt", ".cert"}

// maxBeside bounds in bytes one file that was found and not named.
const maxBeside = 32 << 20

// Beside returns what lies next to a file that is named after it, and what lies
// in its folder and is about its digest: "sha256:HEX.jsonl" and
// "sha256-HEX.jsonl" as "gh attestation download" writes them, and a
// provenance.json that names it. A file that is there and cannot be read is an error.
func Beside(path string, s *Subject) ([]Evidence, error) {
	var out []Evidence
	for _, ending := range beside {
		ev, err := readEvidence(path + ending)
		if err != nil {
			return nil, err
		}
		if ev == nil {
			continue
		}
		if ending == ".sig" {
			if ev.Certificate, err = certificateOf(path); err != nil {
				return nil, err
			}
		}
		out = append(out, *ev)
	}
	names := []string{filepath.Join(filepath.Dir(path), "provenance.json")}
	if d, err := s.Digest("sha256"); err == nil {
		names = append(names, filepath.Join(filepath.Dir(path), "sha256:"+d+".jsonl"), filepath.Join(filepath.Dir(path), "sha256-"+d+".jsonl"))
	}
	for _, ending := range gateEndings {
		names = append(names, path+ending)
	}
	for _, name := range names {
		ev, err := readEvidence(name)
		if err != nil {
			return nil, err
		}
		if ev != nil {
			out = append(out, concerning(unfold([]Evidence{*ev}), s)...)
		}
	}
	return out, nil
}

// readEvidence reads a file that may not be there: then it returns nil.
func readEvidence(name string) (*Evidence, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, nil // opening a pipe waits for somebody who writes
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what lies beside the artifact: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBeside+1))
	if err != nil {
		return nil, fmt.Errorf("read what lies beside the artifact: %w", err)
	}
	if len(data) > maxBeside {
		return nil, fmt.Errorf("read %s: over %d bytes, too much for a signature found beside an artifact: name it with --bundle", name, maxBeside)
	}
	return &Evidence{Source: name, Data: data}, nil
}

func certificateOf(path string) ([]byte, error) {
	for _, ending := range certificates {
		ev, err := readEvidence(path + ending)
		if err != nil {
			return nil, err
		}
		if ev != nil {
			return ev.Data, nil
		}
	}
	return nil, nil
}

// concerning keeps what says that it is about the subject. That is not proven by it:
// it only keeps the attestations of other things out of the answer.
func concerning(list []Evidence, s *Subject) []Evidence {
	var out []Evidence
	for _, ev := range list {
		if slices.ContainsFunc(subjectsOf(ev.Data), func(d map[string]string) bool {
			same, differ, err := compare(d, s)
			return err == nil && same != "" && differ == ""
		}) {
			out = append(out, ev)
		}
	}
	return out
}

// subjectsOf returns the digest sets that a bundle, an envelope or a bare
// statement is about, as it says itself; nothing for what is none of them.
func subjectsOf(data []byte) []map[string]string {
	var doc struct {
		Envelope *struct {
			Payload string `json:"payload"`
		} `json:"dsseEnvelope"`
		Message *struct {
			Digest struct {
				Algorithm string `json:"algorithm"`
				Digest    []byte `json:"digest"`
			} `json:"messageDigest"`
		} `json:"messageSignature"`
		Payload string       `json:"payload"`
		Subject []Descriptor `json:"subject"`
	}
	if json.Unmarshal(data, &doc) != nil {
		return nil
	}
	payload := doc.Payload
	switch {
	case doc.Message != nil:
		alg := map[string]string{"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}[doc.Message.Digest.Algorithm]
		return []map[string]string{{alg: fmt.Sprintf("%x", doc.Message.Digest.Digest)}}
	case doc.Envelope != nil:
		payload = doc.Envelope.Payload
	}
	subjects := doc.Subject
	if payload != "" {
		raw, err := decodeBase64(payload)
		if err != nil {
			if raw, err = base64.RawStdEncoding.DecodeString(payload); err != nil {
				return nil
			}
		}
		var st Statement
		if json.Unmarshal(raw, &st) != nil {
			return nil
		}
		subjects = st.Subject
	}
	var out []map[string]string
	for _, sub := range subjects {
		if len(sub.Digest) > 0 {
			out = append(out, sub.Digest)
		}
	}
	return out
}

// Folder is a folder of attestations, listed by the digests that they say they
// are about. It is safe for concurrent use.
type Folder struct {
	byDigest   map[string][]place
	algorithms map[string]bool // of those digests: no other is worth reading an artifact for
	Skipped    []string        // files that hold nothing that could be read as an attestation, sorted
}

// place is one document in a file.
type place struct {
	file string
	n    int // of the documents in the file
}

// Bounds of a folder of attestations.
const (
	maxFolderFiles = 100_000
	maxFolderDepth = 16
)

// OpenFolder lists a folder of attestations, and the folders in it. Every file
// is read once; only where what lies is kept.
func OpenFolder(ctx context.Context, dir string) (*Folder, error) {
	f := &Folder{byDigest: map[string][]place{}, algorithms: map[string]bool{}}
	files := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir():
			if rel, err := filepath.Rel(dir, name); err == nil && strings.Count(filepath.ToSlash(rel), "/") >= maxFolderDepth {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		if files++; files > maxFolderFiles {
			return fmt.Errorf("more than %d files", maxFolderFiles)
		}
		ev, err := readEvidence(name)
		if err != nil {
			return err
		}
		if ev == nil || f.list(*ev) == 0 {
			f.Skipped = append(f.Skipped, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the attestations in %s: %w", dir, err)
	}
	return f, nil
}

// list notes the documents of a file and returns how many digests they name.
func (f *Folder) list(ev Evidence) int {
	named := 0
	for n, doc := range unfold([]Evidence{ev}) {
		for _, set := range subjectsOf(doc.Data) {
			for alg, value := range set {
				if slices.Contains(strength, alg) {
					value = strings.ToLower(value)
				}
				f.algorithms[alg] = true
				key := alg + ":" + value
				at := place{ev.Source, n}
				if !slices.Contains(f.byDigest[key], at) {
					f.byDigest[key] = append(f.byDigest[key], at)
				}
				named++
			}
		}
	}
	return named
}

// About returns the attestations of the folder that say they are about the
// subject, in the order of their files.
func (f *Folder) About(s *Subject) ([]Evidence, error) {
	var places []place
	for _, alg := range strength {
		if !f.algorithms[alg] {
			continue
		}
		d, err := s.Digest(alg)
		if errors.Is(err, ErrNoBytes) {
			continue
		}
		if err != nil {
			return nil, err
		}
		places = append(places, f.byDigest[alg+":"+d]...)
	}
	for alg, d := range s.Digests {
		if !slices.Contains(strength, alg) {
			places = append(places, f.byDigest[alg+":"+d]...)
		}
	}
	for also := range s.Also {
		places = append(places, f.byDigest[also]...)
	}
	slices.SortFunc(places, func(a, b place) int {
		if c := strings.Compare(a.file, b.file); c != 0 {
			return c
		}
		return a.n - b.n
	})
	var out []Evidence
	for _, p := range slices.Compact(places) {
		ev, err := readEvidence(p.file)
		if err != nil {
			return nil, err
		}
		if ev == nil {
			return nil, fmt.Errorf("read attestation %s: it is gone since the folder was listed", p.file)
		}
		docs := unfold([]Evidence{*ev})
		if p.n >= len(docs) {
			return nil, fmt.Errorf("read attestation %s: it changed since the folder was listed", p.file)
		}
		out = append(out, docs[p.n])
	}
	return out, nil
}
