package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// progressDelay is how long a run stays silent: what is over sooner needs no progress line.
const progressDelay = 500 * time.Millisecond

// progress shows one line on a terminal while work goes on, and wipes it at
// the end. The nil progress shows nothing.
type progress struct {
	w     io.Writer
	start time.Time
	now   func() time.Time

	mu    sync.Mutex
	last  time.Time
	shown bool
	early string      // what was said before the delay was over
	timer *time.Timer // shows early
}

func newProgress(env *Env, off bool) *progress {
	if off || !env.StderrTerminal {
		return nil
	}
	return &progress{w: env.Stderr, start: env.Now(), now: env.Now}
}

// Say replaces the line, at most ten times a second. What is said too early is
// shown when it is time, if nothing else was: a server that does not answer says
// nothing more.
func (p *progress) Say(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if since := now.Sub(p.start); since < progressDelay {
		p.early = fmt.Sprintf(format, args...)
		if p.timer == nil {
			p.timer = time.AfterFunc(progressDelay-since, p.late)
		}
		return
	}
	if now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last = now
	p.show(fmt.Sprintf(format, args...))
}

func (p *progress) late() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.early != "" && p.last.IsZero() {
		p.show(p.early)
	}
}

func (p *progress) show(line string) {
	p.shown, p.early = true, ""
	fmt.Fprint(p.w, "\r\x1b[K"+line)
}

// Done wipes the line.
func (p *progress) Done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.early = ""
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// noticer returns what tells the user that something failed and is tried again:
// on a line of its own, with or without a terminal. nil: quiet.
func noticer(env *Env, bar *progress, quiet bool) func(string) {
	if quiet {
		return nil
	}
	return func(s string) {
		bar.Done()
		fmt.Fprintln(env.Stderr, "fnaudit: "+report.Escape(s))
	}
}
