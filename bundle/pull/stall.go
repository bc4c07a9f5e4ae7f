package pull

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// errStalled is the cause for which a transfer is given up that does not get on.
var errStalled error = stalled{}

type stalled struct{}

func (stalled) Error() string { return "the connection stalled: next to nothing came" }

// Timeout and Temporary make it a net.Error.
func (stalled) Timeout() bool   { return true }
func (stalled) Temporary() bool { return true }

// Watched returns a client for requests by the rules of its caller, who also
// tries again: all that it adds is that it gives up when next to nothing comes
// for a window of time; 0: 30 seconds. The error is a net.Error that timed out.
func Watched(window time.Duration) *http.Client {
	c := &Client{InsecureHTTP: true, Attempts: 1, Stall: window}
	return &http.Client{Transport: c.transport()}
}

// watch cancels a request when too little is transferred for too long: a
// server that holds a connection open, or lets a byte drip now and then, must
// not hold a build. Bytes of the request and of the answer both count.
type watch struct {
	moved  atomic.Int64 // in this window
	timer  *time.Timer
	cancel context.CancelCauseFunc
	ctx    context.Context
}

func newWatch(ctx context.Context, window time.Duration) *watch {
	w := &watch{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	ready := make(chan struct{})
	w.timer = time.AfterFunc(window, func() {
		<-ready
		if w.moved.Swap(0) < minWindow {
			w.cancel(errStalled)
			return
		}
		w.timer.Reset(window)
	})
	close(ready)
	return w
}

// stop ends the watch.
func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// cause replaces the error of a cancelled request by why it was cancelled.
func (w *watch) cause(err error) error {
	if err != nil && !errors.Is(err, io.EOF) && context.Cause(w.ctx) == errStalled {
		return errStalled
	}
	return err
}

// watched makes one request under a watch, which ends with the answer's body.
func (t *guard) watched(req *http.Request) (*http.Response, error) {
	w := newWatch(req.Context(), t.c.stall())
	req = req.Clone(w.ctx)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &watchedBody{req.Body, w, false}
	}
	resp, err := t.inner.RoundTrip(req)
	if err != nil {
		w.stop()
		return nil, w.cause(err)
	}
	resp.Body = &watchedBody{resp.Body, w, true}
	return resp, nil
}

// watchedBody counts what is read of a body.
type watchedBody struct {
	io.ReadCloser
	w    *watch
	last bool // closing it ends the watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.w.moved.Add(int64(n))
	return n, b.w.cause(err)
}

func (b *watchedBody) Close() error {
	if b.last {
		b.w.stop()
	}
	return b.ReadCloser.Close()
}
