package jar

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// unknownAt returns the unknown of one kind at a path.
func unknownAt(r Result, kind sbom.UnknownKind, p string) *sbom.Unknown {
	for i := range r.Unknowns {
		if u := &r.Unknowns[i]; u.Kind == kind && u.Path == p {
			return u
		}
	}
	return nil
}

// nest packs an archive into archives, depth times.
func nest(t testing.TB, depth int, inner ...file) []file {
	for range depth {
		inner = []file{jarFile(t, "n.jar", inner...)}
	}
	return inner
}

// spoiled changes one byte of the content of the last file of a zip, so that
// its CRC is wrong. The content must be stored and end in "spoil".
func spoiled(t testing.TB, data []byte) []byte {
	i := bytes.LastIndex(data, []byte("spoil"))
	if i < 0 {
		t.Fatal("nothing to spoil")
	}
	data[i]++
	return data
}

// encrypted sets the flag of encryption in every header of a zip.
func encrypted(data []byte) []byte {
	for _, h := range []struct {
		magic string
		flag  int
	}{{"PK\x03\x04", 6}, {"PK\x01\x02", 8}} {
		for at := 0; ; at += 4 {
			i := bytes.Index(data[at:], []byte(h.magic))
			if i < 0 {
				break
			}
			at += i
			data[at+h.flag] |= 1
		}
	}
	return data
}

