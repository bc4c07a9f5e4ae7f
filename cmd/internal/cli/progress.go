package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
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
}

func newProgress(env *Env, off bool) *progress {
	if off || !env.StderrTerminal {
		return nil
	}
	return &progress{w: env.Stderr, start: env.Now(), now: env.Now}
}

// Say replaces the line, at most ten times a second.
func (p *progress) Say(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.start) < progressDelay || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
}

// Done wipes the line.
func (p *progress) Done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
