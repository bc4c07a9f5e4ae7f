package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// stream writes outputs while a run goes on, one function after another in the
// order of the targets, each as soon as those before it are done: jsonl to
// standard output at once, everything else to a file that gets its name at the
// end. A nil stream does nothing.
type stream struct {
	outs []*streamed
	only bool // nothing else is written

	mu      sync.Mutex
	moved   *sync.Cond // next is another, or the run is cancelled
	waiting map[int][]report.Piece
	next    int
	err     error
}

// streamed is one output of a stream.
type streamed struct {
	out   output
	to    *bufio.Writer
	file  staged   // of an output to a file
	f     *os.File // the file that is written; nil: standard output itself
	copy  bool     // it is copied to where the output goes, and gets no name of its own
	temps []*os.File
	s     *report.Stream

	summary *streamed     // of the job, beside workflow commands; nil: none is asked for
	text    *bytes.Buffer // of a summary; nil: it is none
}

// maxAhead is how many functions for each CPU may be done before one that is not:
// what they are in the output is held until then.
const maxAhead = 4

// newStream begins the outputs that can be written while a run goes on: jsonl to
// standard output; of thousands of functions (many) all whose format allows it.
func (o *scanOptions) newStream(env *Env, outputs []output, head *finding.Document) (*stream, error) {
	s := &stream{waiting: map[int][]report.Piece{}}
	s.moved = sync.NewCond(&s.mu)
	for _, out := range outputs {
		if !(out.format == "jsonl" && out.file == "") && !(o.many && report.Streams(out.format)) {
			continue
		}
		x := &streamed{out: out}
		s.outs = append(s.outs, x)
		if err := x.begin(env, *o, head); err != nil {
			s.drop()
			return nil, x.failed(err)
		}
	}
	if len(s.outs) == 0 {
		return nil, nil
	}
	s.only = len(s.outs) == len(outputs)
	if err := s.summaries(env, head); err != nil {
		s.drop()
		return nil, err
	}
	return s, nil
}

// summaries adds the summaries of a job that are written beside outputs.
func (s *stream) summaries(env *Env, head *finding.Document) (err error) {
	for _, x := range s.outs {
		if summaryFile(env, x.out) == "" {
			continue
		}
		x.summary = &streamed{out: output{format: "markdown"}, text: &bytes.Buffer{}}
		if x.summary.s, err = report.NewStream(x.summary.text, "markdown", head, report.Options{}, nil); err != nil {
			return err
		}
		s.outs = append(s.outs, x.summary)
	}
	return nil
}

func (x *streamed) begin(env *Env, o scanOptions, head *finding.Document) (err error) {
	var w io.Writer = env.Stdout
	st, statErr := os.Stat(x.out.file)
	switch {
	case x.out.format == "jsonl" && x.out.file == "":
	case x.out.file == "" || statErr == nil && !st.Mode().IsRegular(): // what cannot be taken back is written when it is whole
		if x.f, err = x.temp(os.TempDir()); err != nil {
			return err
		}
		x.copy, w = true, x.f
	default:
		if x.file, x.f, err = openStaged(x.out.file); err != nil {
			return err
		}
		w = x.f
	}
	x.to = bufio.NewWriterSize(w, 64<<10)
	x.s, err = report.NewStream(x.to, x.out.format, head, reportOptions(env, o, x.out), func() (report.Spool, error) {
		dir := os.TempDir()
		if x.file.temp != "" {
			dir = filepath.Dir(x.out.file)
		}
		return x.temp(dir)
	})
	return err
}

// temp is a private file that nobody else can open: where the system allows it,
// it has no name from the start, so that not even a kill leaves it.
func (x *streamed) temp(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".fnaudit-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("keep it in %s until it is whole: %w", dir, cause(err))
	}
	x.temps = append(x.temps, f)
	if runtime.GOOS != "windows" {
		os.Remove(f.Name())
	}
	return f, nil
}

