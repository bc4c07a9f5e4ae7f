package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// summary is a volume in lines: every file with its content or the error's
// kind, older copies, then the notices, those that are Unread with a "!".
func summary(v *Volume) string {
	var b strings.Builder
	for n, at := 0, v; at != nil; n, at = n+1, at.Older {
		for i, f := range at.Files() {
			if f.Mode&fs.ModeSymlink != 0 {
				fmt.Fprintf(&b, "%s%s -> %s\n", strings.Repeat("old ", n), f.Path, f.Link)
				continue
			}
			body, err := at.readAll(i)
			what := fmt.Sprintf("%q", cut(string(body), 40))
			if err != nil {
				var u *unreadable
				if !errors.As(err, &u) || !errors.Is(err, ErrUnreadable) {
					what = "WRONG ERROR " + err.Error()
				} else {
					what = "error " + string(u.kind)
				}
			}
			fmt.Fprintf(&b, "%s%s %s\n", strings.Repeat("old ", n), f.Path, what)
		}
	}
	for _, n := range v.Notices() {
		mark := ""
		if n.Unread {
			mark = "!"
		}
		fmt.Fprintf(&b, "%s%s %s\n", mark, n.Kind, n.Path)
	}
	return b.String()
}

func TestZip(t *testing.T) {
	const js = "exports.handler = 1"
	unicodePath := func(name, says string) []byte {
		f := append([]byte{1}, crcBytes(name)...)
		f = append(f, says...)
		return append([]byte{0x75, 0x70, byte(len(f)), 0}, f...)
	}
	tests := []struct {
		name string
		zip  zipOf
		want string // lines of summary
	}{
		{"deflated, stored, folder", zipOf{entries: []ent{{name: "b.js", body: js}, {name: "a/", store: true, mode: 0o40755}, {name: "a/x", body: "1", store: true}}},
			"a/x \"1\"\nb.js \"exports.handler = 1\"\n"},
		{"made on Windows", zipOf{entries: []ent{{name: "a.js", body: js, host: 10, mode: 0o120777}}},
			"a.js \"exports.handler = 1\"\n"},
		{"empty", zipOf{}, "empty \n"},
		{"only a folder", zipOf{entries: []ent{{name: "a/", store: true}}}, "empty \n"},
		{"empty with prefix", zipOf{prefix: "#!/bin/sh\n"}, "empty \nhidden-entry \n"},
		{"comment", zipOf{entries: []ent{{name: "a", body: js}}, comment: "made by a tool"},
			"a \"exports.handler = 1\"\n"},
		{"zip64", zipOf{entries: []ent{{name: "a", body: js, zip64: true}}, zip64: true},
			"a \"exports.handler = 1\"\n"},
		{"zip64 behind a prefix", zipOf{prefix: "stub", entries: []ent{{name: "a", body: js, zip64: true}}, zip64: true},
			"a \"exports.handler = 1\"\nhidden-entry \n"},
		{"data descriptors", zipOf{entries: []ent{{name: "a", body: js, descriptor: "sig32"}, {name: "b", body: js, descriptor: "bare32"}, {name: "c", body: js, descriptor: "sig64"}}},
			"a \"exports.handler = 1\"\nb \"exports.handler = 1\"\nc \"exports.handler = 1\"\n"},
		{"wrong descriptor", zipOf{entries: []ent{{name: "a", body: js, descriptor: "wrong"}}},
			"a \"exports.handler = 1\"\n!header-mismatch a\n"},
		{"prefix, offsets not adjusted", zipOf{prefix: "#!/bin/sh\n", entries: []ent{{name: "a", body: js}}},
			"a \"exports.handler = 1\"\nhidden-entry \n"},
		{"prefix, offsets adjusted", zipOf{prefix: "#!/bin/sh\n", adjusted: true, entries: []ent{{name: "a", body: js}}},
			"a \"exports.handler = 1\"\nhidden-entry \n"},
		{"executable in front", zipOf{prefix: "\x7fELF" + strings.Repeat("x", 60), entries: []ent{{name: "a", body: js}}},
			"a \"exports.handler = 1\"\n!hidden-entry \n"},
		{"another zip in front", zipOf{prefix: string(plain("evil.js", "1")), entries: []ent{{name: "a", body: js}}},
			"a \"exports.handler = 1\"\n!hidden-entry evil.js\n"},
		{"stored zip inside, at the end", zipOf{entries: []ent{{name: "a.jar", body: string(plain("x", "1")), store: true}}, comment: ""},
			fmt.Sprintf("a.jar %q\n", cut(string(plain("x", "1")), 40))},
		{"bytes after the end", zipOf{entries: []ent{{name: "a", body: js}}, after: "trailing"},
			"a \"exports.handler = 1\"\nhidden-entry \n"},
		{"zeros after the end", zipOf{entries: []ent{{name: "a", body: js}}, after: "\x00\x00\x00\x00"},
			"a \"exports.handler = 1\"\n"},
		{"bytes between entries", zipOf{entries: []ent{{name: "a", body: js}, {name: "b", body: js}}, between: map[int]string{1: "padding"}},
			"a \"exports.handler = 1\"\nb \"exports.handler = 1\"\nhidden-entry \n"},
		{"entry that the directory hides", zipOf{entries: []ent{{name: "a", body: js}, {name: "evil/package.json", body: "{}", unlisted: true}, {name: "b", body: js}}},
			"a \"exports.handler = 1\"\nb \"exports.handler = 1\"\n!hidden-entry evil/package.json\n"},
		{"entry hidden behind the directory", zipOf{entries: []ent{{name: "a", body: js}}, afterCD: sigLocal + strings.Repeat("\x00", 22) + "\x01\x00\x00\x00z"},
			"a \"exports.handler = 1\"\n!hidden-entry z\n"},
		{"bytes behind the compressed data", zipOf{entries: []ent{{name: "a", body: js, packed: append(deflated([]byte(js)), "secret"...)}}},
			"a \"exports.handler = 1\"\nhidden-entry a\n"},
		{"folder with content", zipOf{entries: []ent{{name: "a/", body: "secret", store: true}}},
			"empty \n!hidden-entry a\n"},
		{"fake end record in the comment, to the end", zipOf{entries: []ent{{name: "a", body: js}}, comment: string(zipOf{}.bytes())},
			"empty \n!hidden-entry \n!hidden-entry a\n"},
		{"fake end record in the comment, too short", zipOf{entries: []ent{{name: "a", body: js}}, comment: string(zipOf{}.bytes()) + "tail"},
			"a \"exports.handler = 1\"\n!hidden-entry \n"},
		{"duplicate", zipOf{entries: []ent{{name: "a", body: "1"}, {name: "b", body: js}, {name: "a", body: "2"}, {name: "a", body: "3"}}},
			"a \"3\"\nb \"exports.handler = 1\"\nold a \"2\"\nold old a \"1\"\n!duplicate-name a\n"},
		{"duplicate by cleaning", zipOf{entries: []ent{{name: "x/a", body: "1"}, {name: "./x//a", body: "2"}}},
			"x/a \"2\"\nold x/a \"1\"\n!duplicate-name x/a\n"},
		{"duplicate, same bytes", zipOf{entries: []ent{{name: "a", body: "1"}, {name: "a", body: "1"}}},
			"a \"1\"\nduplicate-name a\n"},
		{"duplicate, first is a link", zipOf{entries: []ent{{name: "a", body: "b", store: true, mode: 0o120777}, {name: "a", body: "2"}}},
			"a \"2\"\nold a -> b\n!duplicate-name a\n"},
		{"local header has another name", zipOf{entries: []ent{{name: "a", body: js, localName: "evil"}}},
			"a \"exports.handler = 1\"\n!header-mismatch a\n"},
		{"local header has another method", zipOf{entries: []ent{{name: "a", body: js, localMethod: 99}}},
			"a \"exports.handler = 1\"\n!header-mismatch a\n"},
		{"name in the Unicode path field", zipOf{entries: []ent{{name: "a", body: js, extra: unicodePath("a", "evil")}}},
			"a \"exports.handler = 1\"\n!header-mismatch a\n"},
		{"CP437 name with a Unicode path field", zipOf{entries: []ent{{name: "caf\x82", body: js, extra: unicodePath("caf\x82", "café")}}},
			"café \"exports.handler = 1\"\n"},
		{"count lies", zipOf{entries: []ent{{name: "a", body: js}}, count: u16(60000)},
			"a \"exports.handler = 1\"\n!header-mismatch \n"},
		{"encrypted", zipOf{entries: []ent{{name: "a", body: js, flags: flagEncrypted}}},
			"a error encrypted\n!encrypted a\n"},
		{"unknown method", zipOf{entries: []ent{{name: "a", body: js, method: 99}}},
			"a error unsupported-method\n!unsupported-method a\n"},
		{"wrong CRC", zipOf{entries: []ent{{name: "a", body: js, crc: u32(1)}}},
			"a error crc-mismatch\n!crc-mismatch a\n"},
		{"wrong CRC, stored", zipOf{entries: []ent{{name: "a", body: js, store: true, crc: u32(1)}}},
			"a error crc-mismatch\n!crc-mismatch a\n"},
		{"declares more", zipOf{entries: []ent{{name: "a", body: js, size: u32(2 << 30)}}},
			"a error size-mismatch\n!size-mismatch a\n"},
		{"declares less", zipOf{entries: []ent{{name: "a", body: js, size: u32(3)}}},
			"a error size-mismatch\n!size-mismatch a\n"},
		{"declares nothing", zipOf{entries: []ent{{name: "a", body: js, size: u32(0), crc: u32(0)}}},
			"a error size-mismatch\n!size-mismatch a\n"},
		{"rubbish for deflate", zipOf{entries: []ent{{name: "a", body: js, packed: []byte("\xff\xff\xff\xff\xff")}}},
			"a error corrupt\n!corrupt a\n"},
		{"deflate cut off", zipOf{entries: []ent{{name: "a", body: strings.Repeat(js, 9), packed: deflated([]byte(strings.Repeat(js, 9)))[:10]}}},
			"a error corrupt\n!corrupt a\n"},
		{"shares a local header", zipOf{entries: []ent{{name: "a", body: js}, {name: "b", body: js, sameAs: 1}}},
			"a \"exports.handler = 1\"\nb error overlap\n!overlap b\n"},
		{"begins inside another", zipOf{entries: []ent{{name: "a", body: string(zipOf{entries: []ent{{name: "b", body: js, store: true}}}.bytes()), store: true}, {name: "b", body: js, store: true, offset: u32(31)}}},
			fmt.Sprintf("a %q\nb error overlap\n!hidden-entry b\n!overlap b\n", cut(string(zipOf{entries: []ent{{name: "b", body: js, store: true}}}.bytes()), 40))},
		{"reaches into the directory", zipOf{entries: []ent{{name: "a", body: js, packedSize: u32(60)}}},
			"a error overlap\nhidden-entry \n!overlap a\n"},
		{"reaches over the end", zipOf{entries: []ent{{name: "a", body: js, packedSize: u32(1 << 30)}}},
			"a error truncated\nhidden-entry \n!truncated a\n"},
		{"offset to nowhere", zipOf{entries: []ent{{name: "a", body: js, offset: u32(1 << 30)}}},
			"a error truncated\n!hidden-entry a\n!truncated a\n"},
		{"offset to something else", zipOf{entries: []ent{{name: "a", body: js, offset: u32(3)}}},
			"a error header-mismatch\n!header-mismatch a\n!hidden-entry a\n"},
		{"climbing and absolute names", zipOf{entries: []ent{{name: "../../etc/passwd", body: "1"}, {name: "/abs", body: "2"}, {name: "C:/x", body: "3"}, {name: "a/../../b", body: "4"}, {name: "index.js", body: js}}},
			"%2E%2E/%2E%2E/etc/passwd \"1\"\n%2Fabs \"2\"\nC%3A/x \"3\"\na/%2E%2E/%2E%2E/b \"4\"\nindex.js \"exports.handler = 1\"\n" +
				"!path-traversal %2E%2E/%2E%2E/etc/passwd\n!path-traversal %2Fabs\n!path-traversal C%3A/x\n!path-traversal a/%2E%2E/%2E%2E/b\n"},
		{"an escaped name meets a genuine one", zipOf{entries: []ent{{name: "%2Fabs", body: "good"}, {name: "/abs", body: "evil"}}},
			"%2Fabs \"good\"\n%2Fabs%~1 \"evil\"\n!path-traversal %2Fabs\n"},
		{"control, bidi, NUL, backslash, empty", zipOf{entries: []ent{{name: "a\x1b[2J", body: "1"}, {name: "\u202egnp.exe", body: "2"}, {name: "index.js\x00.txt", body: "3"}, {name: `lib\x`, body: "4"}, {name: "", body: "5"}}},
			"% \"5\"\n%E2%80%AEgnp.exe \"2\"\na%1B[2J \"1\"\nindex.js%00.txt \"3\"\nlib%5Cx \"4\"\n" +
				"!invalid-name %\ninvalid-name %E2%80%AEgnp.exe\ninvalid-name a%1B[2J\n!invalid-name index.js%00.txt\n!invalid-name lib%5Cx\n"},
		{"not UTF-8", zipOf{entries: []ent{{name: "caf\x82", body: "1"}, {name: "日本語", body: "2"}}},
			"caf%82 \"1\"\n日本語 \"2\"\ninvalid-name caf%82\n"},
		{"case", zipOf{entries: []ent{{name: "Index.js", body: "1"}, {name: "index.js", body: "2"}}},
			"Index.js \"1\"\nindex.js \"2\"\ncase-collision index.js\n"},
		{"setuid and device", zipOf{entries: []ent{{name: "a", body: "1", mode: 0o104755}, {name: "b", body: "2", mode: 0o020644}}},
			"a \"1\"\nb \"2\"\nsetuid a\nspecial-file b\n"},
		{"size over 63 bits", zipOf{entries: []ent{{name: "a", body: "1", size: u32(0xffffffff), extra: append([]byte{1, 0, 8, 0}, bytes.Repeat([]byte{0xff}, 8)...)}}},
			"a error truncated\n!header-mismatch a\n!truncated a\n"},
		{"links", zipOf{entries: []ent{
			{name: "abs", body: "/etc/passwd", store: true, mode: 0o120777}, {name: "lib", body: "/opt/lib", store: true, mode: 0o120777},
			{name: "up", body: "../x", store: true, mode: 0o120777}, {name: "a", body: "b", store: true, mode: 0o120777}, {name: "b", body: "a", mode: 0o120777},
			{name: "ok", body: "d/f", store: true, mode: 0o120777}, {name: "d/f", body: "1"}}},
			"a -> b\nabs -> /etc/passwd\nb -> a\nd/f \"1\"\nlib -> /opt/lib\nok -> d/f\nup -> ../x\n" +
				"!symlink-loop a\n!symlink-escape abs\n!symlink-loop b\nsymlink-escape lib\n!symlink-escape up\n"},
		{"written through a link", zipOf{entries: []ent{{name: "d", body: "/tmp", store: true, mode: 0o120777}, {name: "d/x", body: "1"}, {name: "d/e/y", body: "2"}}},
			"d -> /tmp\nd%2F/e/y \"2\"\nd%2F/x \"1\"\n!symlink-escape d\n!write-through-link d%2F/e/y\n!write-through-link d%2F/x\n"},
		{"file and folder", zipOf{entries: []ent{{name: "d", body: "1"}, {name: "d/x", body: "2"}, {name: "d%2F", body: "3"}}},
			"d%2F \"3\"\nd%2F%~1 \"1\"\nd/x \"2\"\n!write-through-link d%2F%~1\n"},
		{"link without a target", zipOf{entries: []ent{{name: "l", body: "", store: true, mode: 0o120777}}},
			"l -> \n!limit l\n"},
		{"link with a wrong CRC", zipOf{entries: []ent{{name: "l", body: "x", store: true, mode: 0o120777, crc: u32(7)}}},
			"l -> \n!crc-mismatch l\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := mustOpen(t, tt.zip.bytes())
			if got := summary(v); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s\nnotices: %+v", got, tt.want, v.Notices())
			}
			for at := v; at != nil; at = at.Older {
				checkFiles(t, at.Files())
			}
		})
	}
}

