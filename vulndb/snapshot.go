package vulndb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Source is what the store holds of one ecosystem, and where it came from.
type Source struct {
	Ecosystem string    `json:"ecosystem"`      // without a release
	Name      string    `json:"name,omitempty"` // of the origin; "" is DefaultOrigin, and several, if there are Parts
	File      string    `json:"file"`           // name inside the store's eco folder; "" for the starter set
	Digest    string    `json:"digest"`         // "sha256:..." of that file
	Size      int64     `json:"size"`           // bytes of that file
	Records   int       `json:"records"`        // advisories, withdrawn ones included
	Packages  int       `json:"packages"`       // names that have at least one
	URL       string    `json:"url"`            // what was read: the address of the export, or the path of a folder's archive
	Folder    bool      `json:"folder,omitempty"`
	Via       string    `json:"via,omitempty"`  // the registry or mirror that the file was pulled from as it is; empty: it was built here, or came as an export
	AsOf      time.Time `json:"asOf"`           // when the source was current; zero when nothing says so, which counts as infinitely old
	Modified  time.Time `json:"modified"`       // newest `modified` of its records that was not in the future
	ETag      string    `json:"etag,omitempty"` // of the export, for the next conditional request
	Export    string    `json:"export"`         // "sha256:..." of the export itself
	Unread    int       `json:"unread,omitempty"`
	UnreadIDs []string  `json:"unreadIds,omitempty"` // file names of records that could not be read; at most maxUnreadNames
	Full      time.Time `json:"full,omitzero"`       // AsOf of the whole export that this was built from, if it was changed record by record since; else zero
	ListETag  string    `json:"listETag,omitempty"`  // of the list of records, for the next conditional request

	// Parts says what the file was merged from, when that is more than one
	// source: lowest precedence first, each with its own Name, File and dates.
	// AsOf is the oldest of theirs then, Modified the newest, and ETag, Export
	// and ListETag are empty. The parts' files are for the next update; readers
	// need only File.
	Parts []Source `json:"parts,omitempty"`
}

// DefaultOrigin is the name of the source that the others are laid over.
const DefaultOrigin = "osv"

// Origin is a place that advisories come from.
type Origin struct {
	Name string `json:"name"`
	From string `json:"from"` // address or absolute path of a folder
}

// Origin returns the name of the place that the source is from.
func (s *Source) Origin() string {
	if s.Name == "" {
		return DefaultOrigin
	}
	return s.Name
}

// Origins returns what the source was merged from, lowest precedence first;
// itself, if that is one source.
func (s *Source) Origins() []Source {
	if len(s.Parts) > 0 {
		return s.Parts
	}
	return []Source{*s}
}

// part returns what came from an origin.
func (s *Source) part(name string) (Source, bool) {
	for _, p := range s.Origins() {
		if p.Origin() == name {
			return p, true
		}
	}
	return Source{}, false
}

// Snapshot says what a store knows, and as of when.
type Snapshot struct {
	ID      string    // "sha256:..." over the sorted pairs of ecosystem and digest, and those of the feeds: the same ID is the same knowledge
	BuiltAt time.Time // the newest AsOf of its sources, so that the same sources give the same Snapshot
	Starter bool      // the embedded starter set, which is never complete
	Sources []Source  // sorted by ecosystem
	Origins []Origin  // where the last updates read, lowest precedence first; the next one does again unless told otherwise. From is "" for one that came with a store from elsewhere

	Feeds       []Feed   // what is known beside the advisories, sorted by name; their dates count for nothing but themselves
	FeedOrigins []Origin // where feeds are to be read, as somebody said: see Snapshot.FeedOrigin; sorted by name
}

// Records returns the number of advisories in all sources.
func (s Snapshot) Records() int {
	n := 0
	for i := range s.Sources {
		n += s.Sources[i].Records
	}
	return n
}

// OldestAsOf returns the time that the store's age counts from: the oldest
// AsOf among its sources. It is zero when a source has none or there is no
// source.
func (s Snapshot) OldestAsOf() time.Time {
	var oldest time.Time
	for i := range s.Sources {
		if t := s.Sources[i].AsOf; i == 0 || t.Before(oldest) {
			oldest = t
		}
	}
	return oldest
}

// Source returns the source of an ecosystem (a release is ignored).
func (s Snapshot) Source(ecosystem string) (Source, bool) {
	base := Base(ecosystem)
	for _, src := range s.Sources {
		if src.Ecosystem == base {
			return src, true
		}
	}
	return Source{}, false
}

// origins returns where the store's content is from, lowest precedence first:
// Origins, and those of the sources for which no place is known.
func (s Snapshot) origins() []Origin {
	list := slices.Clone(s.Origins)
	for i := range s.Sources {
		for _, p := range s.Sources[i].Origins() {
			if !slices.ContainsFunc(list, func(o Origin) bool { return o.Name == p.Origin() }) {
				list = append(list, Origin{Name: p.Origin()})
			}
		}
	}
	return list
}

// newSnapshot sorts the sources and derives the rest from them.
func newSnapshot(sources []Source, starter bool) Snapshot {
	slices.SortFunc(sources, func(a, b Source) int { return strings.Compare(a.Ecosystem, b.Ecosystem) })
	s := Snapshot{Starter: starter, Sources: sources}
	for _, src := range sources {
		if src.AsOf.After(s.BuiltAt) {
			s.BuiltAt = src.AsOf
		}
	}
	s.ID = s.id()
	return s
}

