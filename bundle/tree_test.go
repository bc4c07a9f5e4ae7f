package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

func link(name, to string) ent {
	return ent{name: name, body: to, store: true, mode: 0o120777}
}

func TestTreeFS(t *testing.T) {
	code := mustOpen(t, zipOf{entries: []ent{
		{name: "index.js", body: "1"}, {name: "a.js", body: "2"}, {name: "a/b/c.js", body: strings.Repeat("3", 5000)},
		{name: "a/b.js", body: "4", store: true}, {name: "a0", body: ""}, link("l", "a/b/c.js"), link("d", "a"),
	}}.bytes())
	base := mustOpen(t, plain("nodejs/node_modules/x/package.json", "{}", "shared.js", "low"))
	over := mustOpen(t, plain("shared.js", "high"))
	empty := mustOpen(t, zipOf{}.bytes())
	tests := []struct {
		name string
		tree *Tree
		want []string
	}{
		{"volume", code.Tree(), []string{"index.js", "a/b/c.js", "a/b.js"}},
		{"composed", Compose([]Mount{{code, "var/task"}, {base, "opt"}, {over, "opt"}}), []string{"var/task/index.js", "opt/shared.js"}},
		{"empty", empty.Tree(), nil},
		{"empty mount", Compose([]Mount{{empty, "var/task"}}), []string{"var/task"}},
		{"no mounts", Compose(nil), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := fstest.TestFS(tt.tree, tt.want...); err != nil {
				t.Error(err)
			}
			checkFiles(t, tt.tree.Files())
		})
	}
}

func TestCompose(t *testing.T) {
	code := mustOpen(t, plain("index.js", "code"))
	base := mustOpen(t, zipOf{entries: []ent{{name: "a", body: "base a"}, {name: "b", body: "base b"}, {name: "dir/x", body: "base x"}, {name: "file", body: "base file"}, link("lnk", "b")}}.bytes())
	over := mustOpen(t, plain("b", "over b", "dir", "now a file", "file/y", "now a folder", "lnk/z", "now a folder"))
	tree := Compose([]Mount{{code, "/var/task/"}, {base, "opt"}, {over, "opt"}})
	var got []string
	for _, f := range tree.Files() {
		b, err := tree.ReadFile(f.Path)
		if err != nil {
			t.Error(err)
		}
		got = append(got, fmt.Sprintf("%s %d %s", f.Path, f.Layer, b))
	}
	want := "opt/a 1 base a|opt/b 2 over b|opt/dir 2 now a file|opt/file/y 2 now a folder|opt/lnk/z 2 now a folder|var/task/index.js 0 code"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("files\n%s\nwant\n%s", s, want)
	}
	got = nil
	for _, f := range tree.Hidden() {
		below := tree.Below(f.Layer)
		if f.Mode == 0 {
			b, err := below.ReadFile(f.Path)
			if err != nil {
				t.Error(err)
			}
			got = append(got, fmt.Sprintf("%s %d %s", f.Path, f.Layer, b))
		} else {
			got = append(got, fmt.Sprintf("%s %d -> %s", f.Path, f.Layer, f.Link))
		}
	}
	want = "opt/b 1 base b|opt/dir/x 1 base x|opt/file 1 base file|opt/lnk 1 -> b"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("hidden\n%s\nwant\n%s", s, want)
	}
}

