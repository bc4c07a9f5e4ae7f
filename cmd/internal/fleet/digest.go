package fleet

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// The two kinds of deployment package, as AWS writes them.
const (
	packageZip   = "Zip"
	packageImage = "Image"
)

// codeDigest reads CodeSha256. The digest is "" when the text is not in the form
// that belongs to the kind of package, with the reason: a digest that might be
// of something else matches nothing.
//
// AWS documents the field as the SHA-256 of the deployment package, and not its form
// (https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html,
// read 2026-11-28). The forms, from the answers that AWS gives and from the
// documentation of its provider for Pulumi and Terraform (lambda.Function,
// codeSha256, read 2026-11-28), which adds that layers do not count into it:
//
//   - of a zip the base64 of the hash of the file, 44 characters;
//   - of an image the digest of its manifest as its registry has it, in
//     hexadecimal without "sha256:", 64 characters. It is the digest that
//     get-function names in Code.ResolvedImageUri, and CodeSize is 0.
//
// Where PackageType is absent, as it was before there were images, it is a zip.
func codeDigest(kind, text string) (digest, reason string) {
	if text == "" {
		return "", "the export does not give CodeSha256"
	}
	switch kind {
	case packageZip, "":
		if sum, err := base64.StdEncoding.Strict().DecodeString(text); err == nil && len(sum) == 32 && len(text) == 44 {
			return "sha256:" + hex.EncodeToString(sum), ""
		}
		return "", "CodeSha256 is not the base64 of a SHA-256, as that of a zip is"
	case packageImage:
		if value := strings.TrimPrefix(text, "sha256:"); isHex(value) {
			return "sha256:" + value, ""
		}
		return "", "CodeSha256 is not a hexadecimal SHA-256, as that of an image is"
	}
	return "", fmt.Sprintf("the package type %q is not known", kind)
}

// imageDigest is the digest in a reference by digest; "" when there is none.
func imageDigest(uri string) string {
	_, value, ok := strings.Cut(uri, "@sha256:")
	if !ok || !isHex(value) {
		return ""
	}
	return "sha256:" + value
}

// isDigest says whether text is "sha256:" and a digest in lower-case hexadecimal.
func isDigest(text string) bool {
	value, ok := strings.CutPrefix(text, "sha256:")
	return ok && isHex(value)
}

func isHex(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }
