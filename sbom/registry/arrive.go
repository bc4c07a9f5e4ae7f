package registry

import (
	"errors"
	"fmt"
	"io"
)

// arrival is what is taken of an archive while it arrives: its bytes go to the
// disk and to Stream at once, so that nobody unpacks it afterwards. nil takes
// nothing. Nothing of it is kept before the archive has its digests.
type arrival struct {
	taking *Taking
	pipe   *io.PipeWriter
	broken bool          // Stream wants no more
	done   chan struct{} // Stream has returned
	body   []byte
	err    error
}

// arriving begins to take from an archive; nil when nothing is to be taken from
// it, or nothing of it would be kept.
func (c *Client) arriving(p Package, at published) *arrival {
	if c.Arrive == nil || c.Dir == "" || len(at.sums) == 0 {
		return nil
	}
	t := c.Arrive(p, at.file)
	if t == nil {
		return nil
	}
	a := &arrival{taking: t, err: errUnstreamed}
	if t.Stream == nil {
		return a
	}
	r, w := io.Pipe()
	a.pipe, a.done = w, make(chan struct{})
	go func() {
		defer close(a.done)
		a.body, a.err = streamed(t, r)
		r.Close()
	}()
	return a
}

// errUnstreamed says that an archive has to be there as a whole.
var errUnstreamed = errors.New("nothing is taken while it arrives")

// streamed is what Stream takes. Nobody above could catch what hostile bytes
// make of it, for it runs beside the download.
func streamed(t *Taking, r io.Reader) (body []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			body, err = nil, fmt.Errorf("read an archive: internal error: %v", r)
		}
	}()
	return t.Stream(r)
}

// Write never fails: what cannot be taken must not end a download.
func (a *arrival) Write(p []byte) (int, error) {
	if a != nil && a.pipe != nil && !a.broken {
		_, err := a.pipe.Write(p)
		a.broken = err != nil
	}
	return len(p), nil
}

// end waits for Stream; err is how the download ended.
func (a *arrival) end(err error) {
	if a != nil && a.pipe != nil {
		a.pipe.CloseWithError(err) // nil: the end of the archive
		<-a.done
	}
}

// keepArrival keeps what was taken of an archive that is there and has its
// digests. What cannot be made or read is left to who needs it, and who then
// tells why.
func (c *Client) keepArrival(taken *arrival, at published, a *Archive) {
	if taken == nil {
		return
	}
	t := taken.taking
	body, err := taken.body, taken.err
	if t.Stream == nil {
		body, err = t.Make(a)
	}
	if err == nil && t.Read(body) == nil {
		c.keepExtract(at, at.extractKey(t.Form), a, body)
	}
}
