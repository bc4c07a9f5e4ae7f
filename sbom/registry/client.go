package registry

import (
	"errors"
	"net/http"
	"sync"
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
	Arrive  Arrive               // what is taken of archives when they are fetched; nil: nothing
	DepsDev string               // base address of the deps.dev API; "": the public one

	pace  pace     // the zero value is the default; tests are in a hurry
	hosts hosts    // what became of the hosts in this run
	cache cache    // likewise of the folder
	own   own      // the client that requests are made with
	told  sync.Map // what Notice was told
}

// Arrive says what is taken of an archive when it is fetched, and kept beside it
// for Client.Extract; nil: nothing. file is the one that was asked for, "" the
// only one. It is called by several goroutines.
type Arrive func(p Package, file string) *Taking

// DefaultFresh is how long an answer is taken as it is.
const DefaultFresh = 12 * time.Hour

// ErrOffline says that something is not in the cache and the network may not be asked.
var ErrOffline = errors.New("not in the cache, and the network was not asked")
