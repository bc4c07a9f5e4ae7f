package registry

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	stdhash "hash"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
)

// maxPublished bounds a published archive, in bytes. AWS refuses functions above
// half of it.
const maxPublished = 512 << 20

// Archive is a published archive, as its registry has it.
type Archive struct {
	Bytes  io.ReaderAt
	Size   int64
	SHA256 string // hexadecimal
	SHA512 string

	file *os.File          // nil: it is in memory
	sums map[string]string // algorithm -> hexadecimal digest, of all that were computed
	kept bool              // it was in the cache
}

// Close ends the use of Bytes. What is not closed is closed when it is collected.
func (a *Archive) Close() error {
	if a == nil || a.file == nil {
		return nil
	}
	return a.file.Close()
}

// Archive returns the published archive of a version, from the cache or from
// the network. file names one of several (the wheels of PyPI); "" is the only
// one. What the registry's own digests contradict is an error, and so is an
// archive that it tells no digest of, except for Go: those are in the checksum
// database, which is not asked here. The error is ErrOffline when it is not in
// the cache and the network may not be asked.
func (c *Client) Archive(ctx context.Context, p Package, version, file string) (*Archive, error) {
	at, err := c.locate(ctx, p, version, file)
	if err != nil {
		return nil, err
	}
	return c.archiveAt(ctx, p, at)
}

// archiveAt returns the archive that lies there.
func (c *Client) archiveAt(ctx context.Context, p Package, at published) (*Archive, error) {
	done, err := c.cache.lock(ctx, at.key())
	if err != nil {
		return nil, err
	}
	defer done()
	if a := c.keptArchive(at); a != nil {
		return a, nil
	}
	if !c.Online {
		return nil, ErrOffline
	}
	return c.fetchArchive(ctx, p, at)
}

// ErrChanged is wrapped by the error for an archive that contradicts its
// registry's digests.
var ErrChanged = errors.New("it was changed on the way or at the registry")

// published is where an archive lies, and what its registry says of its bytes.
type published struct {
	source  string // who says so
	address string
	file    string            // the one that was asked for, of several
	sums    map[string]string // algorithm -> hexadecimal digest
}

// key names the archive in the cache: by its digest where there is one.
func (at published) key() string {
	for _, alg := range archiveAlgorithms {
		if sum := at.sums[alg]; sum != "" {
			return hash(alg + ":" + sum)
		}
	}
	return hash(at.address)
}

// locate says where the archive of a version lies.
func (c *Client) locate(ctx context.Context, p Package, version, file string) (published, error) {
	at, err := c.lies(ctx, p, version, file)
	at.file = file
	return at, err
}

// lies is locate, but for which file was asked for.
func (c *Client) lies(ctx context.Context, p Package, version, file string) (published, error) {
	ep, why := c.endpoint(p)
	switch {
	case why != "":
		return published{}, errors.New(why)
	case ep.URL == "":
		return published{}, fmt.Errorf("no registry is configured for packages of %s, and deps.dev has no archives", p.System)
	}
	if p.System == PyPI {
		return c.locatePyPI(ctx, p, version, file, ep)
	}
	all, err := c.Ask(ctx, []Question{{p, version}})
	if err != nil {
		return published{}, err
	}
	f := &all[0]
	v := f.Find(version)
	switch {
	case f.Answer == Unknown && f.Reason == ErrOffline.Error():
		return published{}, ErrOffline
	case f.Answer == Unknown:
		return published{}, errors.New(f.Reason)
	case f.Answer == Absent || v == nil:
		return published{}, fmt.Errorf("%s has no %s at version %s", f.Source, p, plain(version))
	}
	if p.System == Go {
		path, err := module.EscapePath(p.Name)
		if err != nil {
			return published{}, err
		}
		escaped, err := module.EscapeVersion(version)
		if err != nil {
			return published{}, err
		}
		return published{source: f.Source, address: f.Source + path + "/@v/" + escaped + ".zip"}, nil
	}
	return pointedAt(f.Source, v.Archive, v.Integrity, p, version)
}