// has says whether the stream takes the place of an output.
func (s *stream) has(o output) bool {
	return s.find(o) != nil
}

// find is the output of a stream; nil when it is none of its.
func (s *stream) find(o output) *streamed {
	if s == nil {
		return nil
	}
	for _, x := range s.outs {
		if x.out == o && x.text == nil {
			return x
		}
	}
	return nil
}

// alone says whether no other output needs the reports.
func (s *stream) alone() bool { return s != nil && s.only }

// put hands over the report with index i. It waits while too many are ahead of
// one that is not done; those that are run in the order of their indexes never
// wait for each other.
func (s *stream) put(ctx context.Context, i int, r *finding.Report) error {
	if s == nil {
		return nil
	}
	pieces := make([]report.Piece, len(s.outs))
	for k, x := range s.outs {
		var err error
		if pieces[k], err = x.s.Make(r, i); err != nil {
			return x.failed(err)
		}
	}
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.moved.Broadcast()
	})()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && i >= s.next+maxAhead*runtime.GOMAXPROCS(0) && ctx.Err() == nil {
		s.moved.Wait()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.waiting[i] = pieces
	for s.err == nil && s.waiting[s.next] != nil {
		for k, x := range s.outs {
			if err := x.add(s.waiting[s.next][k]); err != nil {
				s.err = x.failed(err)
				break
			}
		}
		delete(s.waiting, s.next)
		s.next++
		s.moved.Broadcast()
	}
	return s.err
}

func (x *streamed) add(p report.Piece) error {
	err := x.s.Add(p)
	if err == nil && x.f == nil && x.text == nil {
		err = x.to.Flush()
	}
	return err
}

// finish writes what is known at the end, and gives the output its name.
func (s *stream) finish(env *Env, doc *finding.Document, o output) error {
	x := s.find(o)
	if err := x.finish(env, doc); err != nil {
		return x.failed(err)
	}
	if x.summary == nil {
		return nil
	}
	if err := x.summary.s.Close(doc); err != nil {
		return x.summary.failed(err)
	}
	return appendSummary(env, o, func(w io.Writer) error {
		_, err := x.summary.text.WriteTo(w)
		return err
	})
}

func (x *streamed) finish(env *Env, doc *finding.Document) error {
	if err := x.s.Close(doc); err != nil {
		return err
	}
	if err := x.to.Flush(); err != nil || x.f == nil {
		return err
	}
	if !x.copy {
		if err := finishStaged(x.f); err != nil {
			return err
		}
		x.f = nil
		return x.file.place()
	}
	if _, err := x.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	to := env.Stdout
	if x.out.file != "" {
		f, err := os.OpenFile(x.out.file, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		to = f
	}
	_, err := io.Copy(to, x.f)
	return err
}

// failed says which output an error is about.
func (x *streamed) failed(err error) error {
	var path *fs.PathError
	switch {
	case errors.As(err, &path) && slices.ContainsFunc(x.temps, func(f *os.File) bool { return f.Name() == path.Path }):
		err = fmt.Errorf("keep it in %s until it is whole: %w", filepath.Dir(path.Path), path.Err) // the name of a file that nobody sees says nothing
	case x.file.temp != "":
		err = x.file.rename(err)
	case x.copy:
		err = cause(err)
	}
	where := ""
	if x.out.file == "" {
		where = " to standard output"
	} else if x.copy {
		where = " to " + x.out.file
	}
	return &exit{code: ExitUsage, err: fmt.Errorf("write %s%s: %w", x.out.format, where, err)}
}

// drop removes what was written and has no name yet.
func (s *stream) drop() {
	if s == nil {
		return
	}
	for _, x := range s.outs {
		if x.f != nil {
			x.f.Close()
		}
		x.file.drop()
		for _, f := range x.temps {
			f.Close()
			if runtime.GOOS == "windows" {
				os.Remove(f.Name())
			}
		}
		x.temps = nil
	}
}
