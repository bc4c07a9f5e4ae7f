package trust

import (
	"net/url"
	"strings"
)

// maxRepository is how long the address of a repository may be, in bytes.
const maxRepository = 2048

// forges are the hosts on which a repository is always an owner and a name, so
// that what follows is a place inside it. Names have no case there.
var forges = map[string]bool{"github.com": true, "bitbucket.org": true, "codeberg.org": true}

// Repository writes the address of a repository in one form, HOST/PATH in lower
// case without scheme, user, ".git" and the place inside it, so that two
// spellings of one repository are equal: package managers write "git+https://…",
// "git@host:a/b", "github:a/b", and the folder of a package in a repository of
// many. It returns "" for what is none.
//
// Lower case joins what a host with case-sensitive names would tell apart: two
// such repositories would count as one. GitHub, GitLab and Bitbucket have none.
func Repository(text string) string {
	if len(text) > maxRepository {
		return ""
	}
	text = strings.ToLower(strings.TrimSpace(text))
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "?")
	text = strings.TrimPrefix(text, "git+")
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case !ok && strings.HasPrefix(text, "git@"): // git@host:a/b, as scp writes it
		rest = strings.Replace(text, ":", "/", 1)
	case !ok && shorthand(text) != "":
		rest = shorthand(text)
	case !ok:
		rest = text
	case scheme == "file":
		return ""
	}
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	name, port, _ := strings.Cut(strings.TrimPrefix(host, "www."), ":")
	if port != "" && strings.Trim(port, "0123456789") != "" { // ssh://git@host:a/b, which many write
		path = port + "/" + path
	}
	if !strings.Contains(name, ".") || strings.ContainsAny(name, " \t\r\n\x00") {
		return ""
	}
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	path = repositoryPart(name, path)
	if path == "" || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return name + "/" + path
}

// shorthand is the address that npm's short form stands for (package.json,
// "repository"): "a/b", "github:a/b", "gitlab:a/b", "bitbucket:a/b"; "" for others.
func shorthand(text string) string {
	host, path, ok := strings.Cut(text, ":")
	if !ok {
		if owner, name, two := strings.Cut(text, "/"); two && owner != "" && name != "" && !strings.Contains(name, "/") && !strings.Contains(owner, ".") {
			return "github.com/" + text
		}
		return ""
	}
	at := map[string]string{"github": "github.com/", "gitlab": "gitlab.com/", "bitbucket": "bitbucket.org/"}[host]
	if at == "" {
		return ""
	}
	return at + path
}

// repositoryPart takes the place inside a repository off a path: "a/b/tree/main/x" and
// "group/sub/b/-/tree/main" are of "a/b" and "group/sub/b".
func repositoryPart(host, path string) string {
	for _, mark := range []string{"/-/", "/tree/", "/blob/"} {
		if i := strings.Index(path, mark); i > 0 && strings.Contains(path[:i], "/") {
			path = path[:i]
		}
	}
	var parts []string
	for _, p := range strings.Split(path, "/") {
		if p != "" && p != "." && p != ".." {
			parts = append(parts, p)
		}
	}
	if forges[host] && len(parts) > 2 {
		parts = parts[:2]
	}
	if n := len(parts); n > 0 {
		parts[n-1] = strings.TrimSuffix(parts[n-1], ".git")
	}
	return strings.Join(parts, "/")
}
