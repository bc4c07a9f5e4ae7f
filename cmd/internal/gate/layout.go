package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxManifest bounds in bytes a manifest or an index of a layout.
const maxManifest = 4 << 20

// Layout puts attestations into an OCI image layout, as referrers of the image
// with a digest: blobs first, those of the summary last, since tools find a
// referrer by walking them, and then index.json in one step. When that fails
// half-way, what was put there is removed again. What the layout has already
// stays; the same attestation is not put there twice.
func Layout(dir, digest string, list []Attestation) (err error) {
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, path := range made {
			os.Remove(path)
		}
		err = fmt.Errorf("put the attestations into the layout %s: %w", dir, plain(err))
	}()
	body, err := readBlob(dir, digest)
	if err != nil {
		return err
	}
	subject, err := subjectOf(digest, body)
	if err != nil {
		return err
	}
	var entries []Descriptor
	for _, a := range list {
		r, err := refer(subject, a)
		if err != nil {
			return err
		}
		for _, b := range append(r.blobs, r.manifest) {
			path, err := putBlob(dir, b)
			if err != nil {
				return err
			}
			if path != "" {
				made = append(made, path)
			}
		}
		entries = append(entries, r.desc)
	}
	index := filepath.Join(dir, "index.json")
	text, err := readRegular(index)
	if err != nil {
		return err
	}
	if text, err = appendTo(text, entries); err != nil {
		return err
	}
	return Write([]File{{index, text}})
}

func blobPath(dir, digest string) string {
	algorithm, value, _ := strings.Cut(digest, ":")
	return filepath.Join(dir, "blobs", algorithm, value)
}

func readBlob(dir, digest string) ([]byte, error) {
	if !isDigest(digest) {
		return nil, fmt.Errorf("%q is no sha256 digest", digest)
	}
	return readRegular(blobPath(dir, digest))
}

// readRegular reads a small regular file. A link could lead anywhere.
func readRegular(path string) ([]byte, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxManifest {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", filepath.Base(path), maxManifest)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxManifest))
}

// putBlob writes a blob under its digest and returns its path; "" when the
// layout has it already.
func putBlob(dir string, body []byte) (string, error) {
	path := blobPath(dir, describe("", body).Digest)
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, body) {
		return "", nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	temp, err := stage(File{path, body})
	if err != nil {
		return "", err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return "", err
	}
	return path, nil
}

// appendTo adds descriptors to the text of an index. What it does not know of it stays.
func appendTo(text []byte, entries []Descriptor) ([]byte, error) {
	var index map[string]json.RawMessage
	var list []json.RawMessage
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	if err := json.Unmarshal(index["manifests"], &list); err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	known := map[string]bool{}
	for _, raw := range list {
		var d Descriptor
		if json.Unmarshal(raw, &d) == nil {
			known[d.Digest] = true
		}
	}
	for _, e := range entries {
		if known[e.Digest] {
			continue
		}
		raw, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		list = append(list, raw)
	}
	var err error
	if index["manifests"], err = json.Marshal(list); err != nil {
		return nil, err
	}
	return json.Marshal(index)
}
