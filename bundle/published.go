package bundle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Published is the archive of one package as a registry has it: a zip (a wheel,
// a Go module, a NuGet package) or a tar that is packed with gzip (npm, a Python
// source distribution).
type Published struct {
	Ref    string // what it is called
	Bytes  io.ReaderAt
	Size   int64
	Digest Digest
	Folder string // where a tar's content lies once it is installed, instead of in the tar's own first folder: "node_modules/axios"; "" leaves its names as they are
}

// maxUnpacked bounds in bytes what a packed tar holds: it is kept in memory.
const maxUnpacked = 256 << 20

// OpenPublished opens a published archive as if it were the code of a function
// that has nothing else. The caller closes the result, and keeps Bytes until
// then. The error wraps ErrUnreadable, or ErrUnknownKind for what is neither a
// zip nor a packed tar.
func OpenPublished(ctx context.Context, a Published, lim Limits) (*Function, error) {
	lim = lim.withDefaults()
	if a.Size < 0 || a.Size > lim.MaxArtifactBytes {
		return nil, fmt.Errorf("open %s: %w", a.Ref, &unreadable{kind: NoticeLimit, detail: fmt.Sprintf("%d bytes, over MaxArtifactBytes, %d", a.Size, lim.MaxArtifactBytes)})
	}
	src := section{a.Bytes, a.Size}
	head, err := src.view(0, min(a.Size, 4))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a.Ref, err)
	}
	var p *pack
	switch {
	case bytes.HasPrefix(head, []byte("PK")):
		p, err = openZip(ctx, src, lim, &decoders{})
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		p, err = openTarball(ctx, src, a.Folder, lim)
	default:
		err = fmt.Errorf("%w: neither a zip nor a tar that is packed with gzip", ErrUnknownKind)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a.Ref, err)
	}
	p.digest, p.length = a.Digest, a.Size
	f := &Function{Spec: Spec{Ref: a.Ref, Name: a.Ref, Platform: PlatformNone}, Name: a.Ref}
	f.add(p, a.Ref, &Opener{})
	f.Code = f.Volumes[0].Artifact
	f.assemble()
	return f, nil
}

// openTarball reads a packed tar into memory. Package managers take regular
// files only; what else is in it is a notice. The first folder, whatever its
// name, is what npm takes off.
func openTarball(ctx context.Context, src source, folder string, lim Limits) (*pack, error) {
	z, err := gzip.NewReader(bufio.NewReader(src.stream(0, src.size())))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	p := &pack{kind: KindZip, lim: lim, dec: &decoders{}}
	log := &noticeLog{max: lim.MaxNotices}
	most := min(maxUnpacked, lim.MaxTotalBytes)
	t := &tarball{content: &bytes.Buffer{}, folder: folder, lim: lim, log: log}
	err = t.read(ctx, tar.NewReader(io.LimitReader(z, 2*most)), most)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && len(t.records) == 0:
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	case err != nil:
		log.add(Notice{Kind: t.fault(err), Detail: "read so far: " + err.Error(), Unread: true})
	}
	p.src = memory(t.content.Bytes())
	data := t.content.Bytes()
	p.arrange(t.records, log, func(a, b *entry) bool {
		return bytes.Equal(data[a.offset:a.offset+a.packed], data[b.offset:b.offset+b.packed])
	})
	p.notices = log.list()
	return p, nil
}

// tarball is a packed tar while it is read.
type tarball struct {
	content *bytes.Buffer // of all files, one behind the other
	folder  string
	records []record
	lim     Limits
	log     *noticeLog
	over    bool
}

var errUnpacked = errors.New("more than is kept in memory")

func (t *tarball) fault(err error) NoticeKind {
	switch {
	case t.over:
		return NoticeLimit
	case errors.Is(err, io.ErrUnexpectedEOF):
		return NoticeTruncated
	}
	return NoticeCorrupt
}

func (t *tarball) read(ctx context.Context, r *tar.Reader, most int64) error {
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= t.lim.MaxEntries {
			t.over = true
			return fmt.Errorf("over MaxEntries, %d", t.lim.MaxEntries)
		}
		if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name, odd := t.place(h.Name)
		if odd != "" {
			t.log.add(Notice{Path: name, Kind: odd, Detail: "named " + quoted(h.Name)})
		}
		if h.Typeflag != tar.TypeReg {
			t.log.add(Notice{Path: name, Kind: NoticeSpecial, Detail: "neither a file nor a folder: package managers leave it out"})
			continue
		}
		start := int64(t.content.Len())
		size, err := io.Copy(t.content, io.LimitReader(r, most-start+1))
		if err == nil && start+size > most {
			t.content.Truncate(int(start))
			t.over = true
			err = fmt.Errorf("%w: over %d bytes", errUnpacked, most)
		}
		if err != nil {
			return err
		}
		t.records = append(t.records, record{File: File{Path: name, Size: size}, entry: entry{offset: start, packed: size, method: methodPlain}, order: n, odd: odd != ""})
	}
}

// place is where an entry lies once it is installed.
func (t *tarball) place(name string) (string, NoticeKind) {
	clean, odd := cleanPath(name, t.lim)
	if t.folder == "" || odd == NoticeTraversal {
		return clean, odd
	}
	if _, rest, below := strings.Cut(clean, "/"); below {
		clean = rest
	}
	return path.Join(t.folder, clean), odd
}
