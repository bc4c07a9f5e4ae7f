package attest

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	sgsign "github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"
)

// Signer signs statements: a DSSE envelope in a Sigstore bundle v0.3. It is safe
// for concurrent use.
type Signer struct {
	key      *keypair // nil: a fresh one for each bundle, with a certificate
	services Services
	root     root.TrustedMaterial // of the services' answers; nil when none is used
}

// Services are what a signer asks over the network. The zero value asks
// nobody. There are no defaults: who signs decides whom that is told to.
type Services struct {
	Fulcio     string   // base URL of the certificate authority; only without a key
	Rekor      string   // base URL of a transparency log, API v1
	Timestamps []string // URLs of timestamp authorities (RFC 3161)
	Token      string   // OIDC token that names the signer to Fulcio
	Root       Root     // what the answers are checked with; required where a service is asked

	Timeout time.Duration // of one request; 0: 30 seconds
}

// serviceRetries is how often an answer of 5xx or 429 is asked for again.
const serviceRetries = 2

// NewSigner makes a signer of a private key in PEM: PKCS #8, SEC 1, or the
// encrypted form that cosign writes, whose password is asked for then; nil when
// there is nobody to ask. Keys on P-256 and Ed25519 keys are taken.
func NewSigner(source string, data []byte, password func() ([]byte, error), s Services) (*Signer, error) {
	if s.Fulcio != "" {
		return nil, errors.New("a certificate authority certifies keys that it gets for one signature, and not a key that is kept")
	}
	private, err := parsePrivate(data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	key, err := newKeypair(private)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	out := &Signer{key: key, services: s}
	return out, out.trust()
}

// NewKeyless makes a signer without a key of its own: each bundle has a fresh
// P-256 key, which a certificate authority certifies for whom the token names,
// and a log or a timestamp authority that vouches for the time, since the
// certificate is valid for minutes only.
func NewKeyless(s Services) (*Signer, error) {
	switch {
	case s.Fulcio == "":
		return nil, errors.New("signing without a key needs a certificate authority (Fulcio)")
	case s.Token == "":
		return nil, errors.New("signing without a key needs an identity token")
	case s.Rekor == "" && len(s.Timestamps) == 0:
		return nil, errors.New("signing without a key needs a transparency log (Rekor) or a timestamp authority: without one nobody can say that the short-lived certificate was valid")
	}
	out := &Signer{services: s}
	return out, out.trust()
}

// trust reads the root of the services.
func (s *Signer) trust() error {
	v := &s.services
	if v.Timeout <= 0 {
		v.Timeout = 30 * time.Second
	}
	if v.Fulcio == "" && v.Rekor == "" && len(v.Timestamps) == 0 {
		return nil
	}
	if v.Root.Sigstore == nil {
		return errors.New("the answers of the signing services cannot be checked: no Sigstore trusted root was given")
	}
	r, err := root.NewTrustedRootFromJSON(v.Root.Sigstore)
	if err != nil {
		return fmt.Errorf("read trust root %s: %w", v.Root.Source, err)
	}
	s.root = r
	return nil
}

// Online says whether signing asks somebody over the network.
func (s *Signer) Online() bool { return s.root != nil }

// Signed is one signed statement.
type Signed struct {
	Bundle   []byte // Sigstore bundle v0.3, JSON
	Identity string // who signed: the certificate's identity, else the key's fingerprint as [Fingerprint] writes it
}

// Sign signs a statement. What services answered is checked with the root
// before it is believed, so that a bundle that nobody could verify is an error here.
func (s *Signer) Sign(ctx context.Context, st Statement) (Signed, error) {
	st.Type = cmp.Or(st.Type, statementV1)
	payload, err := json.Marshal(st)
	if err != nil {
		return Signed{}, fmt.Errorf("write statement: %w", err)
	}
	if _, err := ParseStatement(payload); err != nil {
		return Signed{}, err
	}
	opts := sgsign.BundleOptions{Context: ctx}
	var key sgsign.Keypair = s.key
	if s.key == nil {
		if key, err = sgsign.NewEphemeralKeypair(nil); err != nil {
			return Signed{}, fmt.Errorf("make a key: %w", err)
		}
		opts.CertificateProvider = sgsign.NewFulcio(&sgsign.FulcioOptions{BaseURL: s.services.Fulcio, Timeout: s.services.Timeout, Retries: serviceRetries})
		opts.CertificateProviderOptions = &sgsign.CertificateProviderOptions{IDToken: s.services.Token}
	}
	for _, url := range s.services.Timestamps {
		opts.TimestampAuthorities = append(opts.TimestampAuthorities,
			sgsign.NewTimestampAuthority(&sgsign.TimestampAuthorityOptions{URL: url, Timeout: s.services.Timeout, Retries: serviceRetries}))
	}
	if s.services.Rekor != "" {
		opts.TransparencyLogs = append(opts.TransparencyLogs, sgsign.NewRekor(&sgsign.RekorOptions{BaseURL: s.services.Rekor, Timeout: s.services.Timeout, Retries: serviceRetries}))
	}
	opts.TrustedRoot = s.root
	if s.key != nil {
		opts.TrustedRoot = root.TrustedMaterialCollection{s.key.own}
		if s.root != nil {
			opts.TrustedRoot = root.TrustedMaterialCollection{s.root, s.key.own}
		}
	}
	b, err := sgsign.Bundle(&sgsign.DSSEData{Data: payload, PayloadType: payloadInToto}, key, opts)
	if err != nil {
		return Signed{}, fmt.Errorf("sign: %w", err)
	}
	return encode(b, key)
}

// encode writes a bundle. protojson varies its white space on purpose, which
// is taken out, so that the same bundle is the same bytes.
func encode(b *protobundle.Bundle, key sgsign.Keypair) (Signed, error) {
	loose, err := protojson.Marshal(b)
	if err != nil {
		return Signed{}, fmt.Errorf("write bundle: %w", err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, loose); err != nil {
		return Signed{}, fmt.Errorf("write bundle: %w", err)
	}
	out.WriteByte('\n')
	signed := Signed{Bundle: out.Bytes(), Identity: string(key.GetHint())}
	if c := b.GetVerificationMaterial().GetCertificate(); c != nil {
		cert, err := x509.ParseCertificate(c.GetRawBytes())
		if err != nil {
			return Signed{}, fmt.Errorf("read the certificate of the signature: %w", err)
		}
		if names := cryptoutils.GetSubjectAlternateNames(cert); len(names) > 0 {
			signed.Identity = names[0]
		}
	}
	return signed, nil
}

// parsePrivate reads a private key file.
func parsePrivate(data []byte, password func() ([]byte, error)) (crypto.PrivateKey, error) {
	block, _ := pem.Decode(data)
	switch {
	case block == nil:
		return nil, errors.New("not a PEM file, so no private key")
	case block.Type == "PUBLIC KEY" || block.Type == "CERTIFICATE":
		return nil, errors.New("a public key: signing needs its private half")
	}
	asked := false
	ask := func(bool) ([]byte, error) {
		asked = true
		if password == nil {
			return nil, errors.New("the key is encrypted, and no password is given")
		}
		return password()
	}
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(data, ask)
	switch {
	case err != nil && asked:
		return nil, fmt.Errorf("the private key cannot be decrypted: the password may be wrong: %w", err)
	case err != nil:
		return nil, fmt.Errorf("not a private key that can be read (PKCS #8, SEC 1, or cosign's encrypted form): %w", err)
	}
	return key, nil
}

// keypair is a private key that is kept.
type keypair struct {
	signer crypto.Signer
	ed     bool                 // Ed25519 signs the message itself
	pem    []byte               // of the public half
	own    root.TrustedMaterial // which verifies what it signed
}

func newKeypair(private crypto.PrivateKey) (*keypair, error) {
	k := &keypair{}
	switch p := private.(type) {
	case *ecdsa.PrivateKey:
		if p.Curve != elliptic.P256() {
			return nil, fmt.Errorf("a key on the curve %s: cosign hashes with SHA-256 for every key, so that nobody could verify it there; sign with P-256 or Ed25519", p.Params().Name)
		}
		k.signer = p
	case ed25519.PrivateKey:
		k.signer, k.ed = p, true
	case *rsa.PrivateKey:
		return nil, errors.New("an RSA key: sign with P-256 or Ed25519")
	default:
		return nil, fmt.Errorf("a key of the type %T: sign with P-256 or Ed25519", private)
	}
	var err error
	if k.pem, err = cryptoutils.MarshalPublicKeyToPEM(k.signer.Public()); err != nil {
		return nil, err
	}
	v, err := signature.LoadDefaultVerifier(k.signer.Public())
	if err != nil {
		return nil, err
	}
	k.own = root.NewTrustedPublicKeyMaterialFromMapping(map[string]*root.ExpiringKey{string(k.GetHint()): root.NewExpiringKey(v, time.Time{}, time.Time{})})
	return k, nil
}

// GetHashAlgorithm and the other methods implement sgsign.Keypair.
func (k *keypair) GetHashAlgorithm() protocommon.HashAlgorithm {
	if k.ed {
		return protocommon.HashAlgorithm_SHA2_512
	}
	return protocommon.HashAlgorithm_SHA2_256
}

func (k *keypair) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	if k.ed {
		return protocommon.PublicKeyDetails_PKIX_ED25519
	}
	return protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
}

func (k *keypair) GetKeyAlgorithm() string {
	if k.ed {
		return "ED25519"
	}
	return "ECDSA"
}

func (k *keypair) GetHint() []byte                  { return []byte(Fingerprint(k.signer.Public())) }
func (k *keypair) GetPublicKey() crypto.PublicKey   { return k.signer.Public() }
func (k *keypair) GetPublicKeyPem() (string, error) { return string(k.pem), nil }

func (k *keypair) SignData(_ context.Context, data []byte) (sig, digest []byte, err error) {
	if k.ed {
		sum := sha512.Sum512(data)
		sig, err = k.signer.Sign(rand.Reader, data, crypto.Hash(0))
		return sig, sum[:], err
	}
	sum := sha256.Sum256(data)
	sig, err = k.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	return sig, sum[:], err
}
