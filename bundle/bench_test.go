package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// nodeModules makes a zip of 13,000 files that weighs about 24 MB, as a large
// Node.js function does.
func nodeModules(b *testing.B) string {
	b.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 2000)
	for i := range words {
		words[i] = fmt.Sprintf("%x ", rnd.Uint64()>>rnd.IntN(60))
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range 13_000 {
		f, err := w.Create(fmt.Sprintf("node_modules/package-%d/dist/lib/module-%d.js", i/34, i%34))
		if err != nil {
			b.Fatal(err)
		}
		for range rnd.IntN(1000) + 1 {
			io.WriteString(f, words[rnd.IntN(len(words))])
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "f.zip")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkOpen is Opener.Open of 13,000 files without the cache: read, digest,
// directory, local headers, tree.
func BenchmarkOpen(b *testing.B) {
	path := nodeModules(b)
	b.ReportAllocs()
	for b.Loop() {
		var o Opener
		f, err := o.Open(context.Background(), Spec{Ref: path})
		if err != nil || len(f.Tree.Files()) != 13_000 {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkOpenShared is the same when another function holds the artifact.
func BenchmarkOpenShared(b *testing.B) {
	path := nodeModules(b)
	var o Opener
	f, err := o.Open(context.Background(), Spec{Ref: path})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		f, err := o.Open(context.Background(), Spec{Ref: path})
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkParse is the zip alone, in memory.
func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile(nodeModules(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openZip(context.Background(), memory(data), Limits{}.withDefaults(), &decoders{}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchTree(b *testing.B) *Tree {
	var o Opener
	f, err := o.Open(context.Background(), Spec{Ref: nodeModules(b)})
	if err != nil {
		b.Fatal(err)
	}
	return f.Tree
}

// BenchmarkReadAll inflates and checks every file.
func BenchmarkReadAll(b *testing.B) {
	t := benchTree(b)
	b.ReportAllocs()
	for b.Loop() {
		var n int64
		buf := make([]byte, 32<<10)
		for _, f := range t.Files() {
			c, err := t.Content(f.Path)
			if err != nil {
				b.Fatal(err)
			}
			m, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, c, buf)
			if err != nil {
				b.Fatal(err)
			}
			n += m
			c.Close()
		}
		b.SetBytes(n)
	}
}

// BenchmarkReadAllStd is the baseline: archive/zip over the same bytes.
func BenchmarkReadAllStd(b *testing.B) {
	r, err := zip.OpenReader(nodeModules(b))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		var n int64
		for _, f := range r.File {
			c, err := f.Open()
			if err != nil {
				b.Fatal(err)
			}
			m, err := io.Copy(io.Discard, c)
			if err != nil {
				b.Fatal(err)
			}
			n += m
			c.Close()
		}
		b.SetBytes(n)
	}
}

// BenchmarkPeek looks at the first 64 bytes of every file.
func BenchmarkPeek(b *testing.B) {
	t := benchTree(b)
	var head [64]byte
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range t.Files() {
			if _, err := t.Peek(f.Path, head[:]); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkLookup finds every file by name.
func BenchmarkLookup(b *testing.B) {
	t := benchTree(b)
	for b.Loop() {
		for _, f := range t.Files() {
			if _, err := t.Resolve(f.Path); err != nil {
				b.Fatal(err)
			}
		}
	}
}
