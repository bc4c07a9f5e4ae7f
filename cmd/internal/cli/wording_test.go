package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInterruptedOnly holds that only what was cut off is called so: an error that
// came before is what the user must hear.
func TestInterruptedOnly(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.zip"), []byte("PK\x05\x06"+strings.Repeat("\x00", 18)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"scan", filepath.Join(dir, "none.zip")}, "no such file or folder"},
		{[]string{"scan", filepath.Join(dir, "f.zip"), "--db", filepath.Join(dir, "db")}, "there is none"},
		{[]string{"scan", filepath.Join(dir, "f.zip")}, "interrupted: nothing was judged"},
		{[]string{"db", "update", "--from", filepath.Join(dir, "feed"), "--db", filepath.Join(dir, "db")}, "interrupted: the advisory store is as it was"},
	} {
		var stderr bytes.Buffer
		code := Main(ctx, Env{Args: tt.args, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr,
			Getenv: func(string) string { return "" }, CacheDir: func() (string, error) { return dir, nil }, Now: time.Now})
		if code != ExitUsage || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%v: exit %d, %q; want 2 and %q", tt.args, code, stderr.String(), tt.want)
		}
	}
}

// TestWriteFileNames holds that errors name the file that was asked for and not
// the temporary one beside it.
func TestWriteFileNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none", "report.json")
	err := writeFile(name, func(io.Writer) error { return nil })
	if err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "report.json:") || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("error %v, want one that names %s", err, name)
	}
}

func TestAgeWords(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 hours", time.Hour: "1 hour", 47 * time.Hour: "47 hours", 72 * time.Hour: "3 days", 1<<63 - 1: "unknown"} {
		if got := ageWords(d); got != want {
			t.Errorf("ageWords(%v) = %q, want %q", d, got, want)
		}
	}
}
