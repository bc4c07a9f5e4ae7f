package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// checkDoc wants a package comment, because a newcomer reads it first.
func checkDoc(p *pkg) []Violation {
	for _, file := range p.files {
		if file.Doc == nil {
			continue
		}
		text := file.Doc.Text()
		if file.Name.Name == "main" && text != "" || strings.HasPrefix(text, "Package "+file.Name.Name+" ") {
			return nil
		}
	}
	return []Violation{{p.dir, "doc", "no file has a package comment (\"Package name ...\"): it is what a newcomer reads first"}}
}

// checkSource applies the bans on what a non-test file may hold.
func checkSource(p *pkg) []Violation {
	var found []Violation
	for _, file := range p.files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					found = append(found, Violation{p.place(d.Pos()), "init", "func init runs in every process that links this package: start-up time is measured, and hidden order is hard to follow"})
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					found = append(found, checkGlobals(p, file, d)...)
				}
			}
		}
		if !strings.HasPrefix(p.dir, "cmd/") && p.dir != "cmd" {
			found = append(found, checkProcess(p, file)...)
		}
	}
	return found
}

// costly are the calls that a package-level variable must not make.
var costly = map[string][]string{
	"regexp":        {"MustCompile", "Compile", "MustCompilePOSIX", "CompilePOSIX"},
	"text/template": {"Must"},
	"html/template": {"Must"},
}

func checkGlobals(p *pkg, file *ast.File, decl *ast.GenDecl) []Violation {
	var found []Violation
	for _, spec := range decl.Specs {
		for _, value := range spec.(*ast.ValueSpec).Values {
			ast.Inspect(value, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit:
					return false // runs when it is called; a call of a literal is seen below
				case *ast.CallExpr:
					if literal, ok := unparen(n.Fun).(*ast.FuncLit); ok {
						ast.Inspect(literal.Body, func(n ast.Node) bool {
							found = append(found, costlyCall(p, file, n)...)
							return true
						})
					}
					found = append(found, costlyCall(p, file, n)...)
				}
				return true
			})
		}
	}
	return found
}

// unparen removes the parentheses around an expression.
func unparen(e ast.Expr) ast.Expr {
	for {
		paren, ok := e.(*ast.ParenExpr)
		if !ok {
			return e
		}
		e = paren.X
	}
}

func costlyCall(p *pkg, file *ast.File, n ast.Node) []Violation {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	for importPath, names := range costly {
		if name := selected(file, call.Fun, importPath); slices.Contains(names, name) {
			return []Violation{{p.place(n.Pos()), "global", fmt.Sprintf("%s.%s in a package-level variable runs at every start of the program, whose time is measured: compile it where it is used, once, with sync.OnceValue", path.Base(importPath), name)}}
		}
	}
	return nil
}

// process are the names of package os that belong to a program, not to a library.
var process = []string{"Exit", "Args", "Getenv", "LookupEnv", "Environ"}

func checkProcess(p *pkg, file *ast.File) []Violation {
	var found []Violation
	ast.Inspect(file, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if name := selected(file, e, "os"); slices.Contains(process, name) {
				found = append(found, Violation{p.place(n.Pos()), "process", fmt.Sprintf("os.%s outside cmd: a library must not end the process or read its arguments and environment; take a parameter", name)})
			}
		}
		return true
	})
	return found
}

// selected returns the name that e selects from the package importPath, as in
// "Exit" of os.Exit, under whatever name the file imports it; "" otherwise.
func selected(file *ast.File, e ast.Expr, importPath string) string {
	switch e := unparen(e).(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Name == localName(file, importPath) {
			return e.Sel.Name
		}
	case *ast.Ident:
		if localName(file, importPath) == "." {
			return e.Name
		}
	}
	return ""
}

// localName returns the name by which file knows an imported package, "" when
// it does not import it.
func localName(file *ast.File, importPath string) string {
	for _, spec := range file.Imports {
		if target, err := strconv.Unquote(spec.Path.Value); err != nil || target != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// checkHosts looks for names of package registries in every text file. Folders
// of version control are left out; a file that holds a NUL byte is not text.
func checkHosts(tree fs.FS) ([]Violation, error) {
	var found []Violation
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if bytes.IndexByte(content, 0) >= 0 {
			return nil
		}
		for i, line := range bytes.Split(bytes.ToLower(content), []byte("\n")) {
			for _, h := range hosts() {
				if holdsHost(line, strings.Join(h, "")) {
					found = append(found, Violation{fmt.Sprintf("%s:%d", name, i+1), "host", fmt.Sprintf("names the registry %s: which registry is used is the user's configuration, and an audit dials none", strings.Join(h, ""))})
				}
			}
		}
		return nil
	})
	return found, err
}

// holdsHost says whether line names exactly this host: "guides.example.org"
// does not name "example.org".
func holdsHost(line []byte, host string) bool {
	for at := 0; ; {
		i := bytes.Index(line[at:], []byte(host))
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(host)
		before := start == 0 || host[0] == ':' || !hostByte(line[start-1]) && line[start-1] != '.'
		after := end == len(line) || !hostByte(line[end])
		if before && after {
			return true
		}
		at = end
	}
}

func hostByte(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z'
}
