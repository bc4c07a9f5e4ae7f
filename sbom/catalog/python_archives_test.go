package catalog

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// pythonZip packs files; the first line of text may stand in front of the archive.
func pythonZip(t *testing.T, front string, files ...txtar.File) []byte {
	t.Helper()
	var buf bytes.Buffer
	buf.WriteString(front)
	w := zip.NewWriter(&buf)
	w.SetOffset(int64(buf.Len()))
	for _, f := range files {
		e, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestPythonArchives reads wheels, zipapps and zips of packages where they lie.
func TestPythonArchives(t *testing.T) {
	file := func(name, text string) txtar.File { return txtar.File{Name: name, Data: []byte(text)} }
	wheel := pythonZip(t, "", file("demo/__init__.py", ""), file("demo-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.5\n"), file("demo-1.5.dist-info/RECORD", "demo/__init__.py,,\n"))
	data := pythonZip(t, "", file("run.sh", "#!/bin/sh\nexit 0\n"))
	stripped := pythonZip(t, "", file("requests/__init__.py", "__version__ = '2.28.1'\n"), file("inner.whl", string(wheel)), file("data.zip", string(data)))
	app := pythonZip(t, "#!/usr/bin/env python3\n", file("__main__.py", "import six"), file("six.py", "__version__ = '1.16.0'\n"))
	pip := pythonZip(t, "", file("pip/__init__.py", "__version__ = '23.0.1'\n"), file("pip/_vendor/__init__.py", ""), file("pip/_vendor/vendor.txt", "idna==3.4\n"), file("pip/_vendor/idna/__init__.py", ""),
		file("pip-23.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pip\nVersion: 23.0.1\n"), file("pip-23.0.1.dist-info/RECORD", "pip/__init__.py,,\npip/_vendor/idna/__init__.py,,\n"))
	lone := pythonZip(t, "", file("handler.py", "x = 1"), file(".requirements.zip", string(stripped)), file("tool", string(app)), file("pip-23.0.1-py3-none-any.whl", string(pip)), file("data.zip", string(data)),
		file("owner-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: owner\nVersion: 1.0\n"), file("owner-1.0.dist-info/RECORD", "owner/__init__.py,,\nowner/w.whl,,\n"), file("owner/__init__.py", ""), file("owner/w.whl", string(stripped)))
	z, err := zip.NewReader(bytes.NewReader(lone), int64(len(lone)))
	if err != nil {
		t.Fatal(err)
	}
	var files []txtar.File
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		files = append(files, txtar.File{Name: "function/" + f.Name, Data: b.Bytes()})
	}
	got := render(catalogueFiles(t, "python3.12", files))
	for _, want := range []string{
		"live app pkg:pypi/demo@1.5\n    live 0 .requirements.zip!/inner.whl!/demo-1.5.dist-info/METADATA\n",
		"live app pkg:pypi/requests@2.28.1\n    live 0 .requirements.zip!/requests/__init__.py\n",
		"live app pkg:pypi/six@1.16.0\n    live 0 tool!/six.py\n",
		"live app pkg:pypi/pip@23.0.1\n",
		"live app pkg:pypi/idna@3.4\n    live 0 pip-23.0.1-py3-none-any.whl!/pip/_vendor/idna/__init__.py\n",
		"? opaque code=true 0 data.zip: nested archive with 1 file of code",
		"? opaque code=true 0 .requirements.zip!/data.zip: nested archive with 1 file of code",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q", want)
		}
	}
	if n := strings.Count(got, "?"); n != 2 {
		t.Errorf("%d unknowns, want 2", n)
	}
	if strings.Contains(got, "owner/w.whl!/requests") {
		t.Error("a wheel inside a package was taken for the function's")
	}
	if t.Failed() {
		t.Log(got)
	}
}

