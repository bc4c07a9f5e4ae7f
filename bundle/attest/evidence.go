package attest

// Evidence is one thing that may prove something about a subject.
type Evidence struct {
	Source string // the file, blob or entry that it is; printed, so the reader must be able to find it
	Format Format // "" until Sniff says
	Data   []byte // the bundle, the envelope or the detached signature

	// Certificate is the certificate that belongs to a detached signature, nil
	// when there is none.
	Certificate []byte

	// Payload is what a detached signature is over, when it is not the artifact
	// itself: the simple signing document of a cosign image signature.
	Payload     []byte
	Annotations map[string]string // of the layer or manifest that it came from

	Image bool  // it is attached to an image
	Fault error // why it could not be read; then only Source and Format are set
}

// Format is how evidence is written down. The content decides.
type Format string

// The formats.
const (
	FormatBundle         Format = "sigstore-bundle"    // one protojson document
	FormatLines          Format = "json-lines"         // one document of another format a line
	FormatEnvelope       Format = "dsse"               // a bare DSSE envelope
	FormatCosignBundle   Format = "cosign-bundle"      // sign-blob --bundle of cosign 1 and 2
	FormatCosignFiles    Format = "cosign-signature"   // a detached signature with a certificate of a Sigstore authority
	FormatSimple         Format = "simple-signing"     // cosign's image signature, from a manifest
	FormatImageStatement Format = "cosign-attestation" // an envelope whose certificate is in annotations, from a manifest
	FormatNPM            Format = "npm-attestations"   // a list of bundles
	FormatCloudBuild     Format = "cloud-build"        // what gcloud prints of an image's provenance: envelopes
	FormatPEP740         Format = "pep740"             // PyPI's provenance object, or one attestation
	FormatPackument      Format = "packument"          // npm metadata with dist.signatures
	FormatJWS            Format = "notation-jws"
	FormatCOSE           Format = "notation-cose"
	FormatMinisign       Format = "minisign" // and signify
	FormatPGP            Format = "openpgp"
	FormatRaw            Format = "signature" // bare bytes or base64: a detached signature
)
