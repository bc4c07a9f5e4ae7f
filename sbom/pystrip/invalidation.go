package pystrip

import (
	"encoding/binary"
	"math/bits"
)

// Unchecked reports whether a .pyc file of which head is the first 16 bytes is
// one that Python loads without a look at the source: its flags say that it
// notes a hash of the source, and not that it is to be checked
// (https://peps.python.org/pep-0552/#specification).
func Unchecked(head []byte) bool {
	return len(head) >= 16 && head[2] == '\r' && head[3] == '\n' && binary.LittleEndian.Uint32(head[4:])&3 == 1
}

// CompiledFrom reports whether a .pyc file with a hash notes that of source. The
// hash is SipHash-1-3 since Python 3.11 and SipHash-2-4 before, its key the magic
// number (_Py_KeyedHash in Python/pyhash.c of CPython). As a time and size do, it
// says which source the file claims to be of.
func CompiledFrom(head, source []byte) bool {
	if len(head) < 16 {
		return false
	}
	rounds := 2
	if minor := pycVersion(binary.LittleEndian.Uint16(head)); minor == 0 || minor >= 11 {
		rounds = 1
	}
	return binary.LittleEndian.Uint64(head[8:]) == sipHash(uint64(binary.LittleEndian.Uint32(head)), source, rounds)
}

// sipHash is SipHash with two more rounds at the end than there are for each
// word, and half a key (https://www.aumasson.jp/siphash/siphash.pdf).
func sipHash(key uint64, data []byte, rounds int) uint64 {
	v := [4]uint64{key ^ 0x736f6d6570736575, 0x646f72616e646f6d, key ^ 0x6c7967656e657261, 0x7465646279746573}
	word := func(m uint64) {
		v[3] ^= m
		for range rounds {
			sipRound(&v)
		}
		v[0] ^= m
	}
	last := uint64(len(data)) << 56
	for ; len(data) >= 8; data = data[8:] {
		word(binary.LittleEndian.Uint64(data))
	}
	for i, b := range data {
		last |= uint64(b) << (8 * i)
	}
	word(last)
	v[2] ^= 0xff
	for range rounds + 2 {
		sipRound(&v)
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

func sipRound(v *[4]uint64) {
	v[0] += v[1]
	v[2] += v[3]
	v[1] = bits.RotateLeft64(v[1], 13) ^ v[0]
	v[3] = bits.RotateLeft64(v[3], 16) ^ v[2]
	v[0] = bits.RotateLeft64(v[0], 32)
	v[2] += v[1]
	v[0] += v[3]
	v[1] = bits.RotateLeft64(v[1], 17) ^ v[2]
	v[3] = bits.RotateLeft64(v[3], 21) ^ v[0]
	v[2] = bits.RotateLeft64(v[2], 32)
}