// TestHostile demands that what cannot be read is said, each at its path, and
// that it concerns code.
func TestHostile(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	whole := zipOf(t, properties("com.acme", "rocket", "1.0"), file{name: "a", data: []byte(strings.Repeat("text", 1000)), stored: true})
	tests := []struct {
		name  string
		opts  Options
		files []file
		kind  sbom.UnknownKind
		path  string
		found int
	}{
		{name: "nested too deep", opts: Options{MaxDepth: 3}, files: nest(t, 4, properties("com.acme", "rocket", "1.0")), kind: sbom.Limit, path: "n.jar!/n.jar!/n.jar!/n.jar"},
		{name: "as deep as it may", opts: Options{MaxDepth: 4}, files: nest(t, 4, properties("com.acme", "rocket", "1.0")), found: 1},
		{name: "too many archives", opts: Options{MaxArchives: 1}, files: []file{jarFile(t, "a.jar"), jarFile(t, "b.jar")}, kind: sbom.Limit, path: "b.jar"},
		{name: "a large nested archive", opts: Options{MaxNested: 1000}, files: []file{jarFile(t, "a.jar", file{name: "x.txt", data: []byte(long), stored: true})}, kind: sbom.Limit, path: "a.jar"},
		{name: "much is held", opts: Options{MaxHeld: 1500}, files: nest(t, 3, file{name: "x.txt", data: noise(600)}), kind: sbom.Limit, path: "n.jar!/n.jar"},
		{name: "much is inflated", opts: Options{MaxInflated: 1500}, files: []file{{name: "a.jar", data: zipOf(t, file{name: "x.txt", data: make([]byte, 900), stored: true})},
			{name: "b.jar", data: zipOf(t, file{name: "x.txt", data: make([]byte, 900), stored: true})}}, kind: sbom.Limit, path: "b.jar"},
		{name: "much text is inflated", opts: Options{MaxInflated: 1000}, files: []file{{name: "a.jar", stored: true, data: zipOf(t, text("META-INF/maven/a.a/b/pom.properties", "version=1", strings.Repeat("#", 900)), text("META-INF/maven/a.a/c/pom.properties", "version=1", strings.Repeat("#", 900)))}},
			kind: sbom.Limit, path: "a.jar!/META-INF/maven/a.a/c/pom.properties", found: 2},
		{name: "many entries", opts: Options{MaxEntries: 10}, files: []file{jarFile(t, "a.jar", classes("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")...)}, kind: sbom.Limit, path: "a.jar"},
		{name: "many packages", opts: Options{MaxPackages: 1}, files: []file{jarFile(t, "a.jar", properties("a.b", "c", "1"), properties("a.b", "d", "1"))}, kind: sbom.Limit, path: "", found: 1},
		{name: "many unknowns", opts: Options{MaxUnknowns: 1}, files: []file{{name: "a.jar", data: []byte("x")}, {name: "b.jar", data: []byte("x")}}, kind: sbom.Limit, path: ""},
		{name: "no zip", files: []file{{name: "a.jar", data: []byte("this is no archive at all")}}, kind: sbom.Unreadable, path: "a.jar"},
		{name: "empty", files: []file{{name: "a.jar"}}, kind: sbom.Unreadable, path: "a.jar"},
		{name: "truncated", files: []file{{name: "a.jar", data: whole[:len(whole)-100]}}, kind: sbom.Unreadable, path: "a.jar"},
		{name: "truncated in an archive", files: []file{jarFile(t, "a.jar", properties("a.b", "c", "1"), file{name: "b.jar", data: whole[:len(whole)/2]})}, kind: sbom.Unreadable, path: "a.jar!/b.jar", found: 1},
		{name: "tiny in an archive", files: []file{jarFile(t, "a.jar", properties("a.b", "c", "1"), file{name: "b.jar", data: []byte("PK")})}, kind: sbom.Unreadable, path: "a.jar!/b.jar", found: 1},
		{name: "giant manifest", files: []file{jarFile(t, "a.jar", text("META-INF/MANIFEST.MF", "Main-Class: a.B", "X: "+long))}, kind: sbom.Limit, path: "a.jar!/META-INF/MANIFEST.MF"},
		{name: "giant pom.properties", files: []file{jarFile(t, "a.jar", text("META-INF/maven/a.b/c/pom.properties", "version="+long))}, kind: sbom.Limit, path: "a.jar!/META-INF/maven/a.b/c/pom.properties", found: 1},
		{name: "too many properties", files: []file{jarFile(t, "a.jar", text("META-INF/maven/a.b/c/pom.properties", numbered("k%d=1", maxProperties+1)))}, kind: sbom.Limit, path: "a.jar!/META-INF/maven/a.b/c/pom.properties", found: 1},
		{name: "giant pom.xml", files: []file{jarFile(t, "a.jar", pom("a.b", "c", long))}, kind: sbom.Limit, path: "a.jar!/META-INF/maven/a.b/c/pom.xml", found: 1},
		{name: "broken pom.xml", files: []file{jarFile(t, "a.jar", text("META-INF/maven/a.b/c/pom.xml", "<project><artifactId>"))}, kind: sbom.Unreadable, path: "a.jar!/META-INF/maven/a.b/c/pom.xml", found: 1},
		{name: "wrong CRC of metadata", files: []file{{name: "a.jar", stored: true, data: spoiled(t, zipOf(t, file{name: "META-INF/maven/a.b/c/pom.properties", data: []byte("version=1\n#spoil"), stored: true}))}},
			kind: sbom.Unreadable, path: "a.jar!/META-INF/maven/a.b/c/pom.properties", found: 1},
		{name: "wrong CRC of a version file", files: []file{{name: "a.jar", stored: true, data: spoiled(t, zipOf(t, file{name: "META-INF/a.b_c.version", data: []byte("1.spoil"), stored: true}))}},
			kind: sbom.Unreadable, path: "a.jar!/META-INF/a.b_c.version"},
		{name: "wrong CRC of a nested archive", files: []file{{name: "a.jar", stored: true, data: spoiled(t, zipOf(t, properties("a.b", "c", "1"), file{name: "b.jar", stored: true, data: zipOf(t, file{name: "x", data: []byte("spoil"), stored: true})}))}},
			kind: sbom.Unreadable, path: "a.jar!/b.jar", found: 1},
		{name: "encrypted", files: []file{{name: "a.jar", stored: true, data: encrypted(zipOf(t, properties("a.b", "c", "1")))}}, kind: sbom.Unreadable, path: "a.jar!/META-INF/maven/a.b/c/pom.properties", found: 1},
		{name: "encrypted nested archive", files: []file{{name: "a.jar", stored: true, data: zipOf(t, file{name: "b.jar", stored: true, data: encrypted(zipOf(t, properties("a.b", "c", "1")))})}},
			kind: sbom.Unreadable, path: "a.jar!/b.jar!/META-INF/maven/a.b/c/pom.properties", found: 1},
		{name: "broken class that has the version", files: []file{jarFile(t, "a.jar", append(append(classes("q/A"), gson("x/gson")...), file{name: "x/gson/internal/GsonBuildConfig.class", data: []byte("no class")})...)},
			kind: sbom.Unreadable, path: "a.jar!/x/gson/internal/GsonBuildConfig.class", found: 1},
		{name: "giant class that has the version", files: []file{jarFile(t, "a.jar", append(append(classes("q/A"), gson("x/gson")...), file{name: "x/gson/internal/GsonBuildConfig.class", data: []byte(long)})...)},
			kind: sbom.Limit, path: "a.jar!/x/gson/internal/GsonBuildConfig.class", found: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := scan(t, tt.opts, "function.zip", zipOf(t, tt.files...))
			if len(r.Packages) != tt.found {
				t.Errorf("%d packages, want %d", len(r.Packages), tt.found)
			}
			switch u := unknownAt(r, tt.kind, tt.path); {
			case tt.kind == "" && len(r.Unknowns) > 0:
				t.Errorf("unknowns %+v", r.Unknowns)
			case tt.kind != "" && (u == nil || !u.Code || u.Reason == ""):
				t.Errorf("no %s of code at %q: %s", tt.kind, tt.path, strings.Join(render(r), "\n"))
			}
		})
	}
}

