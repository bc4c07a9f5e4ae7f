package night

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/vulndb/disk"
)

// Set writes a folder of reports, one file for each function, that takes the
// place of the folder as a whole: who reads it sees the earlier set or the new
// one. A run that is killed, a full disk, or a power cut, leaves the earlier one
// as it was, or the new one whole: its files and its folder are on the disk
// before it gets its name.
//
// The new files lie in a folder beside the old one, which then takes its name:
// by an exchange of the two names where the system has that (Linux), else by two
// renamings, after the first of which a kill leaves the earlier set under
// another name; ClaimSet puts that back.
type Set struct {
	dir, temp string
	known     map[string]fs.FileInfo // what dir may hold, by path in it
	syncs     errgroup.Group         // bring files to the disk while others are written

	mu    sync.Mutex
	taken map[string]bool // names in lower case: not every file system tells them apart
	files []string
}

// maxSyncs is how many files are brought to the disk side by side. A journal
// takes several at once: a thousand files of 130 KB took 4.5 s one after another
// on ext4, and 1.0 s so; without any of it 0.5 s.
const maxSyncs = 16

// ErrUnconfirmed is wrapped by the error of Place when the new set has its name,
// and the disk does not say that it will keep it.
var ErrUnconfirmed = errors.New("the new reports are there, and the disk does not confirm that it keeps them")

// manifest is what the set says of itself.
type manifest struct {
	Files []string `json:"files"` // sorted
}

// maxManifest bounds in bytes what is read of a manifest.
const maxManifest = 64 << 20

// OpenSet begins a new set in the place of the folder that is claimed. What that
// holds must be of an earlier set, or among the reports that were read: nothing
// else is replaced.
func OpenSet(c *Claim, read []Stored) (*Set, error) {
	s := &Set{dir: c.dir, known: knownOf(c.dir, read), taken: map[string]bool{manifestName: true, AlertsName: true}}
	if err := s.replaceable(); err != nil {
		return nil, err
	}
	var err error
	if s.temp, err = os.MkdirTemp(filepath.Dir(c.dir), "."+filepath.Base(c.dir)+".*"+temporary); err != nil {
		return nil, err
	}
	s.syncs.SetLimit(maxSyncs)
	return s, os.Chmod(s.temp, 0o755)
}

// replaceable returns an error if the folder holds what would be lost: what is
// neither known nor of an earlier set, or what is not any more what was read.
func (s *Set) replaceable() error {
	info, err := os.Lstat(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", s.dir)
	}
	return filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		was, known := s.known[rel]
		if !known {
			return fmt.Errorf("%s holds %s, which is of no earlier set and was not read: a new set would replace it", s.dir, rel)
		}
		if was == nil {
			return nil
		}
		if now, err := os.Stat(path); err != nil || !unchanged(was, now) {
			return fmt.Errorf("%s in %s was changed while it was judged: run it again", rel, s.dir)
		}
		return nil
	})
}

// knownOf are the files of a folder that a new set may replace, with what they
// were when they were read; nil for what was not.
func knownOf(dir string, read []Stored) map[string]fs.FileInfo {
	known := map[string]fs.FileInfo{manifestName: nil, AlertsName: nil}
	for _, name := range manifestOf(dir) {
		known[name] = nil
	}
	folders := map[string]string{} // with links followed: thousands of files share few
	for i := range read {
		abs, err := filepath.Abs(read[i].File)
		if err != nil {
			continue
		}
		folder, ok := folders[filepath.Dir(abs)]
		if !ok {
			folder = filepath.Dir(abs)
			if real, err := filepath.EvalSymlinks(folder); err == nil {
				folder = real
			}
			folders[filepath.Dir(abs)] = folder
		}
		if rel, err := filepath.Rel(dir, filepath.Join(folder, filepath.Base(abs))); err == nil && filepath.IsLocal(rel) {
			known[rel] = read[i].info
		}
	}
	return known
}

// IsSet says whether a folder holds reports, or did when it was written as a set:
// more than what was sent.
func IsSet(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != AlertsName })
}

// manifestOf lists the files of a set; none if the folder is no set.
func manifestOf(dir string) []string {
	f, err := open(filepath.Join(dir, manifestName))
	if err != nil {
		return nil
	}
	defer f.Close()
	var m manifest
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(&m); err != nil {
		return nil
	}
	return m.Files
}

