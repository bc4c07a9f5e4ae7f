package attest

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

const (
	jarManifestName = "META-INF/MANIFEST.MF"
	jarFolder       = "META-INF/"

	// maxJarSigners bounds how many signers of one jar are looked at.
	maxJarSigners = 16
)

// signedJar is a jar with signature files, read.
type signedJar struct {
	z        *bundle.ZipList
	at       map[string]int // entry by name
	manifest *jarManifest
	signers  []*jarSigner
	own      map[int]bool // the manifest and the files of the signatures
	digests  map[string]map[crypto.Hash][]byte
}

// jarSigner is one signature file and the block that signs it.
type jarSigner struct {
	file, block string // names of the entries
	text        *jarManifest
	message     *cmsMessage
	covered     map[string]bool // sections of the manifest that it signs
}

// verifyJar checks a signed jar, and is stricter than jarsigner: every file must
// be listed and signed, nothing listed may be gone, and each signature file that is there
// must hold.
func verifyJar(ctx context.Context, req *Request) []Result {
	if req.Subject == nil || req.Subject.Bytes == nil {
		return nil
	}
	z, err := bundle.ListZip(ctx, req.Subject.Bytes, req.Subject.Size, bundle.Limits{})
	if err != nil {
		return nil // what is no zip that can be read is no jar either
	}
	manifest, files := jarNames(z)
	if len(files) == 0 {
		if len(manifest) == 1 && len(req.Evidence) == 0 {
			return jarResult(Result{Kind: KindJar, Status: Missing, Step: StepFind, Reason: "the jar is not signed: it has no signature file META-INF/*.SF"})
		}
		return nil
	}
	if err := plainZip(z); err != nil {
		return jarResult(zipFault(KindJar, err))
	}
	j, bad := openJar(z, manifest, files)
	if bad == nil {
		bad = j.contents(ctx)
	}
	if bad != nil {
		return jarResult(*bad)
	}
	return jarResult(j.trust(req))
}

func jarResult(r Result) []Result {
	r.Embedded = true
	if r.Source == "" {
		r.Source = "META-INF"
	}
	return []Result{r}
}

// jarNames finds the manifest and the signature files. Their names have no case
// (JAR File Specification, "Signed JAR File").
func jarNames(z *bundle.ZipList) (manifest, files []int) {
	for i, e := range z.Entries {
		name := strings.ToUpper(e.Name)
		base, ok := strings.CutPrefix(name, jarFolder)
		if !ok || base == "" || strings.Contains(base, "/") {
			continue
		}
		switch ext := path.Ext(base); {
		case name == jarManifestName:
			manifest = append(manifest, i)
		case ext == ".SF", isJarBlock(base), strings.HasPrefix(base, "SIG-"):
			files = append(files, i)
		}
	}
	return manifest, files
}

func isJarBlock(name string) bool {
	switch path.Ext(strings.ToUpper(name)) {
	case ".RSA", ".DSA", ".EC":
		return true
	}
	return false
}

// jarFail is a rejected result; what in plain words, and that it can be a leftover.
func jarFail(step Step, source, format string, args ...any) *Result {
	r := reject(KindJar, step, fmt.Sprintf(format, args...))
	r.Source = source
	return &r
}

// unreadManifest is the result for a manifest, or a signature file, that was not read.
func unreadManifest(name string, err error) *Result {
	if errors.Is(err, bundle.ErrLimit) {
		r := zipFault(KindJar, fmt.Errorf("%s: %w", name, err))
		r.Source = name
		return &r
	}
	return jarFail(StepParse, name, "%s cannot be read: %v", name, err)
}

// leftover explains how signature files get into a jar that they do not fit.
const leftover = "the files were changed after signing, or jars were merged into this one and their signature files were left in it; Java refuses to load such a jar"

