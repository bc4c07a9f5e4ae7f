package attest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/jws"

	"github.com/fnaudit/fnaudit/bundle"
)

// layoutLab makes an image layout with signatures.
type layoutLab struct {
	t     testing.TB
	key   *ecdsa.PrivateKey
	blobs map[string][]byte // by digest
	top   []object
}

func newLayout(t testing.TB) *layoutLab {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &layoutLab{t: t, key: key, blobs: map[string][]byte{}}
}

func (l *layoutLab) put(b []byte) string {
	d := fmt.Sprintf("sha256:%x", sha256.Sum256(b))
	l.blobs[d] = b
	return d
}

// blob stores a blob and returns its descriptor.
func (l *layoutLab) blob(mediaType string, b []byte) object {
	return object{"mediaType": mediaType, "digest": l.put(b), "size": len(b)}
}

func (l *layoutLab) doc(mediaType string, v object) object {
	l.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.blob(mediaType, b)
}

const (
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeIndex    = "application/vnd.oci.image.index.v1+json"
)

// image stores an image of an architecture.
func (l *layoutLab) image(arch string) object {
	d := l.doc(typeManifest, object{"schemaVersion": 2, "mediaType": typeManifest,
		"config": l.doc("application/vnd.oci.image.config.v1+json", object{"os": "linux", "architecture": arch, "rootfs": object{"diff_ids": []string{"sha256:" + strings.Repeat("0", 64)}}}),
		"layers": []object{l.blob("application/vnd.oci.image.layer.v1.tar", []byte("layer"))}})
	d["platform"] = object{"os": "linux", "architecture": arch}
	return d
}

func (l *layoutLab) index(list ...object) object {
	return l.doc(typeIndex, object{"schemaVersion": 2, "mediaType": typeIndex, "manifests": list})
}

// sign signs bytes as cosign does.
func (l *layoutLab) sign(b []byte) []byte {
	l.t.Helper()
	sum := sha256.Sum256(b)
	sig, err := ecdsa.SignASN1(rand.Reader, l.key, sum[:])
	if err != nil {
		l.t.Fatal(err)
	}
	return sig
}

func simplePayload(digest any) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, digest)
}

// simple stores a manifest of signatures over documents.
func (l *layoutLab) simple(payloads ...[]byte) object {
	var layers []object
	for _, p := range payloads {
		d := l.blob(typeSimpleSigning, p)
		d["annotations"] = object{annotationSignature: base64.StdEncoding.EncodeToString(l.sign(p))}
		layers = append(layers, d)
	}
	return l.doc(typeManifest, object{"schemaVersion": 2, "mediaType": typeManifest, "config": l.doc("application/vnd.oci.image.config.v1+json", object{"os": ""}), "layers": layers})
}

// envelope makes a signed statement about a digest.
func (l *layoutLab) envelope(digest any, predicate string) object {
	l.t.Helper()
	st, err := json.Marshal(object{"_type": statementV1, "subject": []object{{"digest": object{"sha256": strings.TrimPrefix(digest.(string), "sha256:")}}}, "predicateType": predicate, "predicate": object{}})
	if err != nil {
		l.t.Fatal(err)
	}
	return object{"payload": st, "payloadType": payloadInToto, "signatures": []object{{"sig": l.sign(PAE(payloadInToto, st))}}}
}

