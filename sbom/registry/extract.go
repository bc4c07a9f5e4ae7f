package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
)

// Extract is what was taken from a published archive. It is kept beside the
// archive, so that whoever needs only that neither hashes nor unpacks the archive
// again.
type Extract struct {
	Size   int64  // of the archive, in bytes
	SHA256 string // of the archive, hexadecimal
	SHA512 string
}

// Taking says what is to be taken from an archive.
type Taking struct {
	// Form names what is taken, and how it is written, in one line: any change
	// of either is another form.
	Form string

	// Make takes it from an archive, which is closed afterwards.
	Make func(a *Archive) ([]byte, error)

	// Stream takes the same from the bytes of an archive while they arrive; nil
	// where it needs all of them. It need not read to the end.
	Stream func(r io.Reader) ([]byte, error)

	// Read reads what Make returned, now or in another run. What it refuses
	// counts as not kept.
	Read func(body []byte) error
}

// Extract takes something from the published archive of a version, as Archive
// finds it, or reads what was taken from it before; the archive itself is then
// not opened and need not be there. Both are held against the digests that the
// registry tells now: an extract is of the bytes that have them, or is not used.
// One that should have been kept when the archive was fetched, and is not there
// or is damaged, is made anew, and Notice is told.
// The errors are those of Archive, Make and Read; with one of Make or Read the
// archive's digests are there nevertheless.
func (c *Client) Extract(ctx context.Context, p Package, version, file string, t Taking) (*Extract, error) {
	at, err := c.locate(ctx, p, version, file)
	if err != nil {
		return nil, err
	}
	key := at.extractKey(t.Form)
	done, err := c.cache.lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer done()
	if len(at.sums) > 0 {
		if e := c.keptExtract(at, key, t); e != nil {
			return e, nil
		}
	}
	a, err := c.archiveAt(ctx, p, at)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if len(at.sums) > 0 && !a.kept { // made when it was fetched just now
		if e := c.keptExtract(at, key, t); e != nil {
			return e, nil
		}
	}
	e := &Extract{Size: a.Size, SHA256: a.SHA256, SHA512: a.SHA512}
	body, err := t.Make(a)
	if err != nil {
		return e, err
	}
	if err := t.Read(body); err != nil {
		return e, err
	}
	c.keepExtract(at, key, a, body)
	if a.kept && c.Arrive != nil {
		c.notice("what was taken of published archives is not whole in the cache, or is of another version of this program: it is made anew, which takes longer once")
	}
	return e, nil
}

// keepExtract keeps what was taken of an archive. What has no digest could be
// another archive tomorrow.
func (c *Client) keepExtract(at published, key string, a *Archive, body []byte) {
	if len(at.sums) > 0 && len(body) <= maxExtract {
		c.writeFile("extracts", key, encodeExtract(key, a.Size, a.sums, body), body)
	}
}

func (at published) extractKey(form string) string { return hash("extract\n" + form + "\n" + at.key()) }

// extractMagic begins a file. Another number is another form, which counts as absent.
const extractMagic = "fnaudit extract 1"

// maxExtract bounds in bytes what is kept of an archive. What is longer is taken
// anew each time. One of npm has a line of 50 to 100 bytes for each file.
const maxExtract = 32 << 20

// extractLines is how many lines stand before the body.
const extractLines = 5

// encodeExtract writes what stands before the body: magic, a digest of all that
// follows it, the key, the size of the archive and its digests, a line each.
func encodeExtract(key string, size int64, sums map[string]string, body []byte) []byte {
	var list []string
	for _, alg := range archiveAlgorithms {
		if sums[alg] != "" {
			list = append(list, alg+"="+sums[alg])
		}
	}
	rest := key + "\n" + strconv.FormatInt(size, 10) + "\n" + strings.Join(list, " ") + "\n"
	return []byte(extractMagic + "\n" + extractSum([]byte(rest), body) + "\n" + rest)
}

// extractSum finds accidents, as bodySum does. It is a strong one, since a bit
// that fell over in a list of digests would speak against a file that is right.
func extractSum(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// keptExtract is what was taken before; nil when it is not there, not whole, not
// of an archive with those digests, or cannot be read.
func (c *Client) keptExtract(at published, key string, t Taking) *Extract {
	b, ok := c.readFile("extracts", key, maxExtract+maxHeader)
	if !ok {
		return nil
	}
	size, sums, body, ok := parseExtract(key, b)
	if !ok || size > maxPublished {
		return nil
	}
	for _, alg := range archiveAlgorithms {
		if want := at.sums[alg]; want != "" && want != sums[alg] {
			return nil
		}
	}
	if t.Read(body) != nil {
		return nil
	}
	return &Extract{Size: size, SHA256: sums["sha256"], SHA512: sums["sha512"]}
}

// parseExtract reads what encodeExtract wrote. The key is in the file, so that
// one that was moved is not of another archive.
func parseExtract(key string, b []byte) (size int64, sums map[string]string, body []byte, ok bool) {
	head := bytes.SplitN(b, []byte("\n"), extractLines+1)
	if len(head) != extractLines+1 || string(head[0]) != extractMagic {
		return 0, nil, nil, false
	}
	rest := b[len(head[0])+len(head[1])+2:]
	if string(head[1]) != extractSum(rest) || string(head[2]) != key {
		return 0, nil, nil, false
	}
	size, err := strconv.ParseInt(string(head[3]), 10, 64)
	if err != nil || size < 0 {
		return 0, nil, nil, false
	}
	sums = map[string]string{}
	for one := range strings.FieldsSeq(string(head[4])) {
		alg, value, _ := strings.Cut(one, "=")
		sums[alg] = value
	}
	return size, sums, head[extractLines], sums["sha256"] != "" && sums["sha512"] != ""
}
