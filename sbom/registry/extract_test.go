package registry

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// taker takes an archive in upper case, and counts how often it had to.
type taker struct {
	form   string
	made   int
	got    string
	refuse string // what Read refuses
}

func (k *taker) taking() Taking {
	return Taking{
		Form: k.form,
		Make: func(a *Archive) ([]byte, error) {
			k.made++
			b, err := io.ReadAll(io.NewSectionReader(a.Bytes, 0, a.Size))
			return bytes.ToUpper(b), err
		},
		Read: func(body []byte) error {
			if k.refuse != "" && k.refuse == string(body) {
				return errors.New("refused")
			}
			k.got = string(body)
			return nil
		},
	}
}

var lampPackage = Package{NPM, "lamp"}

// takes takes from lamp and says how often the archive was read for it.
func (k *taker) takes(t *testing.T, c *Client, want int) {
	t.Helper()
	k.made, k.got = 0, ""
	e, err := c.Extract(t.Context(), lampPackage, "1.0.0", "", k.taking())
	s256, s512 := sha256.Sum256([]byte(archiveText)), sha512.Sum512([]byte(archiveText))
	if err != nil || k.got != strings.ToUpper(archiveText) || e.Size != int64(len(archiveText)) || e.SHA256 != hex.EncodeToString(s256[:]) || e.SHA512 != hex.EncodeToString(s512[:]) {
		t.Errorf("took %q, %+v, %v", k.got, e, err)
	}
	if k.made != want {
		t.Errorf("the archive was read %d times, not %d", k.made, want)
	}
}

