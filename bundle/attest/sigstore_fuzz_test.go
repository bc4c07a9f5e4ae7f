package attest

import (
	"context"
	"testing"
	"time"
)

// FuzzSigstore feeds what is not signed by the demanded signer to every reader of
// bundles. It must not panic, and must not verify: the demanded signer signed
// only the seed, whose root is not the one that is asked.
func FuzzSigstore(f *testing.F) {
	for _, seed := range []string{
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AA=="},"signature":"AA=="}}`,
		`{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","verificationMaterial":{"x509CertificateChain":{"certificates":[{"rawBytes":"MAA="}]},"tlogEntries":[{"logIndex":"1","logId":{"keyId":"AA=="},"kindVersion":{"kind":"dsse","version":"0.0.1"},"integratedTime":"1","canonicalizedBody":"e30="}]},"dsseEnvelope":{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AA=="}]}}`,
		`{"base64Signature":"AA==","cert":"AA==","rekorBundle":{"SignedEntryTimestamp":"AA==","Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":"00"}}}`,
		`{"attestations":[{"predicateType":"x","bundle":{}}]}`,
		`{"attestation_bundles":[{"attestations":[{"version":1,"envelope":{"statement":"e30=","signature":"AA=="},"verification_material":{"certificate":"AA==","transparency_entries":[{}]}}]}]}`,
		`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA==","cert":"x"}]}`,
	} {
		f.Add([]byte(seed))
	}
	trust, err := EmbeddedRoot("public-good")
	if err != nil {
		f.Fatal(err)
	}
	formats := []Format{FormatBundle, FormatCosignBundle, FormatNPM, FormatPEP740, FormatEnvelope}
	f.Fuzz(func(t *testing.T, data []byte) {
		req := &Request{Subject: labSubject(labArtifact), Demand: keyless(trust), Now: time.Now()}
		for _, format := range formats {
			for _, ev := range unlist(Evidence{Format: format, Data: data}) {
				for _, r := range verifiers()[ev.Format](context.Background(), req, ev) { // not through Verify, which would hide a panic
					if r.Status == Verified || r.Reason == "" {
						t.Errorf("%s: %+v", format, r)
					}
				}
			}
		}
		ev := Evidence{Data: data, Certificate: data}
		if r := verifyLegacy(context.Background(), req, ev)[0]; r.Status == Verified || fulcioIssued(data) && r.Status == Missing {
			t.Errorf("%+v", r)
		}
	})
}

// FuzzTrustRoot reads trust roots: whatever is one must be usable.
func FuzzTrustRoot(f *testing.F) {
	good, err := EmbeddedRoot("github")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Sigstore)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"baseUrl":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRoot("fuzz", data)
		if err != nil {
			return
		}
		req := &Request{Demand: Demand{Root: r}}
		if s := req.sigstoreRoot(); s.err == nil {
			s.knows()
			s.notes(time.Now())
		}
	})
}
