package attest

import (
	_ "github.com/notaryproject/notation-core-go/signature/cose"
	_ "github.com/notaryproject/notation-go/verifier"
	_ "github.com/sigstore/sigstore-go/pkg/sign"
)
