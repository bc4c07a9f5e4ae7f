package share

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/fnaudit/fnaudit/vulndb"
)

// receiptName is the receipt's name in the store's folder.
const receiptName = "pulled.json"

// maxReceipt bounds a receipt in bytes; one has 500.
const maxReceipt = 64 << 10

// Receipt says what the last pull of a file brought into a store, so that the
// next one need not fetch the same file again. It saves work and vouches for
// nothing: one that is lost, damaged or of another pull means that everything
// is fetched and verified. The zero value holds for no pull.
type Receipt struct {
	URL          string   `json:"url"` // without a name and password
	Key          string   `json:"key,omitempty"`
	Ecosystems   []string `json:"ecosystems,omitempty"` // that were asked for, sorted; none: all
	Replace      bool     `json:"replace,omitempty"`
	Digest       string   `json:"digest,omitempty"` // "sha256:..." of the file, if that was verified
	ETag         string   `json:"etag,omitempty"`
	LastModified string   `json:"lastModified,omitempty"`
	Snapshot     string   `json:"snapshot"` // of the store after the pull
}

// KeyID names a public key in a receipt; "" for nil.
func (v *Verifier) KeyID() string {
	if v == nil {
		return ""
	}
	der, err := x509.MarshalPKIXPublicKey(v.key)
	if err != nil {
		return "" // ParseVerifier lets in only keys that can be written
	}
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ReadReceipt returns the receipt of the last pull of a file into the store in
// dir, if that was the same pull as want (the same address, key, ecosystems
// and mode) and the store still holds what it brought, byte by byte. Otherwise
// it returns the zero Receipt.
func ReadReceipt(dir string, want Receipt) Receipt {
	info, err := os.Stat(filepath.Join(dir, receiptName))
	if err != nil || info.Size() > maxReceipt {
		return Receipt{}
	}
	b, err := os.ReadFile(filepath.Join(dir, receiptName))
	var r Receipt
	if err != nil || json.Unmarshal(b, &r) != nil {
		return Receipt{}
	}
	if r.URL != want.URL || r.Key != want.Key || r.Replace != want.Replace || !slices.Equal(r.Ecosystems, want.Ecosystems) {
		return Receipt{}
	}
	s, err := vulndb.ReadSnapshot(dir)
	if err != nil || s.ID != r.Snapshot {
		return Receipt{}
	}
	for _, src := range s.Files() {
		if intact(src.Path(dir), src) != nil {
			return Receipt{}
		}
	}
	return r
}

// Write keeps the receipt in the store in dir.
func (r Receipt) Write(dir string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(dir, "eco"), "*.tmp") // where the next update removes it if this process dies
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, receiptName))
}
