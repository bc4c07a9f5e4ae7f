package registry

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxPerHost is how many questions a host is asked at a time.
const maxPerHost = 8

// Failures in a row after which a host is not asked any more in a run. One that
// cannot be reached at all counts double: hundreds of packages on a dead
// network would take minutes otherwise, to learn the same thing.
const (
	maxFailures = 6
	unreachable = 2
)

// maxPauses bounds how long a host may keep a run waiting in all.
const maxPauses = time.Minute

// hosts is what became of the hosts in a run. The zero value knows none.
type hosts struct {
	mu   sync.Mutex
	list map[string]*host
}

// host is what became of one host.
type host struct {
	slots chan struct{}

	mu       sync.Mutex
	failures int       // in a row, weighted
	down     string    // why it is not asked any more; "" it is
	until    time.Time // when it may be asked again, as it wished
	pauses   time.Duration
}

func (h *hosts) of(name string) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.list == nil {
		h.list = map[string]*host{}
	}
	one := h.list[name]
	if one == nil {
		one = &host{slots: make(chan struct{}, maxPerHost)}
		h.list[name] = one
	}
	return one
}

// downError is the error for a host that is not asked any more.
type downError string

func (d downError) Error() string { return string(d) }

// enter waits for a turn to ask the host one question; leave ends it.
func (h *host) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		h.mu.Lock()
		down, wait := h.down, time.Until(h.until)
		h.mu.Unlock()
		switch {
		case down != "":
			h.leave()
			return downError(down)
		case wait <= 0:
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			h.leave()
			return err
		}
	}
}

func (h *host) leave() { <-h.slots }

// works notes that the host answered.
func (h *host) works() {
	h.mu.Lock()
	h.failures = 0
	h.mu.Unlock()
}

// failed notes a failure, which may be the one after which the host is not
// asked any more; then it returns true, once.
func (h *host) failed(name string, weight int, why error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures += weight
	if h.down != "" || h.failures < maxFailures {
		return false
	}
	h.down = fmt.Sprintf("%s is not asked any more in this run: %v", name, why)
	return true
}

// why says why the host is not asked any more; "" it is.
func (h *host) why() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.down
}

// pause holds back all questions to the host as it wished; false if it has
// kept the run waiting for long enough.
func (h *host) pause(wait time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	until := time.Now().Add(wait)
	if until.Before(h.until) { // others were told the same
		return true
	}
	longer := until.Sub(h.until)
	if h.until.IsZero() || longer > wait {
		longer = wait
	}
	if h.pauses+longer > maxPauses {
		return false
	}
	h.pauses += longer
	h.until = until
	return true
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
