package codec

import (
	"encoding/json"
	"net/url"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/fnaudit/fnaudit/sbom"
)

// cycloneDXLicenses writes one licence as an id or an expression, and a list
// as ids and names: the schema allows one expression or a list of licences.
func cycloneDXLicenses(declared []string) *cdx.Licenses {
	if len(declared) == 1 {
		expression, ok := licenseExpression(declared[0])
		if ok && !listedID(expression) {
			return &cdx.Licenses{{Expression: expression}}
		}
	}
	var out cdx.Licenses
	for _, s := range declared {
		l := cdx.License{Name: s}
		if id, ok := licenseID(s); ok && listedID(id) {
			l = cdx.License{ID: id}
		} else if s == "" {
			continue
		}
		out = append(out, cdx.LicenseChoice{License: &l})
	}
	if len(out) == 0 {
		return nil
	}
	return &out
}

// cycloneDXHash maps an algorithm to CycloneDX's list; false when the list or
// the schema's pattern for the content has no place for it.
func cycloneDXHash(alg, content string) (cdx.Hash, bool) {
	var name cdx.HashAlgorithm
	bytes := 0
	switch alg {
	case "md5":
		name, bytes = cdx.HashAlgoMD5, 16
	case "sha1":
		name, bytes = cdx.HashAlgoSHA1, 20
	case "sha256":
		name, bytes = cdx.HashAlgoSHA256, 32
	case "sha384":
		name, bytes = cdx.HashAlgoSHA384, 48
	case "sha512":
		name, bytes = cdx.HashAlgoSHA512, 64
	}
	if bytes == 0 || !isHex(content, bytes) {
		return cdx.Hash{}, false
	}
	return cdx.Hash{Algorithm: name, Value: content}, true
}

func digestHash(digest string) *[]cdx.Hash {
	alg, content, _ := strings.Cut(digest, ":")
	if h, ok := cycloneDXHash(alg, content); ok {
		return &[]cdx.Hash{h}
	}
	return nil
}

// distribution returns an absolute URL without credentials; false when s is none.
func distribution(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || strings.ContainsFunc(s, Unsafe) {
		return "", false
	}
	u.User = nil // a lockfile of a private registry may hold a token
	return u.String(), true
}

func confidence(c float64) *float32 {
	f := float32(min(max(c, 0), 1))
	if c != c { // NaN is no JSON number
		f = 0
	}
	return &f
}

// optional returns nil for an empty list, so that the key is left out.
func optional[T any](list []T) *[]T {
	if len(list) == 0 {
		return nil
	}
	return &list
}

func deref[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return *list
}

func marshalUnknown(u sbom.Unknown) string {
	b, err := json.Marshal(unknownJSON{Kind: string(u.Kind), Artifact: u.Artifact, Path: u.Path, Reason: u.Reason, Code: u.Code})
	if err != nil {
		return "{}" // strings, a number and a bool always marshal
	}
	return string(b)
}
