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
	"time"
)

// Set writes a folder of reports, one file for each function, that takes the
// place of the folder as a whole: who reads it sees the earlier set or the new
// one. A run that is killed, or a full disk, leaves the earlier one as it was.
//
// The new files lie in a folder beside the old one, which then takes its name:
// by an exchange of the two names where the system has that (Linux), else by two
// renamings, after the first of which a kill leaves the earlier set under
// another name; Open puts that back.
type Set struct {
	dir, temp string

	mu    sync.Mutex
	taken map[string]bool // names in lower case: not every file system tells them apart
	files []string
}

// manifest is what the set says of itself.
type manifest struct {
	Files []string `json:"files"` // sorted
}

// maxManifest bounds in bytes what is read of a manifest.
const maxManifest = 64 << 20

// staleAfter is the age at which a temporary folder must be left over from a run
// that was killed.
const staleAfter = time.Hour

// Recover puts an earlier set back that a run which was killed had moved aside.
func Recover(dir string) error {
	aside := asideOf(dir)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Lstat(aside); err != nil {
		return nil
	}
	return os.Rename(aside, dir)
}

// asideOf is where a set lies between two renamings.
func asideOf(dir string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".before"+temporary)
}

// OpenSet begins a new set in the place of dir. What dir holds must be of an
// earlier set, or among the reports that were read: nothing else is replaced.
func OpenSet(dir string, read []Stored) (*Set, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	s := &Set{dir: dir, taken: map[string]bool{manifestName: true}}
	if err := s.replaceable(read); err != nil {
		return nil, err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	s.sweep(parent)
	if s.temp, err = os.MkdirTemp(parent, "."+filepath.Base(dir)+".*"+temporary); err != nil {
		return nil, err
	}
	return s, os.Chmod(s.temp, 0o755)
}

// replaceable returns an error if the folder holds what would be lost.
func (s *Set) replaceable(read []Stored) error {
	known := map[string]bool{manifestName: true}
	for _, name := range manifestOf(s.dir) {
		known[name] = true
	}
	for i := range read {
		if abs, err := filepath.Abs(read[i].File); err == nil {
			if real, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
				abs = filepath.Join(real, filepath.Base(abs))
			}
			if rel, err := filepath.Rel(s.dir, abs); err == nil && filepath.IsLocal(rel) {
				known[rel] = true
			}
		}
	}
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
		if !known[rel] {
			return fmt.Errorf("%s holds %s, which is of no earlier set and was not read: a new set would replace it", s.dir, rel)
		}
		return nil
	})
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

// sweep removes what runs that were killed left.
func (s *Set) sweep(parent string) {
	old, err := filepath.Glob(filepath.Join(parent, "."+filepath.Base(s.dir)+".*"+temporary))
	if err != nil {
		return
	}
	for _, name := range old {
		if info, err := os.Lstat(name); err == nil && info.IsDir() && name != asideOf(s.dir) && time.Since(info.ModTime()) > staleAfter {
			os.RemoveAll(name)
		}
	}
}

// Write writes the file of a function, again if it was written before. It is safe
// for concurrent use.
func (s *Set) Write(file string, produce func(io.Writer) error) (err error) {
	f, err := os.OpenFile(filepath.Join(s.temp, file), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return cause(err)
	}
	w := writers.Get().(*bufio.Writer)
	w.Reset(f)
	err = errors.Join(produce(w), w.Flush(), f.Close())
	w.Reset(nil)
	writers.Put(w)
	return err
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

// Place gives the new set its name, and removes the earlier one.
func (s *Set) Place() error {
	slices.Sort(s.files)
	text, err := json.MarshalIndent(manifest{s.files}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.temp, manifestName), append(text, '\n'), 0o644); err != nil {
		return cause(err)
	}
	if err := s.replace(); err != nil {
		return fmt.Errorf("replace %s: %w", s.dir, err)
	}
	return nil
}

func (s *Set) replace() error {
	if _, err := os.Lstat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(s.temp, s.dir)
	}
	if exchanged, err := exchange(s.temp, s.dir); err != nil {
		return cause(err)
	} else if exchanged {
		return os.RemoveAll(s.temp) // which is the earlier set now
	}
	aside := asideOf(s.dir)
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.Rename(s.dir, aside); err != nil {
		return cause(err)
	}
	if err := os.Rename(s.temp, s.dir); err != nil {
		return errors.Join(cause(err), os.Rename(aside, s.dir))
	}
	return os.RemoveAll(aside)
}

// Drop removes what was written; after Place it does nothing.
func (s *Set) Drop() { os.RemoveAll(s.temp) }
