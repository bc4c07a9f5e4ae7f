package catalog

import (
	"os"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// Bounds of what is read off an image's command line.
const (
	maxCommandWords = 512     // words that are looked up
	maxCommandBytes = 1 << 16 // bytes of all of them
	maxPathFolders  = 64      // folders of PATH
	maxValueBytes   = 256     // bytes of a variable's value in a word
)

// defaultPath is what container engines search when the image sets no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// entry is what an image runs. Its files are the function's, whatever layer
// they lie in: where the base image ends is often a guess, and what is started
// is what the scan is about.
type entry struct {
	files   map[string]bool // paths with all links followed
	missing []string        // what the command line names and the image does not have

	tree *bundle.Tree
	img  *bundle.Image
	path []string // folders of PATH
	cwd  string   // folder that relative words start from

	wordCount, wordBytes int             // of what was looked up
	read                 map[string]bool // files that were followed
}

// entryOf reads what the image of an artifact runs.
func (c *composition) entryOf(artifact int) *entry {
	if e := c.entries[artifact]; e != nil {
		return e
	}
	e := &entry{files: map[string]bool{}, tree: c.fn.Volumes[artifact].Tree(), img: c.imageOf(artifact)}
	e.cwd = path.Join("/", e.img.WorkingDir)
	e.path = strings.Split(e.env("PATH", defaultPath), ":")
	e.path = e.path[:min(len(e.path), maxPathFolders)]
	handler := ""
	if c.fn.Platform == bundle.PlatformAWS && artifact == 0 {
		handler = c.fn.Handler
		e.lambda(handler)
	}
	argv := slices.Concat(e.img.Entrypoint, e.img.Cmd)
	e.command(argv, handler)
	e.follow(argv)
	if e.env("FUNCTION_TARGET", "") != "" {
		e.framework(nil)
	}
	if c.entries == nil {
		c.entries = map[int]*entry{}
	}
	c.entries[artifact] = e
	return e
}

// missingEntry tells what an image runs and does not have: nothing can be said
// about code that is not there.
func (c *composition) missingEntry(artifact int) []sbom.Unknown {
	if c.imageOf(artifact) == nil {
		return nil
	}
	gap := sbom.Unknown{Artifact: artifact, Kind: sbom.Unreadable, Origin: sbom.OriginApp, Code: true}
	if len(c.fn.Volumes[artifact].Files()) == 0 {
		gap.Reason = "the image holds no file: nothing in it can run"
		return []sbom.Unknown{gap}
	}
	var out []sbom.Unknown
	for _, p := range c.entryOf(artifact).missing {
		gap.Path, gap.Reason = p, "the image runs "+clip(p)+", which is not in it"
		out = append(out, gap)
	}
	return out
}

func (e *entry) env(name, otherwise string) string {
	for _, s := range e.img.Env {
		if v, ok := strings.CutPrefix(s, name+"="); ok && v != "" {
			return v
		}
	}
	return otherwise
}

// command takes the program, and every further word that names a file: which of
// them an interpreter or a wrapper takes for its script is its own affair, and
// a word too many does no harm.
func (e *entry) command(argv []string, handler string) {
	for i, arg := range argv {
		for j, w := range e.words(arg) {
			if !e.afford(w) {
				return
			}
			found := e.word(w)
			if !found && j == 0 && e.must(argv, i, handler) {
				e.missing = append(e.missing, strings.TrimPrefix(e.abs(w, i == 0), "/"))
			}
		}
	}
}

// afford counts a word that is to be looked up and reports whether it may be.
func (e *entry) afford(w string) bool {
	e.wordCount++
	e.wordBytes += len(w)
	return !e.spent()
}

// spent reports whether as many words were looked up as may be.
func (e *entry) spent() bool {
	return e.wordCount > maxCommandWords || e.wordBytes > maxCommandBytes
}

// must reports whether word i of the command line has to be a file of the
// function: the program, unless it is a runtime's, or the script that follows an
// interpreter. In an image that only has a command, a handler is no program.
func (e *entry) must(argv []string, i int, handler string) bool {
	if strings.ContainsAny(argv[i], " \t\r\n$") {
		return false
	}
	name := path.Base(argv[0])
	lang := interpreter(name) || name == "lambda-entrypoint.sh" || name == "aws-lambda-rie"
	return i == 0 && !lang && argv[0] != handler || i == 1 && interpreter(name) && hasExt(argv[1], scriptExts)
}

// words splits the shell form of a command, options with a value, and lists as
// class paths are.
func (e *entry) words(arg string) []string {
	if len(arg) > maxCommandBytes {
		return nil
	}
	list := []string{arg}
	arg = os.Expand(arg, func(name string) string {
		v := e.env(name, "")
		return v[:min(len(v), maxValueBytes)]
	})
	for _, w := range strings.FieldsFunc(arg, func(r rune) bool { return strings.ContainsRune(" \t\r\n;&|()<>\"'`=:,", r) }) {
		if w != list[0] {
			list = append(list, w)
		}
	}
	return list
}

// abs is the path that a word means: a program without a slash is no path.
func (e *entry) abs(w string, program bool) string {
	if path.IsAbs(w) || program && !strings.Contains(w, "/") {
		return w
	}
	return path.Join(e.cwd, w)
}

// entryExts is what interpreters add to the name of a script or module.
var entryExts = [...]string{"", ".js", ".mjs", ".cjs", ".py", ".rb", ".sh", ".dll", "/index.js", "/__main__.py", "/__init__.py"}

// word takes the files that a word of the command line can mean.
func (e *entry) word(w string) bool {
	if w == "" || w == "/" || strings.HasPrefix(w, "-") {
		return false
	}
	if !strings.Contains(w, "/") {
		for _, dir := range e.path {
			if e.take(path.Join("/", dir, w)) {
				return true
			}
		}
	}
	if dir, ok := strings.CutSuffix(e.abs(w, false), "/*"); ok { // a class path
		return e.takeFolder(strings.TrimPrefix(dir, "/") + "/")
	}
	found := e.takeModule(e.abs(w, false))
	if m := strings.ReplaceAll(w, ".", "/"); m != w && !strings.Contains(w, "/") { // a module of Python
		for _, ext := range []string{".py", "/__main__.py"} {
			found = e.take(e.abs(m, false)+ext) || found
		}
	}
	return found
}

// takeModule takes what an interpreter can load under a name.
func (e *entry) takeModule(p string) bool {
	found := false
	for _, ext := range entryExts {
		found = e.take(p+ext) || found
	}
	return found
}

func (e *entry) takeFolder(dir string) bool {
	found := false
	for _, f := range e.tree.Files() {
		if rest, ok := strings.CutPrefix(f.Path, dir); ok && !strings.Contains(rest, "/") && hasExt(rest, archiveExts) {
			found = e.take("/"+f.Path) || found
		}
	}
	return found
}

// take adds the file at a path, unless it is a runtime's, and reports whether
// there is one.
func (e *entry) take(p string) bool {
	f, err := e.tree.Resolve(strings.TrimPrefix(path.Clean(p), "/"))
	if err != nil {
		return false
	}
	if !e.runtime(f.Path) {
		e.files[f.Path] = true
	}
	return true
}

// runtime reports whether a file only runs what else the command line names. It
// stays whose it was by its layer.
func (e *entry) runtime(p string) bool {
	switch {
	case p == "lambda-entrypoint.sh", p == "usr/local/bin/aws-lambda-rie", strings.HasPrefix(p, "azure-functions-host/"):
		return true
	case p == "var/runtime/bootstrap":
		return e.hasLang() // else it is a custom runtime, which AWS's base does not bring
	}
	dir, name := path.Split(p)
	if d := path.Base(dir); d != "bin" && d != "sbin" && d != "dotnet" {
		return false
	}
	return interpreter(name)
}

func (e *entry) hasLang() bool {
	_, err := e.tree.Stat("var/lang")
	return err == nil
}

// interpreter reports whether a program is a language's, a shell, or one that
// starts its arguments.
func interpreter(name string) bool {
	switch strings.TrimRight(name, "0123456789.") {
	case "node", "nodejs", "python", "java", "ruby", "dotnet", "php", "deno", "bun", "perl",
		"sh", "bash", "dash", "ash", "busybox", "env", "tini", "tini-static", "dumb-init", "catatonit", "gosu", "su-exec":
		return true
	}
	return false
}

// scriptExts are of files that an interpreter gets by name, archiveExts of those
// that classes are loaded from.
var (
	scriptExts  = []string{".js", ".mjs", ".cjs", ".py", ".rb", ".jar"}
	archiveExts = []string{".jar", ".war", ".class", ".dll"}
)

func hasExt(p string, exts []string) bool { return slices.Contains(exts, path.Ext(p)) }
