package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// The export has a list of its records beside each archive, one a line, newest
// first: the time of its last change (RFC 3339) and its id, as in
//
//	2026-05-29T10:00:00.123Z,GHSA-xxxx-xxxx-xxxx
//
// and each record by itself as <id>.json (https://google.github.io/osv.dev/data/
// and the exporter of google/osv.dev, read 2026-11-25). Withdrawn records are
// listed, deleted ones are not: so the list says what goes, too. For npm it is
// a twentieth of the archive.
const modifiedName = "modified_id.csv"

const (
	maxModified = 128 << 20 // bytes of the list; that of npm has some 12 MB
	maxListed   = 4_000_000 // records in it
)

// patch brings an ecosystem up to date from the list of its records. ok is
// false when that cannot be done, for whatever reason: then the archive is
// what to read, and its errors are those that count. unchanged says that the
// list is the one of the previous update.
func (e *export) patch(ctx context.Context, ecosystem string) (apply func(context.Context) error, ok bool) {
	prev, have := e.update.Part(ecosystem, e.name)
	if !have || prev.Folder || prev.URL != e.address(ecosystem+"/"+archiveName) || prev.AsOf.IsZero() || !e.update.Intact(ecosystem, e.name) {
		return nil, false
	}
	header := http.Header{}
	if prev.ListETag != "" {
		header.Set("If-None-Match", prev.ListETag)
	}
	ctx, cancel := context.WithTimeout(ctx, e.o.Timeout)
	defer cancel()
	resp, err := e.request(ctx, ecosystem+"/"+modifiedName, header)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	in := vulndb.Input{Ecosystem: ecosystem, Origin: e.name, URL: prev.URL, AsOf: e.lastModified(resp), ListETag: resp.Header.Get("ETag")}
	if resp.StatusCode == http.StatusNotModified {
		if prev.ListETag == "" || in.AsOf.Sub(full(prev)) > vulndb.FullEvery {
			return nil, false
		}
		in.ListETag = prev.ListETag
		return func(context.Context) error { e.update.Keep(in); return nil }, true
	}
	body, err := e.small(resp, maxModified)
	if err != nil {
		return nil, false
	}
	list, err := parseModified(body)
	if err != nil {
		return nil, false
	}
	fetch := func(ctx context.Context, id string) ([]byte, error) { return e.record(ctx, ecosystem, id) }
	return func(ctx context.Context) error { return e.update.Patch(ctx, in, list, fetch) }, true
}

func full(src vulndb.Source) time.Time {
	if src.Full.IsZero() {
		return src.AsOf
	}
	return src.Full
}

// small reads a whole body that must not be larger than limit, and checks it.
func (e *export) small(resp *http.Response, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, retryable(err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("over %d bytes", limit)
	case resp.ContentLength >= 0 && int64(len(b)) != resp.ContentLength:
		return nil, retryable(fmt.Errorf("download: %d of %d bytes", len(b), resp.ContentLength))
	}
	sum := newChecksum()
	sum.Write(b)
	return b, checkHash(resp, sum)
}

// record fetches one record.
func (e *export) record(ctx context.Context, ecosystem, id string) (b []byte, err error) {
	if checkName(id) != nil { // the same characters lead elsewhere
		return nil, fmt.Errorf("%q is not the name of a record", id)
	}
	err = e.retry(ctx, id, func(ctx context.Context) error {
		resp, err := e.request(ctx, ecosystem+"/"+id+".json", nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		b, err = e.small(resp, vulndb.MaxRecord)
		return err
	})
	return b, err
}

// parseModified reads the list of records. Anything that is not as documented
// is an error: the archive is there for that.
func parseModified(b []byte) ([]vulndb.Listed, error) {
	list := make([]vulndb.Listed, 0, min(bytes.Count(b, []byte("\n"))+1, maxListed))
	for line := range strings.Lines(string(b)) {
		when, id, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ",")
		t, err := time.Parse(time.RFC3339Nano, when)
		if !ok || err != nil || checkName(id) != nil {
			return nil, fmt.Errorf("line %d of %s is not a time and an id", len(list)+1, modifiedName)
		}
		if len(list) == maxListed {
			return nil, fmt.Errorf("%s has over %d lines", modifiedName, maxListed)
		}
		list = append(list, vulndb.Listed{ID: id, Modified: t})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s is empty", modifiedName)
	}
	return list, nil
}
