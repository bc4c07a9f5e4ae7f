package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Client learns facts about packages. Its fields are set once; it is then safe
// for concurrent use. The zero value knows nothing and asks nobody.
type Client struct {
	Dir     string               // folder of the cache; "" keeps and knows nothing
	Online  bool                 // the network may be asked
	Config  Config               // who is asked about what
	Private func(p Package) bool // names that never leave the machine; nil: none
	HTTP    *http.Client         // nil: a careful one of its own
	Now     func() time.Time     // nil: time.Now
	Fresh   time.Duration        // how old a cached answer may be before the network is asked again; 0: DefaultFresh
	Notice  func(text string)    // what went wrong on the way, in plain words; nil: nobody is told
	Done    func(done, of int)   // progress of Facts; nil: nobody is told
}

// DefaultFresh is how long an answer is taken as it is.
const DefaultFresh = 12 * time.Hour

// Facts returns what is known of packages, in their order. What cannot be
// learnt is Unknown with a reason; only a cancelled ctx is an error.
func (c *Client) Facts(ctx context.Context, packages []Package) ([]Facts, error) {
	out := make([]Facts, len(packages))
	for i, p := range packages {
		out[i] = Facts{Package: p, Reason: "no registry was asked"}
	}
	return out, ctx.Err()
}

// Request is a question to one address.
type Request struct {
	URL    string
	Accept string // media type; "" any
	Limit  int64  // bytes that the answer may have
	System System // whose credentials may be used, for their own host only
	Keep   bool   // the answer never changes: one in the cache is never asked for again
}

// Document is what an address answered, from the cache or from the network.
type Document struct {
	Body    []byte
	Fetched time.Time // when the answer was last confirmed
	Absent  bool      // there is nothing at that address
}

// Get returns what an address answers: from the cache while that is fresh or
// the network may not be asked, else from the network. The error is
// ErrOffline when the cache has nothing and the network may not be asked.
func (c *Client) Get(ctx context.Context, r Request) (Document, error) {
	return Document{}, ErrOffline
}

// Archive is a published archive, as its registry has it.
type Archive struct {
	Bytes  io.ReaderAt
	Size   int64
	SHA256 string // hexadecimal
	SHA512 string
}

// Archive returns the published archive of a version, from the cache or from
// the network. file names one of several (the wheels of PyPI); "" is the only
// one. What the registry's own digests contradict is an error. The error is
// ErrOffline when it is not in the cache and the network may not be asked.
func (c *Client) Archive(ctx context.Context, p Package, version, file string) (*Archive, error) {
	return nil, ErrOffline
}

// ErrOffline says that something is not in the cache and the network may not be asked.
var ErrOffline = errors.New("not in the cache, and the network was not asked")
