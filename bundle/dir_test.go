package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func openDir(t *testing.T, dir string) *Function {
	t.Helper()
	f, err := new(Opener).Open(context.Background(), Spec{Ref: dir, Platform: PlatformNone})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestDirectory(t *testing.T) {
	dir := save(t, "index.js", "1", "lib/a.js", "22", "run.sh", "#!/bin/sh")
	for name, to := range map[string]string{"l": "lib/a.js", "out": "/etc/passwd", "up": "../x", "d": "lib"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := openDir(t, dir)
	want := "d -> lib\nindex.js \"1\"\nl -> lib/a.js\nlib/a.js \"22\"\nout -> /etc/passwd\nrun.sh \"#!/bin/sh\"\nup -> ../x\n!symlink-escape out\n!symlink-escape up\n"
	if got := summary(f.Volumes[0]); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	h := sha256.New()
	for _, l := range [][3]string{{"d", "120000", "lib"}, {"index.js", "100644", "1"}, {"l", "120000", "lib/a.js"}, {"lib/a.js", "100644", "22"},
		{"out", "120000", "/etc/passwd"}, {"run.sh", "100755", "#!/bin/sh"}, {"up", "120000", "../x"}} {
		fmt.Fprintf(h, "%s\x00%s\x00%x\n", l[0], l[1], sha256.Sum256([]byte(l[2])))
	}
	if want := Digest("sha256:" + hex.EncodeToString(h.Sum(nil))); f.Code.Digest != want {
		t.Errorf("digest %s, want %s", f.Code.Digest, want)
	}
	if f.Code.Kind != KindDirectory || f.Code.Size != 12 {
		t.Errorf("artifact %+v", f.Code)
	}
	b, err := f.Tree.ReadFile("d/a.js")
	if string(b) != "22" || err != nil {
		t.Errorf("through a folder link: %q, %v", b, err)
	}
	for _, name := range []string{"out", "up"} {
		if b, err := f.Tree.ReadFile(name); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

func TestDirectoryFS(t *testing.T) {
	f := openDir(t, save(t, "index.js", "1", "lib/a.js", "22", "lib/b/c", ""))
	if err := fstest.TestFS(f.Tree, "index.js", "lib/a.js", "lib/b/c"); err != nil {
		t.Error(err)
	}
}

// What changes after the digest was taken is an error, not another content.
func TestDirectoryChanges(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"content": func(p string) error { return os.WriteFile(p, []byte("evil!"), 0o644) },
		"shorter": func(p string) error { return os.WriteFile(p, []byte("go"), 0o644) },
		"longer":  func(p string) error { return os.WriteFile(p, []byte("good!!"), 0o644) },
		"removed": os.Remove,
		"link": func(p string) error {
			os.Remove(p)
			return os.Symlink("/etc/hostname", p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := save(t, "a.js", "good!", "b.js", "1")
			f := openDir(t, dir)
			if err := change(filepath.Join(dir, "a.js")); err != nil {
				t.Skip(err)
			}
			if b, err := f.Tree.ReadFile("a.js"); !errors.Is(err, ErrUnreadable) {
				t.Errorf("%q, %v", b, err)
			}
			if n := f.Notices(); len(n) != 1 || !n[0].Unread || n[0].Path != "a.js" {
				t.Errorf("notices %+v", n)
			}
		})
	}
}

func TestDirectoryOfArchives(t *testing.T) {
	zip := string(plain("index.js", "1"))
	_, err := new(Opener).Open(context.Background(), Spec{Ref: save(t, "a.zip", zip, "b", zip)})
	if err == nil || !strings.Contains(err.Error(), "--each") {
		t.Errorf("error %v", err)
	}
	f := openDir(t, save(t, "a.zip", zip, "index.js", "1")) // a function that ships an archive
	if len(f.Tree.Files()) != 2 {
		t.Errorf("files %+v", f.Tree.Files())
	}
}

func TestDirectoryLimits(t *testing.T) {
	dir := save(t, "a", "12345678", "b", "1", "c", "2")
	for _, tt := range []struct {
		lim  Limits
		want string
	}{
		{Limits{MaxFileBytes: 4}, "a error corrupt\nb \"1\"\nc \"2\"\n!limit a\n!corrupt a\n"},
		{Limits{MaxTotalBytes: 9}, "a \"12345678\"\nb \"1\"\nc error corrupt\n!limit c\n!corrupt c\n"},
		{Limits{MaxEntries: 2}, "a \"12345678\"\nb \"1\"\n!limit \n"},
	} {
		o := Opener{Limits: tt.lim}
		f, err := o.Open(context.Background(), Spec{Ref: dir})
		if err != nil {
			t.Fatal(err)
		}
		got := summary(f.Volumes[0])
		got = strings.ReplaceAll(got, "!corrupt a\n!limit a\n", "!limit a\n!corrupt a\n")
		got = strings.ReplaceAll(got, "!corrupt c\n!limit c\n", "!limit c\n!corrupt c\n")
		if got != tt.want {
			t.Errorf("%+v: got:\n%s\nwant:\n%s", tt.lim, got, tt.want)
		}
		if f.Code.Digest != "" {
			t.Errorf("%+v: a digest although not everything was read: %s", tt.lim, f.Code.Digest)
		}
		f.Close()
	}
	t.Run("entries in folders", func(t *testing.T) {
		o := Opener{Limits: Limits{MaxEntries: 1}}
		f, err := o.Open(context.Background(), Spec{Ref: save(t, "d/a", "1", "d/e/b", "2", "f/c", "3")})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if len(f.Tree.Files()) != 1 || f.Code.Digest != "" {
			t.Errorf("%+v, %s", f.Tree.Files(), f.Code.Digest)
		}
	})
}

func TestDirectoryUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := save(t, "a", "1", "d/b", "2")
	os.Chmod(filepath.Join(dir, "a"), 0)
	os.Chmod(filepath.Join(dir, "d"), 0)
	defer os.Chmod(filepath.Join(dir, "d"), 0o755)
	f := openDir(t, dir)
	if got := summary(f.Volumes[0]); got != "a error corrupt\n!corrupt a\n!corrupt d\n" || f.Code.Digest != "" {
		t.Errorf("%s, digest %s", got, f.Code.Digest)
	}
}
