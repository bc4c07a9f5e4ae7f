package pystrip

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// pyc writes compiled modules as CPython's marshal does, as far as the tests
// need it.
type pyc struct {
	bytes.Buffer
	minor int
}

func (w *pyc) long(n int) { _ = binary.Write(w, binary.LittleEndian, int32(n)) }

func (w *pyc) short(s string) {
	w.WriteByte('z' | 0x80)
	w.WriteByte(byte(len(s)))
	w.WriteString(s)
}

func (w *pyc) constant(v any) {
	switch v := v.(type) {
	case nil:
		w.WriteByte('N')
	case int:
		w.WriteByte('i')
		w.long(v)
	case string:
		w.short(v)
	case []any:
		w.WriteByte(')')
		w.WriteByte(byte(len(v)))
		for _, item := range v {
			w.constant(item)
		}
	case []string:
		w.WriteByte('(')
		w.long(len(v))
		for _, item := range v {
			w.short(item)
		}
	case []byte:
		w.WriteByte('s')
		w.long(len(v))
		w.Write(v)
	}
}

// module writes a file whose code is the instructions.
func (w *pyc) module(code []byte, names []string, consts ...any) []byte {
	magic := map[int]int{8: 3413, 9: 3425, 10: 3439, 11: 3495, 12: 3531, 13: 3571, 14: 3627}[w.minor]
	w.Write([]byte{byte(magic), byte(magic >> 8), '\r', '\n'})
	w.Write(make([]byte, 12))
	w.WriteByte('c' | 0x80)
	integers := 6
	if w.minor >= 11 {
		integers = 5
	}
	for range integers {
		w.long(0)
	}
	w.constant(code)
	w.constant(consts)
	w.constant(names)
	w.constant([]any{})
	w.constant([]any{})
	w.constant([]any{})
	w.constant("module.py")
	w.constant("<module>")
	w.long(1)
	w.constant([]byte{})
	if w.minor >= 11 {
		w.constant([]byte{})
	}
	return w.Bytes()
}

// instructions returns the numbers of "load a constant", "store a name" and
// "import".
func instructions(minor int) (load, store, imports, fetch byte) {
	switch {
	case minor <= 12:
		return 100, 90, 108, 109
	case minor == 13:
		return 83, 114, 75, 74
	}
	return 82, 116, 73, 72
}

func compiledModule(minor int, version string) []byte {
	load, store, imports, fetch := instructions(minor)
	code := []byte{load, 0, store, 0, load, 1, store, 1, load, 2, load, 3, imports, 3, fetch, 4, store, 4, load, 4, 83, 0}
	return (&pyc{minor: minor}).module(code, []string{"__doc__", "__version__", "x", "core", "where"}, "Doc.", version, 1, []any{"where"}, nil)
}

func TestCompiledModules(t *testing.T) {
	for minor := 8; minor <= 14; minor++ {
		t.Run(fmt.Sprint("3.", minor), func(t *testing.T) {
			c, err := readCompiled(compiledModule(minor, "1.2.3"))
			if err != nil {
				t.Fatal(err)
			}
			m := c.module(nil)
			w := &world{top: "x", load: func([]string) *module { return nil }}
			if got := versionText(w.one(m, "__version__")); got != "1.2.3" {
				t.Errorf("version %q", got)
			}
			if b := m.list[m.bindings["where"][0]]; b.from != ".core" || b.what != "where" {
				t.Errorf("import of %q from %q", b.what, b.from)
			}
		})
	}
}

// TestCompiledImport follows an import from one compiled module to another.
func TestCompiledImport(t *testing.T) {
	load, store, imports, fetch := instructions(11)
	top := (&pyc{minor: 11}).module([]byte{load, 0, load, 1, imports, 0, fetch, 1, store, 1}, []string{"_version", "__version__"}, 1, []any{"__version__"})
	for _, dir := range []string{"certifi/", "certifi/__pycache__/"} {
		tag := ""
		if strings.Contains(dir, "__pycache__") {
			tag = ".cpython-311"
		}
		r := Scan(context.Background(), input(map[string][]byte{dir + "__init__" + tag + ".pyc": top, dir + "_version" + tag + ".pyc": compiledModule(11, "2022.09.24")}), Options{})
		if len(r.Packages) != 1 || r.Packages[0].Version != "2022.9.24" {
			t.Errorf("%s: got %+v", dir, r)
		}
	}
}

// TestCompiledTwice does not choose between two versions.
func TestCompiledTwice(t *testing.T) {
	load, store, _, _ := instructions(12)
	data := (&pyc{minor: 12}).module([]byte{load, 0, store, 0, load, 1, store, 0}, []string{"__version__"}, "1.0", "2.0")
	r := Scan(context.Background(), input(map[string][]byte{"certifi/__init__.pyc": data}), Options{})
	if len(r.Packages) != 1 || r.Packages[0].Version != "" || strings.Join(r.Packages[0].Versions, " ") != "1.0 2.0" {
		t.Errorf("got %+v", r.Packages)
	}
}

func TestCompiledHostile(t *testing.T) {
	head := append([]byte{0xa7, 0x0d, '\r', '\n'}, make([]byte, 12)...)
	deep := bytes.Repeat([]byte{')', 1}, 1<<20)
	wide := append([]byte{'('}, 0xff, 0xff, 0xff, 0x7f)
	bomb := []byte{')' | 0x80, 10}
	for range 9 {
		bomb = append(bomb, ')'|0x80, 10)
	}
	for range 100 {
		bomb = append(bomb, 'r', 0, 0, 0, 0)
	}
	for name, body := range map[string][]byte{
		"empty": nil, "deep": deep, "a billion elements": wide, "a bomb of references": bytes.Repeat(bomb, 100), "reference to nothing": {'r', 9, 0, 0, 0}, "negative": {'s', 0xff, 0xff, 0xff, 0xff},
		"dict without an end": {'{', 'N', 'N'}, "many small": append([]byte{'(', 0, 0, 0x40, 0}, bytes.Repeat([]byte{'N'}, 4<<20)...),
	} {
		start := time.Now()
		if _, err := readCompiled(append(bytes.Clone(head), body...)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
}