// pointedAt checks an address that a registry's document gives. A registry on
// the internet must not make this machine ask what only that can reach.
func pointedAt(source, address string, sums map[string]string, p Package, version string) (published, error) {
	where := fmt.Sprintf("the archive of %s at version %s", p, plain(version))
	from, err := url.Parse(source)
	if err != nil {
		return published{}, fmt.Errorf("%s: its registry has no address", where)
	}
	to, err := from.Parse(address)
	if err != nil || address == "" {
		return published{}, fmt.Errorf("%s: the registry tells no address of it", where)
	}
	to.Fragment = ""
	if err := mayFollow(from, from, to); err != nil {
		return published{}, fmt.Errorf("%s: the registry sends elsewhere: %w", where, err)
	}
	if len(sums) == 0 {
		return published{}, fmt.Errorf("%s: the registry tells no digest of it", where)
	}
	return published{source: source, address: to.String(), sums: sums}, nil
}

// locatePyPI finds a file in the first index that has it.
func (c *Client) locatePyPI(ctx context.Context, p Package, version, file string, ep Endpoint) (published, error) {
	name, ok := pypiName(p.Name)
	if !ok {
		return published{}, fmt.Errorf("%q is not the name of a Python project", plain(p.Name))
	}
	for _, o := range append([]Other{{URL: ep.URL}}, ep.Others...) {
		doc, err := c.Get(ctx, Request{URL: o.URL + name + "/", Accept: simpleForms, Limit: maxProject, System: PyPI})
		if err != nil {
			return published{}, err
		}
		if doc.Absent {
			continue
		}
		list, err := parseSimple(doc.Body, name)
		if err != nil {
			return published{}, fmt.Errorf("read what %s says of %s: %w", o.URL, p, err)
		}
		found := list.find(version, file)
		switch len(found) {
		case 0:
		case 1:
			sums := map[string]string{}
			if sum := hexSum("sha256", found[0].sha256); sum != "" {
				sums["sha256"] = sum
			}
			return pointedAt(o.URL+name+"/", clipped(found[0].address, 4*maxText), sums, p, version)
		default:
			return published{}, fmt.Errorf("%s has %d files at version %s, and which one is meant was not said", p, len(found), plain(version))
		}
	}
	return published{}, fmt.Errorf("no configured index has %s at version %s (file %q)", p, plain(version), plain(file))
}

// find returns the files of a version; the one of that name, if it is given.
func (l *simpleList) find(version, file string) (found []pypiFile) {
	for _, f := range l.files {
		if pypiCanon(f.version) == pypiCanon(version) && (file == "" || f.name == file) {
			found = append(found, f)
		}
	}
	return found
}

// archiveAlgorithms are the digests that registries tell, the strongest first.
var archiveAlgorithms = []string{"sha512", "sha384", "sha256", "sha1"}

// archiveSums hashes an archive while it is written or read.
type archiveSums struct {
	hashes map[string]stdhash.Hash
	size   int64
}

// newArchiveSums hashes by the algorithms that are asked for, and by those of Archive.
func newArchiveSums(want map[string]string) *archiveSums {
	s := &archiveSums{hashes: map[string]stdhash.Hash{"sha256": sha256.New(), "sha512": sha512.New()}}
	if want["sha1"] != "" {
		s.hashes["sha1"] = sha1.New()
	}
	if want["sha384"] != "" {
		s.hashes["sha384"] = sha512.New384()
	}
	return s
}

func (s *archiveSums) Write(p []byte) (int, error) {
	for _, h := range s.hashes {
		h.Write(p)
	}
	s.size += int64(len(p))
	return len(p), nil
}

func (s *archiveSums) hex(alg string) string { return hex.EncodeToString(s.hashes[alg].Sum(nil)) }

// differs is the first algorithm by which the bytes are not those wanted; "" for none.
func (s *archiveSums) differs(want map[string]string) string {
	for _, alg := range archiveAlgorithms {
		if want[alg] != "" && want[alg] != s.hex(alg) {
			return alg
		}
	}
	return ""
}

