package attest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/bundle"
)

// EntryList is the digest of each entry of one zip. It says where a name ends
// and a body begins, which the signature of AWS Signer does not. As JSON:
//
//	{"schemaVersion": "1", "artifact": "sha256:…",
//	 "entries": [{"path": "index.js", "sha256": "…"}, {"path": "lib/", "sha256": "…"}]}
//
// The entries are in the order of the zip's central directory, names as
// stored; folders end in "/" and have the digest of nothing. The entry that AWS
// Signer adds, and its folder, are not listed, so that the list of a zip holds
// before and after it is signed.
type EntryList struct {
	Artifact string // digest of the zip that the list was made from; it changes when the zip is signed
	Entries  []EntryDigest
}

// EntryDigest is one entry.
type EntryDigest struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // 64 lower-case hexadecimal digits
}

type entryDocument struct {
	SchemaVersion string        `json:"schemaVersion"`
	Artifact      string        `json:"artifact"`
	Entries       []EntryDigest `json:"entries"`
}

// EntryDigests reads every entry of a zip. The error wraps
// [bundle.ErrUnknownKind] when the bytes are no zip, and
// [bundle.ErrUnreadable] when readers could see different entries in them.
func EntryDigests(ctx context.Context, r io.ReaderAt, size int64) (EntryList, error) {
	var list EntryList
	z, err := bundle.ListZip(ctx, r, size, bundle.Limits{})
	if err != nil {
		return list, err
	}
	if err := plainZip(z); err != nil {
		return list, err
	}
	whole := sha256.New()
	if _, err := io.Copy(whole, io.NewSectionReader(r, 0, size)); err != nil {
		return list, fmt.Errorf("read the zip: %w", err)
	}
	list.Artifact = "sha256:" + hex.EncodeToString(whole.Sum(nil))
	for i, e := range z.Entries {
		if err := ctx.Err(); err != nil {
			return list, err
		}
		if e.Name == awsSignature || e.Name == awsFolder {
			continue
		}
		if !utf8.ValidString(e.Name) {
			return list, fmt.Errorf("an entry name that is not UTF-8 cannot be listed: %q: %w", e.Name, bundle.ErrUnreadable)
		}
		h := sha256.New()
		if err := z.Copy(h, i); err != nil {
			return list, err
		}
		list.Entries = append(list.Entries, EntryDigest{e.Name, hex.EncodeToString(h.Sum(nil))})
	}
	return list, nil
}

// Marshal writes the list, with a line feed at the end.
func (l EntryList) Marshal() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	doc := entryDocument{"1", l.Artifact, l.Entries}
	if doc.Entries == nil {
		doc.Entries = []EntryDigest{}
	}
	err := enc.Encode(doc)
	return b.Bytes(), err
}

// ParseEntryList reads what Marshal wrote. It is strict: an unknown field, a
// path that is there twice or a digest of another form is an error.
func ParseEntryList(data []byte) (EntryList, error) {
	var doc entryDocument
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return EntryList{}, fmt.Errorf("entry digests: %w", err)
	}
	if d.More() {
		return EntryList{}, errors.New("entry digests: something follows the document")
	}
	if doc.SchemaVersion != "1" {
		return EntryList{}, fmt.Errorf("entry digests: schemaVersion %q, and only \"1\" is read", doc.SchemaVersion)
	}
	seen := make(map[string]bool, len(doc.Entries))
	for _, e := range doc.Entries {
		raw, err := hex.DecodeString(e.SHA256)
		if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != e.SHA256 {
			return EntryList{}, fmt.Errorf("entry digests: %q has the digest %q, which is no sha256 in 64 lower-case digits", e.Path, e.SHA256)
		}
		if seen[e.Path] {
			return EntryList{}, fmt.Errorf("entry digests: %q is listed twice", e.Path)
		}
		seen[e.Path] = true
	}
	return EntryList{doc.Artifact, doc.Entries}, nil
}

// Map returns the digests by path, as [Demand.EntryDigests] takes them.
func (l EntryList) Map() map[string]string {
	m := make(map[string]string, len(l.Entries))
	for _, e := range l.Entries {
		m[e.Path] = e.SHA256
	}
	return m
}

// plainZip refuses a zip in which two readers could see different entries, or
// that holds bytes outside of its entries: a signature over the entries says
// nothing about those.
func plainZip(z *bundle.ZipList) error {
	for _, n := range z.Notices {
		if n.Kind == bundle.NoticeLimit {
			return fmt.Errorf("%s %s: %w: %w", n.Path, n.Detail, bundle.ErrUnreadable, bundle.ErrLimit)
		}
		if n.Unread || n.Kind == bundle.NoticeHidden || n.Kind == bundle.NoticeTruncated || n.Kind == bundle.NoticeHeader {
			return fmt.Errorf("readers of this zip can see different entries: %s %s: %w", n.Path, n.Detail, bundle.ErrUnreadable)
		}
	}
	return nil
}
