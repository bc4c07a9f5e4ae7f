package registry

import "strings"

// reasonSpelling is why a name is unknown that no package can have.
const reasonSpelling = "no package can be spelled so: it is not sent anywhere"

// spelled says whether a text is a name that some system could have. Another one
// comes from a file that somebody made, and might be a private name in a
// spelling that the policy's patterns do not see and a server does:
// "@corp%2fx", "@corp//x", "x/../@corp/x", letters that look like ASCII.
func spelled(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("@/._-~!'()*+:$", c) >= 0) {
			return false
		}
	}
	for step := range strings.SplitSeq(name, "/") {
		if step == "" || step == "." || step == ".." {
			return false
		}
	}
	return true
}
