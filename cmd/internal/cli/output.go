package cli

import (
	"bufio"
	"bytes"
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

// writeEach writes an answer to every output, but not to standard output when
// only the exit code is wanted.
func writeEach(env *Env, outputs []output, quiet bool, produce func(w io.Writer, format string) error) error {
	for _, out := range outputs {
		if quiet && out.file == "" {
			continue
		}
		if err := out.write(env, func(w io.Writer) error { return produce(w, out.format) }); err != nil {
			return err
		}
	}
	return nil
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

// writeFile replaces a file as a whole or not at all, so that a full disk or a
// kill leaves what was there before.
func writeFile(name string, produce func(io.Writer) error) error {
	f, err := stage(name, produce)
	if err != nil {
		return err
	}
	return f.place()
}

// appendFile writes at the end of a file that others write to as well, at once.
func appendFile(name string, produce func(io.Writer) error) error {
	var b bytes.Buffer
	if err := produce(&b); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}

// staged is a file that is written and does not have its name yet.
type staged struct {
	name string
	temp string // beside it; "" for what is no regular file (a pipe, /dev/stderr), which is written to directly
}

// stage writes a file beside its final name. The caller calls place, or drop.
func stage(name string, produce func(io.Writer) error) (_ staged, err error) {
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return staged{}, err
		}
		return staged{name: name}, errors.Join(produce(f), f.Close())
	}
	s, f, err := openStaged(name)
	if err != nil {
		return staged{}, err
	}
	defer func() {
		if err != nil {
			f.Close()
			s.drop()
			err = s.rename(err)
		}
	}()
	w := bufio.NewWriterSize(f, 64<<10)
	if err := produce(w); err != nil {
		return s, err
	}
	if err := w.Flush(); err != nil {
		return s, err
	}
	return s, finishStaged(f)
}

// openStaged begins a file beside its final name; nobody else can read it yet.
func openStaged(name string) (staged, *os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(name), tempPrefix(name)+"*"+tempSuffix)
	if err != nil { // its temporary name says nothing to whoever named the file
		return staged{}, nil, &fs.PathError{Op: "write", Path: name, Err: cause(err)}
	}
	if st, err := f.Stat(); err == nil {
		removeLeftovers(name, st)
	}
	return staged{name, f.Name()}, f, nil
}

// finishStaged closes a file that openStaged began, and that others may read.
func finishStaged(f *os.File) error {
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return f.Close()
}

// cause is an error about a file without the file's name.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// path is where the bytes are now.
func (s staged) path() string {
	if s.temp == "" {
		return s.name
	}
	return s.temp
}

// place gives the file its name.
func (s staged) place() error {
	if s.temp == "" {
		return nil
	}
	if err := os.Rename(s.temp, s.name); err != nil {
		s.drop()
		return s.rename(err)
	}
	return nil
}

// drop removes what was written; after place it does nothing.
func (s staged) drop() {
	if s.temp != "" {
		os.Remove(s.temp)
	}
}

// rename makes an error about the temporary file one about the file.
func (s staged) rename(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path) && path.Path == s.temp:
		return &fs.PathError{Op: path.Op, Path: s.name, Err: path.Err}
	case errors.As(err, &link) && link.Old == s.temp:
		return &fs.PathError{Op: "write", Path: s.name, Err: link.Err}
	}
	return err
}