// bundle makes a bundle with such a statement.
func (l *layoutLab) bundle(digest any) []byte {
	l.t.Helper()
	b, err := json.Marshal(object{"mediaType": bundleV03, "verificationMaterial": object{"publicKey": object{"hint": Fingerprint(l.key.Public())}},
		"dsseEnvelope": l.envelope(digest, "https://sigstore.dev/cosign/sign/v1")})
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// refer stores a manifest that refers to another.
func (l *layoutLab) refer(to object, artifactType, mediaType string, content []byte) object {
	return l.doc(typeManifest, object{"schemaVersion": 2, "mediaType": typeManifest, "artifactType": artifactType,
		"config": l.blob("application/vnd.oci.empty.v1+json", []byte("{}")), "layers": []object{l.blob(mediaType, content)},
		"subject": object{"mediaType": to["mediaType"], "digest": to["digest"], "size": to["size"]}})
}

// write writes the layout to disk.
func (l *layoutLab) write(dir string) {
	l.t.Helper()
	top, err := json.Marshal(object{"schemaVersion": 2, "manifests": l.top})
	if err != nil {
		l.t.Fatal(err)
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	err = errors.Join(os.MkdirAll(blobs, 0o777), os.WriteFile(filepath.Join(dir, "index.json"), top, 0o666),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o666))
	for d, b := range l.blobs {
		err = errors.Join(err, os.WriteFile(filepath.Join(blobs, d[len("sha256:"):]), b, 0o666))
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// public is the key of the signatures, as the operator has it.
func (l *layoutLab) public() Key {
	l.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(l.key.Public())
	if err != nil {
		l.t.Fatal(err)
	}
	return Key{Source: "key.pub", Data: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
}

// verify verifies an image of the layout with the key.
func (l *layoutLab) verify(digest any, change func(*Request)) Outcome {
	l.t.Helper()
	dir := l.t.TempDir()
	l.write(dir)
	return l.verifyDir(dir, digest, change)
}

func (l *layoutLab) verifyDir(dir string, digest any, change func(*Request)) Outcome {
	l.t.Helper()
	ctx := context.Background()
	layout, err := bundle.OpenLayout(ctx, dir, bundle.Limits{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer layout.Close()
	want := bundle.Digest("")
	if digest != nil {
		want = bundle.Digest(digest.(string))
	}
	m, err := layout.Image(ctx, "", want)
	if err != nil {
		l.t.Fatal(err)
	}
	req := Request{Subject: ImageSubject("image", m), Demand: Demand{Keys: []Key{l.public()}, Require: DefaultThresholds()}, Now: noon}
	if req.Evidence, err = Attached(ctx, layout, req.Subject); err != nil {
		l.t.Fatal(err)
	}
	if change != nil {
		change(&req)
	}
	out, err := Verify(ctx, req)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

// TestImageSignatures verifies images by what lies beside them in a layout.
func TestImageSignatures(t *testing.T) {
	for name, c := range map[string]struct {
		make   func(l *layoutLab) (image object, digest any)
		ask    func(*Request)
		status Status
		step   Step   // of the result that decided
		note   string // of the verified result
	}{
		"a legacy signature": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(simplePayload(i["digest"]))
			return i, nil
		}, status: Verified, note: "manifest of this image itself"},
		"of several the second": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(simplePayload("sha256:00"), simplePayload(i["digest"]))
			return i, nil
		}, status: Verified},
		"a bundle that refers to it": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.refer(i, bundleV03, bundleV03, l.bundle(i["digest"]))
			return i, nil
		}, status: Verified, note: "manifest of this image itself"},
		"a legacy attestation": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			env, _ := json.Marshal(l.envelope(i["digest"], "https://example.com/p"))
			l.doc(typeManifest, object{"schemaVersion": 2, "config": object{}, "layers": []object{l.blob(typeEnvelope, env)}})
			return i, nil
		}, status: Verified},
		"the index is signed": {make: func(l *layoutLab) (object, any) {
			x := l.index(l.image("amd64"), l.image("arm64"))
			l.refer(x, bundleV03, bundleV03, l.bundle(x["digest"]))
			return x, nil
		}, status: Verified, note: "signed is the image index"},
		"the index is signed, in a document": {make: func(l *layoutLab) (object, any) {
			x := l.index(l.image("amd64"), l.image("arm64"))
			l.simple(simplePayload(x["digest"]))
			return x, nil
		}, status: Verified, note: "names the manifest of this image"},
		"the index is asked for": {make: func(l *layoutLab) (object, any) {
			x := l.index(l.image("amd64"), l.image("arm64"))
			l.refer(x, bundleV03, bundleV03, l.bundle(x["digest"]))
			return x, x["digest"]
		}, status: Verified, note: "itself"},
		"a platform is signed and the index is asked for": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			x := l.index(i, l.image("arm64"))
			l.refer(i, bundleV03, bundleV03, l.bundle(i["digest"]))
			l.simple(simplePayload(i["digest"]))
			return x, x["digest"]
		}, status: Rejected, step: StepDigest},
		"another platform is signed": {make: func(l *layoutLab) (object, any) {
			i, o := l.image("amd64"), l.image("arm64")
			l.refer(o, bundleV03, bundleV03, l.bundle(o["digest"]))
			return l.index(i, o), nil
		}, status: Missing, step: StepFind},
		"nothing is signed": {make: func(l *layoutLab) (object, any) { return l.image("amd64"), nil }, status: Missing, step: StepFind},

		"a document about another image": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(simplePayload("sha256:" + strings.Repeat("1", 64)))
			return i, nil
		}, status: Rejected, step: StepDigest},
		"a document of another type": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(bytes.Replace(simplePayload(i["digest"]), []byte("cosign container image signature"), []byte("atomic container signature"), 1))
			return i, nil
		}, status: Rejected, step: StepParse},
		"a document and more": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(append(simplePayload(i["digest"]), "{}"...))
			return i, nil
		}, status: Rejected, step: StepParse},
		"a bundle about another image": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.refer(i, bundleV03, bundleV03, l.bundle("sha256:"+strings.Repeat("1", 64)))
			return i, nil
		}, status: Rejected, step: StepDigest},
		"another key": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(simplePayload(i["digest"]))
			return i, nil
		}, ask: func(r *Request) { r.Demand.Keys = []Key{newLayout(t).public()} }, status: Rejected, step: StepSignature},
		"no key": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(simplePayload(i["digest"]))
			return i, nil
		}, ask: func(r *Request) { r.Demand.Keys = nil }, status: Unverifiable, step: StepTrust},
		"a log is demanded": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(simplePayload(i["digest"]))
			return i, nil
		}, ask: func(r *Request) { r.Demand.Require.Log = 1 }, status: Rejected, step: StepLog},
		"no signature in the annotations": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.doc(typeManifest, object{"schemaVersion": 2, "layers": []object{l.blob(typeSimpleSigning, simplePayload(i["digest"]))}})
			return i, nil
		}, status: Unverifiable, step: StepFind},
		"a document that is not there": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			p := simplePayload(i["digest"])
			l.simple(p)
			delete(l.blobs, l.put(p))
			return i, nil
		}, status: Unverifiable, step: StepFind},
		"a document that was changed": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			p := simplePayload(i["digest"])
			l.simple(p)
			d := l.put(p)
			l.blobs[d] = bytes.Replace(p, []byte("null"), []byte("true"), 1)
			return i, nil
		}, status: Rejected, step: StepDigest},
		"a document that is too long": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.simple(append(simplePayload(i["digest"]), bytes.Repeat([]byte(" "), maxSimple)...))
			return i, nil
		}, status: Unverifiable, step: StepFind},
		"bytes that are no envelope": {make: func(l *layoutLab) (object, any) {
			i := l.image("amd64")
			l.refer(i, bundleV03, typeEnvelope, []byte("{"))
			return i, nil
		}, status: Rejected, step: StepParse},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLayout(t)
			image, digest := c.make(l)
			l.top = append(l.top, image)
			out := l.verify(digest, c.ask)
			i := slices.IndexFunc(out.Results, func(r Result) bool { return r.Status == c.status })
			if out.Status != c.status || i < 0 {
				t.Fatalf("%s, want %s: %+v", out.Status, c.status, out.Results)
			}
			r := out.Results[i]
			if r.Step != c.step || r.Reason == "" || !strings.Contains(strings.Join(r.Notes, "\n"), c.note) || c.status != Missing && r.Kind != KindCosignImage {
				t.Errorf("%s at %q: %s %q; want %q, %q", r.Kind, r.Step, r.Reason, r.Notes, c.step, c.note)
			}
			if r.Status == Verified && r.Covers != image["digest"] {
				t.Errorf("covers %s, want %s", r.Covers, image["digest"])
			}
		})
	}
}

