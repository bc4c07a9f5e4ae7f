package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
)

// code opens the code of a function: what Ref names, the text that stands in
// the descriptor, or the reason why it cannot be had.
func (o *Opener) code(ctx context.Context, spec Spec, lim Limits) (*pack, error) {
	switch {
	case spec.Unread != "":
		return nil, &unreadError{spec.Unread}
	case spec.Inline != nil:
		return openInline(spec.Inline, lim, &o.dec)
	}
	return o.artifact(ctx, spec.Ref, spec, lim)
}

// unreadError says why a declared artifact cannot be had. It wraps ErrUnreadable
// and does not repeat its words: the reason is a whole sentence.
type unreadError struct{ reason string }

func (e *unreadError) Error() string { return e.reason }
func (e *unreadError) Unwrap() error { return ErrUnreadable }

// openInline makes a volume of one file. Its digest is that of the text.
func openInline(in *Inline, lim Limits, dec *decoders) (*pack, error) {
	text := []byte(in.Text)
	switch {
	case len(text) == 0:
		return nil, fmt.Errorf("the code in the descriptor is empty: %w", ErrUnreadable)
	case int64(len(text)) > lim.MaxFileBytes:
		return nil, errors.New("the code in the descriptor is over the limit MaxFileBytes")
	}
	h := sha256.New()
	h.Write(text)
	p := &pack{kind: KindInline, digest: digestOf(h), length: int64(len(text)), src: memory(text), lim: lim, dec: dec}
	log := &noticeLog{max: lim.MaxNotices}
	path, odd := cleanPath(in.Name, lim)
	if odd != "" {
		log.add(Notice{Path: path, Kind: odd, Detail: "named " + quoted(in.Name)})
	}
	p.copies = []listing{{
		files:   []File{{Path: path, Size: int64(len(text))}},
		entries: []entry{{packed: int64(len(text)), method: methodPlain}},
	}}
	p.notices = log.list()
	return p, nil
}
