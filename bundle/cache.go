package bundle

import (
	"context"
	"os"
	"path/filepath"
	"sync"
)

// idleBytes is how much of artifacts that nobody uses any more is kept for the
// next function, least recently used first out: layers come again and again.
const idleBytes = 64 << 20

// cache shares opened artifacts. It holds those in use, and of the others a
// bounded amount of memory and no open file.
type cache struct {
	mu     sync.Mutex
	byPath map[pathKey]*opening
	shared map[*pack]*use
	bySum  map[sumKey]*pack
	idle   []*pack // least recently used first
	late   *pack   // the one in shared that is not yet in bySum, because nothing was there to compare it with
}

type pathKey struct{ prefix, path string }

type sumKey struct {
	kind   Kind
	digest Digest
}

// use counts who holds a pack.
type use struct {
	n    int
	keys []pathKey
}

// opening is a path that is open or being opened.
type opening struct {
	done chan struct{}
	info os.FileInfo // before it was opened
	p    *pack
	err  error
}

// path returns the pack of a path, opening it at most once at a time. A file
// that is no longer the one that was opened is opened anew.
func (c *cache) path(ctx context.Context, prefix, path string, open func() (*pack, error)) (*pack, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, short(err)
	}
	if !info.Mode().IsRegular() {
		return open() // a folder changes without its own time changing
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	key := pathKey{prefix, path}
	for {
		c.mu.Lock()
		was := c.byPath[key]
		if was == nil {
			was = &opening{done: make(chan struct{}), info: info}
			if c.byPath == nil {
				c.byPath = map[pathKey]*opening{}
			}
			c.byPath[key] = was
			c.mu.Unlock()
			return c.first(key, was, open)
		}
		c.mu.Unlock()
		select {
		case <-was.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if was.err == nil && os.SameFile(was.info, info) && was.info.Size() == info.Size() && was.info.ModTime().Equal(info.ModTime()) {
			if c.hold(was.p) {
				return was.p, nil
			}
		}
		c.mu.Lock()
		if c.byPath[key] == was { // failed, changed or closed: the next one opens
			delete(c.byPath, key)
		}
		c.mu.Unlock()
	}
}

func (c *cache) first(key pathKey, o *opening, open func() (*pack, error)) (*pack, error) {
	defer close(o.done)
	p, err := open()
	c.mu.Lock()
	defer c.mu.Unlock()
	o.p, o.err = p, err
	if o.err != nil {
		if c.byPath[key] == o {
			delete(c.byPath, key)
		}
		return nil, o.err
	}
	if u := c.shared[o.p]; u != nil {
		u.keys = append(u.keys, key)
	}
	return o.p, nil
}

// sameBytes enters a new pack with one holder, or drops it for one that is open
// already and has the same digest. The first pack is the same as no other, so
// its digest is waited for only when there is a second one.
func (c *cache) sameBytes(p *pack) *pack {
	c.mu.Lock()
	if len(c.shared) == 0 {
		c.shared, c.bySum = map[*pack]*use{p: {n: 1}}, map[sumKey]*pack{}
		c.late = p
		c.mu.Unlock()
		return p
	}
	c.mu.Unlock()
	key := p.sumKey() // waits
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.late != nil {
		c.settle(c.late)
	}
	if old := c.bySum[key]; old != nil {
		c.retain(old)
		if p.src != nil {
			p.src.close()
		}
		return old
	}
	p.sum = key
	c.bySum[key] = p
	c.shared[p] = &use{n: 1}
	return p
}

// sumKey is under which a pack is shared. It waits for the digest.
func (p *pack) sumKey() sumKey {
	key := sumKey{p.kind, p.settled()}
	if p.kind == KindBinary {
		key.digest += Digest("/" + p.copies[0].files[0].Path) // the list of files has the name
	}
	return key
}

// settle enters the pack that came first under its digest. The lock is given up
// while that is waited for.
func (c *cache) settle(p *pack) {
	c.mu.Unlock()
	key := p.sumKey()
	c.mu.Lock()
	if c.late != p { // somebody else was faster, or it was closed
		return
	}
	c.late = nil
	if c.bySum[key] == nil {
		p.sum = key
		c.bySum[key] = p
	}
}

// hold adds a holder to a pack that is still known.
func (c *cache) hold(p *pack) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared[p] == nil {
		return false
	}
	c.retain(p)
	return true
}

func (c *cache) retain(p *pack) {
	u := c.shared[p]
	if u.n == 0 {
		for i, q := range c.idle {
			if q == p {
				c.idle = append(c.idle[:i], c.idle[i+1:]...)
				break
			}
		}
	}
	u.n++
}

// release takes a holder off. What is in memory stays idle for a while; what
// has a file open is closed.
func (p *pack) release(o *Opener) error {
	c := &o.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.shared[p]
	if u == nil { // never shared
		return p.close()
	}
	if u.n--; u.n > 0 {
		return nil
	}
	if _, ok := p.src.(memory); !ok {
		return c.drop(p)
	}
	c.idle = append(c.idle, p)
	var sum int64
	for _, q := range c.idle {
		sum += q.length
	}
	for sum > idleBytes {
		sum -= c.idle[0].length
		q := c.idle[0]
		c.idle = c.idle[1:]
		c.drop(q)
	}
	return nil
}

func (c *cache) drop(p *pack) error {
	for _, k := range c.shared[p].keys {
		if o := c.byPath[k]; o != nil && o.p == p {
			delete(c.byPath, k)
		}
	}
	delete(c.shared, p)
	if c.late == p {
		c.late = nil
	}
	if c.bySum[p.sum] == p {
		delete(c.bySum, p.sum)
	}
	return p.close()
}

func (p *pack) close() error {
	if p.root != nil {
		return p.root.root.Close()
	}
	if p.layers != nil {
		return p.layers.close()
	}
	if p.src != nil {
		return p.src.close()
	}
	return nil
}
