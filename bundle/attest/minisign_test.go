package attest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/blake2b"
)

const testComment = "timestamp:1643685548\tfile:a.zip\thashed"

// minisigned makes key and signature file. alg is "Ed" or "ED"; signify leaves
// out the trusted comment.
func minisigned(t testing.TB, alg string, data []byte, signify bool) (key, sig []byte) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := string(pub[:8])
	message := data
	if alg == "ED" {
		sum := blake2b.Sum512(data)
		message = sum[:]
	}
	s := ed25519.Sign(priv, message)
	b64 := base64.StdEncoding.EncodeToString
	key = []byte("untrusted comment: public key\n" + b64([]byte("Ed"+id+string(pub))) + "\n")
	text := "untrusted comment: signature\n" + b64([]byte(alg+id+string(s))) + "\n"
	if !signify {
		text += "trusted comment: " + testComment + "\n" + b64(ed25519.Sign(priv, append(bytes.Clone(s), testComment...))) + "\n"
	}
	return key, []byte(text)
}

func checkMinisign(data, sig []byte, keys ...[]byte) Result {
	var d Demand
	for _, k := range keys {
		d.Keys = append(d.Keys, Key{Source: "k.pub", Data: k})
	}
	return verifyMinisign(context.Background(), &Request{Subject: artifact(data), Demand: d, Now: time.Now()}, Evidence{Data: sig})[0]
}

func TestMinisign(t *testing.T) {
	data := []byte("artifact")
	for name, form := range map[string]struct {
		alg     string
		signify bool
	}{"minisign, hashed": {"ED", false}, "minisign, legacy": {"Ed", false}, "signify": {"Ed", true}} {
		t.Run(name, func(t *testing.T) {
			key, sig := minisigned(t, form.alg, data, form.signify)
			other, otherSig := minisigned(t, form.alg, data, form.signify)
			good := checkMinisign(data, sig, key)
			if good.Status != Verified || len(good.Times) != map[bool]int{false: 1, true: 0}[form.signify] {
				t.Fatalf("%+v", good)
			}
			line := bytes.SplitN(key, []byte("\n"), 2)[1]
			for name, test := range map[string]struct {
				r      Result
				status Status
				step   Step
			}{
				"key as one line":  {checkMinisign(data, sig, line), Verified, ""},
				"CR LF":            {checkMinisign(data, bytes.ReplaceAll(sig, []byte("\n"), []byte("\r\n")), key), Verified, ""},
				"second key":       {checkMinisign(data, sig, other, key), Verified, ""},
				"other artifact":   {checkMinisign([]byte("Artifact"), sig, key), Rejected, StepSignature},
				"other key":        {checkMinisign(data, sig, other), Rejected, StepSignature},
				"no key":           {checkMinisign(data, sig), Unverifiable, StepTrust},
				"key of its kind":  {checkMinisign(data, sig, []byte("-----BEGIN PUBLIC KEY-----")), Unverifiable, StepTrust},
				"other signature":  {checkMinisign(data, otherSig, key), Rejected, StepSignature},
				"three lines":      {checkMinisign(data, append(bytes.Join(bytes.SplitAfterN(sig, []byte("\n"), 3)[:2], nil), "trusted comment: x\n"...), key), Rejected, StepParse},
				"not base64":       {checkMinisign(data, []byte("untrusted comment: x\n????\n"), key), Rejected, StepParse},
				"something behind": {checkMinisign(data, append(bytes.Clone(sig), "more\n"...), key), Rejected, StepParse},
			} {
				if test.r.Status != test.status || test.r.Step != test.step {
					t.Errorf("%s: %+v; want %s at %q", name, test.r, test.status, test.step)
				}
			}
			// every byte: only the untrusted comment and the line ends are not signed
			for i := range sig {
				changed := bytes.Clone(sig)
				changed[i] ^= 1
				r := checkMinisign(data, changed, key)
				if r.Status == Verified && i >= bytes.IndexByte(sig, '\n') {
					t.Errorf("byte %d, %q: still verified", i, sig[max(0, i-5):i+1])
				}
			}
		})
	}
	key, sig := minisigned(t, "ED", data, false)
	edited := strings.Replace(string(sig), "a.zip", "b.zip", 1)
	if r := checkMinisign(data, []byte(edited), key); r.Status != Rejected || !strings.Contains(r.Reason, "trusted comment") {
		t.Errorf("edited trusted comment: %+v", r)
	}
	lines := strings.SplitAfter(string(sig), "\n")
	if r := checkMinisign(data, []byte(lines[0]+lines[1]), key); r.Status != Rejected {
		t.Errorf("hashed without a trusted comment: %+v", r)
	}
	if r := verifyMinisign(context.Background(), &Request{Subject: &Subject{Digests: map[string]string{"sha256": "00"}}, Demand: Demand{Keys: []Key{{Data: key}}}}, Evidence{Data: sig})[0]; r.Status != Unverifiable || r.Step != StepDigest {
		t.Errorf("of a digest: %+v", r)
	}
	if got := minisignName([8]byte{0x3f, 0x54, 0xae, 0x26, 0x11, 0x93, 0x92, 0x9d}); got != "9D92931126AE543F" {
		t.Errorf("key id %s", got)
	}
}

func FuzzMinisign(f *testing.F) {
	key, sig := minisigned(f, "ED", []byte("artifact"), false)
	f.Add(sig, key)
	f.Add([]byte("untrusted comment: x\nRWQ=\n"), []byte("RWQ="))
	f.Fuzz(func(t *testing.T, sig, other []byte) {
		if r := checkMinisign([]byte("another"), sig, key); r.Status == Verified {
			t.Error("verified for another artifact")
		}
		_, _ = parseMinisignKey(other)
	})
}
