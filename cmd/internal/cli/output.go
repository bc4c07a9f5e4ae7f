package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// output is one -o flag: a format, and where it goes.
type output struct {
	format string
	file   string // "" is stdout
}

// parseOutputs reads the -o flags. Two outputs to one stdout, or to one file, are an error.
func parseOutputs(flags []string, formats []string, fallback string) ([]output, error) {
	if len(flags) == 0 {
		return []output{{format: fallback}}, nil
	}
	var out []output
	seen := map[string]bool{}
	for _, f := range flags {
		format, file, named := strings.Cut(f, "=")
		if named && file == "" {
			return nil, usage("-o json=report.json", "output %q: the file name is missing", f)
		}
		if !slices.Contains(formats, format) {
			return nil, usage("one of "+strings.Join(formats, ", "), "output %q: unknown format %q", f, format)
		}
		key := file
		if file != "" {
			if abs, err := filepath.Abs(file); err == nil {
				key = abs
			}
		}
		if seen[key] {
			if file == "" {
				return nil, usage("-o json=report.json writes to a file", "two outputs to standard output")
			}
			return nil, usage("", "two outputs to %s", file)
		}
		seen[key] = true
		out = append(out, output{format, file})
	}
	return out, nil
}

// write calls produce for the output's destination. A file is replaced as a
// whole or not at all.
func (o output) write(env *Env, produce func(io.Writer) error) error {
	if o.file == "" {
		w := bufio.NewWriterSize(env.Stdout, 64<<10)
		if err := produce(w); err != nil {
			return &exit{code: ExitUsage, err: fmt.Errorf("write %s: %w", o.format, err)}
		}
		if err := w.Flush(); err != nil {
			return &exit{code: ExitUsage, err: fmt.Errorf("write %s to standard output: %w", o.format, err)}
		}
		return nil
	}
	if err := writeFile(o.file, produce); err != nil {
		return &exit{code: ExitUsage, err: fmt.Errorf("write %s: %w", o.format, err)}
	}
	return nil
}

// writeFile writes beside the final name and renames, so that a full disk or
// a kill leaves what was there before. A name that is not a regular file
// (a pipe, /dev/stderr) is written to directly.
func writeFile(name string, produce func(io.Writer) error) (err error) {
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(produce(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.tmp")
	if err != nil {
		return called(name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = called(name, err)
		}
	}()
	w := bufio.NewWriterSize(inPlaceOf{f, name}, 64<<10)
	if err := produce(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// inPlaceOf is a temporary file whose errors name the file that it becomes.
type inPlaceOf struct {
	f    *os.File
	name string
}

func (w inPlaceOf) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	return n, called(w.name, err)
}

// called gives an error about a file the name that the user knows it by.
func called(name string, err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return &fs.PathError{Op: e.Op, Path: name, Err: e.Err}
	case *os.LinkError:
		return &fs.PathError{Op: "replace", Path: name, Err: e.Err}
	}
	return err
}
