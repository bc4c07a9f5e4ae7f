package catalog

import (
	"fmt"
	"io"

	"github.com/fnaudit/fnaudit/bundle"
)

// heldBytes is how many bytes of executables one scan keeps inflated, of those
// that are read again after they were probed.
const heldBytes = 256 << 20

// native is an executable opened for reading at random.
type native struct {
	*io.SectionReader
	close func() error
}

func (n *native) Close() error {
	if n.close == nil {
		return nil
	}
	return n.close()
}

// native opens an executable. Up to heldBytes they stay open, and every call
// reads the same bytes; beyond that each call opens its own.
func (a *artifact) native(p string) (*native, error) {
	if c, ok := a.held[p]; ok {
		return section(c, nil)
	}
	c, err := a.tree.Content(p)
	if err != nil {
		return nil, fmt.Errorf("open executable: %w", err)
	}
	st, err := c.Stat()
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("open executable: %w", err)
	}
	if a.heldSize+st.Size() > heldBytes {
		return section(c, c.Close)
	}
	if a.held == nil {
		a.held = map[string]bundle.Content{}
	}
	a.held[p] = c
	a.heldSize += st.Size()
	return section(c, nil)
}

// opened opens a file for reading at random, and keeps nothing of it.
func (a *artifact) opened(p string) (*native, error) {
	c, err := a.tree.Content(p)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	return section(c, c.Close)
}

func section(c bundle.Content, close func() error) (*native, error) {
	st, err := c.Stat()
	if err != nil {
		return nil, fmt.Errorf("open executable: %w", err)
	}
	return &native{io.NewSectionReader(c, 0, st.Size()), close}, nil
}

// forget closes an executable that native kept open and nobody asks for again:
// of a compressed layer it is held in memory.
func (a *artifact) forget(p string) {
	c, ok := a.held[p]
	if !ok {
		return
	}
	if st, err := c.Stat(); err == nil {
		a.heldSize -= st.Size()
	}
	c.Close()
	delete(a.held, p)
}

// release closes what native kept open.
func (a *artifact) release() {
	for _, c := range a.held {
		c.Close()
	}
	a.held, a.heldSize = nil, 0
}
