package attest

import (
	_ "github.com/ProtonMail/go-crypto/openpgp/v2"
	_ "github.com/digitorus/pkcs7"
	_ "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	_ "github.com/sigstore/sigstore-go/pkg/sign"
	_ "github.com/sigstore/sigstore-go/pkg/verify"
	_ "github.com/sigstore/sigstore/pkg/signature"
	_ "golang.org/x/crypto/blake2b"
)
