package codec

import (
	"bytes"
	"fmt"
	"strings"
)

// Frame is a document with empty lists as WriteJSON writes it, cut where those are
// to be filled: behind each mark, which is a key as it stands, in their order.
func Frame(doc any, marks ...string) ([]string, error) {
	var b strings.Builder
	if err := WriteJSON(&b, doc); err != nil {
		return nil, err
	}
	rest := b.String()
	var parts []string
	for _, m := range marks {
		before, after, ok := strings.Cut(rest, m+"[]")
		if !ok {
			return nil, fmt.Errorf("there is no empty list %q", strings.TrimSpace(m))
		}
		parts = append(parts, before+m)
		rest = after
	}
	return append(parts, rest), nil
}

// Indented writes a value as WriteJSON does where it stands deeper in a document,
// each line but the first behind a prefix, without the line break at its end.
func Indented(b *bytes.Buffer, v any, prefix string) error {
	err := WriteJSON(&indenter{b, prefix}, v)
	b.Truncate(len(bytes.TrimRight(b.Bytes(), " \n")))
	return err
}

// indenter puts a prefix behind each line break. No string of JSON has one of its
// own.
type indenter struct {
	b      *bytes.Buffer
	prefix string
}

func (w *indenter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			w.b.Write(rest)
			break
		}
		w.b.Write(rest[:n])
		w.b.WriteString(w.prefix)
		rest = rest[n:]
	}
	return len(p), nil
}
