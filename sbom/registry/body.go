package registry

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// readBody reads an answer within its limit, which holds for what comes and for
// what that unpacks to.
func readBody(ctx context.Context, cancel context.CancelCauseFunc, r Request, resp *http.Response, stall time.Duration) ([]byte, error) {
	limit := r.limit()
	over := &trouble{err: fmt.Errorf("the answer has more than %d bytes", limit)}
	if resp.ContentLength > limit {
		return nil, over
	}
	w := &watched{r: io.LimitReader(resp.Body, limit+1), stall: stall}
	w.timer = time.AfterFunc(stall, func() { cancel(errStalled) })
	defer w.timer.Stop()
	var from io.Reader = w
	switch coding := resp.Header.Get("Content-Encoding"); {
	case r.Keep || coding == "" || coding == "identity":
	case coding == "gzip" || coding == "x-gzip":
		z, err := gzip.NewReader(w)
		if err != nil {
			return nil, cutShort(ctx, err)
		}
		from = io.LimitReader(z, limit+1)
	default:
		return nil, &trouble{err: fmt.Errorf("the answer is packed as %q, which was not asked for", clip(coding, 40))}
	}
	if r.into != nil {
		n, err := r.into(from)
		switch {
		case n > limit:
			return nil, over
		case err != nil:
			return nil, cutShort(ctx, err)
		}
		return nil, nil
	}
	if r.lane != nil {
		from = &laneReader{ctx: ctx, r: from, lane: r.lane, from: w}
	}
	body, err := io.ReadAll(from)
	switch {
	case int64(len(body)) > limit:
		return nil, over
	case err != nil:
		return nil, cutShort(ctx, err)
	}
	if err := r.check(body); err != nil {
		return nil, &trouble{err: err, weight: 1, again: true}
	}
	return body, nil
}

// cutShort makes a trouble of a body that did not come to its end.
func cutShort(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause == errStalled {
		return &trouble{err: cause, weight: 1, again: true}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &trouble{err: fmt.Errorf("the answer was cut short: %w", err), weight: 1, again: true}
}

// watched puts off a timer whenever minWindow more bytes have come.
type watched struct {
	r     io.Reader
	timer *time.Timer
	stall time.Duration
	moved int
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.moved += n; w.moved >= minWindow {
		w.moved = 0
		w.timer.Reset(w.stall)
	}
	return n, err
}
