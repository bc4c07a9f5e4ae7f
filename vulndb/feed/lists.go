package feed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// Public addresses of the lists beside the advisories: those that CISA's page of
// the catalogue and FIRST's page of the data name (read 2026-11-28). EPSS's
// redirects to the file of the day.
const (
	DefaultKEV  = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
	DefaultEPSS = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
)

// Limits on a list, in bytes. The catalogue has 2 MB, EPSS 3 MB packed and 10 MB
// unpacked.
const (
	maxPacked = 64 << 20
	maxPlain  = 256 << 20
)

// list is one kind of list.
type list struct {
	name   string
	url    string
	called func(file string) bool // a file of a folder that is to hold it
	parse  func(io.Reader) (*vulndb.List, time.Time, error)
}

// lists are all of them, in the order in which they are read.
func lists() []list {
	return []list{
		{vulndb.FeedKEV, DefaultKEV, func(file string) bool {
			return file == "kev.json" || file == "known_exploited_vulnerabilities.json"
		}, parseKEV},
		{vulndb.FeedEPSS, DefaultEPSS, func(file string) bool {
			return strings.HasPrefix(file, "epss") && (strings.HasSuffix(file, ".csv") || strings.HasSuffix(file, ".csv.gz"))
		}, parseEPSS},
	}
}

// isList reports whether a file of a folder is to hold a list, and no record.
func isList(file string) bool {
	return slices.ContainsFunc(lists(), func(l list) bool { return l.called(file) })
}

// FeedPlaces says where an update of a store reads the lists, by their names;
// From is "" for one that stays as it is. What Options.Feeds says of a list is
// remembered, and holds until it says otherwise. Where nobody said anything, it
// is the file beside the advisories if those come from a folder, and the public
// address if they come from OSV's: whoever has a mirror may have no way to
// others. An error is one of usage.
func (o Options) FeedPlaces(previous vulndb.Snapshot) ([]vulndb.Origin, error) {
	if o.Feeds == nil {
		return nil, nil
	}
	origins, err := o.Origins(previous)
	if err != nil {
		return nil, err
	}
	base := origins[slices.IndexFunc(origins, func(x vulndb.Origin) bool { return x.Name == vulndb.DefaultOrigin })].From
	var places []vulndb.Origin
	for _, l := range lists() {
		from, err := o.feedPlace(l, previous, base)
		if err == nil && Remote(from) && o.Offline {
			err = ErrOffline
		}
		if err != nil {
			return nil, fmt.Errorf("update the list %s: %w", l.name, err)
		}
		places = append(places, vulndb.Origin{Name: l.name, From: from})
	}
	return places, nil
}

func (o Options) feedPlace(l list, previous vulndb.Snapshot, base string) (string, error) {
	if asked := o.askedFeed(l.name); asked != "" {
		if Remote(asked) || asked == vulndb.NoFeed {
			return asked, nil
		}
		return filepath.Abs(asked) // for the next update, which may run elsewhere
	}
	remembered := previous.FeedOrigin(l.name)
	if Remote(base) {
		if remembered == "" && base == DefaultURL {
			return l.url, nil
		}
		return remembered, nil
	}
	if remembered != "" && (o.From == "" || remembered == vulndb.NoFeed) {
		return remembered, nil
	}
	file, err := l.in(base)
	if file == "" && err == nil {
		file = remembered
	}
	return file, err
}

// askedFeed returns what the options say of a list's place; "" for nothing.
func (o Options) askedFeed(name string) string {
	for _, f := range o.Feeds {
		if f.Name == name {
			return f.From
		}
	}
	return ""
}

// in returns the path of the list in a folder; "" if it is not there. What
// cannot be read is said where the advisories are read.
func (l list) in(dir string) (string, error) {
	entries, _ := os.ReadDir(dir)
	found := ""
	for _, e := range entries {
		switch {
		case e.IsDir() || !l.called(e.Name()):
		case found != "":
			return "", fmt.Errorf("%s and %s lie in %s, and only one of them can hold; move the other away", found, e.Name(), dir)
		default:
			found = e.Name()
		}
	}
	if found == "" {
		return "", nil
	}
	return filepath.Join(dir, found), nil
}

// ErrList is wrapped by the error of an update for each list that could not be
// brought up to date.
var ErrList = errors.New("the list stays as it was")

