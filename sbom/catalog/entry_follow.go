package catalog

import (
	"encoding/json"
	"path"
	"strings"
)

// Bounds of what is followed from an image's command line.
const (
	maxFollowed      = 32       // wrapper scripts and package.json files
	maxWrapperBytes  = 64 << 10 // of one wrapper script
	maxEntryManifest = 1 << 20  // bytes of one package.json
)

// follow takes what a command line starts by way of something else: a wrapper
// script's "exec", a script of package.json, the main file of a folder, a
// functions framework. Only plain forms are read. It adds files and never says
// that one is missing: which branch a script takes is not known.
func (e *entry) follow(argv []string) {
	var flat []string
	for _, arg := range argv {
		for _, w := range e.words(arg) {
			if !strings.ContainsAny(w, " \t\r\n") {
				flat = append(flat, w)
			}
		}
	}
	for i, w := range flat {
		if e.spent() {
			return
		}
		switch path.Base(w) {
		case "npm", "yarn", "pnpm", "bun":
			e.packageScript(flat[i+1:])
		case "functions-framework", "functions_framework", "functions-framework-python", "functions-framework-nodejs":
			e.framework(flat[i+1:])
		default:
			e.wrapper(w)
			e.mainOf(e.abs(w, false))
		}
	}
}

// run takes the files that the words of a followed command name.
func (e *entry) run(argv []string) {
	for _, arg := range argv {
		for _, w := range e.words(arg) {
			if !e.afford(w) {
				return
			}
			e.word(w)
		}
	}
	e.follow(argv)
}

// content returns a file that was not followed yet, nil when it is too large or
// is none.
func (e *entry) content(p string, most int64) []byte {
	f, err := e.tree.Resolve(strings.TrimPrefix(path.Clean(p), "/"))
	if err != nil || f.Size > most || e.read[f.Path] || len(e.read) >= maxFollowed {
		return nil
	}
	data, err := e.tree.ReadFile(f.Path)
	if err != nil {
		return nil
	}
	if e.read == nil {
		e.read = map[string]bool{}
	}
	e.read[f.Path] = true
	return data
}

// wrapper follows the shell script that a word names.
func (e *entry) wrapper(w string) {
	if w == "" || strings.HasPrefix(w, "-") {
		return
	}
	p := e.abs(w, false)
	if !strings.Contains(w, "/") {
		for _, dir := range e.path {
			if _, err := e.tree.Resolve(strings.TrimPrefix(path.Join(dir, w), "/")); err == nil {
				p = path.Join("/", dir, w)
				break
			}
		}
	}
	name := strings.TrimPrefix(path.Clean(p), "/")
	var head [64]byte
	n, err := e.tree.Peek(name, head[:])
	if err != nil || !shellScript(string(head[:n])) {
		return
	}
	e.shell(string(e.content(p, maxWrapperBytes)))
}

// shellScript reports whether a file starts as one.
func shellScript(head string) bool {
	line, _, _ := strings.Cut(head, "\n")
	line, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return false
	}
	for _, w := range strings.Fields(line) {
		switch path.Base(w) {
		case "sh", "bash", "dash", "ash", "busybox":
			return true
		}
	}
	return false
}

// shell runs the plain "exec PROGRAM ARGUMENT..." of a script, from the folder
// of the plain "cd" before it.
func (e *entry) shell(text string) {
	was := e.cwd
	defer func() { e.cwd = was }()
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.SplitSeq(text, "\n") {
		if e.spent() {
			return
		}
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(";&|", r) }) {
			words := strings.Fields(part)
			for len(words) > 0 && opensBlock(words[0]) {
				words = words[1:]
			}
			if len(words) < 2 {
				continue
			}
			for i := range words {
				words[i] = strings.Trim(words[i], "\"'")
			}
			switch words[0] {
			case "cd":
				if len(words) == 2 && !strings.ContainsAny(words[1], "$`") {
					e.cwd = path.Join("/", e.abs(words[1], false))
				}
			case "exec":
				e.run(words[1:])
			}
		}
	}
}

func opensBlock(w string) bool {
	switch w {
	case "then", "else", "do", "{", "(":
		return true
	}
	return false
}

// packageScript follows what npm and its like start for the words behind their
// name (https://docs.npmjs.com/cli/commands/npm-run, and npm-start for what
// "start" means without a script).
func (e *entry) packageScript(words []string) {
	name := ""
	for _, w := range words {
		if strings.HasPrefix(w, "-") || w == "run" || w == "run-script" {
			continue
		}
		name = w
		break
	}
	if name == "" {
		return
	}
	data := e.content(path.Join(e.cwd, "package.json"), maxEntryManifest)
	var scripts map[string]string
	json.Unmarshal(field(data, "scripts"), &scripts) // of what is no object of strings nothing is followed
	if name == "start" && scripts[name] == "" && data != nil {
		e.run([]string{"node", "server.js"})
	}
	for _, n := range []string{"pre" + name, name, "post" + name} {
		if s := scripts[n]; s != "" {
			e.run(strings.Fields(strings.NewReplacer(`"`, "", "'", "").Replace(s)))
		}
	}
	e.takeMain(e.cwd, data)
}

// field returns one member of a JSON object, nil when there is none.
func field(data []byte, name string) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(data, &all) != nil {
		return nil
	}
	return all[name]
}

// mainOf takes what "node FOLDER" loads.
func (e *entry) mainOf(dir string) {
	e.takeMain(dir, e.content(path.Join(dir, "package.json"), maxEntryManifest))
}

// takeMain takes the file that a package.json calls its main one
// (https://nodejs.org/api/packages.html#main).
func (e *entry) takeMain(dir string, manifest []byte) {
	var main string
	if json.Unmarshal(field(manifest, "main"), &main) == nil && main != "" && e.afford(main) {
		e.takeModule(path.Join("/", dir, main))
	}
}

// framework takes what Google's functions frameworks load: the file that is
// given, else for Node.js the main file of the package, index.js or function.js,
// and for Python main.py (https://github.com/GoogleCloudPlatform, the README of
// functions-framework-nodejs and functions-framework-python, as of 2026-11).
func (e *entry) framework(words []string) {
	source := e.env("FUNCTION_SOURCE", "")
	for i, w := range words {
		if w == "--source" && i+1 < len(words) {
			source = words[i+1]
		}
	}
	at := e.abs(source, false)
	if source != "" {
		e.take(at)
	}
	e.mainOf(at)
	for _, name := range []string{"index.js", "index.mjs", "function.js", "main.py"} {
		e.take(path.Join(at, name))
	}
}
