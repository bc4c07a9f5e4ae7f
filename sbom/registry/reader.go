package registry

import (
	"strconv"
	"strings"
)

// reader takes a text apart. After something that is not there bad is true, and
// all that follows is empty.
type reader struct {
	rest string
	bad  bool
}

func (in *reader) until(end byte) string {
	i := strings.IndexByte(in.rest, end)
	if i < 0 {
		in.bad, in.rest = true, ""
		return ""
	}
	s := in.rest[:i]
	in.rest = in.rest[i+1:]
	return s
}

// number reads decimal digits.
func (in *reader) number(end byte) int64 {
	s := in.until(end)
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		in.bad = true
	}
	return int64(n)
}

// maxCount bounds the lists that are read: those that are kept have hundreds.
const maxCount = 1 << 16

// count reads how many texts follow.
func (in *reader) count() int {
	n := in.number(':')
	if n > maxCount {
		in.bad = true
	}
	if in.bad {
		return 0
	}
	return int(n)
}

// text reads a text behind its length.
func (in *reader) text() string {
	n := in.number(':')
	if in.bad || n > int64(len(in.rest)) {
		in.bad, in.rest = true, ""
		return ""
	}
	s := in.rest[:n]
	in.rest = in.rest[n:]
	return s
}

// texts reads a list of texts; nil for an empty one.
func (in *reader) texts() []string {
	var out []string
	for range in.count() {
		out = append(out, in.text())
	}
	return out
}

// pairs reads a map of texts; nil for an empty one.
func (in *reader) pairs() map[string]string {
	var out map[string]string
	for range in.count() {
		if out == nil {
			out = map[string]string{}
		}
		out[in.text()] = in.text()
	}
	return out
}

// numbers reads the numbers of a version's line, to its end. It is most of what
// reading a record is.
func (in *reader) numbers() (out [numbers]int64) {
	at, n, digits := 0, int64(0), 0
	for i := range len(in.rest) {
		c := in.rest[i]
		if digit := c - '0'; digit <= 9 && digits < 18 {
			n, digits = n*10+int64(digit), digits+1
			continue
		}
		if digits == 0 || at == numbers || c != '\t' && c != '\n' {
			break
		}
		out[at], at, n, digits = n, at+1, 0, 0
		if c == '\n' {
			in.rest = in.rest[i+1:]
			return out
		}
	}
	in.bad, in.rest = true, ""
	return out
}
