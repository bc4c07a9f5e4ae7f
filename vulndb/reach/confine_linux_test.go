package reach

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWalls(t *testing.T) {
	if _, ok := filtered(); !ok {
		t.Skip("no filter of system calls for this processor")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "__walls")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "done" {
		t.Errorf("behind the walls: %v\n%s", err, got)
	}
}

// TestFilter runs the filter by hand: what is forbidden is refused, the rest
// passes, and a foreign ABI ends the process.
func TestFilter(t *testing.T) {
	const arch, refuse, kill, allow = 0xc000003e, 0x00050001, 0x80000000, 0x7fff0000
	prog := filter(arch, []uint32{59, 41})
	for _, tt := range []struct{ nr, arch, want uint32 }{
		{59, arch, refuse}, {41, arch, refuse}, {0, arch, allow}, {60, arch, allow},
		{x32 + 1, arch, refuse}, {59 | x32, arch, refuse}, {0, 0x40000003, kill},
	} {
		var acc, got uint32
		for pc := 0; pc < len(prog); pc++ {
			in := prog[pc]
			switch in.Code {
			case 0x20:
				acc = map[uint32]uint32{0: tt.nr, 4: tt.arch}[in.K]
			case 0x15, 0x35:
				if in.Code == 0x15 && acc == in.K || in.Code == 0x35 && acc >= in.K {
					pc += int(in.Jt)
				} else {
					pc += int(in.Jf)
				}
			case 0x06:
				got, pc = in.K, len(prog)
			default:
				t.Fatalf("instruction %#x", in.Code)
			}
		}
		if got != tt.want {
			t.Errorf("call %#x of %#x: %#x, want %#x", tt.nr, tt.arch, got, tt.want)
		}
	}
}

// TestNothingLeft holds the promise that no private directory outlives a check.
func TestNothingLeft(t *testing.T) {
	tmp := t.TempDir()
	c := checker(t)
	c.TempDir = tmp
	for _, src := range []Source{{Binary: strings.NewReader("no binary")}, {Blob: []byte("no blob")}, {}} {
		if _, err := c.Check(t.Context(), src, nil); err == nil {
			t.Error("no error")
		}
	}
	left, err := filepath.Glob(filepath.Join(tmp, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
