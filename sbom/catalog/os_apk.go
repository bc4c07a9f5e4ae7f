package catalog

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// readAPK reads the database of apk-tools: paragraphs of lines with a letter, a
// colon and a value (https://wiki.alpinelinux.org/wiki/Apk_spec, "Installed
// Database"). P name, V version, A architecture, o origin (the source package),
// L licence; F starts a folder, R a file in it, Z gives the file's digest.
func readAPK(ctx context.Context, a *artifact, _, p string, each func(*osPackage)) error {
	data, err := a.read(p, maxOSDatabase)
	if err != nil {
		return err
	}
	var broken error
	for len(data) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		var paragraph []byte
		paragraph, data = cutParagraph(data)
		if len(bytes.TrimSpace(paragraph)) == 0 {
			continue
		}
		pkg := apkPackage(paragraph)
		if pkg.name == "" || pkg.version == "" {
			broken = fmt.Errorf("a package without a name or a version: %q", clip(pkg.name))
			continue
		}
		pkg.path = p
		each(pkg)
	}
	return broken
}

func apkPackage(paragraph []byte) *osPackage {
	pkg := &osPackage{typ: "apk"}
	folder := ""
	for line := range bytes.SplitSeq(paragraph, []byte("\n")) {
		line = bytes.TrimRight(line, "\r")
		if len(line) < 2 || line[1] != ':' {
			continue
		}
		switch value := string(line[2:]); line[0] {
		case 'P':
			pkg.name = value
		case 'V':
			pkg.version, pkg.release = value, value
		case 'A':
			pkg.arch = value
		case 'L':
			pkg.licence = value
		case 'o':
			pkg.source = value
		case 'F':
			folder = value
		case 'R':
			pkg.addFile(folder, value, "")
		case 'Z':
			if n := len(pkg.files); n > 0 {
				pkg.files[n-1].digest = apkDigest(value)
			}
		}
	}
	if pkg.source == pkg.name {
		pkg.source = ""
	}
	pkg.upstream = pkg.source
	return pkg
}

// apkDigest turns "Q1" and the Base64 of a SHA-1 into hexadecimal.
func apkDigest(s string) string {
	coded, ok := strings.CutPrefix(s, "Q1")
	if !ok {
		return ""
	}
	sum, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum)
}