// TestImageNotation finds a signature of the Notary Project in a layout.
func TestImageNotation(t *testing.T) {
	n, l := newNotary(t), newLayout(t)
	policy := n.policy(nil)
	i := l.image("amd64")
	x := l.index(i)
	l.top = []object{x}
	for _, signed := range []object{i, x} {
		target, err := json.Marshal(object{"targetArtifact": object{"mediaType": signed["mediaType"], "digest": signed["digest"], "size": signed["size"]}})
		if err != nil {
			t.Fatal(err)
		}
		envelope := n.sign(jws.MediaTypeEnvelope, func(r *signature.SignRequest) { r.Payload.Content = target })
		l.refer(signed, typeNotation, typeJWS, envelope)
	}
	out := l.verify(nil, func(r *Request) { r.Demand.NotationPolicy = policy })
	if out.Status != Verified || len(out.Results) != 2 {
		t.Fatalf("%s: %+v", out.Status, out.Results)
	}
	said := out.Results[0].Notes[1] + out.Results[1].Notes[1]
	if out.Results[0].Kind != KindNotation || !strings.Contains(said, "signed is the image index") || !strings.Contains(said, "manifest of this image itself") {
		t.Errorf("%+v", out.Results)
	}
}

// TestImageMutation flips a bit of every byte of each blob of a layout, by
// turns, and lets its name be right for the new content, as somebody would who can
// write to a registry. No image is verified that is not the one that was signed.
func TestImageMutation(t *testing.T) {
	l := newLayout(t)
	i := l.image("amd64")
	payload := simplePayload(i["digest"])
	sig := l.sign(payload)
	good := l.bundle(i["digest"])
	s := &Subject{Name: "image", Digests: map[string]string{"sha256": strings.TrimPrefix(i["digest"].(string), "sha256:")}, MediaType: typeManifest}
	check := func(ev Evidence) []Result {
		ev.Image = true
		out, err := Verify(context.Background(), Request{Subject: s, Evidence: []Evidence{ev}, Demand: Demand{Keys: []Key{l.public()}, Require: DefaultThresholds()}, Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		return out.Results
	}
	flip := func(b []byte, at int) []byte {
		c := bytes.Clone(b)
		c[at] ^= 1 << (at % 8)
		return c
	}
	for at := range payload {
		if r := check(Evidence{Format: FormatSimple, Data: sig, Payload: flip(payload, at)})[0]; r.Status == Verified {
			t.Errorf("document, byte %d: %+v", at, r)
		}
	}
	for at := range sig {
		if r := check(Evidence{Format: FormatSimple, Data: flip(sig, at), Payload: payload})[0]; r.Status == Verified {
			t.Errorf("signature, byte %d: %+v", at, r)
		}
	}
	// Not signed in a bundle are the hint of the key, and the bits before the padding
	// that base64 does not use.
	hint := bytes.Index(good, []byte(Fingerprint(l.key.Public())))
	for at := range good {
		r := check(Evidence{Format: FormatBundle, Data: flip(good, at)})[0]
		if r.Status == Verified && (r.Covers != i["digest"] || r.Statement.PredicateType != "https://sigstore.dev/cosign/sign/v1") {
			t.Errorf("bundle, byte %d: %+v", at, r)
		}
		if padding := bytes.HasPrefix(good[min(at+1, len(good)):], []byte("=")); r.Status == Verified && (at < hint || at >= hint+44) && !padding {
			t.Errorf("not signed: byte %d, %q", at, good[max(at-10, 0):at+1])
		}
	}
	for at, b := 0, l.blobs[i["digest"].(string)]; at < len(b); at++ {
		other := newLayout(t)
		other.key = l.key
		d := other.blob(typeManifest, flip(b, at))
		for _, ev := range []Evidence{{Format: FormatSimple, Data: sig, Payload: payload}, {Format: FormatBundle, Data: good}} {
			was := s
			s = &Subject{Name: "image", Digests: map[string]string{"sha256": strings.TrimPrefix(d["digest"].(string), "sha256:")}}
			if r := check(ev)[0]; r.Status == Verified {
				t.Errorf("manifest, byte %d: %+v", at, r)
			}
			s = was
		}
	}
}

// FuzzAttachment reads any manifest of signatures, and any document behind it.
func FuzzAttachment(f *testing.F) {
	l := newLayout(f)
	i := l.image("amd64")
	m := l.simple(simplePayload(i["digest"]))
	r := l.refer(i, typeNotation, typeJWS, []byte("{}"))
	f.Add(l.blobs[m["digest"].(string)], simplePayload(i["digest"]))
	f.Add(l.blobs[r["digest"].(string)], []byte(`{"critical":{}}`))
	keys := []Key{l.public()}
	f.Fuzz(func(t *testing.T, manifest, payload []byte) {
		a := bundle.Attachment{Digest: "sha256:00", Manifest: manifest}
		reader := &attachedReader{store: oneBlob(payload), digests: []bundle.Digest{bundle.Digest(i["digest"].(string))}}
		if err := reader.manifest(context.Background(), a); err != nil {
			return
		}
		req := Request{Subject: &Subject{Digests: map[string]string{"sha256": strings.Repeat("0", 64)}}, Evidence: reader.found, Now: noon, Demand: Demand{Keys: keys, Require: DefaultThresholds()}}
		out, err := Verify(context.Background(), req)
		if err != nil || out.Status == Verified {
			t.Fatalf("%v, %+v", err, out)
		}
	})
}

// oneBlob is a store in which every blob has one content.
type oneBlob []byte

func (o oneBlob) Attachments(context.Context, []bundle.Digest) ([]bundle.Attachment, error) {
	return nil, nil
}
func (o oneBlob) Content(context.Context, bundle.Digest, int64) ([]byte, error) { return o, nil }
