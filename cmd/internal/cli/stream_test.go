package cli

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestStreamSaysWhere: what went wrong with a file without a name is said of the
// folder, and of the output that needs it.
func TestStreamSaysWhere(t *testing.T) {
	dir := t.TempDir()
	x := &streamed{out: output{format: "spdx-json", file: filepath.Join(dir, "a.spdx.json")}}
	f, err := x.temp(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer (&stream{outs: []*streamed{x}}).drop()
	err = x.failed(&fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC})
	if text := err.Error(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(text, "write spdx-json: keep it in "+dir+" until it is whole: ") || strings.Contains(text, ".tmp") {
		t.Error(text)
	}
}