// checkFiles holds for every list of files, whatever the archive was.
func checkFiles(t testing.TB, files []File) {
	t.Helper()
	paths := map[string]bool{}
	for i, f := range files {
		if !fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsAny(f.Path, "\x00\x1b\\") {
			t.Errorf("path %q is not clean", f.Path)
		}
		if i > 0 && files[i-1].Path >= f.Path {
			t.Errorf("%q and %q are not sorted or not unique", files[i-1].Path, f.Path)
		}
		paths[f.Path] = true
	}
	for _, f := range files {
		for p := parent(f.Path); p != ""; p = parent(p) {
			if paths[p] {
				t.Errorf("%q lies below the file %q", f.Path, p)
			}
		}
	}
}

func TestZipErrors(t *testing.T) {
	good := plain("a", "1", "b", "2")
	tests := []struct {
		name string
		zip  []byte
		want string
	}{
		{"nothing", nil, "no zip end record"},
		{"text", []byte("<html>not found</html>"), "no zip end record"},
		{"end cut off", good[:len(good)-30], "no zip end record"},
		{"end record alone", good[len(good)-lenEnd:], "cut off or damaged"},
		{"directory longer than the file", zipOf{entries: []ent{{name: "a"}}, cdSize: u32(1 << 20)}.bytes(), "cut off or damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := openBytes(t, tt.zip, Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// Every prefix of a good zip is an error or says that it is not whole.
func TestZipTruncated(t *testing.T) {
	good := zipOf{entries: []ent{{name: "a", body: "1"}, {name: "b.zip", body: string(plain("x", "1", "y", "2")), store: true}}, comment: "hello"}.bytes()
	for n := range len(good) {
		v, err := openBytes(t, good[:n], Limits{})
		if err == nil && !slices.ContainsFunc(v.Notices(), func(n Notice) bool { return n.Kind == NoticeTruncated || n.Unread }) {
			t.Errorf("the first %d of %d bytes open as %d files without a notice", n, len(good), len(v.Files()))
		}
	}
}

func TestZipLimits(t *testing.T) {
	zeros := string(make([]byte, 1<<20))
	many := zipOf{}
	for i := range 50 {
		many.entries = append(many.entries, ent{name: fmt.Sprintf("f%02d", i), body: "x"})
	}
	dup := zipOf{}
	for i := range 6 {
		dup.entries = append(dup.entries, ent{name: "a", body: fmt.Sprint(i)})
	}
	long, _ := CleanPath(strings.Repeat("n", 65000))
	odd := zipOf{}
	for i := range 30 {
		odd.entries = append(odd.entries, ent{name: fmt.Sprintf("a\x01%d", i), body: "1"})
	}
	tests := []struct {
		name string
		zip  zipOf
		lim  Limits
		want string
	}{
		{"file", zipOf{entries: []ent{{name: "z", body: zeros}}}, Limits{MaxFileBytes: 1000}, "z error limit\n!limit z\n"},
		{"ratio", zipOf{entries: []ent{{name: "z", body: zeros}}}, Limits{MaxRatio: 10, RatioGrace: 1000}, "z error limit\n!limit z\n"},
		{"total", zipOf{entries: []ent{{name: "a", body: "12345678"}, {name: "b", body: "12345678"}}}, Limits{MaxTotalBytes: 10}, "a \"12345678\"\nb error limit\n!limit b\n"},
		{"entries", zipOf{entries: []ent{{name: "a", body: "1"}, {name: "b", body: "2"}, {name: "c", body: "3"}}}, Limits{MaxEntries: 2}, "a \"1\"\nb \"2\"\n!limit \n"},
		{"name", zipOf{entries: []ent{{name: strings.Repeat("n", 65000), body: "1"}}}, Limits{},
			long + " \"1\"\n!limit " + long + "\n"},
		{"copies", dup, Limits{MaxCopies: 2}, "a \"5\"\nold a \"4\"\nold old a \"3\"\n!duplicate-name a\n!limit a\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := openBytes(t, tt.zip.bytes(), tt.lim)
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(v); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
			checkFiles(t, v.Files())
		})
	}
	t.Run("notices", func(t *testing.T) {
		v, err := openBytes(t, odd.bytes(), Limits{MaxNotices: 10})
		if err != nil {
			t.Fatal(err)
		}
		if n := v.Notices(); len(n) != 11 || !strings.Contains(n[0].Detail, "20 more") {
			t.Errorf("%d notices, first %+v", len(n), n[0])
		}
	})
	t.Run("directory", func(t *testing.T) {
		if _, err := openBytes(t, many.bytes(), Limits{MaxDirectoryBytes: 100}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "MaxDirectoryBytes") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("reading twice counts once", func(t *testing.T) {
		v, err := openBytes(t, zipOf{entries: []ent{{name: "a", body: "12345678"}}}.bytes(), Limits{MaxTotalBytes: 10})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := v.readAll(0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A claim of 2 GiB over a few bytes must not be allocated.
func TestClaimIsNotAllocated(t *testing.T) {
	for _, e := range []ent{{name: "a", body: "x", size: u32(2 << 30)}, {name: "a", body: "x", store: true, size: u32(2 << 30)}} {
		v := mustOpen(t, zipOf{entries: []ent{e}}.bytes())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := v.readAll(0); err == nil {
			t.Error("readAll: no error")
		}
		if _, err := v.Tree().content(0, "a").ReadAt(make([]byte, 4), 0); err == nil {
			t.Error("ReadAt: no error")
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%d bytes allocated", n)
		}
	}
}

func TestBzip2(t *testing.T) {
	// "hello, world\n" packed by bzip2 -9
	packed := []byte("\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x54\xa4\x97\x84\x00\x00\x02\xd1\x80\x00\x10\x40\x04\x06\x44\x90\x80\x20\x00\x31\x00\x30\x20\x68\x62\x00\x49\xd4\xb2\x1f\x3f\x17\x72\x45\x38\x50\x90\x54\xa4\x97\x84")
	v := mustOpen(t, zipOf{entries: []ent{{name: "a", body: "hello, world\n", packed: packed, method: methodBzip2}}}.bytes())
	b, err := v.readAll(0)
	if err != nil || string(b) != "hello, world\n" {
		t.Errorf("%q, %v", b, err)
	}
	var p [5]byte
	if n, err := v.Tree().Peek("a", p[:]); n != 5 || err != nil || string(p[:]) != "hello" {
		t.Errorf("peek %q, %v", p[:n], err)
	}
}

func crcBytes(s string) []byte {
	b := zipOf{entries: []ent{{name: "x", body: s, store: true}}}.bytes()
	return bytes.Clone(b[14:18])
}

// TestMayHoldSignature checks which names of a zip are enough to look for a
// signature in it.
func TestMayHoldSignature(t *testing.T) {
	for _, test := range []struct {
		name string
		want bool
	}{
		{"index.js", false},
		{"m", false},
		{"meta/index.js", false},
		{"lib/META-INF/A.SF", false},
		{"META-INFO/A.SF", false},
		{"META_INF/aws_signer_signature_v1.0.SF", true},
		{"META-INF/MANIFEST.MF", true},
		{"META-INF/", true},
		{"META-INF", true},
		{"meta-inf/a.sf", true},
		{"Meta-\u0131nf/A.SF", true}, // its upper case is an I
		{"./META_INF/aws_signer_signature_v1.0.SF", true},
		{`META_INF\aws_signer_signature_v1.0.SF`, true},
		{"META-INF/\xff.SF", true},
	} {
		data := zipOf{entries: []ent{{name: "a", body: "1"}, {name: test.name, store: true}, {name: "z", body: "1"}}}.bytes()
		v, err := openBytes(t, data, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := v.MayHoldSignature(); got != test.want {
			t.Errorf("%q: %t, want %t", test.name, got, test.want)
		}
	}
	data := zipOf{entries: []ent{{name: "a", body: "1"}, {name: "META-INF/A.SF", body: "1"}}}.bytes()
	if v, err := openBytes(t, data, Limits{MaxEntries: 1}); err != nil || !v.MayHoldSignature() {
		t.Error("names that were not read hold nothing")
	}
}
