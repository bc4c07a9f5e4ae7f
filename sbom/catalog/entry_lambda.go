package catalog

import (
	"path"
	"strings"
)

// lambda takes the module that AWS's runtimes load for a handler, FILE.FUNCTION
// from the task's folder, and the program of a custom runtime
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, as of
// 2026-11).
func (e *entry) lambda(handler string) {
	root := path.Join("/", e.env("LAMBDA_TASK_ROOT", "/var/task"))
	custom := e.take(path.Join(root, "bootstrap"))
	custom = e.take("/var/runtime/bootstrap") && !e.hasLang() || custom     // what a handler means is its own affair
	if strings.Contains(handler, "/") && e.take(path.Join(root, handler)) { // the program itself, as a command
		return
	}
	if handler == "" || len(handler) > maxCommandBytes {
		return
	}
	mod, _, _ := strings.Cut(handler, "::") // of Java and .NET
	if mod == handler {
		mod = strings.TrimSuffix(handler, path.Ext(handler))
	}
	found := false
	for _, m := range []string{mod, strings.ReplaceAll(mod, ".", "/")} {
		found = e.takeModule(path.Join(root, m)) || found
	}
	if dir, name := path.Split(mod); strings.Contains(name, ".") { // FILE.CLASS.METHOD of Ruby
		first, _, _ := strings.Cut(name, ".")
		found = e.take(path.Join(root, dir, first)+".rb") || found
	}
	if !found && !custom && !e.elsewhere(mod) {
		e.missing = append(e.missing, strings.TrimPrefix(path.Join(root, mod), "/"))
	}
}

// elsewhere reports whether something else of the image can be what a handler
// names: a module on a search path, or a class in an archive.
func (e *entry) elsewhere(mod string) bool {
	mod = "/" + strings.TrimPrefix(path.Join("/", strings.ReplaceAll(mod, ".", "/")), "/")
	for _, f := range e.tree.Files() {
		if hasExt(f.Path, archiveExts) {
			return true
		}
		for _, ext := range entryExts {
			if strings.HasSuffix("/"+f.Path, mod+ext) {
				return true
			}
		}
	}
	return false
}
