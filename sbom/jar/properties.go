package jar

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxProperties bounds the entries of one properties file that are kept.
const maxProperties = 10_000

// ParseProperties reads a Java properties file
// (java.util.Properties.load, https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html):
// comments begin with "#" or "!", key and value are parted by "=", ":" or
// blanks, a backslash at the end continues a line, and \uXXXX is a character.
// A later entry replaces an earlier one. Of more than maxProperties the first
// ones come with an error.
func ParseProperties(data []byte) (map[string]string, error) {
	out := map[string]string{}
	for len(data) > 0 {
		var line []byte
		line, data = logicalLine(data)
		if len(line) == 0 || line[0] == '#' || line[0] == '!' {
			continue
		}
		if len(out) == maxProperties {
			return out, &limitError{fmt.Sprintf("more than %d properties", maxProperties)}
		}
		key, rest := cutKey(line)
		out[unescape(key)] = unescape(rest)
	}
	return out, nil
}

// logicalLine takes the first line off data, joined with those that continue it.
func logicalLine(data []byte) (line, rest []byte) {
	joined := false
	for len(data) > 0 {
		end, skip := lineEnd(data)
		part := bytes.TrimLeft(data[:end], " \t\f")
		data = data[end+skip:]
		comment := !joined && len(part) > 0 && (part[0] == '#' || part[0] == '!')
		more := !comment && (len(part)-len(bytes.TrimRight(part, "\\")))%2 == 1
		if more {
			part = part[:len(part)-1]
		}
		if !joined && !more {
			return part, data
		}
		line = append(line, part...)
		joined = true
		if !more {
			break
		}
	}
	return line, data
}

func cutKey(line []byte) (key, value []byte) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '=', ':', ' ', '\t', '\f':
			value = bytes.TrimLeft(line[i:], " \t\f")
			if len(value) > 0 && (value[0] == '=' || value[0] == ':') {
				value = bytes.TrimLeft(value[1:], " \t\f")
			}
			return line[:i], value
		}
	}
	return line, nil
}

func unescape(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	var s strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			s.WriteByte(b[i])
			continue
		}
		i++
		switch b[i] {
		case 't':
			s.WriteByte('\t')
		case 'n':
			s.WriteByte('\n')
		case 'r':
			s.WriteByte('\r')
		case 'f':
			s.WriteByte('\f')
		case 'u':
			if i+4 < len(b) {
				if n, err := strconv.ParseUint(string(b[i+1:i+5]), 16, 16); err == nil && utf8.ValidRune(rune(n)) {
					s.WriteRune(rune(n))
					i += 4
				}
			}
		default:
			s.WriteByte(b[i])
		}
	}
	return s.String()
}
