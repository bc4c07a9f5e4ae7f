package catalog

import (
	"bytes"
	"path"
	"regexp"
	"strings"
	"sync"
)

// maxCalled is how many bytes of a file are read that an install script runs.
// Those of real packages have a few thousand; bundled ones up to a million.
const maxCalled = 2 << 20

// called returns the files of its own that a command of a package runs, at most
// four: what follows an interpreter, what is run by a path, and what an inline
// program loads by one.
func called(command string) []string {
	var out []string
	add := func(s string) {
		if len(out) < 4 && s != "" && !strings.Contains(s, "://") {
			out = append(out, s)
		}
	}
	for _, m := range inlineLoads().FindAllStringSubmatch(command, 4) {
		add(m[1])
	}
	interpreter := false
	for word := range strings.FieldsFuncSeq(command, func(r rune) bool { return strings.ContainsRune(" \t\n;&|()", r) }) {
		word = strings.Trim(word, `"'`)
		switch {
		case word == "-e" || word == "--eval" || word == "-c" || word == "-p":
			interpreter = false
		case interpreter && strings.HasPrefix(word, "-"):
		case interpreter:
			add(word)
			interpreter = false
		case strings.HasPrefix(word, "./") && !strings.ContainsAny(word, "'\""):
			add(word)
		}
		switch path.Base(word) {
		case "node", "nodejs", "sh", "bash", "python", "python3", "bun", "deno":
			interpreter = true
		}
	}
	return out
}

var inlineLoads = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:require|import)\(\s*\\?["'](\.{1,2}/[^"'\\]{1,200})`)
})

// doing is one thing that a program does, by words that it needs for that.
type doing struct {
	name  string
	least int // so many of the words
	words []string
}

// doingsOf lists what is looked for. It is noted, not judged: a word may stand in
// a comment. Of secrets two are looked for: installers of big downloads speak of
// one, such as .npmrc in the message that says where a mirror is set.
var doingsOf = []doing{
	{"network", 1, []string{`"http"`, `'http'`, `"https"`, `'https'`, "node:http", `"net"`, `'net'`, "node:net", `"dns"`, `'dns'`, "node:dns", "fetch(", "axios", "node-fetch", "XMLHttpRequest", "WebSocket(", "urllib", "curl ", "wget ", "/dev/tcp/"}},
	{"programs", 1, []string{"child_process", "execSync(", "spawn(", "subprocess", "os.system("}},
	{"secrets", 2, []string{".npmrc", ".ssh/", "id_rsa", ".aws/credentials", "AWS_SECRET_ACCESS_KEY", "NPM_TOKEN", ".netrc", ".docker/config.json"}},
	{"runs what it decodes", 1, []string{"eval(atob(", "eval(Buffer.from(", "eval(unescape(", "Function(atob(", "Function(Buffer.from(", "exec(base64", "exec(__import__('base64'", "base64 -d | sh", "base64 -d | bash", "base64 -d|sh", "base64 --decode | sh", "base64 --decode | bash"}},
}

// obfuscated is how many names such as _0x1a2b3c make a program one that hides
// what it does: tools that do that use hundreds, and nobody writes them.
const obfuscated = 20

// doings returns the names of what a program does.
func doings(text []byte) []string {
	var out []string
	for _, d := range doingsOf {
		found := 0
		for _, w := range d.words {
			if bytes.Contains(text, []byte(w)) {
				found++
			}
			if found == d.least {
				out = append(out, d.name)
				break
			}
		}
	}
	if n := bytes.Count(text, []byte("_0x")); n >= obfuscated {
		out = append(out, "hides its names")
	}
	return out
}
