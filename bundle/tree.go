package bundle

import (
	"errors"
	"io"
	"io/fs"
)

// File is one regular file or symbolic link of a volume or a tree.
type File struct {
	Path  string      // cleaned: slash-separated, relative, valid UTF-8, no "." or ".." element
	Size  int64       // bytes after decompression, as declared by the artifact: a claim until the file was read
	Mode  fs.FileMode // type bits: 0 for a regular file, fs.ModeSymlink for a link
	Link  string      // target of a symbolic link as stored, not resolved
	Layer int         // index of the volume it comes from (0 in a Volume's own list)
}

// NoticeKind classifies what was odd about an artifact.
type NoticeKind string

// The kinds of notice. Each is a fact about the archive's structure; policy
// decides what follows from it.
const (
	NoticeDuplicate   NoticeKind = "duplicate-name"     // the same path twice; every copy is kept, the last one is loaded
	NoticeTraversal   NoticeKind = "path-traversal"     // a name that climbs out, is absolute, or names a drive
	NoticeLinkEscape  NoticeKind = "symlink-escape"     // a link whose target lies outside the tree
	NoticeLinkLoop    NoticeKind = "symlink-loop"       // links that lead to one another
	NoticeThroughLink NoticeKind = "write-through-link" // an entry below a path that is itself a link or a file
	NoticeName        NoticeKind = "invalid-name"       // empty, NUL, control, not UTF-8, backslash; the path was escaped
	NoticeCase        NoticeKind = "case-collision"     // paths that differ only by case
	NoticeEncrypted   NoticeKind = "encrypted"          // cannot be read
	NoticeMethod      NoticeKind = "unsupported-method" // compression method that nobody should use
	NoticeSize        NoticeKind = "size-mismatch"      // declared and real size differ
	NoticeCRC         NoticeKind = "crc-mismatch"       // the content is not what the directory says
	NoticeCorrupt     NoticeKind = "corrupt"            // the data cannot be decoded
	NoticeTruncated   NoticeKind = "truncated"          // the artifact ends too early
	NoticeHeader      NoticeKind = "header-mismatch"    // local header and central directory disagree
	NoticeImage       NoticeKind = "image-mismatch"     // the documents of a container image and what they describe disagree
	NoticeHidden      NoticeKind = "hidden-entry"       // bytes or entries that the central directory does not list
	NoticeOverlap     NoticeKind = "overlap"            // two entries share bytes
	NoticeSpecial     NoticeKind = "special-file"       // device, pipe, socket
	NoticeSetuid      NoticeKind = "setuid"             // setuid or setgid bit
	NoticeLimit       NoticeKind = "limit"              // a named limit was reached
	NoticeEmpty       NoticeKind = "empty"              // the artifact holds no file
)

// Notice is one odd thing about an artifact, seen while it was opened or read.
type Notice struct {
	Layer  int    // index as File.Layer
	Path   string // cleaned path, "" for the artifact as a whole
	Kind   NoticeKind
	Detail string // plain words, may hold text of the artifact: escape it where it is shown
	Unread bool   // the content of Path (or of the whole artifact) could not be read or trusted
}

// ErrUnreadable is wrapped by every error that says that a file is listed but
// its content cannot be had (encrypted, corrupt, over a limit).
var ErrUnreadable = errors.New("content cannot be read")

// ErrLimit is wrapped, beside ErrUnreadable, by errors that say that a field of
// Limits was reached.
var ErrLimit = errors.New("a limit was reached")

// Content is an open regular file. It streams until Seek or ReadAt is called
// for the first time.
type Content interface {
	fs.File
	io.Seeker
	io.ReaderAt
}