// id is the digest over what the store knows: a line for each ecosystem, and
// for each feed one that no ecosystem has.
func (s Snapshot) id() string {
	sum := sha256.New()
	for _, src := range s.Sources {
		fmt.Fprintf(sum, "%s %s\n", src.Ecosystem, src.Digest)
	}
	for _, f := range s.Feeds {
		fmt.Fprintf(sum, "\n%s %s\n", f.Name, f.Digest)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// Names inside the store's folder.
const (
	snapshotName = "snapshot.json"
	ecoDir       = "eco"
	lockName     = "lock"
	tempSuffix   = ".tmp"
	partSuffix   = ".part" // the beginning of a file, see AdoptOptions.Resume
	fdbSuffix    = ".fdb"
)

// maxSnapshot bounds snapshot.json in bytes; that of a full store has under
// 40 KB.
const maxSnapshot = 4 << 20

// feedVersion is the format version of a snapshot.json that names feeds. One
// that does not has formatVersion, and is what it was before there were any.
const feedVersion = formatVersion + 1

// snapshotFile is snapshot.json.
type snapshotFile struct {
	FormatVersion int       `json:"formatVersion"`
	ID            string    `json:"id"`
	BuiltAt       time.Time `json:"builtAt"`
	Sources       []Source  `json:"sources"`
	Origins       []Origin  `json:"origins,omitempty"`
	Feeds         []Feed    `json:"feeds,omitempty"`
	FeedOrigins   []Origin  `json:"feedOrigins,omitempty"`
}

// ErrNoStore is wrapped by the error of Open when there is no store in the
// folder. The starter set is what to use then.
var ErrNoStore = errors.New("there is no advisory store")

// ReadSnapshot reads what the store in a folder knows, without opening it. The
// error wraps ErrNoStore, ErrDamaged or ErrFormat.
func ReadSnapshot(dir string) (Snapshot, error) {
	f, err := os.Open(filepath.Join(dir, snapshotName))
	if errors.Is(err, os.ErrNotExist) {
		return Snapshot{}, fmt.Errorf("open store %s: %w", dir, ErrNoStore)
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("open store: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSnapshot+1))
	if err != nil {
		return Snapshot{}, fmt.Errorf("open store: %w", err)
	}
	s, err := parseSnapshot(b)
	if err != nil {
		return Snapshot{}, fmt.Errorf("%s: %w", filepath.Join(dir, snapshotName), err)
	}
	return s, nil
}

func parseSnapshot(b []byte) (Snapshot, error) {
	var file snapshotFile
	if len(b) > maxSnapshot || json.Unmarshal(b, &file) != nil {
		return Snapshot{}, damaged("no snapshot file")
	}
	if v := file.FormatVersion; v != formatVersion && v != feedVersion {
		return Snapshot{}, fmt.Errorf("read store: format version %d, want %d: %w", v, formatVersion, ErrFormat)
	}
	if (file.FormatVersion == feedVersion) != (len(file.Feeds) > 0) || !saneFeeds(file.Feeds) || len(file.FeedOrigins) > maxFeeds {
		return Snapshot{}, damaged("the feeds of the snapshot")
	}
	for _, src := range file.Sources {
		if !src.sane() {
			return Snapshot{}, damaged("source %q of the snapshot", clip(src.Ecosystem, 80))
		}
	}
	s := newSnapshot(file.Sources, false).withFeeds(file.Feeds)
	s.Origins, s.FeedOrigins = file.Origins, file.FeedOrigins
	s.Origins = s.origins()
	if s.ID != file.ID {
		return Snapshot{}, damaged("the snapshot's sources do not give its id")
	}
	for i := 1; i < len(s.Sources); i++ {
		if s.Sources[i].Ecosystem == s.Sources[i-1].Ecosystem {
			return Snapshot{}, damaged("two sources of %s", s.Sources[i].Ecosystem)
		}
	}
	if len(s.origins()) > maxOrigins {
		return Snapshot{}, damaged("over %d origins", maxOrigins)
	}
	return s, nil
}

// sane reports whether the files of a source are named by their digests, so
// that no name leads out of the store's folder.
func (s *Source) sane() bool {
	for _, p := range s.Parts {
		if p.Ecosystem != s.Ecosystem || len(p.Parts) > 0 || !p.sane() {
			return false
		}
	}
	return s.File == fileName(s.Ecosystem, s.Digest) && s.File != "" && s.Size >= 0
}

func (s Snapshot) encode() ([]byte, error) {
	placed := slices.DeleteFunc(slices.Clone(s.Origins), func(o Origin) bool { return o.From == "" })
	version := formatVersion
	if len(s.Feeds) > 0 {
		version = feedVersion
	}
	b, err := json.MarshalIndent(snapshotFile{version, s.ID, s.BuiltAt, s.Sources, placed, s.Feeds, s.FeedOrigins}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write snapshot: %w", err)
	}
	return append(b, '\n'), nil
}

// fileName returns the name of an ecosystem's file: the ecosystem with every
// byte escaped that is special in a file name somewhere, and the digest. It
// returns "" for what is no digest, and so never a path out of the folder.
func fileName(ecosystem, digest string) string {
	hexa, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hexa) != 2*sha256.Size || strings.Trim(hexa, "0123456789abcdef") != "" || ecosystem == "" || len(ecosystem) > maxEcoName {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(ecosystem); i++ {
		c := ecosystem[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' && i > 0 || c == '-' && i > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String() + "-" + hexa + fdbSuffix
}
