package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Request is a question to one address.
type Request struct {
	URL    string // https, or http where the configuration says so; without credentials
	Accept string // media type; "" any. What is asked for as JSON only and is none is an error, and is not kept
	Limit  int64  // bytes that the answer may have, uncompressed; 0: DefaultLimit
	System System // whose credentials may be used, for their own host only
	Keep   bool   // the answer never changes: one in the cache is never asked for again; it is asked for uncompressed

	into func(body io.Reader) (int64, error) // takes the body instead of Document, from its beginning at each attempt; nil: Document has it

	private bool // no other host than that of URL may be asked: it would be told a private name

	source string                            // the registry whose document gave URL; "": URL is of the configuration itself
	reduce func(body []byte) ([]byte, error) // what of the answer is kept and returned; nil: all
	lane   *lane                             // for an answer that turns out to be large; the caller frees it
}

// DefaultLimit bounds an answer in bytes.
const DefaultLimit = 32 << 20

// Document is what an address answered, from the cache or from the network.
type Document struct {
	Body    []byte
	Fetched time.Time // when the answer was last confirmed
	Absent  bool      // there is nothing at that address
}

// freshAbsent is how long it is believed that there is nothing at an address:
// shorter than other answers, for a package may have been published since.
const freshAbsent = time.Hour

// maxSkew is how far in the future an answer may have been fetched: clocks
// differ. One from further ahead is never fresh, or a wrong clock would stop
// all questions for years.
const maxSkew = 5 * time.Minute

// Get returns what an address answers: from the cache while that is fresh or
// the network may not be asked, else from the network. When that fails, an
// older answer is returned as it is, with its date, and Notice is told. The
// error is ErrOffline when the cache has nothing and the network may not be asked.
func (c *Client) Get(ctx context.Context, r Request) (Document, error) {
	if err := ctx.Err(); err != nil {
		return Document{}, err
	}
	key := r.key()
	done, err := c.cache.lock(ctx, key) // the same question may be asked for several functions at once
	if err != nil {
		return Document{}, err
	}
	defer done()
	old, have := c.readAnswer(key, r.limit())
	if have && (!c.Online || r.Keep && !old.Absent || c.fresh(old.Fetched, old.Absent)) {
		return old.Document, nil
	}
	if !c.Online {
		return Document{}, ErrOffline
	}
	if !have || old.Absent {
		old.validators = validators{}
	}
	if r.lane == nil {
		r.lane = &lane{cache: &c.cache}
		defer r.lane.free()
	}
	got, err := c.fetch(ctx, r, old.validators)
	if err == nil && r.reduce != nil && got.Body != nil {
		got.Body, err = r.reduce(got.Body)
	}
	switch {
	case ctx.Err() != nil:
		return Document{}, ctx.Err()
	case err != nil && have:
		c.fellBack(err, "", old.Fetched)
		return old.Document, nil
	case err != nil:
		return Document{}, err
	case got.unchanged:
		got.Body = old.Body
		if got.validators == (validators{}) { // an answer 304 need not repeat them
			got.validators = old.validators
		}
	}
	got.Fetched = c.now()
	c.writeAnswer(key, stored{got.Document, got.validators})
	return got.Document, nil
}

func (r Request) limit() int64 {
	if r.Limit <= 0 {
		return DefaultLimit
	}
	return r.Limit
}

// check says what is wrong with an answer's body: what is cut short or comes
// from somebody else than the registry must not be kept as its answer.
func (r Request) check(body []byte) error {
	html := strings.Contains(r.Accept, "html") && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
	if strings.Contains(r.Accept, "json") && !html && !json.Valid(body) {
		return errors.New("the answer is not the JSON that was asked for: it was cut short, or a proxy or a login page answered instead")
	}
	return nil
}

// asking names what is asked of whom in an error: without credentials and
// without a query, which may hold some.
func asking(u *url.URL) string { return clip("ask "+u.Host+" for "+u.EscapedPath(), 200) }

func clip(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// fresh says whether an answer is taken as it is.
func (c *Client) fresh(fetched time.Time, absent bool) bool {
	limit := c.Fresh
	if limit <= 0 {
		limit = DefaultFresh
	}
	if absent {
		limit = min(limit, freshAbsent)
	}
	age := c.now().Sub(fetched)
	return age >= -maxSkew && age < limit
}

// now is the clock that dates answers, in whole seconds, as the cache keeps it.
func (c *Client) now() time.Time {
	now := c.Now
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Second)
}

// notice tells the user something, once.
func (c *Client) notice(text string) {
	if c.Notice == nil {
		return
	}
	if _, told := c.told.LoadOrStore(text, true); !told {
		c.Notice(text)
	}
}

// fellBack tells that an older answer is used, about what, because asking
// failed. Of a host that is given up that is said once, not for each package.
func (c *Client) fellBack(err error, what string, at time.Time) {
	if down := downError(""); errors.As(err, &down) {
		c.notice(string(down) + "; what was said before is used, with its date")
		return
	}
	c.notice(fmt.Sprintf("%s%v; what was said on %s is used", what, err, at.Format(time.DateOnly)))
}
