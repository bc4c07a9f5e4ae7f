package main

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// mknupkgmeta writes what NuGet leaves beside an archive, about the archive that
// it is without a signature.
func mknupkgmeta(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mknupkgmeta UNSIGNED.nupkg FILE")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	sum := sha512.Sum512(data)
	out, err := json.MarshalIndent(map[string]any{"version": 2, "contentHash": base64.StdEncoding.EncodeToString(sum[:]), "source": "https://feed.acme.test/index.json"}, "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o666))
}
