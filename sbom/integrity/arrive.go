package integrity

import (
	"context"
	"io"
	"path"

	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Arrive says what a comparison will need of a published archive, so that a
// registry's client takes it while it fetches one. All that are fetched by the
// client that it is given to may unpack to what those of one comparison may; of
// the rest it is taken when they are compared.
func Arrive() registry.Arrive {
	left := &budget{bytes: maxUnpackedAll, files: maxListed}
	return func(p registry.Package, file string) *registry.Taking {
		switch {
		case p.System == registry.NPM:
			return arrivingTarball(left)
		case p.System == registry.PyPI && path.Ext(file) == ".whl":
			return &registry.Taking{Form: wheelForm, Make: wheelRecord, Read: func(body []byte) error {
				_, err := byPath(body)
				return err
			}}
		}
		return nil
	}
}

// arrivingTarball lists an archive of npm while it arrives. The context is none:
// bytes that end are what ends it.
func arrivingTarball(left *budget) *registry.Taking {
	return &registry.Taking{
		Form: listingForm,
		Make: func(a *registry.Archive) ([]byte, error) {
			return listTarball(io.NewSectionReader(a.Bytes, 0, a.Size), left)
		},
		Stream: func(r io.Reader) ([]byte, error) {
			return listTarball(r, left)
		},
		Read: func(body []byte) error {
			_, err := parseListing(body)
			return err
		},
	}
}

func listTarball(r io.Reader, left *budget) ([]byte, error) {
	l, unpacked, err := readTarball(context.Background(), io.LimitReader(r, maxArchive), left.left())
	if err != nil {
		left.take(unpacked, 0)
		return nil, err
	}
	left.take(l.unpacked, len(l.files))
	return l.encode(), nil
}
