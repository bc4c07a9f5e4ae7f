package vulndb

import "path/filepath"

// File is one file of a store, as its snapshot names it.
type File struct {
	Of     string // the ecosystem or the feed that it holds
	Feed   bool   // which of the two
	Name   string // inside the store's folder, with slashes
	Digest string // "sha256:..."
	Size   int64  // bytes
}

// Path returns where the file lies in a store's folder.
func (f File) Path(dir string) string { return filepath.Join(dir, filepath.FromSlash(f.Name)) }

// Files returns the files that readers of the store need: those of the sources,
// then those of the feeds, in their order.
func (s Snapshot) Files() []File {
	var list []File
	for _, src := range s.Sources {
		list = append(list, src.file())
	}
	for _, f := range s.Feeds {
		list = append(list, f.file())
	}
	return list
}

func (s Source) file() File {
	return File{Of: s.Ecosystem, Name: ecoDir + "/" + s.File, Digest: s.Digest, Size: s.Size}
}

func (f Feed) file() File {
	return File{Of: f.Name, Feed: true, Name: feedsDir + "/" + f.File, Digest: f.Digest, Size: f.Size}
}
