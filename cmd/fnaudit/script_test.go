package main

import (
	"archive/zip"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fnaudit/fnaudit/vulndb/reach"
)

var update = flag.Bool("update", false, "rewrite the goldens in the scripts")

func TestMain(m *testing.M) {
	if reach.IsChild(os.Args) { // the program starts itself to look into Go binaries; here that is this test
		main()
	}
	testscript.Main(m, map[string]func(){"fnaudit": main})
}

// TestScripts runs testdata/script/*.txtar: every verb, exit code and message.
//
// Beside testscript's own commands there are
//
//	exits CODE COMMAND...   run a command and demand exactly this exit code
//	mkzip ZIP DIR           zip a folder, sorted, with fixed times
//	mkfeed DIR              for each folder DIR/ECOSYSTEM make DIR/ECOSYSTEM/all.zip of its .json files
//	mkimage REF ARCH DIR... push an image with a layer for each folder (an index: see mkimage)
//	signimage FORM REF KEY [LAYOUT]  sign an image as cosign does: simple or bundle
//	imagedigest VARIABLE REF  set a variable to the digest of an image
//	saveimage FORM REF PATH  write such an image to disk as FORM: docker, oci or layout
//	mkkey TYPE NAME         make a key pair, NAME.pem and NAME.pub, of type ecdsa, p384, ed25519 or encrypted (password "secret")
//	mksigstore IDENTITY ISSUER FILE BUNDLE ROOT  sign a file keyless, and write the bundle and the trust root
//	mkdsse KEY STATEMENT ARTIFACT ENVELOPE  sign a statement about a file ("@SHA256@" in it)
//	unwrap BUNDLE FILE      write the statement in a Sigstore bundle, indented
//	referrers LAYOUT N      demand that an image layout lists N bundles that refer to an image in it
//	attached REF N          demand the same of a registry
//	spoilzip ZIP            change a byte of a zip that says nothing about its content
//	mknpm DIR               publish the packages of a folder as an npm registry at $WEB/npm/ (see mknpm)
//	mkexport FILE TEMPLATE  write a list of deployed functions (see mkexport)
//	mkpypi DIR              publish the Python projects of a folder as an index at $WEB/pypi/simple/ (see mkpypi)
//	[!] asked               demand that the plain server ($WEB, see serve) was asked for something
func TestScripts(t *testing.T) {
	functions, err := filepath.Abs("../../testdata/functions")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("FUNCTIONS", functions)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("LocalAppData", filepath.Join(env.WorkDir, ".cache"))
			if dir, err := os.UserCacheDir(); err == nil && os.Getenv("GOCACHE") == "" {
				env.Setenv("GOCACHE", filepath.Join(dir, "go-build")) // scripts that compile need not compile the standard library anew
			} else {
				env.Setenv("GOCACHE", os.Getenv("GOCACHE"))
			}
			serve(env)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "mkzip": mkzip, "mkfeed": mkfeed, "asked": asked, "backdate": backdate, "mkkey": mkkey, "mkbundle": mkbundle, "mksigstore": mksigstore, "mkdsse": mkdsse, "expand": expand, "mkimage": mkimage, "saveimage": saveimage, "signimage": signimage, "imagedigest": imagedigest, "pinned": pinned, "spoil": spoil, "pinfile": pinfile, "dockerlogin": dockerlogin, "unwrap": unwrap, "referrers": referrers, "attached": attached, "spoilzip": spoilzip, "mknpm": mknpm, "mkpypi": mkpypi, "mknupkgmeta": mknupkgmeta, "mkexport": mkexport,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func mkzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkzip ZIP DIR")
	}
	ts.Check(zipDir(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

func mkfeed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mkfeed DIR")
	}
	dir := ts.MkAbs(args[0])
	entries, err := os.ReadDir(dir)
	ts.Check(err)
	for _, e := range entries {
		if e.IsDir() {
			tmp := filepath.Join(dir, e.Name()+".zip")
			ts.Check(zipDir(tmp, filepath.Join(dir, e.Name())))
			ts.Check(os.Rename(tmp, filepath.Join(dir, e.Name(), "all.zip")))
		}
	}
}

func zipDir(name, dir string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := zip.NewWriter(f)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		e, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = e.Write(data)
		return err
	})
	return errors.Join(err, w.Close(), f.Close())
}
