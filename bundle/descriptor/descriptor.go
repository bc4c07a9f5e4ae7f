package descriptor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
)

// Options say how to read a descriptor. The zero value works.
type Options struct {
	Root       string            // folder that no path of the descriptor may leave; "": the descriptor's own, or the project's for what "sam build" made
	Parameters map[string]string // values of template parameters, as a deployment would give them
}

// Descriptor is a file that declares functions.
type Descriptor struct {
	Kind string // "sam"
	File string // its path

	read func(context.Context, string, Options) ([]bundle.Spec, error)
}

// ErrNoFunctions is wrapped by the error for a descriptor that declares none.
var ErrNoFunctions = errors.New("declares no function")

// ErrOptions is wrapped by errors about Options and not about the descriptor.
var ErrOptions = errors.New("wrong option")

// kind is one kind of descriptor. Those of later versions (Serverless, CDK,
// Terraform, Azure, Google) are one file and one line each.
type kind struct {
	name   string
	folder func(dir string) (file string, ok bool) // the descriptor of a project folder, for a target that names the kind
	output func(dir string) (file string, ok bool) // the same for a folder that can be nothing else, such as a build's output
	is     func(head []byte) bool                  // whether a text looks like one
	read   func(ctx context.Context, file string, opt Options) ([]bundle.Spec, error)
}

// kinds lists the kinds of descriptor in the order in which they are tried.
func kinds() []kind {
	return []kind{
		{name: "sam", folder: samProject, output: samOutput, is: samText, read: readSAM},
	}
}

// sniffBytes is how much of a file is looked at to tell what it is.
const sniffBytes = 64 << 10

// Find looks whether a path is a descriptor, by content. It is cheap for what
// is none: a zip is told by its first bytes.
func Find(path string) (Descriptor, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return Descriptor{}, false
	}
	if info.IsDir() {
		for _, k := range kinds() {
			if file, ok := k.output(path); ok {
				return Descriptor{k.name, file, k.read}, true
			}
		}
		return Descriptor{}, false
	}
	if !info.Mode().IsRegular() {
		return Descriptor{}, false
	}
	head, err := readHead(path)
	if err != nil {
		return Descriptor{}, false
	}
	for _, k := range kinds() {
		if k.is(head) {
			return Descriptor{k.name, path, k.read}, true
		}
	}
	return Descriptor{}, false
}

// Named returns the descriptor of a target that states its kind: a file, or
// the folder of a project. The error wraps fs.ErrNotExist when there is none.
func Named(name, path string) (Descriptor, error) {
	for _, k := range kinds() {
		if k.name != name {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return Descriptor{}, err
		}
		if !info.IsDir() {
			return Descriptor{k.name, path, k.read}, nil
		}
		file, ok := k.folder(path)
		if !ok {
			return Descriptor{}, fmt.Errorf("folder %s holds no %s template: %w", path, name, fs.ErrNotExist)
		}
		return Descriptor{k.name, file, k.read}, nil
	}
	return Descriptor{}, fmt.Errorf("%w: no kind of descriptor is called %q", ErrOptions, name)
}

// Functions lists the functions that the descriptor declares, sorted by their
// names in it. Each has Declared.Descriptor set. A function whose code cannot
// be had here has Spec.Unread; so has what may hold functions and cannot be
// read, such as a nested stack that lies elsewhere. An error is about the
// descriptor as a whole.
func (d Descriptor) Functions(ctx context.Context, opt Options) ([]bundle.Spec, error) {
	specs, err := d.read(ctx, d.File, opt)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.File, err)
	}
	if len(specs) == 0 {
		return nil, fmt.Errorf("%s %w", d.File, ErrNoFunctions)
	}
	return specs, nil
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniffBytes)
	n := 0
	for n < len(head) {
		m, err := f.Read(head[n:])
		n += m
		if n >= 4 && (strings.HasPrefix(string(head[:4]), "PK") || head[0] == 0x7f) {
			break // a zip or an ELF file
		}
		if err != nil {
			break
		}
	}
	return head[:n], nil
}

// base is the last element of a path, also of "." and "..".
func base(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return filepath.Base(path)
}
