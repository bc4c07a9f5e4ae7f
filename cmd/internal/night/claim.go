package night

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/fnaudit/fnaudit/vulndb/disk"
)

// Claim is the right to replace a set of reports. One run has it at a time, from
// before it reads the earlier set until the new one is there: what another run
// wrote meanwhile would be lost. Readers need none.
//
// It is a lock on a file beside the set, which the system drops when the
// process ends, however it ends. So whatever else lies beside the set under a
// temporary name is of a run that was killed.
type Claim struct {
	dir string // absolute, links followed
	f   *os.File
}

// ErrClaimed is wrapped by the error of ClaimSet while another run has the claim.
var ErrClaimed = errors.New("another run writes there")

// maxClaims is how often the lock file may go away while it is being locked.
const maxClaims = 100

// ClaimSet claims the folder dir, which need not exist, removes what runs that
// were killed left beside it, and puts an earlier set back that one of them had
// moved aside. The caller calls Release.
func ClaimSet(dir string) (*Claim, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	c := &Claim{dir: dir}
	if err := c.lock(); err != nil {
		return nil, err
	}
	if err := errors.Join(c.recover(), c.sweep()); err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

// lock locks the file. Whoever had it removed it, maybe after it was opened
// here: the lock counts if the file still has its name.
func (c *Claim) lock() error {
	name := c.file()
	for range maxClaims {
		if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file: remove it", name)
		}
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		locked, err := disk.TryLock(f)
		if err != nil || !locked {
			f.Close()
			if err == nil {
				err = ErrClaimed
			}
			return fmt.Errorf("lock %s: %w", name, err)
		}
		mine, err := f.Stat()
		now, statErr := os.Lstat(name)
		if err == nil && statErr == nil && os.SameFile(mine, now) {
			c.f = f
			return nil
		}
		f.Close()
	}
	return fmt.Errorf("lock %s: it is removed again and again: %w", name, ErrClaimed)
}

// file is the file that is locked.
func (c *Claim) file() string {
	return filepath.Join(filepath.Dir(c.dir), "."+filepath.Base(c.dir)+".lock")
}

// Release gives the claim up; again, or of a nil Claim, it does nothing.
func (c *Claim) Release() {
	if c == nil || c.f == nil {
		return
	}
	name := c.file()
	if runtime.GOOS == "windows" { // which removes no open file: if another run has it open now, it keeps it
		c.f.Close()
		os.Remove(name)
	} else {
		os.Remove(name)
		c.f.Close()
	}
	c.f = nil
}

// recover puts an earlier set back that a run which was killed had moved aside,
// or removes it if the new one is there.
func (c *Claim) recover() error {
	aside := asideOf(c.dir)
	if _, err := os.Lstat(aside); err != nil {
		return nil
	}
	if _, err := os.Lstat(c.dir); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(aside, c.dir)
	}
	return os.RemoveAll(aside)
}

// asideOf is where a set lies between two renamings.
func asideOf(dir string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".before"+temporary)
}

// sweep removes what runs that were killed left: folders under a name that
// temporaryOf takes.
func (c *Claim) sweep() error {
	parent := filepath.Dir(c.dir)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil // then nothing can be written there either, which is said with its reason
	}
	for _, e := range entries {
		if e.IsDir() && temporaryOf(filepath.Base(c.dir), e.Name()) {
			if err := os.RemoveAll(filepath.Join(parent, e.Name())); err != nil {
				return fmt.Errorf("remove what a run that was killed left: %w", err)
			}
		}
	}
	return nil
}

// temporaryOf says whether a name is one of the temporary ones of a set: those
// that os.MkdirTemp makes, with digits only in the middle. Of the sets "a" and
// "a.b" in one folder, one must not take away what the other is writing.
func temporaryOf(set, name string) bool {
	middle, ok := strings.CutPrefix(name, "."+set+".")
	if !ok {
		return false
	}
	middle, ok = strings.CutSuffix(middle, temporary)
	return ok && middle != "" && strings.Trim(middle, "0123456789") == ""
}