// openJar reads manifest and signature files and pairs them.
func openJar(z *bundle.ZipList, manifest, files []int) (*signedJar, *Result) {
	first := z.Entries[files[0]].Name
	if len(manifest) != 1 {
		return nil, jarFail(StepContents, first, "%s signs a manifest, and there are %d files %s: %s", first, len(manifest), jarManifestName, leftover)
	}
	j := &signedJar{z: z, at: map[string]int{}, own: map[int]bool{manifest[0]: true}, digests: map[string]map[crypto.Hash][]byte{}}
	for i, e := range z.Entries {
		j.at[e.Name] = i
	}
	data, bad := j.read(manifest[0])
	if bad != nil {
		return nil, bad
	}
	var err error
	if j.manifest, err = parseManifest(data); err != nil {
		return nil, unreadManifest(jarManifestName, err)
	}
	pairs := map[string][]int{}
	for _, i := range files {
		name := strings.ToUpper(z.Entries[i].Name)
		pairs[strings.TrimSuffix(name, path.Ext(name))] = append(pairs[strings.TrimSuffix(name, path.Ext(name))], i)
	}
	if len(pairs) > maxJarSigners {
		r := cannot(KindJar, StepParse, fmt.Sprintf("more than %d signers", maxJarSigners))
		return nil, &r
	}
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		s, bad := j.signer(pairs[name])
		if bad != nil {
			return nil, bad
		}
		j.signers = append(j.signers, s)
	}
	return j, nil
}

// read returns one entry of the jar.
func (j *signedJar) read(i int) ([]byte, *Result) {
	if n := j.z.Entries[i].Size; n > maxManifest {
		r := cannot(KindJar, StepParse, fmt.Sprintf("%s has %d bytes, more than %d", j.z.Entries[i].Name, n, maxManifest))
		return nil, &r
	}
	var b bytes.Buffer
	if err := j.z.Copy(&b, i); err != nil {
		r := zipFault(KindJar, err)
		return nil, &r
	}
	return b.Bytes(), nil
}

// signer reads one signature file with its block and checks the block.
func (j *signedJar) signer(pair []int) (*jarSigner, *Result) {
	s := &jarSigner{}
	var text, block []byte
	var bad *Result
	for _, i := range pair {
		name := j.z.Entries[i].Name
		switch {
		case strings.EqualFold(path.Ext(name), ".SF") && s.file == "":
			s.file = name
			text, bad = j.read(i)
		case isJarBlock(name) && s.block == "":
			s.block = name
			block, bad = j.read(i)
		default:
			return nil, jarFail(StepContents, name, "%s is one signature file too many for its name", name)
		}
		if bad != nil {
			return nil, bad
		}
		j.own[i] = true
	}
	if s.file == "" {
		return nil, jarFail(StepContents, s.block, "%s is the block of a signature file that is not there: %s", s.block, leftover)
	}
	if s.block == "" {
		return nil, jarFail(StepContents, s.file, "no block (.RSA, .EC or .DSA) signs %s: %s", s.file, leftover)
	}
	var err error
	if s.message, err = parseCMS(block); err != nil {
		return nil, jarFail(StepParse, s.block, "%s: %v", s.block, err)
	}
	if c := s.message.Content; c != nil && !bytes.Equal(c, text) { // jarsigner puts a copy into it when it asks for a timestamp
		return nil, jarFail(StepContents, s.block, "%s is about another content than %s: %s", s.block, s.file, leftover)
	}
	if err := s.message.check(text); err != nil {
		r := cmsFault(KindJar, err, s.file+" is not what was signed")
		r.Source = s.block
		return nil, &r
	}
	if s.text, err = parseManifest(text); err != nil {
		return nil, unreadManifest(s.file, err)
	}
	if v := s.text.main.attrs["signature-version"]; v != "1.0" || s.text.main.attrs["magic"] != "" {
		return nil, jarFail(StepParse, s.file, "%s has the version %q, which is not 1.0, or needs an extension", s.file, v)
	}
	return s, j.cover(s)
}

// cover finds which sections of the manifest a signer signed: all of them when
// the digest of the whole manifest holds, else those whose own digest does.
func (j *signedJar) cover(s *jarSigner) *Result {
	s.covered = map[string]bool{}
	main := s.text.main.attrs
	if n, err := jarDigests(main, "-digest-manifest", j.manifest.raw); n > 0 && err == nil {
		for name := range j.manifest.named {
			s.covered[name] = true
		}
		return nil
	}
	if n, err := jarDigests(main, "-digest-manifest-main-attributes", j.manifest.main.raw); n == 0 || err != nil {
		return jarFail(StepContents, s.file, "the main section of the manifest is not the one that %s signs (%v): %s", s.file, orNone(err), leftover)
	}
	for name, signed := range s.text.named {
		section := j.manifest.named[name]
		if section == nil {
			return jarFail(StepContents, s.file, "%s signs %q, which is not in the manifest: %s", s.file, name, leftover)
		}
		n, err := jarDigests(signed.attrs, "-digest", section.raw)
		if err != nil || n == 0 {
			return jarFail(StepContents, s.file, "the section of the manifest for %q is not the one that %s signs (%v): %s", name, s.file, orNone(err), leftover)
		}
		s.covered[name] = true
	}
	return nil
}

