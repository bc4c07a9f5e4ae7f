package jar

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// Tags of the constant pool and the bytes that follow each:
// https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html, table 4.4-A.
const (
	tagUTF8, tagString, tagClass = 1, 8, 7
	classMagic                   = 0xcafebabe
)

// errClass is the error for bytes that are no class file.
var errClass = errors.New("parse class file: constant pool out of range")

// Class is what is read of a class file: of its constant pool the texts that
// the code can load or that initialise fields, and the names of the interfaces.
type Class struct {
	Strings    []string // in the order of the pool
	Interfaces []string // internal names such as "java/lang/Runnable"
}

// ParseClass reads the constant pool and the interfaces of a class file. It
// reads no method and runs nothing. The result keeps no part of data.
func ParseClass(data []byte) (Class, error) {
	var c Class
	if len(data) < 10 || binary.BigEndian.Uint32(data) != classMagic {
		return c, errClass
	}
	count := int(binary.BigEndian.Uint16(data[8:])) // at most 65,535 by its type
	texts := make(map[int][]byte, min(count, 4096))
	names := map[int]int{} // class entry -> its name's entry
	var loaded []int
	at := 10
	for i := 1; i < count; i++ {
		if at >= len(data) {
			return c, errClass
		}
		tag := data[at]
		at++
		size := 4
		switch tag {
		case tagUTF8:
			if at+2 > len(data) {
				return c, errClass
			}
			n := int(binary.BigEndian.Uint16(data[at:]))
			if at+2+n > len(data) {
				return c, errClass
			}
			texts[i] = data[at+2 : at+2+n]
			size = 2 + n
		case tagString, tagClass, 16, 19, 20: // string, class, method type, module, package
			if at+2 > len(data) {
				return c, errClass
			}
			n := int(binary.BigEndian.Uint16(data[at:]))
			switch tag {
			case tagString:
				loaded = append(loaded, n)
			case tagClass:
				names[i] = n
			}
			size = 2
		case 15: // method handle
			size = 3
		case 5, 6: // long and double take two entries
			size = 8
			i++
		case 3, 4, 9, 10, 11, 12, 17, 18:
		default:
			return c, errClass
		}
		at += size
	}
	for _, n := range loaded {
		if t := texts[n]; len(t) > 0 && utf8.Valid(t) { // Java's own UTF-8 differs outside ASCII, which no version needs
			c.Strings = append(c.Strings, string(t))
		}
	}
	if at+8 > len(data) {
		return c, errClass
	}
	n := int(binary.BigEndian.Uint16(data[at+6:]))
	for k := range n {
		if at+10+2*k > len(data) {
			return c, errClass
		}
		if t := texts[names[int(binary.BigEndian.Uint16(data[at+8+2*k:]))]]; len(t) > 0 {
			c.Interfaces = append(c.Interfaces, string(t))
		}
	}
	return c, nil
}