// noise returns bytes that do not pack.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// numbered returns n lines that differ in a number.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

// TestBomb nests archives that inflate a thousandfold, each in ten copies.
func TestBomb(t *testing.T) {
	inner := []file{{name: "zeros.bin", data: make([]byte, 10<<20)}}
	for range 4 {
		one := zipOf(t, inner...)
		inner = nil
		for i := range 10 {
			inner = append(inner, file{name: fmt.Sprintf("%d.jar", i), data: one})
		}
	}
	r := scan(t, Options{MaxArchives: 500, MaxInflated: 64 << 20}, "function.zip", zipOf(t, inner...))
	if len(r.Unknowns) == 0 || len(r.Packages) != 0 {
		t.Errorf("%d packages, %d unknowns", len(r.Packages), len(r.Unknowns))
	}
	for _, u := range r.Unknowns {
		if u.Kind != sbom.Limit || !u.Code {
			t.Fatalf("got %+v", u)
		}
	}
}

// TestMany reads an archive of 100,000 classes, each in a folder of its own,
// that also has thousands of packages and of places of known libraries: work
// that is quadratic in any of them does not end within the test's time.
func TestMany(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	put := func(name, content string) {
		e, err := w.CreateHeader(&zip.FileHeader{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100_000 {
		put(fmt.Sprintf("q%d/w/A.class", i), "")
	}
	for i := range 5_000 {
		put(fmt.Sprintf("META-INF/maven/g%d.h/a%d/pom.properties", i, i), "version=1\n")
		for _, c := range gson(fmt.Sprintf("z%d/gson", i)) {
			put(c.name, "")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := scan(t, Options{}, "function.zip", zipOf(t, file{name: "a.jar", data: buf.Bytes()}))
	if n := len(r.Packages); n != 5_001 {
		t.Errorf("%d packages", n)
	}
	if unknownAt(r, sbom.Limit, "a.jar") == nil {
		t.Errorf("the places that were not looked at are not said: %d unknowns", len(r.Unknowns))
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestCharsetTwice declares a charset over and over: each declaration would
// double the bytes beyond ASCII that follow it.
func TestCharsetTwice(t *testing.T) {
	data := []byte(strings.Repeat(`<?xml version="1.0" encoding="latin1"?>`, 30) + "<project><artifactId>a\xe9</artifactId></project>")
	n := allocated(func() {
		if _, err := ParsePOM(data); err == nil {
			t.Error("no error")
		}
	})
	if n > 1<<20 {
		t.Errorf("%d bytes for %d", n, len(data))
	}
}

// TestLongNames closes many elements inside one with a long name.
func TestLongNames(t *testing.T) {
	data := []byte("<project><" + strings.Repeat("n", 500_000) + ">" + strings.Repeat("<a/>", 90_000))
	n := allocated(func() { ParsePOM(data) })
	if n > 200<<20 {
		t.Errorf("%d bytes for %d", n, len(data))
	}
}

// TestSharedConstant lets 60,000 constants share one text of 64 KiB.
func TestSharedConstant(t *testing.T) {
	data := binary.BigEndian.AppendUint32(nil, classMagic)
	data = append(data, 0, 0, 0, 52)
	data = binary.BigEndian.AppendUint16(data, 60_002)
	data = append(data, tagUTF8, 0xff, 0xff)
	data = append(data, bytes.Repeat([]byte("x"), 0xffff)...)
	for range 60_000 {
		data = append(data, tagString, 0, 1)
	}
	n := allocated(func() {
		if c, err := ParseClass(data); err != nil || len(c.Strings) != 1 {
			t.Errorf("%d texts, %v", len(c.Strings), err)
		}
	})
	if n > 8<<20 {
		t.Errorf("%d bytes for %d", n, len(data))
	}
}

func TestBrokenClasses(t *testing.T) {
	whole := classOf([]string{"1.0", "text"})
	for n := range len(whole) - 14 {
		if _, err := ParseClass(whole[:n]); !errors.Is(err, errClass) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := ParseClass(append([]byte{0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 2, 99}, make([]byte, 20)...)); !errors.Is(err, errClass) {
		t.Errorf("a tag that does not exist: %v", err)
	}
}
