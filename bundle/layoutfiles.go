package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// blobFolder is where an image layout has its blobs (image-layout.md). Other
// algorithms than sha256 are not read.
const blobFolder = "blobs/sha256/"

// layoutFiles are the files of an image layout, in a folder or in an archive.
// They are read one at a time, since a layout may have more of them than a
// process may have open files.
type layoutFiles interface {
	parts
	// blobs returns the names below blobFolder, sorted.
	blobs(ctx context.Context) ([]string, error)
	// read returns at most most bytes of a file, and whether that is all of it.
	read(name string, most int64) (data []byte, whole bool, err error)
	Close() error
}

// blobs lists the folder of blobs and errs when it holds more than maxParts.
func (l *layout) blobs(ctx context.Context) ([]string, error) {
	dir, err := l.root.Open(strings.TrimSuffix(blobFolder, "/"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, short(err)
	}
	defer dir.Close()
	var names []string
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := dir.ReadDir(1000)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		switch {
		case len(names) > maxParts:
			return nil, tooManyBlobs()
		case errors.Is(err, io.EOF):
			slices.Sort(names)
			return names, nil
		case err != nil:
			return nil, short(err)
		}
	}
}

func tooManyBlobs() error {
	return fmt.Errorf("a layout of more than %d blobs: %w", maxParts, ErrUnreadable)
}

func (l *layout) read(name string, most int64) ([]byte, bool, error) {
	info, err := l.root.Stat(name)
	if err != nil {
		return nil, false, short(err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for ever
		return nil, false, fmt.Errorf("%s is no file: %w", name, ErrUnreadable)
	}
	f, err := l.root.Open(name)
	if err != nil {
		return nil, false, short(err)
	}
	defer f.Close()
	return readSome(f, most)
}

// readSome reads at most most bytes and says whether those were all.
func readSome(r io.Reader, most int64) ([]byte, bool, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, false, short(err)
	}
	if int64(len(data)) > most {
		return data[:most], false, nil
	}
	return data, true, nil
}

// archiveFiles are the files of a layout that is one archive.
type archiveFiles struct {
	*archive
	src source
}

func (a archiveFiles) Close() error { return a.src.close() }

func (a archiveFiles) blobs(context.Context) ([]string, error) {
	var names []string
	for name := range a.entries {
		if rest, ok := strings.CutPrefix(name, blobFolder); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (a archiveFiles) read(name string, most int64) ([]byte, bool, error) {
	p, err := a.part(name)
	if err != nil {
		return nil, false, err
	}
	r, done, err := p.stream(0)
	if err != nil {
		return nil, false, err
	}
	defer done()
	return readSome(r, most)
}
