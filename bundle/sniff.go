package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sniffBytes is how much of either end of a file Sniff looks at.
const sniffBytes = 64 << 10

// ErrUnknownKind is wrapped by the error for content that is nothing that can
// be audited. The message says what it looks like.
var ErrUnknownKind = errors.New("not a function, a layer or an SBOM")

// Sniff says what lies at a path, by content and never by name. It reads little:
// both ends of a file and, of a zip, the directory. A missing path is an error
// that wraps fs.ErrNotExist. Content that is recognised but not supported has
// its kind and no error: Open says what to do about it.
func Sniff(path string) (Kind, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return sniffFolder(path)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("sniff %s: %w: %s", path, ErrUnknownKind, info.Mode().Type())
	}
	k, err := sniff(section{f, info.Size()})
	if err != nil {
		return "", fmt.Errorf("sniff %s: %w", path, err)
	}
	return k, nil
}

func sniffFolder(dir string) (Kind, error) {
	layout, err := os.Lstat(filepath.Join(dir, "oci-layout"))
	if err == nil && layout.Mode().IsRegular() {
		if _, err := os.Lstat(filepath.Join(dir, "index.json")); err == nil {
			return KindLayout, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return KindDirectory, nil
}

// besideLayout names what lies in the folder of an OCI layout and is no part of
// one; "" for nothing. ingest is containerd's, manifest.json and repositories
// are docker's.
func besideLayout(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		switch e.Name() {
		case "oci-layout", "index.json", "blobs", "ingest", "manifest.json", "repositories":
		default:
			return e.Name(), nil
		}
	}
	return "", nil
}

// sniff classifies bytes.
func sniff(src source) (Kind, error) {
	k, err := quickKind(src)
	if err == nil && k == KindZip {
		if end, _, err := findEnd(src); err == nil {
			return zipKind(src, end), nil
		}
	}
	return k, err
}

// errTwoKinds is of a file that one reader takes for a zip and another for an
// image: what is judged must be what runs.
var errTwoKinds = fmt.Errorf("%w: it begins as a tar or compressed stream and ends as a zip: say which is meant with a prefix, zip: or archive: before its name", ErrUnreadable)

// quickKind is sniff without telling Java archives from other zips. An end
// record makes a zip, whatever stands in front; but the zip that lies last in a
// tar is one of its files, and a tar goes on behind it.
func quickKind(src source) (Kind, error) {
	head, err := src.view(0, min(src.size(), sniffBytes))
	if err != nil {
		return "", err
	}
	end, _, err := findEnd(src)
	if packedOrTar(head) {
		if err == nil && end.after == 0 {
			return "", errTwoKinds
		}
		return KindImage, nil
	}
	switch {
	case err == nil:
		return KindZip, nil
	case bytes.HasPrefix(head, []byte(sigLocal)), bytes.HasPrefix(head, []byte(sigEnd)):
		return KindZip, nil // damaged: openZip says how
	case !errors.Is(err, errNotZip):
		if executable(head) == "" {
			return KindZip, nil
		}
	}
	switch {
	case len(head) == 0:
		return "", fmt.Errorf("%w: the file is empty", ErrUnknownKind)
	case executable(head) != "":
		return KindBinary, nil
	}
	return sniffText(src, head)
}

// sniffText recognises documents.
func sniffText(src source, head []byte) (Kind, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	tail, err := src.view(max(0, src.size()-sniffBytes), min(src.size(), sniffBytes))
	if err != nil {
		return "", err
	}
	has := func(words ...string) bool {
		for _, w := range words {
			if bytes.Contains(head, []byte(w)) || bytes.Contains(tail, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		switch {
		case has(`"bomFormat"`), has(`"spdxVersion"`, `"SPDXID"`, "https://spdx.org/rdf/"),
			has("anchore/syft/"), has(`"artifacts"`) && has(`"artifactRelationships"`, `"descriptor"`):
			return KindSBOM, nil
		}
		return "", fmt.Errorf("%w: a JSON document that is no CycloneDX, SPDX or syft SBOM", ErrUnknownKind)
	case bytes.HasPrefix(text, []byte("<")):
		switch {
		case has("cyclonedx.org/schema/bom", "spdx.org/rdf"):
			return "", fmt.Errorf("%w: an SBOM in XML, which is not supported: convert it to JSON", ErrUnknownKind)
		case has("<html", "<HTML", "<!doctype html", "<!DOCTYPE html", "<Error>"):
			return "", fmt.Errorf("%w: a web page, perhaps the error page of a failed download: fetch the archive again", ErrUnknownKind)
		}
		return "", fmt.Errorf("%w: an XML document", ErrUnknownKind)
	case bytes.HasPrefix(text, []byte("SPDXVersion:")):
		return "", fmt.Errorf("%w: an SBOM in SPDX tag-value form, which is not supported: convert it to JSON", ErrUnknownKind)
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")), bytes.HasPrefix(head, []byte("Rar!")), bytes.HasPrefix(head, []byte("\xfd7zXZ")), bytes.HasPrefix(head, []byte("BZh")):
		return "", fmt.Errorf("%w: an archive in a form that no function platform takes: pack it as a zip", ErrUnknownKind)
	case bytes.HasPrefix(head, []byte("PK\x07\x08")):
		return "", fmt.Errorf("%w: one part of a split zip: join the parts", ErrUnknownKind)
	}
	return "", fmt.Errorf("%w: no zip end record, no executable, no document; a zip that is cut off looks like this too: build or fetch it again", ErrUnknownKind)
}

// zipKind tells a Java archive from other zips: it has a manifest and compiled
// classes in package folders, and nothing that marks a function package of
// another language. Only the directory is read.
func zipKind(src source, end *endRecord) Kind {
	if end.size > 64<<20 {
		return KindZip
	}
	lim := Limits{}.withDefaults()
	z := &zipReader{src: src, lim: lim, log: &noticeLog{max: 1}, end: end}
	if z.directory(context.Background()) != nil {
		return KindZip
	}
	return z.kind()
}

func (z *zipReader) kind() Kind {
	manifest, class := false, false
	for i := range z.recs {
		switch p := z.recs[i].Path; {
		case p == "META-INF/MANIFEST.MF":
			manifest = true
		case p == "host.json", p == "bootstrap", p == "package.json", strings.HasPrefix(p, "node_modules/"):
			return KindZip
		case strings.HasSuffix(p, ".class") && !strings.HasPrefix(p, "META-INF/"):
			class = true
		}
	}
	if manifest && class {
		return KindJar
	}
	return KindZip
}

// executable names the format of a native executable, "" for none.
func executable(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return "ELF"
	case len(head) >= 64 && bytes.HasPrefix(head, []byte("MZ")):
		return "PE"
	case len(head) >= 8 && bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) && head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] < 20:
		return "Mach-O" // universal; a Java class has its version there, 45 or more
	}
	for _, m := range []string{"\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xfe\xed\xfa\xcf", "\xfe\xed\xfa\xce"} {
		if bytes.HasPrefix(head, []byte(m)) {
			return "Mach-O"
		}
	}
	return ""
}

// packedOrTar recognises what an image archive can be: a tar, or something that
// is compressed with gzip or zstd.
func packedOrTar(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x1f\x8b")) || isTar(head) || bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd"))
}

func isTar(b []byte) bool { return len(b) >= 263 && string(b[257:262]) == "ustar" }
