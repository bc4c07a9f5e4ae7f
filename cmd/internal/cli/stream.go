package cli

import (
	"bufio"
	"sync"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// stream writes jsonl to standard output while a run goes on: one function a
// line, in the order of the targets, each as soon as those before it are done.
// A nil stream does nothing. Files are not streamed: they are replaced whole.
type stream struct {
	out  output
	only bool // nothing else is written
	head *finding.Document

	mu      sync.Mutex
	w       *bufio.Writer
	waiting map[int]*finding.Report
	next    int
	err     error
}

func newStream(env *Env, outputs []output, head *finding.Document) *stream {
	for _, o := range outputs {
		if o.format == "jsonl" && o.file == "" {
			return &stream{out: o, only: len(outputs) == 1, head: head, w: bufio.NewWriterSize(env.Stdout, 64<<10), waiting: map[int]*finding.Report{}}
		}
	}
	return nil
}

// has says whether the stream takes the place of an output.
func (s *stream) has(o output) bool { return s != nil && s.out == o }

// alone says whether no other output needs the reports.
func (s *stream) alone() bool { return s != nil && s.only }

// put hands over the report with index i.
func (s *stream) put(i int, r *finding.Report) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[i] = r
	for s.err == nil && s.waiting[s.next] != nil {
		s.err = report.Line(s.w, s.head, s.waiting[s.next])
		delete(s.waiting, s.next)
		s.next++
		if s.err == nil {
			s.err = s.w.Flush()
		}
	}
	return s.err
}
