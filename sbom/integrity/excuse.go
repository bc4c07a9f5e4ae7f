package integrity

import (
	"bytes"
	"debug/elf"
	"io"
	"slices"
	"strings"
)

// maxText bounds the text files that are read again to see how they differ.
const maxText = 8 << 20

// otherLineEnds reports whether text is what it should be but for its line
// ends, which version control and archivers change.
func otherLineEnds(data []byte, is func([]byte) bool) bool {
	if bytes.IndexByte(data, 0) >= 0 || bytes.IndexByte(data, '\n') < 0 {
		return false
	}
	unix := bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return is(unix) || is(bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n")))
}

func digestIs(alg algorithms, want string, data []byte) bool {
	h := alg.new()
	h.Write(data)
	return string(h.Sum(nil)) == want
}

// stripped reports whether a file is ELF machine code that has neither a symbol
// table nor debugging sections, as strip(1) leaves it.
func stripped(r io.ReaderAt) bool {
	f, err := elf.NewFile(r)
	if err != nil {
		return false
	}
	return len(f.Sections) > 0 && !slices.ContainsFunc(f.Sections, func(s *elf.Section) bool {
		return s.Type == elf.SHT_SYMTAB || strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, ".zdebug_")
	})
}
