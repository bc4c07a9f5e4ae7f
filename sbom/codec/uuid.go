package codec

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
)

// uuidNamespace is the UUID that version 5 of RFC 9562 section 5.5 wants as a
// prefix: the URL namespace of its table, because the name starts with a URL.
const uuidNamespace = "\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"

// Serial is the UUID version 5 of the document's subjects and snapshot: the
// same bytes judged against the same advisories give the same serial number.
func Serial(doc Document) string {
	var subjects []string
	for _, f := range doc.Functions {
		subjects = append(subjects, Identity(f))
	}
	return SerialOf(subjects, doc.Snapshot)
}

// SerialOf is Serial of what Identity says of each function, in any order.
func SerialOf(subjects []string, snapshot string) string {
	subjects = slices.Sorted(slices.Values(subjects))
	return uuid5(homepage + "\n" + strings.Join(subjects, "\n") + "\n" + snapshot)
}

// Identity is what a function adds to the serial number.
func Identity(f Function) string {
	s := f.Name
	if f.SBOM != nil && f.SBOM.Subject != "" {
		return s + "\x00" + string(f.SBOM.Subject)
	}
	for _, a := range f.Artifacts {
		s += "\x00" + string(a.Digest)
	}
	return s
}

// identities are those of functions that wait in a file.
func identities(parts []streamPart) []string {
	var out []string
	for _, p := range parts {
		out = append(out, p.identity)
	}
	return out
}

func uuid5(name string) string {
	h := sha1.Sum([]byte(uuidNamespace + name)) // SHA-1 is what the RFC says; nothing is secured by it
	h[6] = h[6]&0x0f | 0x50
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
