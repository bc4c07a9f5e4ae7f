package registry

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// cacheChild is the variable that makes the test binary a process that writes
// into the folder that it names until it is killed.
const cacheChild = "FNAUDIT_TEST_CACHE"

// TestCacheChild is that process.
func TestCacheChild(t *testing.T) {
	dir := os.Getenv(cacheChild)
	if dir == "" {
		t.Skip("a child of TestCacheKilled")
	}
	c := &Client{Dir: dir}
	for i := byte('a'); ; i = 'a' + (i-'a'+1)%26 {
		c.writeAnswer(hash("x"), stored{Document{Body: bytes.Repeat([]byte{i}, 1<<20), Fetched: getDay}, validators{}})
	}
}

// TestCacheKilled: processes that write the same entry are killed while they do;
// what is read is always one whole entry, and the halves that they leave go.
func TestCacheKilled(t *testing.T) {
	dir := t.TempDir()
	c := &Client{Dir: dir, Notice: func(text string) { t.Error(text) }}
	var children []*os.Process
	for range 2 {
		p, err := os.StartProcess(os.Args[0], []string{os.Args[0], "-test.run=^TestCacheChild$"}, &os.ProcAttr{Env: append(os.Environ(), cacheChild+"="+dir)})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
		children = append(children, p)
	}
	whole := func() bool {
		s, ok := c.readAnswer(hash("x"), 2<<20)
		if ok && !bytes.Equal(s.Body, bytes.Repeat(s.Body[:1], 1<<20)) {
			t.Fatal("an entry is of two processes")
		}
		return ok
	}
	for deadline := time.Now().Add(30 * time.Second); !whole(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the processes write nothing")
		}
	}
	for i, p := range children {
		for range 20 {
			if !whole() {
				t.Fatal("an entry is gone")
			}
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		p.Wait()
		if !whole() {
			t.Fatalf("after %d kills the entry is gone", i+1)
		}
	}
	old := time.Now().Add(-2 * maxTemp)
	left, _ := filepath.Glob(filepath.Join(dir, "temp", "*"))
	for _, path := range left {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	c.writeAnswer(hash("y"), stored{})
	if left, _ = filepath.Glob(filepath.Join(dir, "temp", "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
