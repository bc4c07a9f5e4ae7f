package bundle

import (
	"bytes"
	"compress/flate"
	stdgzip "compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// mixed makes n bytes that need every kind of block.
func mixed(n int) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	var b bytes.Buffer
	for b.Len() < n {
		switch rnd.IntN(5) {
		case 0:
			for range rnd.IntN(70_000) {
				b.WriteByte(byte(rnd.Uint32()))
			}
		case 1:
			b.Write(make([]byte, rnd.IntN(300_000)))
		case 2:
			for range rnd.IntN(20_000) {
				fmt.Fprintf(&b, "%x ", rnd.Uint32()>>rnd.IntN(32))
			}
		case 3:
			for range rnd.IntN(40_000) {
				b.WriteByte(byte(rnd.ExpFloat64() * 9))
			}
		default:
			if back := rnd.IntN(min(b.Len(), 32<<10) + 1); back > 0 {
				b.Write(bytes.Clone(b.Bytes()[b.Len()-back:]))
			}
		}
	}
	return b.Bytes()[:n]
}

func packedWith(t testing.TB, level int, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := stdgzip.NewWriterLevel(&buf, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Name, w.Comment, w.Extra = "name", "comment", []byte("extra")
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

// TestGunzip inflates what the standard library packs, and reads on from every
// place that it took note of.
func TestGunzip(t *testing.T) {
	data := mixed(18 << 20)
	for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, 6, 9} {
		packed := packedWith(t, level, data)
		packed = append(packed, packedWith(t, 6, data[:5<<20])...)
		want := append(bytes.Clone(data), data[:5<<20]...)
		z := newGunzip(bytes.NewReader(packed))
		got, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("level %d: %d bytes, want %d, %v", level, len(got), len(want), err)
		}
		if len(z.points) < 4 {
			t.Errorf("level %d: %d places", level, len(z.points))
		}
		for _, p := range z.points {
			r, err := resumeGunzip(iotest.HalfReader(bytes.NewReader(packed[p.bit/8:])), p)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want[p.out:]) {
				t.Fatalf("level %d, from %d: %d bytes, want %d, %v", level, p.out, len(got), len(want[p.out:]), err)
			}
		}
	}
	for _, b := range [][]byte{{}, []byte("a"), bytes.Repeat([]byte("ab"), 200)} {
		packed := packedWith(t, 6, b)
		if got, err := io.ReadAll(newGunzip(iotest.OneByteReader(bytes.NewReader(packed)))); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%q: %q, %v", b, got, err)
		}
		for n := range packed {
			if _, err := io.ReadAll(newGunzip(bytes.NewReader(packed[:n]))); err != io.ErrUnexpectedEOF {
				t.Errorf("%q cut at %d: %v", b, n, err)
			}
		}
	}
	if _, err := io.ReadAll(newGunzip(iotest.ErrReader(errChanged))); err != errChanged {
		t.Errorf("error of the source: %v", err)
	}
}

// TestInflateErrors are streams that no deflate encoder writes.
func TestInflateErrors(t *testing.T) {
	for name, raw := range map[string]string{
		"reserved block":               "\x07",
		"stored length":                "\x01\x05\x00\x00\x00abcde",
		"distance before the start":    "\x03\x02\x00\x00",
		"too many codes":               "\xfd\xff" + strings.Repeat("\xff", 20),
		"code lengths over-subscribed": "\x05\xe0\xff\xff\xff\xff\xff\xff\xff",
		"cut":                          "\x05",
	} {
		t.Run(name, func(t *testing.T) {
			head := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
			got, err := io.ReadAll(newGunzip(strings.NewReader(head + raw)))
			_, std := io.ReadAll(flate.NewReader(strings.NewReader(raw)))
			if err == nil || std == nil {
				t.Errorf("%q, %v; the standard library %v", got, err, std)
			}
		})
	}
}

// FuzzGunzip holds the inflater against that of the standard library.
func FuzzGunzip(f *testing.F) {
	for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
		f.Add(packedWith(f, level, mixed(3000)))
	}
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const most = 1 << 20
		z := newGunzip(bytes.NewReader(b))
		got, err := io.ReadAll(io.LimitReader(z, most))
		std, serr := stdgzip.NewReader(bytes.NewReader(b))
		var want []byte
		if serr == nil {
			want, serr = io.ReadAll(io.LimitReader(std, most))
		}
		if (err == nil) != (serr == nil) || serr == nil && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v; the standard library %d, %v", len(got), err, len(want), serr)
		}
	})
}

func BenchmarkGunzip(b *testing.B) {
	data := mixed(32 << 20)
	packed := packedWith(b, 6, data)
	for name, open := range map[string]func() io.Reader{
		"ours": func() io.Reader { return newGunzip(bytes.NewReader(packed)) },
		"standard": func() io.Reader {
			r, _ := stdgzip.NewReader(bytes.NewReader(packed))
			return r
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			buf := make([]byte, 256<<10)
			for b.Loop() {
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{open()}, buf); err != nil || n != int64(len(data)) {
					b.Fatal(n, err)
				}
			}
		})
	}
}
