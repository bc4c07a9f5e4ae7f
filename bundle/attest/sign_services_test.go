package attest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/types"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"

	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
)

// fakeServices is a Sigstore instance on this machine: a certificate authority, a
// log and a timestamp authority that speak the real wire formats.
type fakeServices struct {
	t        *testing.T
	virtual  *ca.VirtualSigstore
	caCert   *x509.Certificate
	caKey    crypto.Signer
	tsaCert  *x509.Certificate
	tsaKey   *ecdsa.PrivateKey
	root     []byte // trusted_root.json
	url      string
	requests []string

	spoilCert, spoilEntry, spoilTime bool // answer with what nobody can verify
}

func newFakeServices(t *testing.T) *fakeServices {
	t.Helper()
	f := &fakeServices{t: t}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	f.virtual, err = ca.NewVirtualSigstore()
	must(err)
	rootCert, rootKey, err := ca.GenerateRootCa()
	must(err)
	f.caCert, f.caKey, err = ca.GenerateFulcioIntermediate(rootCert, rootKey)
	must(err)
	authority := &root.FulcioCertificateAuthority{Root: rootCert, Intermediates: []*x509.Certificate{f.caCert},
		ValidityPeriodStart: time.Now().Add(-time.Hour), ValidityPeriodEnd: time.Now().Add(time.Hour)}
	tsaParent, tsaParentKey, err := ca.GenerateTSAIntermediate(rootCert, rootKey)
	must(err)
	f.tsaKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	f.tsaCert, err = ca.GenerateTSALeafCert(time.Now().Add(-time.Minute), f.tsaKey, tsaParent, tsaParentKey)
	must(err)
	clock := &root.SigstoreTimestampingAuthority{Root: rootCert, Intermediates: []*x509.Certificate{tsaParent}, Leaf: f.tsaCert,
		ValidityPeriodStart: time.Now().Add(-time.Hour), ValidityPeriodEnd: time.Now().Add(time.Hour)}
	logs := map[string]*root.TransparencyLog{}
	for id, l := range f.virtual.RekorLogs() { // their ID is text, and a root wants bytes
		l.ID, err = hex.DecodeString(id)
		must(err)
		logs[id] = l
	}
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{authority}, nil, []root.TimestampingAuthority{clock}, logs)
	must(err)
	f.root, err = tr.MarshalJSON()
	must(err)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/signingCert", f.certificate)
	mux.HandleFunc("POST /api/v1/log/entries", f.entry)
	mux.HandleFunc("POST /api/v1/timestamp", f.timestamp)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests = append(f.requests, r.URL.Path)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

// token is an OIDC token, whose signature nobody here looks at.
func (f *fakeServices) token(subject string) string {
	text := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return text(`{"alg":"none"}`) + "." + text(`{"iss":"https://issuer.example","aud":"sigstore","sub":"`+subject+`"}`) + "." + text("signature")
}

// publicOnly is a signer that can only be asked for its public key.
type publicOnly struct{ crypto.PublicKey }

func (p publicOnly) Public() crypto.PublicKey { return p.PublicKey }
func (p publicOnly) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, io.ErrUnexpectedEOF
}

// certificate is Fulcio's POST /api/v2/signingCert.
func (f *fakeServices) certificate(w http.ResponseWriter, r *http.Request) {
	var req struct {
		PublicKeyRequest struct {
			PublicKey         struct{ Algorithm, Content string }
			ProofOfPossession []byte
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		http.Error(w, "who are you", http.StatusUnauthorized)
		return
	}
	var claims struct{ Iss, Sub string }
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	block, _ := pem.Decode([]byte(req.PublicKeyRequest.PublicKey.Content))
	if err != nil || block == nil {
		http.Error(w, "not a token or not a key", http.StatusBadRequest)
		return
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	sum := sha256.Sum256([]byte(claims.Sub))
	if err != nil || !ecdsa.VerifyASN1(pub.(*ecdsa.PublicKey), sum[:], req.PublicKeyRequest.ProofOfPossession) {
		http.Error(w, "the proof of possession does not hold", http.StatusBadRequest)
		return
	}
	if f.spoilCert {
		other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		pub = other.Public()
	}
	leaf, err := ca.GenerateLeafCert(claims.Sub, claims.Iss, time.Now().Add(-time.Second), publicOnly{pub}, f.caCert, f.caKey)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var chain []string
	for _, c := range []*x509.Certificate{leaf, f.caCert} {
		chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	json.NewEncoder(w).Encode(map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}}})
}

// entry is Rekor's POST /api/v1/log/entries.
func (f *fakeServices) entry(w http.ResponseWriter, r *http.Request) {
	proposed, err := models.UnmarshalProposedEntry(r.Body, jsonConsumer{})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	impl, err := types.CreateVersionedEntry(proposed)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := types.CanonicalizeEntry(context.Background(), impl)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if f.spoilEntry {
		body = []byte(strings.Replace(string(body), `"sha256"`, `"sha512"`, 1))
	}
	id, _ := f.virtual.RekorLogID()
	at, encoded := time.Now().Unix(), base64.StdEncoding.EncodeToString(body)
	set, err := f.virtual.RekorSignPayload(tlog.RekorPayload{Body: encoded, IntegratedTime: at, LogID: id})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	proof, err := f.virtual.GetInclusionProof(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	uuid := strings.Repeat("a", 64)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", uuid)
	w.Header().Set("Location", "/api/v1/log/entries/"+uuid)
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(map[string]any{uuid: map[string]any{
		"body": encoded, "integratedTime": at, "logID": id, "logIndex": 0,
		"verification": map[string]any{"signedEntryTimestamp": base64.StdEncoding.EncodeToString(set), "inclusionProof": proof},
	}})
}

type jsonConsumer struct{}

func (jsonConsumer) Consume(r io.Reader, v any) error { return json.NewDecoder(r).Decode(v) }

// timestamp is a timestamp authority (RFC 3161 over HTTP, section 3.4).
func (f *fakeServices) timestamp(w http.ResponseWriter, r *http.Request) {
	query, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(w, "not a timestamp query", http.StatusBadRequest)
		return
	}
	req, err := timestamp.ParseRequest(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if f.spoilTime {
		req.HashedMessage = make([]byte, sha256.Size)
	}
	stamp := timestamp.Timestamp{HashAlgorithm: req.HashAlgorithm, HashedMessage: req.HashedMessage, Time: time.Now(),
		Policy: asn1.ObjectIdentifier{1, 2, 3, 4}, Nonce: req.Nonce, ExtraExtensions: req.Extensions}
	answer, err := stamp.CreateResponseWithOpts(f.tsaCert, f.tsaKey, crypto.SHA256)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.WriteHeader(http.StatusCreated)
	w.Write(answer)
}
