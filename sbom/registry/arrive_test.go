package registry

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// arriveUpper is what taker takes, while the archive arrives; without it afterwards.
func arriveUpper(stream bool) Arrive {
	return func(Package, string) *Taking {
		t := (&taker{form: "upper 1"}).taking()
		if stream {
			t.Stream = func(r io.Reader) ([]byte, error) {
				b, err := io.ReadAll(r)
				return bytes.ToUpper(b), err
			}
		}
		return &t
	}
}

func TestArrive(t *testing.T) {
	for _, stream := range []bool{true, false} {
		c := archiveClient(t, &archiveServer{bytes: []byte(archiveText), dist: npmLies})
		c.Arrive, c.Notice = arriveUpper(stream), func(text string) { t.Error(text) }
		a, err := c.Archive(t.Context(), lampPackage, "1.0.0", "")
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		c.Online = false
		k := &taker{form: "upper 1"}
		k.takes(t, c, 0)

		told := 0
		c.Notice = func(string) { told++ }
		for _, name := range keptFiles(t, c, "extracts") {
			if err := os.WriteFile(name, []byte("rotten"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		k.takes(t, c, 1)
		k.takes(t, c, 0)
		if told != 1 {
			t.Errorf("that it was made anew was said %d times", told)
		}
	}
}

// TestArriveAtOnce: who fetches an archive for what is taken from it does not
// read it a second time.
func TestArriveAtOnce(t *testing.T) {
	c := archiveClient(t, &archiveServer{bytes: []byte(archiveText), dist: npmLies})
	c.Arrive, c.Notice = arriveUpper(true), func(text string) { t.Error(text) }
	(&taker{form: "upper 1"}).takes(t, c, 0)
	c.Dir = ""
	(&taker{form: "upper 1"}).takes(t, c, 1)
}

// TestArriveNothing: what is not the registry's archive leaves nothing, whatever
// was taken from it, and what cannot be taken spoils no archive.
func TestArriveNothing(t *testing.T) {
	upper := arriveUpper(true)
	with := func(stream func(r io.Reader) ([]byte, error), read func([]byte) error) Arrive {
		return func(p Package, file string) *Taking {
			one := upper(p, file)
			one.Stream = stream
			if read != nil {
				one.Read = read
			}
			return one
		}
	}
	for name, tt := range map[string]struct {
		bytes    string
		arrive   Arrive
		archives int
	}{
		"another archive": {"other bytes", upper, 0},
		"nothing wanted":  {archiveText, func(Package, string) *Taking { return nil }, 1},
		"an error":        {archiveText, with(func(io.Reader) ([]byte, error) { return nil, io.ErrNoProgress }, nil), 1},
		"an early end":    {archiveText, with(func(r io.Reader) ([]byte, error) { r.Read(make([]byte, 1)); return []byte("X"), io.ErrShortBuffer }, nil), 1},
		"a panic":         {archiveText, with(func(io.Reader) ([]byte, error) { panic("hostile") }, nil), 1},
		"refused":         {archiveText, with(upper(lampPackage, "").Stream, func([]byte) error { return io.ErrShortBuffer }), 1},
		"too long":        {archiveText, with(func(io.Reader) ([]byte, error) { return make([]byte, maxExtract+1), nil }, nil), 1},
	} {
		c := archiveClient(t, &archiveServer{bytes: []byte(tt.bytes), dist: npmLies})
		c.Arrive = tt.arrive
		a, err := c.Archive(t.Context(), lampPackage, "1.0.0", "")
		if (err == nil) != (tt.archives == 1) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if got, err := io.ReadAll(io.NewSectionReader(a.Bytes, 0, a.Size)); err != nil || string(got) != archiveText {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			a.Close()
		}
		if n := len(keptFiles(t, c, "archives")); n != tt.archives {
			t.Errorf("%s: %d archives are kept", name, n)
		}
		if kept := keptFiles(t, c, "extracts"); len(kept) > 0 {
			t.Errorf("%s: kept %q", name, kept)
		}
	}
}

// slowArchive is a registry whose one archive comes in pieces; of each of the
// first downloads only half comes.
type slowArchive struct {
	data   []byte
	pause  time.Duration
	halves int32
	asked  atomic.Int32
}

func (s *slowArchive) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/lamp" {
		sum := sha512.Sum512(s.data)
		fmt.Fprintf(w, `{"name":"lamp","versions":{"1.0.0":{"dist":{"tarball":"http://%s/lamp.tgz","integrity":"sha512-%s"}}}}`, r.Host, base64.StdEncoding.EncodeToString(sum[:]))
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
	rest := s.data
	if s.asked.Add(1) <= s.halves {
		rest = rest[:len(rest)/2]
	}
	for len(rest) > 0 {
		n := min(len(rest), 16<<10)
		if _, err := w.Write(rest[:n]); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		rest = rest[n:]
		time.Sleep(s.pause)
	}
}

// TestArriveAgain: a download that was cut short is begun again, and what is
// taken is of the whole archive.
func TestArriveAgain(t *testing.T) {
	s := &slowArchive{data: bytes.Repeat([]byte("lamp "), 20_000), halves: 1}
	c := slowClient(t, t.TempDir(), s)
	a, err := c.Archive(t.Context(), lampPackage, "1.0.0", "")
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	if s.asked.Load() != 2 {
		t.Fatalf("the archive was asked for %d times", s.asked.Load())
	}
	c.Online = false
	wholeOrNone(t, c, s.data, true)
}

func slowClient(t *testing.T, dir string, s *slowArchive) *Client {
	t.Helper()
	now := getDay
	c, _ := getClient(t, &now)
	url, _ := server(t, s.answer)
	c.Config, c.Dir, c.Arrive = ReadConfig(configured(nil, m{"NPM_CONFIG_REGISTRY": url})), dir, arriveUpper(true)
	return c
}

// wholeOrNone holds that the cache has the archive and what was taken from it
// whole, or, unless they must be there, not at all.
func wholeOrNone(t *testing.T, c *Client, data []byte, there bool) {
	t.Helper()
	for _, name := range keptFiles(t, c, "archives") {
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes of an archive of %d are kept: %v", len(got), len(data), err)
		}
	}
	k := &taker{form: "upper 1"}
	_, err := c.Extract(t.Context(), lampPackage, "1.0.0", "", k.taking())
	switch {
	case err == nil && k.got != strings.ToUpper(string(data)):
		t.Errorf("%d bytes were taken of %d", len(k.got), len(data))
	case there && (err != nil || k.made > 0):
		t.Errorf("what was taken is not there: %v, made anew %d times", err, k.made)
	case err != nil && !errors.Is(err, ErrOffline):
		t.Error(err)
	}
}

// arriveChild is the variable that makes the test binary a process that fetches
// an archive again and again until it is killed: the address of its registry,
// a space, the folder of the cache.
const arriveChild = "FNAUDIT_TEST_ARRIVE"

// TestArriveChild is that process.
func TestArriveChild(t *testing.T) {
	url, dir, ok := strings.Cut(os.Getenv(arriveChild), " ")
	if !ok {
		t.Skip("a child of TestArriveKilled")
	}
	c := &Client{Dir: dir, Online: true, Arrive: arriveUpper(true), Config: ReadConfig(configured(nil, m{"NPM_CONFIG_REGISTRY": url}))}
	for {
		a, err := c.Archive(t.Context(), lampPackage, "1.0.0", "")
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
		os.RemoveAll(filepath.Join(dir, "archives"))
		os.RemoveAll(filepath.Join(dir, "extracts"))
	}
}

// TestArriveKilled: a process is killed at many moments of a download; what is
// kept is the whole archive and all that is taken from it, or nothing.
func TestArriveKilled(t *testing.T) {
	s := &slowArchive{data: bytes.Repeat([]byte("lamp "), 100_000), pause: time.Millisecond}
	url, _ := server(t, s.answer)
	dir := t.TempDir()
	c := &Client{Dir: dir, Arrive: arriveUpper(true), Config: ReadConfig(configured(nil, m{"NPM_CONFIG_REGISTRY": url}))}
	for i := range 12 {
		p, err := os.StartProcess(os.Args[0], []string{os.Args[0], "-test.run=^TestArriveChild$"}, &os.ProcAttr{Env: append(os.Environ(), arriveChild+"="+url+" "+dir)})
		if err != nil {
			t.Fatal(err)
		}
		for before, deadline := s.asked.Load(), time.Now().Add(30*time.Second); s.asked.Load() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				p.Kill()
				t.Fatal("the process fetches nothing")
			}
		}
		time.Sleep(time.Duration(i) * 6 * time.Millisecond)
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		p.Wait()
		wholeOrNone(t, c, s.data, false)
	}
}