// Write writes the file of a function, again if it was written before. It is safe
// for concurrent use. That the file is on the disk is known when Place returns.
func (s *Set) Write(file string, produce func(io.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(s.temp, file), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return cause(err)
	}
	w := writers.Get().(*bufio.Writer)
	w.Reset(f)
	err = errors.Join(produce(w), w.Flush())
	w.Reset(nil)
	writers.Put(w)
	if err != nil {
		return errors.Join(cause(err), f.Close())
	}
	s.syncs.Go(func() error {
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", file, cause(err))
		}
		return nil
	})
	return nil
}

// writers are those that are not in use: a night writes thousands of files.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}

// Keep takes over a file that was read from the folder that is replaced and that
// is no report, so that nothing is lost.
func (s *Set) Keep(file string) error {
	abs, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(real, filepath.Base(abs))
	}
	rel, err := filepath.Rel(s.dir, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return nil
	}
	to := filepath.Join(s.temp, rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return cause(err)
	}
	s.mu.Lock()
	s.files = append(s.files, rel)
	s.mu.Unlock()
	info, err := os.Lstat(abs)
	if err != nil {
		return cause(err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(abs)
		if err != nil {
			return cause(err)
		}
		return os.Symlink(target, to)
	}
	return os.Link(abs, to)
}

// Reserve says that a name is taken.
func (s *Set) Reserve(file string) { s.taken[strings.ToLower(filepath.Base(file))] = true }

// maxName bounds in bytes the name of a file.
const maxName = 100

// Name is the file of a function: its name where that is plain, else what is
// plain of it and a digest. It must be called in a fixed order.
func (s *Set) Name(function string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-@+", r) {
			return r
		}
		return '_'
	}, function)
	sum := sha256.Sum256([]byte(function))
	digest := "-" + hex.EncodeToString(sum[:4])
	if plain = strings.Trim(plain, "."); plain != function || len(plain) > maxName || plain == "" || device(plain) {
		plain = strings.Clone(plain[:min(len(plain), maxName)]) + digest
	}
	name := plain + ".json"
	for n := 2; s.taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s-%d.json", plain, n)
	}
	s.taken[strings.ToLower(name)] = true
	s.files = append(s.files, name)
	return name
}

// device says whether Windows takes a name for a device, whatever its extension.
func device(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	return slices.Contains([]string{"con", "prn", "aux", "nul"}, base) || len(base) == 4 && (strings.HasPrefix(base, "com") || strings.HasPrefix(base, "lpt"))
}

// Place gives the new set its name, and removes the earlier one. What says which
// alerts were sent goes over to the new one.
func (s *Set) Place() error {
	slices.Sort(s.files)
	err := s.Write(manifestName, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(manifest{s.files})
	})
	if err := errors.Join(err, s.carry(AlertsName), s.syncs.Wait()); err != nil {
		return err
	}
	if err := s.syncDirs(); err != nil {
		return cause(err)
	}
	if err := s.replaceable(); err != nil { // again: what came since would be lost
		return err
	}
	if err := s.replace(); err != nil {
		return fmt.Errorf("replace %s: %w", s.dir, err)
	}
	if err := syncDir(filepath.Dir(s.dir)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnconfirmed, err)
	}
	os.RemoveAll(s.temp) // of the earlier set; what stays is removed by the next run, or named by its error
	os.RemoveAll(asideOf(s.dir))
	return nil
}

// carry copies a file of the earlier set, if there is one of the name.
func (s *Set) carry(name string) error {
	f, err := open(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	return s.Write(name, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

// syncDir makes the names in a folder survive a power cut. A file system that
// cannot do that for folders has its own order.
func syncDir(dir string) error {
	if err := disk.SyncDir(dir); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// syncDirs brings the names of the new set to the disk.
func (s *Set) syncDirs() error {
	return filepath.WalkDir(s.temp, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

func (s *Set) replace() error {
	if _, err := os.Lstat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(s.temp, s.dir)
	}
	if exchanged, err := exchange(s.temp, s.dir); err != nil || exchanged {
		return cause(err) // of an exchange, s.temp is the earlier set now
	}
	aside := asideOf(s.dir)
	if err := os.Rename(s.dir, aside); err != nil {
		return cause(err)
	}
	if err := os.Rename(s.temp, s.dir); err != nil {
		return errors.Join(cause(err), os.Rename(aside, s.dir))
	}
	return nil
}

// Drop removes what was written; after Place it does nothing.
func (s *Set) Drop() {
	_ = s.syncs.Wait() // a file that is open keeps its folder on Windows
	os.RemoveAll(s.temp)
}
