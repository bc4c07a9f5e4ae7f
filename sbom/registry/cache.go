package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The cache is a folder of files that are only ever replaced as a whole, by
// renaming: readers and other processes see an old answer, a new one or none.
// There is no lock and no index, so nothing of it can be left behind broken. A
// file that is not exactly what was written counts as absent.
//
//	answers/4f/4f9c…  what an address said
//	facts/4f/4f9c…    what was read from it about a package (record.go)
//	archives/4f/4f9c… published archives (archive.go)
//	extracts/4f/4f9c… what was taken from them (extract.go)
//	temp/             files that are being written

// maxTemp is how long a file may be written. Older ones are of processes that
// were killed, and the next one that writes removes them.
const maxTemp = time.Hour

// cache is what a client remembers of its folder while it runs.
type cache struct {
	mu     sync.Mutex
	asked  map[string]chan struct{} // keys that are being asked about; closed when done
	once   sync.Once                // temporary files were cleaned up
	broken sync.Once                // the user was told that the folder cannot be written
}

// lock waits until nobody else of this process asks the same.
func (c *cache) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		c.mu.Lock()
		wait, busy := c.asked[key]
		if !busy {
			mine := make(chan struct{})
			if c.asked == nil {
				c.asked = map[string]chan struct{}{}
			}
			c.asked[key] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.asked, key)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// key names the file of an answer. Addresses name packages, so the folder holds
// only digests of them.
func (r Request) key() string { return hash(r.URL + "\n" + r.Accept) }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// stored is an answer as the cache keeps it.
type stored struct {
	Document
	validators
}

// answerMagic begins a file. Another number is another form, which counts as absent.
const answerMagic = "fnaudit answer 1"

// maxHeader bounds in bytes what stands before the body in a file.
const maxHeader = 4 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readAnswer reads an answer from the cache; false if it has none that is whole
// and within the limit.
func (c *Client) readAnswer(key string, limit int64) (stored, bool) {
	b, ok := c.readFile("answers", key, limit+maxHeader)
	if !ok {
		return stored{}, false
	}
	return parseAnswer(key, b, limit)
}

// parseAnswer reads what writeAnswer wrote. The key is in the file, so that one
// that was moved is no answer to another question.
func parseAnswer(key string, b []byte, limit int64) (s stored, ok bool) {
	head, body, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok || len(head) > maxHeader {
		return stored{}, false
	}
	lines := strings.Split(string(head), "\n")
	if len(lines) != 7 || lines[0] != answerMagic || lines[1] != key {
		return stored{}, false
	}
	at, err := strconv.ParseInt(lines[2], 10, 64)
	if err != nil || at < 0 || at > maxTime {
		return stored{}, false
	}
	if lines[3] != "present" && lines[3] != "absent" {
		return stored{}, false
	}
	if lines[6] != bodySum(body) || int64(len(body)) > limit {
		return stored{}, false
	}
	s.Fetched, s.Absent = time.Unix(at, 0).UTC(), lines[3] == "absent"
	var tagged, dated bool
	s.etag, tagged = strings.CutPrefix(lines[4], "etag ")
	s.modified, dated = strings.CutPrefix(lines[5], "modified ")
	if !tagged || !dated {
		return stored{}, false
	}
	if !s.Absent {
		s.Body = body
	}
	return s, true
}

// bodySum finds accidents: a file cut short by a full disk or a crash, a bad
// block. Who may write the folder can write any answer into it.
func bodySum(body []byte) string {
	return fmt.Sprintf("%d %08x", len(body), crc32.Checksum(body, castagnoli))
}

// writeAnswer keeps an answer.
func (c *Client) writeAnswer(key string, s stored) {
	state := "present"
	if s.Absent {
		state, s.Body = "absent", nil
	}
	head := strings.Join([]string{answerMagic, key, strconv.FormatInt(s.Fetched.Unix(), 10), state, "etag " + s.etag, "modified " + s.modified, bodySum(s.Body)}, "\n") + "\n\n"
	c.writeFile("answers", key, []byte(head), s.Body)
}

// maxTime is the last second of the year 9999.
const maxTime = 253402300799

// filePath is where an entry lies: 256 folders keep each one small.
func (c *Client) filePath(kind, key string) string {
	return filepath.Join(c.Dir, kind, key[:2], key)
}

// readFile reads an entry of at most limit bytes.
func (c *Client) readFile(kind, key string, limit int64) ([]byte, bool) {
	if c.Dir == "" {
		return nil, false
	}
	f, err := os.Open(c.filePath(kind, key))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return nil, false
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, false
	}
	return b, true
}

// writtenAt is when an entry was written; zero when there is none.
func (c *Client) writtenAt(kind, key string) time.Time {
	info, err := os.Stat(c.filePath(kind, key))
	if err != nil || !info.Mode().IsRegular() {
		return time.Time{}
	}
	return info.ModTime()
}

// writeFile replaces an entry. What cannot be written is not kept; the user is
// told once. Nothing is forced to the disk: what a crash leaves half is no
// entry when it is read.
func (c *Client) writeFile(kind, key string, parts ...[]byte) {
	if c.Dir == "" {
		return
	}
	c.cache.once.Do(c.cleanTemp)
	if err := c.replace(c.filePath(kind, key), parts); err != nil {
		c.unkept(err)
	}
}

// unkept tells the user once that the folder cannot be written.
func (c *Client) unkept(err error) {
	c.cache.broken.Do(func() {
		c.notice(fmt.Sprintf("answers of registries cannot be kept, so the next run asks again: %v", err))
	})
}

func (c *Client) replace(path string, parts [][]byte) (err error) {
	temp := filepath.Join(c.Dir, "temp")
	for _, dir := range []string{temp, filepath.Dir(path)} {
		if err := os.MkdirAll(dir, 0o700); err != nil { // answers of private registries
			return err
		}
	}
	f, err := os.CreateTemp(temp, "*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// cleanTemp removes what processes left that were killed while they wrote.
func (c *Client) cleanTemp() {
	dir := filepath.Join(c.Dir, "temp")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasSuffix(e.Name(), ".tmp") && time.Since(info.ModTime()) > maxTemp {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