// readLists brings the lists into the update. silent says that the public
// export of the advisories gave no answer: then the lists' public addresses, of
// which each would be tried as long, are not asked.
func (o Options) readLists(ctx context.Context, u *vulndb.Update, silent bool) (errs []error) {
	places, err := o.FeedPlaces(u.Previous())
	if err != nil {
		return []error{err}
	}
	for i, l := range lists() {
		if i >= len(places) || ctx.Err() != nil {
			break
		}
		from := places[i].From
		if asked := o.askedFeed(l.name); asked != "" {
			u.SetFeedOrigin(l.name, from)
		}
		switch {
		case from == vulndb.NoFeed:
			u.DropFeed(l.name)
			continue
		case from == "":
			err = kept(u, l.name)
		case from == l.url && silent:
			err = errors.New("not tried, for the same reason")
		default:
			err = o.readList(ctx, u, l, from)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("update the list %s: %w; %w", l.name, err, ErrList))
		}
	}
	return errs
}

// kept says what is wrong with a list that stays as it is.
func kept(u *vulndb.Update, name string) error {
	if _, ok := u.Previous().Feed(name); ok && !u.IntactFeed(name) {
		return fmt.Errorf("the store's file of it is damaged, and nobody says where to read it again; --%s URL|FILE does, --%s none drops it", name, name)
	}
	return nil
}

// readList brings one list into the update, from an address or a file.
func (o Options) readList(ctx context.Context, u *vulndb.Update, l list, from string) error {
	if Remote(from) {
		return o.fetchList(ctx, u, l, from)
	}
	st, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() || st.Size() > maxPacked {
		return fmt.Errorf("%s is no file of at most %d bytes", from, maxPacked)
	}
	return o.putList(u, l, from, vulndb.Feed{URL: from, Folder: true})
}

// fetchList downloads a list, unless the server says that it is the one that
// the store has.
func (o Options) fetchList(ctx context.Context, u *vulndb.Update, l list, address string) error {
	o.MaxBytes = maxPacked
	e := newExport(o, u, vulndb.Origin{})
	header := http.Header{}
	prev, ok := u.Previous().Feed(l.name)
	meta := vulndb.Feed{URL: bare(address)}
	conditional := ok && prev.URL == meta.URL && !prev.Folder && prev.ETag+prev.Modified != "" && u.IntactFeed(l.name)
	if conditional && prev.ETag != "" {
		header.Set("If-None-Match", prev.ETag)
	} else if conditional {
		header.Set("If-Modified-Since", prev.Modified)
	}
	path, unchanged := "", false
	o.Progress(Progress{Ecosystem: l.name, Stage: vulndb.Fetching})
	err := e.retry(ctx, l.name, func(ctx context.Context) error {
		resp, err := e.ask(ctx, address, header)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		meta.ETag, meta.Modified = validator(resp, "ETag"), validator(resp, "Last-Modified")
		if resp.StatusCode == http.StatusNotModified {
			if !conditional {
				return errors.New("the server says that nothing changed since a state that was not named")
			}
			unchanged = true
			return nil
		}
		path, err = e.download(resp, l.name)
		return err
	})
	switch {
	case err != nil:
		return err
	case unchanged:
		u.KeepFeed(l.name, meta.ETag, meta.Modified)
		return nil
	}
	defer os.Remove(path)
	return o.putList(u, l, path, meta)
}

// maxValidator bounds an ETag or a date that is kept for the next request.
const maxValidator = 200

func validator(resp *http.Response, header string) string {
	if v := resp.Header.Get(header); len(v) <= maxValidator {
		return v
	}
	return ""
}

// putList reads a list from a file of this machine and puts it.
func (o Options) putList(u *vulndb.Update, l list, path string, meta vulndb.Feed) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	whole := io.TeeReader(f, sum)
	in, err := plain(whole)
	if err != nil {
		return fmt.Errorf("read %s: %w", meta.URL, err)
	}
	parsed, asOf, err := l.parse(in)
	if err == nil {
		err = o.dated(asOf)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", meta.URL, err)
	}
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return fmt.Errorf("read %s: %w", meta.URL, err)
	}
	meta.AsOf, meta.Export = asOf, "sha256:"+hex.EncodeToString(sum.Sum(nil))
	if err := u.PutFeed(parsed, meta); err != nil {
		return fmt.Errorf("read %s: %w", meta.URL, err)
	}
	return nil
}

// Bounds of a list's date: EPSS and the catalogue are of 2021, and clocks differ.
const clockSkew = time.Hour

func (o Options) dated(asOf time.Time) error {
	if asOf.Year() < 2021 || asOf.After(o.Now().Add(clockSkew)) {
		return fmt.Errorf("it is dated %s, which cannot be", asOf.Format(time.RFC3339))
	}
	return nil
}

// plain unpacks what is packed, by its first bytes, and bounds it.
func plain(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		return &bounded{z, maxPlain}, nil
	}
	return &bounded{in, maxPlain}, nil
}

// bounded fails, rather than ends, when there is more than it may read.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("over %d bytes", int64(maxPlain))
	}
	return n, err
}

// bare returns an address as it may be shown: without name, password and query.
func bare(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address[:strings.Index(address, "://")+3] + "…"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
