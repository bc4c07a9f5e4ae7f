package bundle

import (
	"context"
	"crypto/sha256"
	"io"
	"sync"
)

// sharedBytes is how much of the layers that were read last is kept for the
// images that are opened next, by an estimate of the memory that they take.
const sharedBytes = 48 << 20

// sharedLayers are the layers that images of one Opener have in common: each is
// read by the first image that needs it, and the others take the result, after
// they have hashed their own copy of its bytes. The zero value is empty. It is
// safe for concurrent use.
type sharedLayers struct {
	mu     sync.Mutex
	known  map[Digest]*sharedLayer
	recent []*sharedLayer // those that are read, least recently used first
	bytes  int64          // of recent
}

// sharedLayer is a layer that was read, or is being read.
type sharedLayer struct {
	key  Digest
	done chan struct{}
	l    *layer // nil: it is not to be shared
	cost int64
}

// read returns the layer with the given digest: that of its bytes as shipped,
// or where the image does not say that, of its tar. open opens this image's own
// copy of it, and first reads it whole.
func (c *sharedLayers) read(ctx context.Context, key Digest, o layerOptions, open func() (io.Reader, func(), error), first func() (*layer, error)) (*layer, error) {
	if key == "" {
		return first()
	}
	c.mu.Lock()
	was := c.known[key]
	if was == nil {
		was = &sharedLayer{key: key, done: make(chan struct{})}
		if c.known == nil {
			c.known = map[Digest]*sharedLayer{}
		}
		c.known[key] = was
		c.mu.Unlock()
		return c.enter(was, first)
	}
	c.mu.Unlock()
	select {
	case <-was.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if was.l == nil || !sameBlob(ctx, was.l, open) {
		return first()
	}
	c.touch(was)
	o.count.add(was.l)
	l := *was.l
	return &l, nil
}

// enter reads a layer and shares it, if it is what its digest promises. The
// layer is nil when it is not there.
func (c *sharedLayers) enter(s *sharedLayer, first func() (*layer, error)) (l *layer, err error) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err == nil && l != nil && l.fault == nil && (l.blob == s.key || l.diff == s.key) {
			own := *l
			s.l, s.cost = &own, l.memory()
			c.recent = append(c.recent, s)
			c.bytes += s.cost
			for c.bytes > sharedBytes {
				old := c.recent[0]
				c.recent = c.recent[1:]
				c.bytes -= old.cost
				delete(c.known, old.key)
			}
		} else {
			delete(c.known, s.key)
		}
		close(s.done)
	}()
	return first()
}

func (c *sharedLayers) touch(s *sharedLayer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, o := range c.recent {
		if o == s {
			c.recent = append(append(c.recent[:i], c.recent[i+1:]...), s)
			return
		}
	}
}

// sameBlob reports whether the bytes that open gives are those of the layer.
func sameBlob(ctx context.Context, l *layer, open func() (io.Reader, func(), error)) bool {
	r, done, err := open()
	if err != nil {
		return false
	}
	defer done()
	h := sha256.New()
	buf := make([]byte, chunkBytes)
	for ctx.Err() == nil {
		n, err := r.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return digestOf(h) == l.blob
		}
		if err != nil {
			return false
		}
	}
	return false
}

// memory estimates what a layer takes.
func (l *layer) memory() int64 {
	const entryBytes = 112
	sum := l.counted.paths + int64(len(l.entries))*entryBytes
	if l.keep != nil {
		sum += l.keep.used
	}
	for _, p := range l.points {
		sum += int64(len(p.window))
	}
	return sum
}
