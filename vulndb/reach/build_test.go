package reach

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/vulndb"
)

// The module that the tests' advisories are about. Its functions are the ways
// in which code can be in a binary, or not.
const libSource = `package lib

import "os"

type T struct{ n int }

//go:noinline
func Plain(s string) int { return len(os.Getenv(s)) }

// Inlined is too small to be a function of its own.
func Inlined(s string) int { return len(os.Getenv(s)) + 1 }

// Leaf is inlined and calls nothing.
func Leaf(a []int, n int) int { return a[n&1]*7 ^ n }

//go:noinline
func (t *T) Pointer(s string) int { t.n++; return len(os.Getenv(s)) }

//go:noinline
func (t T) Value(s string) int { return t.n + len(os.Getenv(s)) }

func (t *T) Dynamic(s string) int { return t.n + len(os.Getenv(s)) }

//go:noinline
func Generic[E any](s []E) int { return len(s) + len(os.Args) }

type G[E any] struct{ list []E }

//go:noinline
func (g *G[E]) Method() int { return len(g.list) + len(os.Args) }

func WithClosure(s string) func() int {
	return func() int { return len(os.Getenv(s)) }
}

//go:noinline
func Deferred(s string) int { return len(os.Getenv(s)) + 2 }
`

const onlyInit = `package onlyinit

import "os"

var n = setup()

//go:noinline
func setup() int { return len(os.Args) }

func Never() int { return n }
`

const asmGo = `package asm

func Sum(a, b int) int
`

const asmText = `#include "textflag.h"

TEXT ·Sum(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), AX
	ADDQ b+8(FP), AX
	MOVQ AX, ret+16(FP)
	RET
`

const usesAll = `package main

import (
	"fmt"
	"os"

	"example.com/vuln/lib"
	"example.com/vuln/asm"
	_ "example.com/vuln/onlyinit"
)

type dyn interface{ Dynamic(string) int }

func main() {
	t := &lib.T{}
	var d dyn = t
	f := t.Pointer
	defer lib.Deferred("x")
	go lib.Plain("x")
	fmt.Println(lib.Inlined("x"), lib.Leaf([]int{len(os.Args), 2}, len(os.Args)), f("x"), t.Value("x"), d.Dynamic("x"),
		lib.Generic(os.Args), (&lib.G[string]{}).Method(), lib.WithClosure("x")(), asm.Sum(len(os.Args), 2))
}
`

const usesNone = `package main

import (
	"fmt"

	"example.com/vuln/lib"
)

//go:noinline
func show(v any) { fmt.Printf("%T\n", v == nil) }

func main() {
	var t *lib.T
	show(t == nil)
}
`

// build makes a binary of a main package and of the module example.com/vuln
// v1.0.0, which it gets from a proxy in a folder: no network. It skips the test
// where there is no toolchain, or none for the target.
func build(t testing.TB, source string, env []string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const mod = "module example.com/vuln\n\ngo 1.21\n"
	write("app/go.mod", "module example.com/fn\n\ngo 1.21\n\nrequire example.com/vuln v1.0.0\n")
	write("app/main.go", source)
	write("proxy/example.com/vuln/@v/v1.0.0.info", `{"Version":"v1.0.0"}`)
	write("proxy/example.com/vuln/@v/v1.0.0.mod", mod)
	write("proxy/example.com/vuln/@v/v1.0.0.zip", zipped(t, map[string]string{
		"go.mod": mod, "lib/lib.go": libSource, "onlyinit/init.go": onlyInit, "asm/asm.go": asmGo, "asm/asm_amd64.s": asmText,
		"data/data.go": "package data\n\nvar Table = [...]string{\"a\", \"b\"}\n",
	}))
	out := filepath.Join(dir, "bootstrap")
	cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", out}, flags...), ".")...)
	cmd.Dir = filepath.Join(dir, "app")
	cmd.Env = append(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(filepath.Join(dir, "proxy")), "GONOSUMDB=*", "GONOSUMCHECK=1", "GOFLAGS=-mod=mod -modcacherw -buildvcs=false",
		"GOMODCACHE="+filepath.Join(dir, "mod"), "GOTOOLCHAIN=local", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	cmd.Env = append(cmd.Env, env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		if _, missing := exec.LookPath("go"); missing != nil {
			t.Skip("no Go toolchain")
		}
		t.Fatalf("go build: %v\n%s", err, text)
	}
	return out
}

func zipped(t testing.TB, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create("example.com/vuln@v1.0.0/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// record makes an advisory about example.com/vuln.
func record(t testing.TB, id, imports string) *vulndb.Advisory {
	t.Helper()
	return advisory(t, id, "example.com/vuln", imports)
}

func advisory(t testing.TB, id, name, imports string) *vulndb.Advisory {
	t.Helper()
	text := `{"id":"` + id + `","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"` + name + `"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],"ecosystem_specific":{"imports":` + imports + `}}]}`
	if !json.Valid([]byte(text)) {
		t.Fatalf("%s is no JSON", text)
	}
	a, err := vulndb.ParseRecord([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func checker(t testing.TB) *Checker {
	t.Helper()
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	return &Checker{Program: self, TempDir: t.TempDir()}
}

// ask checks a file, and checks its blob: both must give the same answers.
func ask(t testing.TB, path string, list ...*vulndb.Advisory) *Result {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := checker(t)
	res, err := c.Check(t.Context(), Source{Binary: f}, list)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Check(t.Context(), Source{Blob: res.Blob}, list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if a, b := res.Answers[i], again.Answers[i]; a.State != b.State || a.Detail != b.Detail {
			t.Errorf("the binary says %v, its blob %v", a, b)
		}
	}
	if !bytes.Equal(res.Blob, again.Blob) {
		t.Error("the blob changed")
	}
	return res
}

func symbol(pkg string, names ...string) string {
	return `[{"path":"` + pkg + `","symbols":["` + strings.Join(names, `","`) + `"]}]`
}
