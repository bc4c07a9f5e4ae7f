package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Limits of a record.
const (
	maxSent   = 2000    // messages that are kept in mind, the last ones
	maxRecord = 4 << 20 // bytes
)

// record is the file that says what was sent, so that a run that is repeated
// does not send it again.
type record struct {
	path string
	Sent []sent `json:"sent"`
}

// sent is one message that one receiver took.
type sent struct {
	ID string    `json:"id"`
	To string    `json:"to"` // a digest of the address
	At time.Time `json:"at"`
}

// readRecord reads the record; one that is not there is empty. One that cannot
// be read is an error: whoever goes on without it sends everything twice, and
// never says so.
func readRecord(path string) (*record, error) {
	r := &record{path: path}
	if path == "" {
		return r, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of alerts: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err == nil && len(b) > maxRecord {
		err = fmt.Errorf("over %d bytes", maxRecord)
	}
	if err == nil {
		err = json.Unmarshal(b, r)
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of alerts in %s: %w; remove it to send again what was sent", path, err)
	}
	return r, nil
}

// has reports whether a receiver took a message.
func (r *record) has(id string, to receiver) bool {
	key := keyOf(to)
	return slices.ContainsFunc(r.Sent, func(s sent) bool { return s.ID == id && s.To == key })
}

// add writes down that a receiver took a message, by one rename.
func (r *record) add(id string, to receiver, at time.Time) error {
	if r.path == "" {
		return nil
	}
	r.Sent = append(r.Sent, sent{id, keyOf(to), at.UTC().Truncate(time.Second)})
	r.Sent = r.Sent[max(len(r.Sent)-maxSent, 0):]
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), ".alerts-*.tmp")
	if err != nil {
		return fmt.Errorf("write the record of alerts: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		return fmt.Errorf("write the record of alerts: %w", err)
	}
	return nil
}

// keyOf names a receiver without saying who it is.
func keyOf(to receiver) string {
	sum := sha256.Sum256([]byte(to.kind + " " + to.url.String()))
	return hex.EncodeToString(sum[:8])
}