// keptFiles are the files of one kind in the cache.
func keptFiles(t *testing.T, c *Client, kind string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(c.Dir, kind, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestExtractIsKept(t *testing.T) {
	c := archiveClient(t, &archiveServer{bytes: []byte(archiveText), dist: npmLies})
	k := &taker{form: "upper 1"}
	k.takes(t, c, 1)
	c.Online = false
	k.takes(t, c, 0)
	(&taker{form: "upper 2"}).takes(t, c, 1) // another form
	for _, name := range keptFiles(t, c, "archives") {
		if err := os.WriteFile(name, []byte("rotten"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.takes(t, c, 0)
	if _, err := c.Extract(t.Context(), lampPackage, "1.0.0", "", (&taker{form: "upper 3"}).taking()); !errors.Is(err, ErrOffline) {
		t.Errorf("from a rotten archive: %v", err)
	}
	c.Dir, c.Online = "", true
	k.takes(t, c, 1)
	k.takes(t, c, 1)
}

// TestExtractDamaged holds that an extract of which any byte is not as it was
// written is none, wherever it was cut off, and one that lies in another's place.
func TestExtractDamaged(t *testing.T) {
	c := archiveClient(t, &archiveServer{bytes: []byte(archiveText), dist: npmLies})
	k, other := &taker{form: "upper 1"}, &taker{form: "upper 2"}
	k.takes(t, c, 1)
	c.Online = false
	name := keptFiles(t, c, "extracts")[0]
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string][]byte{"longer": append(bytes.Clone(whole), 'X'), "nothing": nil, "lines": bytes.Repeat([]byte("\n"), 1<<10), "magic": []byte(extractMagic)}
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1
		damage[fmt.Sprintf("byte %d", i)], damage[fmt.Sprintf("cut off at %d", i)] = flipped, whole[:i]
	}
	for what, b := range damage {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if k.takes(t, c, 1); t.Failed() {
			t.Fatal(what)
		}
		if again, err := os.ReadFile(name); err != nil || !bytes.Equal(again, whole) {
			t.Fatalf("%s: written anew: %q, %v", what, again, err)
		}
	}
	k.takes(t, c, 0)

	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	other.takes(t, c, 1)
	if err := os.Rename(keptFiles(t, c, "extracts")[0], name); err != nil {
		t.Fatal(err)
	}
	k.takes(t, c, 1)
}

// TestExtractOfOtherDigests holds that an extract is not used of an archive of
// which the registry now tells something else, be it by its weakest digest.
func TestExtractOfOtherDigests(t *testing.T) {
	c := &Client{Dir: t.TempDir()}
	sums := map[string]string{"sha512": "aa", "sha256": "bb", "sha1": "cc"}
	k := &taker{form: "upper 1"}
	write := func(key string, size int64, sums map[string]string) {
		c.writeFile("extracts", key, encodeExtract(key, size, sums, []byte("X")), []byte("X"))
	}
	for name, tt := range map[string]struct {
		told map[string]string
		kept map[string]string
		size int64
		ok   bool
	}{
		"the same":             {sums, sums, 1, true},
		"fewer are told":       {map[string]string{"sha512": "aa"}, sums, 1, true},
		"another weak one":     {map[string]string{"sha512": "aa", "sha1": "dd"}, sums, 1, false},
		"one that is not kept": {map[string]string{"sha512": "aa", "sha384": "ee"}, sums, 1, false},
		"no strong ones":       {map[string]string{"sha1": "cc"}, map[string]string{"sha1": "cc"}, 1, false},
		"a negative size":      {sums, sums, -1, false},
		"an absurd size":       {sums, sums, maxPublished + 1, false},
	} {
		at := published{sums: tt.told}
		write(at.extractKey(k.form), tt.size, tt.kept)
		if e := c.keptExtract(at, at.extractKey(k.form), k.taking()); (e != nil) != tt.ok {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestExtractRefused holds what is not kept: what cannot be made or read, what is
// too long, and what is of an archive that has no digest.
func TestExtractRefused(t *testing.T) {
	c := archiveClient(t, &archiveServer{bytes: []byte(archiveText), dist: npmLies})
	unmade := Taking{Form: "x", Make: func(*Archive) ([]byte, error) { return nil, io.ErrNoProgress }, Read: func([]byte) error { return nil }}
	unread := Taking{Form: "x", Make: func(*Archive) ([]byte, error) { return nil, nil }, Read: func([]byte) error { return io.ErrShortBuffer }}
	for _, tt := range []struct {
		t    Taking
		want error
	}{{unmade, io.ErrNoProgress}, {unread, io.ErrShortBuffer}} {
		if e, err := c.Extract(t.Context(), lampPackage, "1.0.0", "", tt.t); !errors.Is(err, tt.want) || e == nil || len(e.SHA512) != 128 {
			t.Errorf("%+v, %v", e, err)
		}
	}
	long := Taking{Form: "x", Make: func(*Archive) ([]byte, error) { return make([]byte, maxExtract+1), nil }, Read: func([]byte) error { return nil }}
	if _, err := c.Extract(t.Context(), lampPackage, "1.0.0", "", long); err != nil {
		t.Error(err)
	}
	if _, err := c.Extract(t.Context(), Package{Go, "acme.test/Lamp"}, "v1.0.0", "", (&taker{}).taking()); err != nil {
		t.Error(err)
	}
	if kept := keptFiles(t, c, "extracts"); len(kept) > 0 {
		t.Errorf("kept %q", kept)
	}
	k := &taker{form: "upper 1"}
	k.takes(t, c, 1)
	k.refuse = strings.ToUpper(archiveText)
	if _, err := c.Extract(t.Context(), lampPackage, "1.0.0", "", k.taking()); err == nil || k.made != 2 {
		t.Errorf("what is refused was used: %v, made %d times", err, k.made)
	}
}

func FuzzExtract(f *testing.F) {
	key := hash("x")
	f.Add(append(encodeExtract(key, 3, map[string]string{"sha256": "a", "sha512": "b"}, []byte("body\n")), "body\n"...))
	f.Add([]byte(extractMagic + "\n\n\n\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		size, sums, body, ok := parseExtract(key, b)
		if ok && !bytes.Equal(append(encodeExtract(key, size, sums, body), body...), b) {
			t.Errorf("%q is read, and not what is written", b)
		}
	})
}
