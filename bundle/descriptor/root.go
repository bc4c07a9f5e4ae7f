package descriptor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// root is the folder that no path of a descriptor may leave. Without it a
// template in a pull request could have any folder of the build machine read,
// and its packages and paths printed.
type root struct {
	real string // absolute, without symbolic links
}

// errOutside says that a path leaves the root.
var errOutside = errors.New("leaves the folder of the descriptor")

func newRoot(dir string) (root, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return root{}, err
	}
	abs, err = filepath.EvalSymlinks(abs)
	if err != nil {
		return root{}, err
	}
	return root{abs}, nil
}

// locate finds what a descriptor in the folder dir calls name. The returned
// path is as the user would write it and opens what was checked. The error
// wraps fs.ErrNotExist or errOutside.
func (r root) locate(dir, name string) (string, fs.FileInfo, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return "", nil, fmt.Errorf("%q is no path: %w", name, fs.ErrNotExist)
	}
	at, err := newRoot(dir)
	if err != nil {
		return "", nil, err
	}
	name = filepath.FromSlash(name)
	abs, shown := name, filepath.Clean(name)
	if !filepath.IsAbs(name) {
		abs, shown = filepath.Join(at.real, name), filepath.Join(dir, name)
	}
	if !r.holds(abs) {
		return "", nil, errOutside
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", nil, short(err)
	}
	if !r.holds(real) {
		return "", nil, fmt.Errorf("%w: a symbolic link leads out of it", errOutside)
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", nil, short(err)
	}
	if same, err := os.Stat(shown); err != nil || !os.SameFile(same, info) {
		shown = real // ".." after a symbolic link: another folder than the words say
	}
	return plain(shown), info, nil
}

// holds reports whether an absolute path lies inside.
func (r root) holds(abs string) bool {
	rel, err := filepath.Rel(r.real, abs)
	return err == nil && filepath.IsLocal(rel)
}

// plain keeps a path from being read as anything else: "-" is standard input,
// and a word before a colon forces a kind, which can mean the network. What the
// user wrote may do that; what a descriptor says may not.
func plain(path string) string {
	if i := strings.IndexByte(path, ':'); path == "-" || i > 0 && !filepath.IsAbs(path) && !strings.ContainsAny(path[:i], `/\`) {
		return "." + string(filepath.Separator) + path
	}
	return path
}

// short takes the path off an error, which the reason has already.
func short(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
