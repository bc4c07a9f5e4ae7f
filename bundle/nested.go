package bundle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// OpenZip opens a zip that lies inside another artifact, such as a Java archive
// in a function zip, from random access to its bytes (a Content has that). The
// volume has no digest of its own: its bytes were vouched for by the artifact
// that holds them. The error wraps ErrUnreadable. How deep archives may nest is
// the caller's business to bound. The volume is valid as long as r is.
func OpenZip(ctx context.Context, r io.ReaderAt, size int64, lim Limits) (*Volume, error) {
	lim = lim.withDefaults()
	if size < 0 || size > lim.MaxArtifactBytes {
		return nil, fmt.Errorf("open nested zip: %w", &unreadable{kind: NoticeLimit, detail: fmt.Sprintf("%d bytes, over MaxArtifactBytes, %d", size, lim.MaxArtifactBytes)})
	}
	p, err := openZip(ctx, section{r, size}, lim, &decoders{})
	switch {
	case err == nil:
		return newVolume(p, ""), nil
	case ctx.Err() != nil, errors.Is(err, ErrUnreadable):
		return nil, fmt.Errorf("open nested zip: %w", err)
	}
	return nil, fmt.Errorf("open nested zip: %w: %w", ErrUnreadable, err)
}

// section is a source whose bytes somebody else vouches for.
type section struct {
	io.ReaderAt
	length int64
}

func (s section) size() int64  { return s.length }
func (s section) close() error { return nil }

func (s section) stream(off, n int64) byteReader {
	return bufio.NewReader(io.NewSectionReader(s.ReaderAt, off, n))
}

func (s section) view(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > s.length || n > s.length-off {
		return nil, io.ErrUnexpectedEOF
	}
	p := make([]byte, n)
	_, err := io.ReadFull(io.NewSectionReader(s.ReaderAt, off, n), p)
	return p, err
}