func TestResolve(t *testing.T) {
	v := mustOpen(t, zipOf{entries: []ent{
		{name: "real/f", body: "1"}, link("f", "real/f"), link("d", "real"), link("dd", "d"), link("real/up", "../d/f"),
		link("abs", "/real/f"), link("out", "../../x"), link("back", "real/../../../etc/passwd"), link("loop1", "loop2"), link("loop2", "loop1"), link("self", "self/x"),
		link("gone", "nothing"), link("task", "/var/task/real/f"), link("layer", "/opt/l"), link("win", `C:\x`), link("grow", "grow/grow"), link("dots", "./././real/./f"),
		link("through", "f/x"),
	}}.bytes())
	layer := mustOpen(t, plain("l", "from the layer"))
	alone, composed := v.Tree(), Compose([]Mount{{v, "var/task"}, {layer, "opt"}})
	tests := []struct {
		tree *Tree
		name string
		want string // path, or the error
	}{
		{alone, "f", "real/f"}, {alone, "d/f", "real/f"}, {alone, "dd/f", "real/f"}, {alone, "dd/up", "real/f"}, {alone, "dots", "real/f"},
		{alone, "abs", "unreadable"}, {alone, "out", "unreadable"}, {alone, "back", "unreadable"}, {alone, "loop1", "unreadable"}, {alone, "loop1/x", "unreadable"},
		{alone, "self", "unreadable"}, {alone, "grow", "unreadable"}, {alone, "win", "unreadable"},
		{alone, "gone", "not exist"}, {alone, "f/x", "not exist"}, {alone, "through", "not exist"}, {alone, "x", "not exist"},
		{alone, "d", "invalid"}, {alone, "../x", "invalid"}, {alone, "/f", "invalid"}, {alone, "", "invalid"}, {alone, ".", "invalid"},
		{composed, "var/task/f", "var/task/real/f"}, {composed, "var/task/task", "var/task/real/f"}, {composed, "var/task/layer", "opt/l"},
		{composed, "var/task/abs", "not exist"}, {composed, "var/task/out", "not exist"}, {composed, "var/task/back", "not exist"},
	}
	for _, tt := range tests {
		f, err := tt.tree.Resolve(tt.name)
		got := f.Path
		switch {
		case errors.Is(err, ErrUnreadable):
			got = "unreadable"
		case errors.Is(err, fs.ErrNotExist):
			got = "not exist"
		case errors.Is(err, fs.ErrInvalid):
			got = "invalid"
		case err != nil:
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Resolve(%q) = %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
	if to, err := alone.ReadLink("d"); to != "real" || err != nil {
		t.Errorf("ReadLink: %q, %v", to, err)
	}
	if i, err := alone.Stat("d"); err != nil || !i.IsDir() || i.Name() != "d" {
		t.Errorf("Stat: %v, %v", i, err)
	}
	if i, err := alone.Lstat("d"); err != nil || i.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Lstat: %v, %v", i, err)
	}
	if l, err := alone.ReadDir("dd"); err != nil || len(l) != 2 {
		t.Errorf("ReadDir: %v, %v", l, err)
	}
}

func TestContent(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 10000)
	v := mustOpen(t, zipOf{entries: []ent{{name: "deflated", body: string(body)}, {name: "stored", body: string(body), store: true}, {name: "empty"}}}.bytes())
	tree := v.Tree()
	for _, name := range []string{"deflated", "stored"} {
		t.Run(name, func(t *testing.T) {
			open := func() Content {
				c, err := tree.Content(name)
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			if err := iotest.TestReader(open(), body); err != nil {
				t.Error(err)
			}
			c := open()
			var p [16]byte
			io.ReadFull(c, p[:])
			if n, err := c.ReadAt(p[:4], 10); n != 4 || err != nil || string(p[:4]) != "abcd" {
				t.Errorf("ReadAt: %q, %v", p[:n], err)
			}
			if _, err := io.ReadFull(c, p[:2]); err != nil || string(p[:2]) != "01" {
				t.Errorf("Read after ReadAt: %q, %v: the position moved", p[:2], err)
			}
			if at, err := c.Seek(-3, io.SeekEnd); at != int64(len(body))-3 || err != nil {
				t.Errorf("Seek: %d, %v", at, err)
			}
			if rest, err := io.ReadAll(c); string(rest) != "def" || err != nil {
				t.Errorf("ReadAll: %q, %v", rest, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if _, err := c.Read(p[:]); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("Read after Close: %v", err)
			}
			n, err := tree.Peek(name, p[:])
			if n != 16 || err != nil || string(p[:]) != "0123456789abcdef" {
				t.Errorf("Peek: %q, %v", p[:n], err)
			}
			long := make([]byte, len(body)+10)
			if n, err := tree.Peek(name, long); n != len(body) || err != nil {
				t.Errorf("Peek: %d, %v", n, err)
			}
		})
	}
	if n, err := tree.Peek("empty", make([]byte, 4)); n != 0 || err != nil {
		t.Errorf("Peek at an empty file: %d, %v", n, err)
	}
}

// The last bytes of a file that is not what it should be never come out as if
// all were well, however they are read.
func TestMismatchReachesReader(t *testing.T) {
	body := strings.Repeat("x", 100)
	for _, store := range []bool{false, true} {
		v := mustOpen(t, zipOf{entries: []ent{{name: "a", body: body, store: store, crc: u32(1)}}}.bytes())
		tree := v.Tree()
		ways := map[string]func() error{
			"ReadFile": func() error { _, err := tree.ReadFile("a"); return err },
			"ReadFull": func() error {
				c, _ := tree.Content("a")
				_, err := io.ReadFull(c, make([]byte, len(body)))
				return err
			},
			"ReadAll": func() error { c, _ := tree.Content("a"); _, err := io.ReadAll(c); return err },
			"ReadAt": func() error {
				c, _ := tree.Content("a")
				_, err := c.ReadAt(make([]byte, 1), 0)
				return err
			},
			"Seek": func() error { c, _ := tree.Content("a"); _, err := c.Seek(5, io.SeekStart); return err },
		}
		for name, read := range ways {
			if err := read(); !errors.Is(err, ErrUnreadable) {
				t.Errorf("%s, stored %v: error %v", name, store, err)
			}
		}
		if n := v.Notices(); len(n) != 1 || n[0].Kind != NoticeCRC || !n[0].Unread {
			t.Errorf("notices %+v", n)
		}
	}
}

func TestTreeConcurrent(t *testing.T) {
	z := zipOf{}
	for i := range 40 {
		z.entries = append(z.entries, ent{name: fmt.Sprintf("d/f%02d", i), body: strings.Repeat(fmt.Sprint(i), 3000)})
	}
	z.entries = append(z.entries, ent{name: "bad", body: "x", crc: u32(1)})
	v := mustOpen(t, z.bytes())
	tree := v.Tree()
	c, err := tree.Content("d/f07")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, f := range tree.Files() {
				b, err := tree.ReadFile(f.Path)
				if f.Path != "bad" && (err != nil || int64(len(b)) != f.Size) {
					t.Errorf("%s: %d bytes, %v", f.Path, len(b), err)
				}
			}
			p := make([]byte, 10)
			if _, err := c.ReadAt(p, 100); err != nil || string(p) != "7777777777" {
				t.Errorf("%q, %v", p, err)
			}
			v.Notices()
		})
	}
	wg.Wait()
	if n := v.Notices(); len(n) != 1 {
		t.Errorf("notices %+v", n)
	}
}