// archive is an archive that has these digests.
func (s *archiveSums) archive() *Archive {
	a := &Archive{Size: s.size, sums: map[string]string{}}
	for alg := range s.hashes {
		a.sums[alg] = s.hex(alg)
	}
	a.SHA256, a.SHA512 = a.sums["sha256"], a.sums["sha512"]
	return a
}

// keptArchive is an archive from the cache; nil when it is not there, or not
// what the registry says: then it is as if it were not there.
func (c *Client) keptArchive(at published) *Archive {
	if c.Dir == "" {
		return nil
	}
	f, err := os.Open(c.filePath("archives", at.key()))
	if err != nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxPublished {
		f.Close()
		return nil
	}
	sums := newArchiveSums(at.sums)
	if _, err := io.Copy(sums, io.LimitReader(f, maxPublished+1)); err != nil || sums.differs(at.sums) != "" || sums.size != info.Size() {
		f.Close()
		return nil
	}
	a := sums.archive()
	a.Bytes, a.file, a.kept = f, f, true
	return a
}

// fetchArchive downloads an archive into a file, or into memory when nothing is
// kept, and holds it against its digests before it gets its name. What Arrive
// says is taken from it on the way.
func (c *Client) fetchArchive(ctx context.Context, p Package, at published) (a *Archive, err error) {
	where := fmt.Sprintf("the archive of %s", p)
	keep, err := c.newKeep()
	if err != nil { // a folder that cannot be written must not make a run see less
		c.unkept(err)
		keep, err = &archiveKeep{}, nil
	}
	defer func() {
		if err != nil {
			keep.drop()
		}
	}()
	var sums *archiveSums
	var taken *arrival
	got, err := c.fetch(ctx, Request{URL: at.address, source: at.source, Limit: maxPublished, System: p.System, Keep: true, into: func(r io.Reader) (int64, error) {
		if err := keep.reset(); err != nil { // an attempt before this one may have written
			return 0, err
		}
		sums, taken = newArchiveSums(at.sums), c.arriving(p, at)
		n, err := io.Copy(io.MultiWriter(keep, sums, taken), r)
		taken.end(err)
		return n, err
	}}, validators{})
	switch {
	case err != nil:
		return nil, err
	case got.Absent || sums == nil:
		return nil, fmt.Errorf("%s is not where the registry says", where)
	}
	if alg := sums.differs(at.sums); alg != "" {
		return nil, fmt.Errorf("%s has the %s digest %s, and the registry says %s: %w", where, alg, sums.hex(alg), at.sums[alg], ErrChanged)
	}
	a = sums.archive()
	if keep.file == nil {
		a.Bytes = bytes.NewReader(keep.memory.Bytes())
		return a, nil
	}
	if a.file, err = c.nameArchive(keep.file, at); err != nil {
		return nil, fmt.Errorf("keep %s: %w", where, err)
	}
	a.Bytes = a.file
	c.keepArrival(taken, at, a)
	return a, nil
}

// nameArchive gives a complete archive its name in the cache and opens it there.
func (c *Client) nameArchive(temp *os.File, at published) (*os.File, error) {
	path := c.filePath("archives", at.key())
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := temp.Close(); err != nil {
		return nil, err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// archiveKeep is where an archive is written to: a file, or memory.
type archiveKeep struct {
	file   *os.File
	memory bytes.Buffer
}

func (c *Client) newKeep() (*archiveKeep, error) {
	if c.Dir == "" {
		return &archiveKeep{}, nil
	}
	c.cache.once.Do(c.cleanTemp)
	temp := filepath.Join(c.Dir, "temp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(temp, "*.tmp")
	return &archiveKeep{file: f}, err
}

func (k *archiveKeep) Write(p []byte) (int, error) {
	if k.file != nil {
		return k.file.Write(p)
	}
	return k.memory.Write(p)
}

// reset takes back what was written.
func (k *archiveKeep) reset() error {
	k.memory.Reset()
	if k.file == nil {
		return nil
	}
	if _, err := k.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return k.file.Truncate(0)
}

// drop removes what was written.
func (k *archiveKeep) drop() {
	if k.file != nil {
		k.file.Close()
		os.Remove(k.file.Name())
	}
}