func orNone(err error) error {
	if err != nil {
		return err
	}
	return errors.New("there is no digest")
}

// jarDigests compares every digest of the attributes NAME+suffix with the bytes, and
// says how many are strong ones that do. Only weak ones are an error.
func jarDigests(attrs map[string]string, suffix string, data []byte) (n int, err error) {
	weak := ""
	for key, value := range attrs {
		alg, ok := strings.CutSuffix(key, suffix)
		if !ok {
			continue
		}
		h, known := jarHash(alg)
		if !known {
			weak = alg
			continue
		}
		want, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		if err != nil {
			return 0, fmt.Errorf("the %s digest is not base64", alg)
		}
		if got := hashed(h, data); !bytes.Equal(want, got) {
			return 0, fmt.Errorf("%s digest signed %x, found %x", strings.ToUpper(alg), want, got)
		}
		n++
	}
	if n == 0 && weak != "" {
		return 0, fmt.Errorf("the digest %s: %w", strings.ToUpper(weak), errWeak)
	}
	return n, nil
}

// jarHash returns the strong hash that an attribute name starts with.
func jarHash(name string) (crypto.Hash, bool) {
	h, ok := map[string]crypto.Hash{"sha-256": crypto.SHA256, "sha-384": crypto.SHA384, "sha-512": crypto.SHA512,
		"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[name]
	return h, ok
}

// contents compares every file with the manifest, in both directions.
func (j *signedJar) contents(ctx context.Context) *Result {
	listed := slices.Sorted(maps.Keys(j.manifest.named))
	for _, name := range listed {
		if err := ctx.Err(); err != nil {
			r := cannot(KindJar, StepContents, err.Error())
			return &r
		}
		if bad := j.file(name); bad != nil {
			return bad
		}
	}
	for i, e := range j.z.Entries {
		if j.own[i] || j.z.Dir(i) {
			continue
		}
		section := j.manifest.named[e.Name]
		if section == nil || !hasDigest(section.attrs) {
			return jarFail(StepContents, e.Name, "the file %q is in the jar and no digest of it is in the manifest: it was added after signing", e.Name)
		}
	}
	return nil
}

func hasDigest(attrs map[string]string) bool {
	for key := range attrs {
		if strings.HasSuffix(key, "-digest") {
			return true
		}
	}
	return false
}

// file compares one file with its section. A section without a digest, as
// packages have one, says nothing about content.
func (j *signedJar) file(name string) *Result {
	attrs := j.manifest.named[name].attrs
	if !hasDigest(attrs) {
		return nil
	}
	i, ok := j.at[name]
	if !ok {
		return jarFail(StepContents, name, "the file %q was signed and is not in the jar any more", name)
	}
	hashes := map[crypto.Hash]io.Writer{}
	var all []io.Writer
	for key := range attrs {
		alg, _ := strings.CutSuffix(key, "-digest")
		if h, ok := jarHash(alg); ok && hashes[h] == nil {
			hashes[h] = h.New()
			all = append(all, hashes[h])
		}
	}
	if len(all) == 0 {
		return jarFail(StepContents, name, "the manifest has only digests of %q that prove nothing (MD5, SHA-1 or an unknown one)", name)
	}
	if err := j.z.Copy(io.MultiWriter(all...), i); err != nil {
		r := zipFault(KindJar, err)
		return &r
	}
	for key, value := range attrs {
		alg, isDigest := strings.CutSuffix(key, "-digest")
		h, known := jarHash(alg)
		if !isDigest || !known {
			continue
		}
		got := hashes[h].(interface{ Sum([]byte) []byte }).Sum(nil)
		if want := base64.StdEncoding.EncodeToString(got); strings.TrimSpace(value) != want {
			r := differs(KindJar, StepContents, fmt.Sprintf("the file %q is not what was signed", name), alg+" "+value, alg+" "+want)
			r.Source = name
			return &r
		}
	}
	return nil
}
