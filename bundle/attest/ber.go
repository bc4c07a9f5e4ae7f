package attest

import (
	"errors"
	"fmt"
)

// maxBER bounds how deep elements of BER lie in one another, and so how often a
// byte is copied. CMS messages with chains have about 15.
const maxBER = 32

var errBER = errors.New("not BER: an element is cut off")

// toDER rewrites BER as DER as far as lengths and strings in pieces go (ITU-T
// X.690, sections 8.1.3 and 8.7): signers write messages in a stream, with
// lengths that are not known. The order of sets and the values stay as they are. Bytes
// behind the element are an error.
func toDER(data []byte) ([]byte, error) {
	out, rest, err := derElement(nil, data, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the element", len(rest))
	}
	return out, err
}

// berHeader is tag and length of one element.
type berHeader struct {
	tag       []byte // as written
	length    int    // of the content; -1: up to the end-of-contents octets
	total     int    // bytes of the header
	composite bool
}

func readBER(data []byte) (h berHeader, err error) {
	i := 1
	if len(data) < 2 {
		return h, errBER
	}
	if data[0]&0x1f == 0x1f { // a tag of several bytes
		for ; ; i++ {
			if i >= len(data) || i > 4 {
				return h, errBER
			}
			if data[i]&0x80 == 0 {
				break
			}
		}
		i++
	}
	h.tag, h.composite = data[:i], data[0]&0x20 != 0
	if i >= len(data) {
		return h, errBER
	}
	first := data[i]
	i++
	switch {
	case first < 0x80:
		h.length = int(first)
	case first == 0x80:
		h.length = -1
	default:
		n := int(first & 0x7f)
		if n > 4 || i+n > len(data) {
			return h, errBER
		}
		for _, b := range data[i : i+n] {
			h.length = h.length<<8 | int(b)
		}
		i += n
	}
	h.total = i
	if h.length > len(data)-i || h.length < 0 && !h.composite {
		return h, errBER
	}
	return h, nil
}

// derElement appends the first element of data to out.
func derElement(out, data []byte, depth int) (_, rest []byte, err error) {
	if depth > maxBER {
		return nil, nil, fmt.Errorf("not BER that is read here: more than %d elements in one another", maxBER)
	}
	h, err := readBER(data)
	if err != nil {
		return nil, nil, err
	}
	body := data[h.total:]
	if !h.composite {
		return append(appendHeader(out, h.tag, h.length), body[:h.length]...), body[h.length:], nil
	}
	if h.length >= 0 {
		body, rest = body[:h.length], body[h.length:]
	}
	pieces := h.tag[0] == 0x24 // an OCTET STRING in pieces
	var inner []byte
	for {
		if h.length >= 0 && len(body) == 0 {
			break
		}
		if h.length < 0 && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			rest = body[2:]
			break
		}
		if pieces {
			var p berHeader
			if p, err = readBER(body); err != nil {
				return nil, nil, err
			}
			if p.tag[0] != 0x04 || p.length < 0 {
				return nil, nil, errors.New("not BER that is read here: a string in pieces of pieces")
			}
			inner, body = append(inner, body[p.total:p.total+p.length]...), body[p.total+p.length:]
			continue
		}
		if inner, body, err = derElement(inner, body, depth+1); err != nil {
			return nil, nil, err
		}
	}
	tag := h.tag
	if pieces {
		tag = []byte{0x04}
	}
	return append(appendHeader(out, tag, len(inner)), inner...), rest, nil
}

// appendHeader writes a tag and the shortest length.
func appendHeader(out, tag []byte, n int) []byte {
	out = append(out, tag...)
	switch {
	case n < 0x80:
		return append(out, byte(n))
	case n < 0x100:
		return append(out, 0x81, byte(n))
	case n < 0x10000:
		return append(out, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		return append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}
