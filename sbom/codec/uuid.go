package codec

import (
	"crypto/sha1"
	"fmt"
	"sort"
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
		s := f.Name
		if f.SBOM != nil && f.SBOM.Subject != "" {
			s += "\x00" + string(f.SBOM.Subject)
		} else {
			for _, a := range f.Artifacts {
				s += "\x00" + string(a.Digest)
			}
		}
		subjects = append(subjects, s)
	}
	sort.Strings(subjects)
	return uuid5(homepage + "\n" + strings.Join(subjects, "\n") + "\n" + doc.Snapshot)
}

func uuid5(name string) string {
	h := sha1.Sum([]byte(uuidNamespace + name)) // SHA-1 is what the RFC says; nothing is secured by it
	h[6] = h[6]&0x0f | 0x50
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
