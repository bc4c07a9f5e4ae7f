// Package archtest holds the rules of the house as code: which package may
// import which, which module has which door, and what no source file may do.
// It parses the files itself, in process. A test that shells out to the go
// command is cached over a wrong import, because the test's own inputs did
// not change; files opened through the os package are inputs that the test
// cache knows.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Violation is one broken rule.
type Violation struct {
	Place  string // file, with the line where there is one, or a package's folder
	Rule   string // short name: "arrow", "unlisted", "door", ...
	Detail string // what is wrong, and why the rule exists
}

// String formats v as "place: rule: detail".
func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Place, v.Rule, v.Detail) }

// Check applies every rule to the tree and returns what is broken, sorted by
// place. An error means that the tree could not be read or parsed, so that
// nothing is known about it.
func Check(tree fs.FS) ([]Violation, error) {
	packages, err := load(tree)
	if err != nil {
		return nil, err
	}
	if len(packages) == 0 {
		return nil, fmt.Errorf("check the tree: no Go package in it")
	}
	var found []Violation
	for _, p := range packages {
		found = append(found, checkImports(p)...)
		found = append(found, checkDoc(p)...)
		found = append(found, checkSource(p)...)
	}
	named, err := checkHosts(tree)
	if err != nil {
		return nil, err
	}
	found = append(found, named...)
	slices.SortStableFunc(found, func(a, b Violation) int { return strings.Compare(a.String(), b.String()) })
	return found, nil
}

// pkg is one folder with its parsed non-test files.
type pkg struct {
	dir   string // slash-separated, relative to the module's root
	fset  *token.FileSet
	files []*ast.File
}

// load parses every non-test Go file of the module. Folders that the go
// command ignores, folders named testdata and nested modules are not part of it.
func load(tree fs.FS) ([]*pkg, error) {
	byDir := map[string]*pkg{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() {
			if name == "." {
				return nil
			}
			if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
				return fs.SkipDir
			}
			if _, err := fs.Stat(tree, path.Join(name, "go.mod")); err == nil {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir, fset: token.NewFileSet()}
		}
		file, err := parser.ParseFile(byDir[dir].fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		byDir[dir].files = append(byDir[dir].files, file)
		return nil
	})
	if err != nil {
		return nil, err
	}
	packages := make([]*pkg, 0, len(byDir))
	for _, p := range byDir {
		packages = append(packages, p)
	}
	slices.SortFunc(packages, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return packages, nil
}

// checkImports applies arrows, standardOnly and doors to one package.
func checkImports(p *pkg) []Violation {
	allowed, listed := arrows()[p.dir]
	if !listed {
		return []Violation{{p.dir, "unlisted", "this package is not in the import table (table.go): decide what it may import before others lean on it"}}
	}
	var found []Violation
	for _, file := range p.files {
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the parser accepted it, so this cannot be
			}
			place := p.place(spec.Pos())
			if own, ok := strings.CutPrefix(target, module+"/"); ok {
				switch {
				case slices.Contains(libraries, p.dir) && strings.HasPrefix(own, "cmd/"):
					found = append(found, Violation{place, "arrow", fmt.Sprintf("library %s imports %s: a library must not reach up into the program, or nobody else can use it", p.dir, own)})
				case !slices.Contains(allowed, own):
					found = append(found, Violation{place, "arrow", fmt.Sprintf("%s must not import %s: arrows point one way, see table.go", p.dir, own)})
				}
				continue
			}
			if strings.Contains(strings.SplitN(target, "/", 2)[0], ".") {
				if why, ok := standardOnly[p.dir]; ok {
					found = append(found, Violation{place, "standard-only", fmt.Sprintf("%s imports %s: only the standard library is allowed, because %s", p.dir, target, why)})
				}
			}
			for _, d := range doors() {
				if strings.HasPrefix(target, d.prefix) && !slices.Contains(d.open, p.dir) {
					found = append(found, Violation{place, "door", fmt.Sprintf("%s imports %s, whose door is %s: %s", p.dir, target, doorNames(d), d.reason)})
				}
			}
		}
	}
	return found
}

func doorNames(d door) string {
	if len(d.open) == 0 {
		return "closed outside tests"
	}
	return strings.Join(d.open, ", ")
}

// place formats a position as "file:line".
func (p *pkg) place(pos token.Pos) string {
	at := p.fset.Position(pos)
	return fmt.Sprintf("%s:%d", at.Filename, at.Line)
}
