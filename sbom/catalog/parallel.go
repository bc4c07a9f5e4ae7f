package catalog

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// batch is how many files are read before their results are looked at. It
// bounds the memory of results: 512 heads of files are one mebibyte.
const batch = 512

// scratch is memory that one goroutine uses again for every file it reads.
type scratch struct{ buf []byte }

// helpers lends goroutines. All artifacts that are being catalogued at the same
// time share them, so that many functions side by side do not become many times
// many. The zero value lends none.
type helpers chan struct{}

// newHelpers makes a lender of n goroutines; 0 means one less than there are
// processors, since the caller works too, and less than 0 none.
func newHelpers(n int) helpers {
	if n == 0 {
		n = runtime.GOMAXPROCS(0) - 1
	}
	return make(helpers, max(n, 0))
}

// inOrder calls work for 0 to n-1, on this goroutine and on as many helpers as
// are free, and fold for each of them in order on this goroutine, a batch at a
// time. So what fold does depends on the artifact alone and not on timing: work
// must change nothing but its result and its scratch, and whatever counts
// towards a limit is decided before or in fold. A panic in work is one here.
func inOrder[T any](ctx context.Context, h helpers, n int, work func(i int, r *T, s *scratch), fold func(i int, r *T)) {
	results := make([]T, min(n, batch))
	own := &scratch{}
	spare := make([]scratch, cap(h))
	for from := 0; from < n && ctx.Err() == nil; from += batch {
		size := min(batch, n-from)
		clear(results[:size])
		t := &task{n: size, work: func(i int, s *scratch) { work(from+i, &results[i], s) }}
		var lent sync.WaitGroup
		for k := 0; k < len(spare) && k < size-1; k++ {
			if !h.take() {
				break
			}
			lent.Go(func() {
				defer h.give()
				t.run(ctx, &spare[k])
			})
		}
		t.run(ctx, own)
		lent.Wait()
		if t.panicked != nil {
			panic(t.panicked)
		}
		if ctx.Err() != nil {
			return // not all of the batch was worked on
		}
		for i := range size {
			fold(from+i, &results[i])
		}
	}
}

func (h helpers) take() bool {
	select {
	case h <- struct{}{}:
		return true
	default:
		return false
	}
}

func (h helpers) give() { <-h }

// task is one batch of work that several goroutines share.
type task struct {
	n    int
	work func(i int, s *scratch)
	next atomic.Int64

	mu       sync.Mutex
	panicked error
}

func (t *task) run(ctx context.Context, s *scratch) {
	defer func() {
		if p := recover(); p != nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.panicked = fmt.Errorf("%v", p)
			t.next.Store(int64(t.n))
		}
	}()
	for ctx.Err() == nil {
		i := int(t.next.Add(1)) - 1
		if i >= t.n {
			return
		}
		t.work(i, s)
	}
}
