package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// mknpm publishes the packages of a folder on the plain server, in the form of
// an npm registry at $WEB/npm/. DIR/NAME/VERSION holds the files of a version,
// package.json among them; DIR/NAME/packument.json what the registry says of the
// package beside its versions, and "-VERSION" in it what it says of one.
func mknpm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mknpm DIR")
	}
	dir := ts.MkAbs(args[0])
	www := ts.MkAbs("www/npm")
	ts.Check(os.MkdirAll(filepath.Join(www, "files"), 0o777))
	names, err := os.ReadDir(dir)
	ts.Check(err)
	for _, n := range names {
		doc := map[string]any{"name": n.Name(), "_id": n.Name()}
		readJSON(ts, filepath.Join(dir, n.Name(), "packument.json"), &doc)
		all, err := os.ReadDir(filepath.Join(dir, n.Name()))
		ts.Check(err)
		versions := map[string]any{}
		for _, v := range all {
			if !v.IsDir() {
				continue
			}
			manifest := map[string]any{}
			readJSON(ts, filepath.Join(dir, n.Name(), v.Name(), "package.json"), &manifest)
			if more, ok := doc["-"+v.Name()].(map[string]any); ok {
				for k, value := range more {
					manifest[k] = value
				}
				delete(doc, "-"+v.Name())
			}
			file := n.Name() + "-" + v.Name() + ".tgz"
			data := npmPack(ts, filepath.Join(dir, n.Name(), v.Name()))
			ts.Check(os.WriteFile(filepath.Join(www, "files", file), data, 0o666))
			sum, old := sha512.Sum512(data), sha1.Sum(data)
			manifest["dist"] = map[string]any{"tarball": ts.Getenv("WEB") + "/npm/files/" + file,
				"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]), "shasum": hex.EncodeToString(old[:])}
			versions[v.Name()] = manifest
		}
		doc["versions"] = versions
		out, err := json.Marshal(doc)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(www, n.Name()), out, 0o666))
	}
}

func readJSON(ts *testscript.TestScript, name string, to any) {
	data, err := os.ReadFile(name)
	ts.Check(err)
	ts.Check(json.Unmarshal(data, to))
}

// npmPack packs a folder as npm does.
func npmPack(ts *testscript.TestScript, dir string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(path, dir))
		if err := w.WriteHeader(&tar.Header{Name: "package" + rel, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}))
	ts.Check(w.Close())
	ts.Check(z.Close())
	return b.Bytes()
}
