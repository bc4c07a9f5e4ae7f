package pystrip

import (
	"encoding/binary"
	"testing"
)

// TestCompiledFrom has what importlib.util.source_hash returned for the magic
// numbers of CPython 3.8.18 to 3.13.0.
func TestCompiledFrom(t *testing.T) {
	for magic, want := range map[uint32][2]uint64{ // of the text below and of nothing, big-endian
		0x0a0d0d55: {0x58aa4d7b3ecc001e, 0x81e4881b3643e8e9},
		0x0a0d0d61: {0x50fc6084f8f066da, 0xac0bb7c83e5b1c5f},
		0x0a0d0d6f: {0x8aef0a3ec4036b4b, 0x8cc0cd2525e7fd27},
		0x0a0d0da7: {0x2b18389a473ce6de, 0x738d9cd5d5e87f73},
		0x0a0d0dcb: {0xfc0ad76ed645ef0f, 0xbaf18eedc9387a25},
		0x0a0d0df3: {0xa728c55597345a77, 0x27ec6d312f93b814},
	} {
		for i, source := range []string{"hello world, this is fun", ""} {
			head := binary.LittleEndian.AppendUint32(nil, magic)
			head = binary.LittleEndian.AppendUint32(head, 1)
			head = binary.BigEndian.AppendUint64(head, want[i])
			if !Unchecked(head) || !CompiledFrom(head, []byte(source)) || CompiledFrom(head, []byte(source+"#")) {
				t.Errorf("%x: %q", magic, source)
			}
			head[4] = 3
			if Unchecked(head) {
				t.Errorf("%x: checked", magic)
			}
		}
	}
	if Unchecked(make([]byte, 15)) || CompiledFrom(nil, nil) {
		t.Error("of a file that is cut off")
	}
}
