package jar

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// Tags of the constant pool and the bytes that follow each:
// https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html, table 4.4-A.
const (
	tagUTF8    = 1
	tagLong    = 5
	tagDouble  = 6
	tagString  = 8
	classMagic = 0xcafebabe
)

// entrySize returns the bytes of one entry, its tag included; 0 for a tag that
// does not exist. n is the number behind the tag, of a text its length.
func entrySize(tag byte, n int) int {
	switch tag {
	case tagUTF8:
		return 3 + n
	case tagString, 7, 16, 19, 20: // class, method type, module, package
		return 3
	case 15: // method handle
		return 4
	case 3, 4, 9, 10, 11, 12, 17, 18: // numbers, members, name and type, dynamic
		return 5
	case tagLong, tagDouble:
		return 9
	}
	return 0
}

// errClass is the error for bytes that are no class file.
var errClass = errors.New("parse class file: constant pool out of range")

// Class is what is read of a class file: of its constant pool the texts that
// the code can load or that initialise fields.
type Class struct {
	Strings []string // in the order of the pool, each entry once
}

// ParseClass reads the constant pool of a class file. It reads no method and
// runs nothing. The result keeps no part of data.
func ParseClass(data []byte) (Class, error) {
	var c Class
	if len(data) < 10 || binary.BigEndian.Uint32(data) != classMagic {
		return c, errClass
	}
	count := int(binary.BigEndian.Uint16(data[8:])) // at most 65,535 by its type
	texts := make(map[int][]byte, min(count, 4096))
	var loaded []int
	at := 10
	for i := 1; i < count; i++ {
		if at+3 > len(data) { // the shortest entry
			return c, errClass
		}
		tag, n := data[at], int(binary.BigEndian.Uint16(data[at+1:]))
		size := entrySize(tag, n)
		if size == 0 || at+size > len(data) {
			return c, errClass
		}
		switch tag {
		case tagUTF8:
			texts[i] = data[at+3 : at+size]
		case tagString:
			loaded = append(loaded, n)
		case tagLong, tagDouble:
			i++ // they take two numbers
		}
		at += size
	}
	for _, n := range loaded {
		t := texts[n]
		delete(texts, n)                 // entries may share one text: 65,000 copies of 64 KiB are 4 GiB
		if len(t) > 0 && utf8.Valid(t) { // Java's own UTF-8 differs outside ASCII, which no version needs
			c.Strings = append(c.Strings, string(t))
		}
	}
	return c, nil
}
