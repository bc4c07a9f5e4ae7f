package reach

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

const lib = "example.com/vuln/lib"

// forms are the ways in which code gets into a binary.
func forms(t testing.TB) []*vulndb.Advisory {
	var list []*vulndb.Advisory
	for _, name := range []string{"Plain", "Inlined", "Leaf", "T.Pointer", "T.Value", "T.Dynamic", "Generic", "G.Method", "WithClosure", "Deferred"} {
		list = append(list, record(t, "GO-2026-"+strings.ReplaceAll(name, ".", "-"), symbol(lib, name)))
	}
	return append(list,
		record(t, "GO-2026-asm", symbol("example.com/vuln/asm", "Sum")),
		record(t, "GO-2026-setup", symbol("example.com/vuln/onlyinit", "setup")),
		record(t, "GO-2026-some", symbol(lib, "Missing", "Plain")))
}

// TestPresent finds each form, whatever was stripped, inlined or aimed at.
func TestPresent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		env   []string
		flags []string
	}{
		{name: "default"},
		{name: "stripped", flags: []string{"-ldflags=-s -w"}},
		{name: "no inlining", flags: []string{"-gcflags=all=-l", "-ldflags=-w"}},
		{name: "no optimisation", flags: []string{"-gcflags=all=-N -l"}},
		{name: "position independent", flags: []string{"-buildmode=pie", "-ldflags=-s -w"}},
		{name: "Windows", env: []string{"GOOS=windows"}, flags: []string{"-ldflags=-s -w"}},
		{name: "macOS", env: []string{"GOOS=darwin"}, flags: []string{"-ldflags=-s -w"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && tt.env != nil {
				t.Skip("compiles the standard library for another system")
			}
			t.Parallel()
			list := forms(t)
			res := ask(t, build(t, usesAll, tt.env, tt.flags...), list...)
			if res.Partial != "" {
				t.Errorf("partial: %s", res.Partial)
			}
			for _, a := range res.Answers {
				if a.ID == "GO-2026-WithClosure" && a.State == Unknown && strings.Contains(a.Detail, "inlined around a closure") {
					continue // nothing of it is left but its closure, whose name does not say of which package it is
				}
				if a.State != Present || len(a.Found) == 0 {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// TestAbsent proves what is not there, and nothing more.
func TestAbsent(t *testing.T) {
	list := append(forms(t),
		record(t, "GO-2026-windows", `[{"path":"`+lib+`","goos":["windows"],"symbols":["Plain"]}]`),
		record(t, "GO-2026-nothing", symbol("example.com/vuln/data", "Load")),
		record(t, "GO-2026-init", symbol(lib, "init")),
		record(t, "GO-2026-closure", symbol(lib, "func1")),
		record(t, "GO-2026-package", `[{"path":"example.com/vuln/onlyinit"}]`),
		record(t, "GO-2026-module", `[]`),
		advisory(t, "GO-2026-other", "example.com/other", symbol("example.com/other", "F")),
		advisory(t, "GO-2026-std", "stdlib", symbol("net/http", "Get")),
		advisory(t, "GO-2026-fmt", "stdlib", symbol("fmt", "Fprintf")),
		advisory(t, "GO-2026-tool", "toolchain", symbol("cmd/go", "main")),
	)
	open := map[string]string{ // the answers that are not absent
		"GO-2026-other": "does not list a module", "GO-2026-tool": "does not list a module", "GO-2026-fmt": "1 of them is in the binary",
		"GO-2026-package": "data cannot be seen in a stripped one", "GO-2026-module": "data cannot be seen in a stripped one",
	}
	for _, tt := range []struct {
		name  string
		open  map[string]string
		flags []string
	}{
		{"stripped", open, []string{"-ldflags=-s -w"}},
		{"whole", map[string]string{"GO-2026-other": open["GO-2026-other"], "GO-2026-tool": open["GO-2026-tool"], "GO-2026-fmt": open["GO-2026-fmt"]}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := ask(t, build(t, usesNone, nil, tt.flags...), list...)
			if res.Partial != "" || res.Stripped != (tt.name == "stripped") || res.Go != runtime.Version() || res.Functions < 1000 {
				t.Errorf("%+v", Result{Partial: res.Partial, Stripped: res.Stripped, Go: res.Go, Functions: res.Functions})
			}
			for _, a := range res.Answers {
				why, isOpen := tt.open[a.ID]
				if a.State == Absent == isOpen || !strings.Contains(a.Detail, why) {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// TestTypeName holds that a type's name among the symbols leaves the answer open.
func TestTypeName(t *testing.T) {
	res := ask(t, build(t, usesAll, nil), record(t, "GO-2026-type", symbol(lib, "T")), record(t, "GO-2026-init", symbol(lib, "init")))
	for i, want := range []string{"name of a type", "what the compiler makes"} {
		if a := res.Answers[i]; a.State != Unknown || !strings.Contains(a.Detail, want) {
			t.Errorf("%+v", a)
		}
	}
}

// TestRenamed edits names as an obfuscator does: nothing is absent any more.
func TestRenamed(t *testing.T) {
	path := build(t, usesNone, nil, "-ldflags=-s -w")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"package of nobody", "\x00internal/bytealg.IndexByteString\x00", "\x00qnternal/bytealg.IndexByteString\x00", "belongs to no module"},
		{"no name", "\x00internal/bytealg.IndexByteString\x00", "\x00internal/bytealg\x01IndexByteString\x00", "no toolchain writes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(string(whole), tt.from) == 0 {
				t.Fatal("the binary does not have the name")
			}
			edited := strings.Replace(string(whole), tt.from, tt.to, 1)
			res, err := checker(t).Check(t.Context(), Source{Binary: strings.NewReader(edited)}, forms(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range res.Answers {
				if a.State != Unknown || !strings.Contains(a.Detail, "module level, symbols unknown") || !strings.Contains(a.Detail, tt.want) {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// TestNoTable takes the function table away: module level is all there is.
func TestNoTable(t *testing.T) {
	whole, err := os.ReadFile(build(t, usesNone, nil, "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.ReplaceAll(string(whole), "\xf1\xff\xff\xff\x00\x00", "\xf2\xff\xff\xff\x00\x00")
	res, err := checker(t).Check(t.Context(), Source{Binary: strings.NewReader(edited)}, forms(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range res.Answers {
		if a.State != Unknown || !strings.Contains(a.Detail, "module level, symbols unknown: no function table") {
			t.Errorf("%+v", a)
		}
	}
}

// TestBroken holds that what cannot be read is an error and never an answer.
func TestBroken(t *testing.T) {
	whole, err := os.ReadFile(build(t, usesNone, nil, "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	list := forms(t)
	for name, b := range map[string]string{
		"empty": "", "text": "#!/bin/sh\n", "head": string(whole[:4096]), "UPX": "\x7fELF" + strings.Repeat("\x00", 300) + "UPX!",
	} {
		if res, err := checker(t).Check(t.Context(), Source{Binary: strings.NewReader(b)}, list); err == nil {
			t.Errorf("%s: %+v", name, res)
		}
	}
	for _, cut := range []int{len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4} {
		res, err := checker(t).Check(t.Context(), Source{Binary: strings.NewReader(string(whole[:cut]))}, list)
		if err != nil {
			continue
		}
		for _, a := range res.Answers {
			if a.State == Absent && res.Partial != "" {
				t.Errorf("cut at %d: %+v", cut, a)
			}
		}
	}
	c := checker(t)
	c.MaxBinary = 1000
	if _, err := c.Check(t.Context(), Source{Binary: strings.NewReader(string(whole))}, list); err == nil || !strings.Contains(err.Error(), "over 1000 bytes") {
		t.Errorf("too large: %v", err)
	}
}

// TestKilled holds that a child which does not come to an end leaves an error.
func TestKilled(t *testing.T) {
	whole, err := os.ReadFile(build(t, usesNone, nil, "-ldflags=-s -w"))
	if err != nil {
		t.Fatal(err)
	}
	c := checker(t)
	c.Timeout = time.Microsecond
	if _, err := c.Check(t.Context(), Source{Binary: strings.NewReader(string(whole))}, forms(t)); err == nil || !strings.Contains(err.Error(), "not done after") {
		t.Errorf("timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := checker(t).Check(ctx, Source{Binary: strings.NewReader(string(whole))}, forms(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c = checker(t)
	c.Program = "/bin/false" // dies at once, with nothing said
	if runtime.GOOS == "linux" {
		if _, err := c.Check(t.Context(), Source{Binary: strings.NewReader(string(whole))}, forms(t)); err == nil {
			t.Error("a child that fails is an answer")
		}
	}
	if _, err := (&Checker{}).Check(t.Context(), Source{Blob: []byte{1}}, nil); err == nil {
		t.Error("the zero Checker answers")
	}
}

// TestNoAdvisories keeps the blob although nothing is asked.
func TestNoAdvisories(t *testing.T) {
	if res := ask(t, build(t, usesNone, nil, "-ldflags=-s -w")); len(res.Blob) == 0 || len(res.Answers) != 0 {
		t.Errorf("%+v", res)
	}
}

func BenchmarkCheck(b *testing.B) {
	path := build(b, usesAll, nil, "-ldflags=-s -w")
	list := forms(b)
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := checker(b).Check(b.Context(), Source{Binary: f}, list); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
