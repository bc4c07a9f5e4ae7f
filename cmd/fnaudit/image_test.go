package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/rogpeppe/go-internal/testscript"
)

// mkimage pushes an image of one platform with a layer for each folder. An
// argument "index" before the platforms pushes an index: mkimage REF index
// PLATFORM DIR PLATFORM DIR.
func mkimage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: mkimage REF ARCH DIR... or mkimage REF index ARCH DIR ARCH DIR...")
	}
	ref, err := name.ParseReference(args[0])
	ts.Check(err)
	if args[1] != "index" {
		img, err := image(ts, args[1], args[2:])
		ts.Check(err)
		ts.Check(remote.Write(ref, img))
		return
	}
	index := v1.ImageIndex(empty.Index)
	for i := 2; i+1 < len(args); i += 2 {
		img, err := image(ts, args[i], args[i+1:i+2])
		ts.Check(err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: args[i]}}})
	}
	ts.Check(remote.WriteIndex(ref, index))
}

// saveimage writes the image of a registry to a file or a folder: saveimage
// docker|oci REF FILE, or saveimage layout REF DIR. With "oci" and "layout" a
// reference to an index keeps all its platforms.
func saveimage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: saveimage docker|oci|layout REF PATH")
	}
	ref, err := name.ParseReference(args[1])
	ts.Check(err)
	desc, err := remote.Get(ref)
	ts.Check(err)
	out := ts.MkAbs(args[2])
	if args[0] == "docker" {
		img, err := desc.Image()
		ts.Check(err)
		ts.Check(tarball.WriteToFile(out, ref, img))
		return
	}
	dir := out
	if args[0] == "oci" {
		dir, err = os.MkdirTemp("", "layout")
		ts.Check(err)
		defer os.RemoveAll(dir)
	}
	path, err := layout.Write(dir, empty.Index)
	ts.Check(err)
	tag := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref.Identifier()})
	if desc.MediaType.IsIndex() {
		index, err := desc.ImageIndex()
		ts.Check(err)
		ts.Check(path.AppendIndex(index, tag))
	} else {
		img, err := desc.Image()
		ts.Check(err)
		ts.Check(path.AppendImage(img, tag))
	}
	if args[0] == "oci" {
		b, err := tarDir(dir)
		ts.Check(err)
		ts.Check(os.WriteFile(out, b, 0o666))
	}
}

func image(ts *testscript.TestScript, arch string, dirs []string) (v1.Image, error) {
	img := v1.Image(empty.Image)
	for _, dir := range dirs {
		b, err := tarDir(ts.MkAbs(dir))
		if err != nil {
			return nil, err
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil })
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, err
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Cmd, config.Config.WorkingDir = []string{"index.handler"}, "/var/task"
	return mutate.ConfigFile(img, config)
}

func tarDir(dir string) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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
		err = w.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	return b.Bytes(), errors.Join(err, w.Close())
}