// TestZipapp is a function that is one program of Python.
func TestZipapp(t *testing.T) {
	app := pythonZip(t, "#!/usr/bin/env python3\n", txtar.File{Name: "__main__.py", Data: []byte("import six")}, txtar.File{Name: "six.py", Data: []byte("__version__ = '1.16.0'\n")})
	for _, name := range []string{"function/app.pex", "function/tool"} {
		got := render(catalogueFiles(t, "python3.12", []txtar.File{{Name: name, Data: app}}))
		if !strings.Contains(got, "pkg:pypi/six@1.16.0") || strings.Contains(got, "?") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// TestPythonArchiveInArchive ends at a depth.
func TestPythonArchiveInArchive(t *testing.T) {
	data := []byte("x = 1\n")
	name := "a.py"
	for range 8 {
		data = pythonZip(t, "", txtar.File{Name: name, Data: data}, txtar.File{Name: "b.py", Data: []byte("x = 1\n")})
		name = "a.pyz"
	}
	got := render(catalogueFiles(t, "python3.12", []txtar.File{{Name: "function/a.pyz", Data: data}}))
	if !strings.Contains(got, "? limit code=true") {
		t.Errorf("no limit in:\n%s", got)
	}
}

// TestNestedCode: the code in archives is counted where it lies, and all of it
// is attributed, own or unknown.
func TestNestedCode(t *testing.T) {
	file := func(name, text string) txtar.File { return txtar.File{Name: name, Data: []byte(text)} }
	code := strings.Repeat("def f(): return 1\n", 20)
	dist := func(name, version string, more ...txtar.File) []txtar.File {
		return append([]txtar.File{file(name+"/__init__.py", code), file(name+"/a.py", code),
			file(name+"-"+version+".dist-info/METADATA", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"),
			file(name+"-"+version+".dist-info/RECORD", name+"/__init__.py,,\n"+name+"/a.py,,\n"+name+"/inner.whl,,\n"+name+"/app.js,,\n")}, more...)
	}
	bundle := "var __commonJS = (cb, mod) => mod;\n\n// node_modules/ms/index.js\nvar ms = function () { return 1 };\n"
	shell := string(pythonZip(t, "", file("run.sh", "#!/bin/sh\nexit 0\n")))
	wheel := pythonZip(t, "", dist("demo", "1.5")...)
	app := pythonZip(t, "#!/usr/bin/env python3\n", append(dist("lib", "2.0"), file("__main__.py", code), file("static/app.js", bundle), file("data.zip", shell))...)
	owned := pythonZip(t, "", file("anything.py", code))
	n := int64(len(code))
	s := catalogueFiles(t, "python3.12", append([]txtar.File{
		file("function/app.py", code), file("function/w.whl", string(wheel)), file("function/app.pyz", string(app)),
		file("function/_vendor/__init__.py", ""), file("function/_vendor/six.py", "__version__ = '1.16.0'\n"),
		file("function/own.zip", string(pythonZip(t, "", file("mine.py", code), file("w.whl", string(wheel))))),
	}, func() []txtar.File {
		var out []txtar.File
		for _, f := range dist("owner", "1.0", file("owner/inner.whl", string(owned))) {
			out = append(out, txtar.File{Name: "function/" + f.Name, Data: f.Data})
		}
		return out
	}()...))
	c := s.Coverage
	six, js := int64(len("__version__ = '1.16.0'\n")), int64(len(bundle))
	if want := 9*n + six + js; c.Attributed != want { // demo twice, lib, owner and its wheel, six, and the bundle
		t.Errorf("%d bytes attributed, want %d", c.Attributed, want)
	}
	if want := 3 * n; c.Own != want { // app.py, __main__.py, mine.py
		t.Errorf("%d bytes own, want %d", c.Own, want)
	}
	if want := int64(len(shell)); c.Unknown != want || c.Code != c.Attributed+c.Own+c.Unknown {
		t.Errorf("%d bytes unknown of %d, want %d", c.Unknown, c.Code, want)
	}
	var paths []string
	for _, f := range c.Files {
		paths = append(paths, f.Path)
	}
	if got := strings.Join(paths, " "); got != "app.pyz!/data.zip app.pyz!/static/app.js" {
		t.Errorf("files: %s", got)
	}
	found := false
	for _, p := range s.Components {
		if p.PURL == "pkg:npm/ms" {
			found = p.Occurrences[0].Path == "app.pyz!/static/app.js" && p.State == "live"
		}
	}
	if !found {
		t.Errorf("the bundle's package is not reported:\n%s", render(s))
	}
}

// TestEnsurepip: the wheels that come with an interpreter are not loaded.
func TestEnsurepip(t *testing.T) {
	file := func(name, text string) txtar.File { return txtar.File{Name: name, Data: []byte(text)} }
	const lib = "function/usr/local/lib/python3.12/"
	wheel := string(pythonZip(t, "", file("pip/__init__.py", ""), file("pip/_vendor/__init__.py", ""), file("pip/_vendor/idna/__init__.py", "__version__ = '3.4'\n"),
		file("pip-23.0.1.dist-info/METADATA", "Name: pip\nVersion: 23.0.1\n"), file("pip-23.0.1.dist-info/RECORD", "pip/__init__.py,,\npip/_vendor/idna/__init__.py,,\n")))
	interpreter := []txtar.File{file(lib+"os.py", ""), file(lib+"ensurepip/__init__.py", "")}
	installed := []txtar.File{file(lib+"site-packages/pip-24.0.dist-info/METADATA", "Name: pip\nVersion: 24.0\n"), file(lib+"site-packages/pip/__init__.py", "")}
	for name, c := range map[string]struct {
		files []txtar.File
		wheel string
		want  string
	}{
		"installed":              {append(installed, interpreter...), lib + "ensurepip/_bundled/pip-23.0.1-py3-none-any.whl", "shadowed"},
		"not installed":          {interpreter, lib + "ensurepip/_bundled/pip-23.0.1-py3-none-any.whl", "declared"},
		"not an interpreter":     {installed, lib + "ensurepip/_bundled/pip-23.0.1-py3-none-any.whl", "live"},
		"another wheel":          {append(installed, interpreter...), lib + "ensurepip/_bundled/orders-1.0-py3-none-any.whl", "live"},
		"elsewhere":              {append(installed, interpreter...), "function/pip-23.0.1-py3-none-any.whl", "live"},
		"of another interpreter": {append(installed[:1:1], file("function/usr/lib/python3.11/os.py", ""), file("function/usr/lib/python3.11/ensurepip/__init__.py", "")), "function/usr/lib/python3.11/ensurepip/_bundled/pip-23.0.1-py3-none-any.whl", "declared"},
	} {
		got := render(catalogueFiles(t, "python3.12", append(c.files, file(c.wheel, wheel))))
		for _, p := range []string{"pip@23.0.1", "idna@3.4"} {
			if !strings.Contains(got, c.want+" app pkg:pypi/"+p+"\n") {
				t.Errorf("%s: %s is not %s:\n%s", name, p, c.want, got)
			}
		}
	}
}
