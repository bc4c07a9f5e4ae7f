package attest

import (
	_ "github.com/ProtonMail/go-crypto/openpgp/v2"
	_ "golang.org/x/crypto/blake2b"
)
