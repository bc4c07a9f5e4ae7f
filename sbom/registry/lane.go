package registry

import (
	"context"
	"io"
)

// largeAnswer is from how many bytes on answers are read one after the other.
// Some registries' documents have tens of megabytes, and a hostile one could
// make all of them as large as they may be: side by side that were gigabytes.
const largeAnswer = 8 << 20

// largeLane is the key of the lock of whoever reads a large answer.
const largeLane = "large"

// lane is the right to hold a large answer. It is taken when an answer turns out
// to be large, and left when its reader is done with it. Nil is free for all.
type lane struct {
	cache *cache
	leave func() // nil: it is not taken
}

func (l *lane) take(ctx context.Context) error {
	if l.leave != nil {
		return nil
	}
	leave, err := l.cache.lock(ctx, largeLane)
	l.leave = leave
	return err
}

// free ends the use of a lane, taken or not.
func (l *lane) free() {
	if l != nil && l.leave != nil {
		l.leave()
		l.leave = nil
	}
}

// laneReader takes the lane when more than largeAnswer bytes have come. While it
// waits for it, the sender is not to blame.
type laneReader struct {
	ctx  context.Context
	r    io.Reader
	lane *lane
	from *watched
	n    int
}

func (l *laneReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.n += n; l.n > largeAnswer && l.lane.leave == nil {
		l.from.timer.Stop()
		if err := l.lane.take(l.ctx); err != nil {
			return n, err
		}
		l.from.timer.Reset(l.from.stall)
	}
	return n, err
}
