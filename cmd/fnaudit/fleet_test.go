package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// mkexport writes a list of deployed functions from a template in which
// @CODE:FILE@ stands for the base64 of a file's SHA-256, as the platform writes it
// of a zip, @HEX:FILE@ for the same in hexadecimal, and @SIZE:FILE@ for its size in bytes;
// @HEX:sha256:…@ takes the digest itself.
func mkexport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkexport FILE TEMPLATE")
	}
	template := ts.ReadFile(args[1])
	text := regexp.MustCompile(`@(CODE|HEX|SIZE):([^@]+)@`).ReplaceAllStringFunc(template, func(m string) string {
		what, name, _ := strings.Cut(strings.Trim(m, "@"), ":")
		name = os.Expand(name, ts.Getenv)
		if digest, ok := strings.CutPrefix(name, "sha256:"); ok {
			return digest
		}
		b, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		sum := sha256.Sum256(b)
		switch what {
		case "CODE":
			return base64.StdEncoding.EncodeToString(sum[:])
		case "HEX":
			return hex.EncodeToString(sum[:])
		}
		return strconv.Itoa(len(b))
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
