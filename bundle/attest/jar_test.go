package attest

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"

	"github.com/fnaudit/fnaudit/bundle"
)

// jarOptions is what differs from a good jar.
type jarOptions struct {
	files    []string // name, content…
	listed   []string // the same as the manifest lists it; nil: files
	digest   string   // attribute of the files; "": SHA-256-Digest
	whole    bool     // the signature file has no digest of the whole manifest
	noMain   bool     // nor of its main section
	attached bool
	attrs    bool
	edit     func(manifest, sf string) (string, string) // after signing
	block    string                                     // name of the block, "META-INF/SIGNER.EC"
	message  []byte                                     // the block itself; nil: made
	more     []string                                   // entries that are added, unlisted
}

func digest64(text string) string {
	d := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(d[:])
}

// jarParts makes manifest, signature file and block.
func jarParts(t testing.TB, o jarOptions, by *testCert) (manifest, sf string, block []byte) {
	t.Helper()
	listed := o.listed
	if listed == nil {
		listed = o.files
	}
	main := "Manifest-Version: 1.0\r\nMain-Class: com.acme.Main\r\n\r\n"
	manifest = main
	var sections string
	for i := 0; i < len(listed); i += 2 {
		value, name := digest64(listed[i+1]), "SHA-256-Digest"
		if o.digest != "" {
			d := sha1.Sum([]byte(listed[i+1]))
			value, name = base64.StdEncoding.EncodeToString(d[:]), o.digest
		}
		head := "Name: " + listed[i]
		if len(head) > 70 {
			head = head[:70] + "\r\n " + head[70:]
		}
		section := head + "\r\n" + name + ": " + value + "\r\n\r\n"
		manifest += section
		sections += head + "\r\nSHA-256-Digest: " + digest64(section) + "\r\n\r\n"
	}
	sf = "Signature-Version: 1.0\r\n"
	if !o.noMain {
		sf += "SHA-256-Digest-Manifest-Main-Attributes: " + digest64(main) + "\r\n"
	}
	if !o.whole {
		sf += "SHA-256-Digest-Manifest: " + digest64(manifest) + "\r\n"
	}
	sf += "\r\n" + sections
	return manifest, sf, jarBlock(t, o, by, sf)
}

func jarBlock(t testing.TB, o jarOptions, by *testCert, sf string) []byte {
	t.Helper()
	sd, err := pkcs7.NewSignedData([]byte(sf))
	if err != nil {
		t.Fatal(err)
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if o.attrs {
		err = sd.AddSigner(by.Certificate, by.key, pkcs7.SignerInfoConfig{})
	} else {
		err = sd.SignWithoutAttr(by.Certificate, by.key, pkcs7.SignerInfoConfig{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if !o.attached {
		sd.Detach()
	}
	block, err := sd.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return block
}

func makeJar(t testing.TB, o jarOptions, by *testCert) []byte {
	manifest, sf, block := jarParts(t, o, by)
	if o.edit != nil {
		manifest, sf = o.edit(manifest, sf)
	}
	if o.message != nil {
		block = o.message
	}
	if o.block == "" {
		o.block = "META-INF/SIGNER.EC"
	}
	entries := []string{jarManifestName, manifest, "META-INF/SIGNER.SF", sf, o.block, string(block), "META-INF/", ""}
	return zipped(t, zip.Deflate, append(append(entries, o.files...), o.more...)...)
}

var jarFiles = []string{"com/", "", "com/acme/Main.class", "main", "com/acme/" + strings.Repeat("Long", 20) + ".class", "long"}

func listedFiles(files []string) (out []string) {
	for i := 0; i < len(files); i += 2 {
		if !strings.HasSuffix(files[i], "/") {
			out = append(out, files[i], files[i+1])
		}
	}
	return out
}

// stampJar asks an authority for a token over a signature.
func stampJar(t testing.TB, by *testCert, over []byte, at time.Time) []byte {
	t.Helper()
	digest := sha256.Sum256(over)
	ts := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Time: at, Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true,
		SerialNumber: big.NewInt(7), Accuracy: time.Second}
	response, err := ts.CreateResponseWithOpts(by.Certificate, by.key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := timestamp.ParseResponse(response)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.RawToken
}

// withUnsigned adds an unsigned attribute to the signer of a message in DER: the
// signature stays what it is.
func withUnsigned(t testing.TB, message []byte, a pkcs7.Attribute) []byte {
	t.Helper()
	attr, err := asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values []any `asn1:"set"`
	}{a.Type, []any{a.Value}})
	if err != nil {
		t.Fatal(err)
	}
	var add func(der []byte, depth int) []byte
	add = func(der []byte, depth int) []byte {
		var v asn1.RawValue
		if err := unmarshal(der, &v); err != nil {
			t.Fatal(err)
		}
		inner := append(slices.Clone(v.Bytes), append(appendHeader(nil, []byte{0xa1}, len(attr)), attr...)...)
		if depth > 0 {
			var last asn1.RawValue
			rest := v.Bytes
			for len(rest) > 0 {
				if rest, err = asn1.Unmarshal(rest, &last); err != nil {
					t.Fatal(err)
				}
			}
			inner = append(slices.Clone(v.Bytes[:len(v.Bytes)-len(last.FullBytes)]), add(last.FullBytes, depth-1)...)
		}
		return append(appendHeader(nil, der[:1], len(inner)), inner...)
	}
	return add(message, 4) // ContentInfo, its content, SignedData, the signers, the last of them
}

func timeAuthority(t testing.TB, by *testCert) *testCert {
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	return certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "clock"}, NotBefore: time.Now().Add(-100 * time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: oidExtKeyUsage, Critical: true, Value: usage}}}, by, nil)
}

func TestJar(t *testing.T) {
	root := authority(t, "root")
	leaf := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "Release", Organization: []string{"Acme"}}, EmailAddresses: []string{"release@acme.example"}, DNSNames: []string{"acme.example"}}, root, nil)
	stranger := codeSigner(t, "Release", authority(t, "other"))
	expired := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "Release"}, NotBefore: time.Now().Add(-3 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}, root, nil)
	good := jarOptions{files: jarFiles, listed: listedFiles(jarFiles)}
	pin := Demand{Root: Root{X509: []*x509.Certificate{root.Certificate}}, Identity: "release@acme.example"}
	with := func(change func(*jarOptions)) jarOptions {
		o := good
		change(&o)
		return o
	}
	for _, test := range []struct {
		name   string
		jar    jarOptions
		by     *testCert
		demand func(*Demand)
		status Status
		step   Step
		says   string
	}{
		{name: "good", jar: good, status: Verified},
		{name: "by section digests", jar: with(func(o *jarOptions) { o.whole = true }), status: Verified},
		{name: "signed attributes", jar: with(func(o *jarOptions) { o.attrs = true }), status: Verified},
		{name: "copy of the signature file inside", jar: with(func(o *jarOptions) { o.attached = true }), status: Verified},
		{name: "by common name", jar: good, demand: func(d *Demand) { d.Identity = "Release" }, status: Verified},
		{name: "by subject", jar: good, demand: func(d *Demand) { d.Identity = "CN=Release, O=Acme" }, status: Verified},
		{name: "by DNS name", jar: good, demand: func(d *Demand) { d.Identity = "acme.example" }, status: Verified},
		{name: "by pattern", jar: good, demand: func(d *Demand) { d.Identity, d.IdentityRegexp = "", `.*@acme\.example` }, status: Verified},
		{name: "by issuer", jar: good, demand: func(d *Demand) { d.Issuer = "root" }, status: Verified},
		{name: "by key", jar: good, demand: func(d *Demand) { *d = Demand{Keys: []Key{{Data: pemOf("CERTIFICATE", leaf.Raw)}}} }, status: Verified},
		{name: "by its own certificate", jar: good, demand: func(d *Demand) { *d = Demand{Root: Root{X509: []*x509.Certificate{leaf.Certificate}}} }, status: Verified},
		{name: "another signer", jar: good, demand: func(d *Demand) { d.Identity = "Release@acme.example" }, status: Rejected, step: StepIdentity},
		{name: "part of a name", jar: good, demand: func(d *Demand) { d.Identity, d.IdentityRegexp = "", `acme\.example.` }, status: Rejected, step: StepIdentity},
		{name: "another issuer", jar: good, demand: func(d *Demand) { d.Issuer = "other" }, status: Rejected, step: StepIssuer},
		{name: "nobody demanded", jar: good, demand: func(d *Demand) { d.Identity = "" }, status: Unverifiable, step: StepIdentity},
		{name: "no root", jar: good, demand: func(d *Demand) { d.Root = Root{} }, status: Unverifiable, step: StepTrust},
		{name: "another root", jar: good, by: stranger, status: Rejected, step: StepChain},
		{name: "another key", jar: good, demand: func(d *Demand) { *d = Demand{Keys: []Key{{Data: pemOf("CERTIFICATE", stranger.Raw)}}} }, status: Rejected, step: StepSignature},
		{name: "key not yet trusted", jar: good, demand: func(d *Demand) {
			*d = Demand{Keys: []Key{{Data: pemOf("CERTIFICATE", leaf.Raw), NotBefore: time.Now().Add(24 * time.Hour)}}}
		}, status: Rejected, step: StepExpiry},
		{name: "expired, no clock", jar: good, by: expired, status: Unverifiable, step: StepTime},
		{name: "added", jar: with(func(o *jarOptions) { o.more = []string{"com/acme/New.class", "x"} }), status: Rejected, step: StepContents, says: "added after signing"},
		{name: "added in META-INF", jar: with(func(o *jarOptions) { o.more = []string{"META-INF/services/x", "x"} }), status: Rejected, step: StepContents, says: "added after signing"},
		{name: "removed", jar: with(func(o *jarOptions) { o.files = jarFiles[:4] }), status: Rejected, step: StepContents, says: "not in the jar any more"},
		{name: "changed", jar: with(func(o *jarOptions) { o.listed = []string{"com/acme/Main.class", "other", jarFiles[4], "long"} }), status: Rejected, step: StepContents, says: "not what was signed"},
		{name: "SHA-1", jar: with(func(o *jarOptions) { o.digest = "SHA1-Digest" }), status: Rejected, step: StepContents, says: "prove nothing"},
		{name: "MD5", jar: with(func(o *jarOptions) { o.digest = "MD5-Digest" }), status: Rejected, step: StepContents, says: "prove nothing"},
		{name: "edited main section", jar: with(func(o *jarOptions) {
			o.edit = func(m, sf string) (string, string) { return strings.Replace(m, "acme.Main", "acme.Evil", 1), sf }
		}), status: Rejected, step: StepContents, says: "main section"},
		{name: "main section not signed", jar: with(func(o *jarOptions) { o.whole, o.noMain = true, true }), status: Rejected, step: StepContents, says: "main section"},
		{name: "edited section", jar: with(func(o *jarOptions) {
			o.edit = func(m, sf string) (string, string) {
				return strings.Replace(m, "Name: com/acme/Main", "Name: com/acme/Mein", 1), sf
			}
		}), status: Rejected, step: StepContents, says: "left in it"},
		{name: "edited signature file", jar: with(func(o *jarOptions) {
			o.edit = func(m, sf string) (string, string) { return m, strings.Replace(sf, "Name", "name", 1) }
		}), status: Rejected, step: StepSignature},
		{name: "manifest of another jar", jar: with(func(o *jarOptions) {
			o.edit = func(m, sf string) (string, string) { return "Manifest-Version: 1.0\r\n\r\n", sf }
		}), status: Rejected, step: StepContents, says: "left in it"},
		{name: "no block", jar: with(func(o *jarOptions) { o.block = "META-INF/SIGNER.txt" }), status: Rejected, step: StepContents, says: "no block"},
		{name: "block of another", jar: with(func(o *jarOptions) { o.more = []string{"META-INF/LEFT.RSA", "x"} }), status: Rejected, step: StepContents, says: "is not there"},
		{name: "two blocks", jar: with(func(o *jarOptions) { o.more = []string{"META-INF/SIGNER.RSA", "x"} }), status: Rejected, step: StepContents, says: "too many"},
		{name: "two manifests", jar: with(func(o *jarOptions) { o.more = []string{"META-INF/Manifest.mf", "Manifest-Version: 1.0\r\n\r\n"} }), status: Rejected, step: StepContents},
		{name: "twice one file", jar: with(func(o *jarOptions) { o.more = []string{"com/acme/Main.class", "main"} }), status: Rejected, step: StepContents},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := pin
			if test.demand != nil {
				test.demand(&d)
			}
			if test.by == nil {
				test.by = leaf
			}
			got := verifyJar(context.Background(), &Request{Subject: artifact(makeJar(t, test.jar, test.by)), Demand: d, Now: time.Now()})
			if len(got) != 1 || got[0].Status != test.status || got[0].Step != test.step || !strings.Contains(got[0].Reason, test.says) {
				t.Errorf("%+v; want %s at %q", got, test.status, test.step)
			}
			if !got[0].Embedded {
				t.Error("not called embedded")
			}
		})
	}
}

// TestJarLeftover checks signature files in what is no signed jar.
func TestJarLeftover(t *testing.T) {
	for _, test := range []struct {
		name    string
		entries []string
		status  []Status
	}{
		{"plain zip", []string{"a", "1"}, nil},
		{"unsigned jar", []string{jarManifestName, "Manifest-Version: 1.0\r\n\r\n"}, []Status{Missing}},
		{"signature file alone", []string{jarManifestName, "Manifest-Version: 1.0\r\n\r\n", "META-INF/A.SF", "Signature-Version: 1.0\r\n\r\n"}, []Status{Rejected}},
		{"without a manifest", []string{"META-INF/A.SF", "x", "META-INF/A.RSA", "x"}, []Status{Rejected}},
		{"in another folder", []string{"lib/META-INF/A.SF", "x"}, nil},
	} {
		got := verifyJar(context.Background(), &Request{Subject: artifact(zipped(t, zip.Store, test.entries...)), Now: time.Now()})
		var status []Status
		for _, r := range got {
			status = append(status, r.Status)
		}
		if !slices.Equal(status, test.status) {
			t.Errorf("%s: %v, want %v", test.name, status, test.status)
		}
	}
}

// TestJarTimestamp checks certificates that have expired since a clock saw the signature.
func TestJarTimestamp(t *testing.T) {
	clocks := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "clocks"}, IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-200 * time.Hour)}, nil, nil)
	root := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-200 * time.Hour)}, nil, nil)
	clock := timeAuthority(t, clocks)
	leaf := certify(t, x509.Certificate{Subject: pkix.Name{CommonName: "Release"}, NotBefore: time.Now().Add(-30 * time.Hour), NotAfter: time.Now().Add(-20 * time.Hour)}, root, nil)
	web := codeSigner(t, "web", clocks)
	jar := jarOptions{files: jarFiles, listed: listedFiles(jarFiles), attrs: true}
	at := time.Now().Add(-25 * time.Hour).Truncate(time.Second)
	both := []*x509.Certificate{root.Certificate, clocks.Certificate}
	for _, test := range []struct {
		name   string
		token  func(signature []byte) []byte
		roots  []*x509.Certificate
		status Status
		step   Step
	}{
		{"good", func(s []byte) []byte { return stampJar(t, clock, s, at) }, both, Verified, ""},
		{"nobody trusts the clock", func(s []byte) []byte { return stampJar(t, clock, s, at) }, both[:1], Unverifiable, StepTime},
		{"after the certificate", func(s []byte) []byte { return stampJar(t, clock, s, time.Now().Add(-time.Hour)) }, both, Rejected, StepChain},
		{"over another signature", func(s []byte) []byte { return stampJar(t, clock, []byte("other"), at) }, both, Rejected, StepTime},
		{"by a certificate for code", func(s []byte) []byte { return stampJar(t, web, s, time.Now()) }, both, Rejected, StepTime},
		{"changed", func(s []byte) []byte {
			token := stampJar(t, clock, s, at)
			i := bytes.Index(token, []byte(at.UTC().Format("20060102150405")))
			token[i+13] ^= 1
			return token
		}, both, Rejected, StepTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, block := jarParts(t, jar, leaf)
			m, err := parseCMS(block)
			if err != nil {
				t.Fatal(err)
			}
			o := jar
			o.message = withUnsigned(t, block, pkcs7.Attribute{Type: oidTimestampToken, Value: asn1.RawValue{FullBytes: test.token(m.signature)}})
			data := makeJar(t, o, leaf)
			got := verifyJar(context.Background(), &Request{Subject: artifact(data), Now: time.Now(), Demand: Demand{Root: Root{X509: test.roots}, Identity: "Release"}})
			if len(got) != 1 || got[0].Status != test.status || got[0].Step != test.step {
				t.Fatalf("%+v; want %s at %q", got, test.status, test.step)
			}
			if test.status == Verified && (len(got[0].Times) != 1 || !got[0].Times[0].At.Equal(at)) {
				t.Errorf("times %v, want %s", got[0].Times, at)
			}
		})
	}
}

// TestJarMutations flips every byte of the message, the signature file, the manifest and
// the zip. What still verifies must say the same and lie in a region that is listed as not signed.
func TestJarMutations(t *testing.T) {
	leaf := authority(t, "Release")
	d := Demand{Root: Root{X509: []*x509.Certificate{leaf.Certificate}}}
	o := jarOptions{files: jarFiles[:4], listed: listedFiles(jarFiles[:4]), attrs: true}
	manifest, sf, block := jarParts(t, o, leaf)
	verify := func(data []byte) Result {
		got := verifyJar(context.Background(), &Request{Subject: artifact(data), Demand: d, Now: time.Now()})
		if len(got) != 1 {
			return Result{}
		}
		return got[0]
	}
	build := func(manifest, sf string, block []byte) []byte {
		return zipped(t, zip.Store, append([]string{jarManifestName, manifest, "META-INF/SIGNER.SF", sf, "META-INF/SIGNER.EC", string(block)}, o.files...)...)
	}
	data := build(manifest, sf, block)
	want := verify(data)
	if want.Status != Verified {
		t.Fatal(want.Reason)
	}
	flip := func(text string, i int) string {
		b := []byte(text)
		b[i] ^= 1
		return string(b)
	}
	for i := range manifest {
		if r := verify(build(flip(manifest, i), sf, block)); r.Status == Verified {
			t.Errorf("manifest, byte %d: still verified", i)
		}
	}
	for i := range sf {
		if r := verify(build(manifest, flip(sf, i), block)); r.Status == Verified {
			t.Errorf("signature file, byte %d: still verified", i)
		}
	}
	certs := bytes.Index(block, leaf.Raw)
	for i := range block {
		r := verify(build(manifest, sf, []byte(flip(string(block), i))))
		version := i > certs && bytes.HasPrefix(block[i-2:], []byte{0x02, 0x01})
		if r.Status == Verified && (i > certs && !version || r.Identity != want.Identity) { // in front of the certificates: version and list of digest algorithms
			t.Errorf("block, byte %d of %d: still verified", i, len(block))
		}
	}
	for i := range data {
		changed := []byte(flip(string(data), i))
		r := verify(changed)
		if r.Status != Verified {
			continue
		}
		if region := zipRegion(data, i); !unsignedZipRegions[region] || contentsOf(t, changed) != contentsOf(t, data) {
			t.Errorf("zip, byte %d, %s: still verified", i, region)
		}
	}
}

func TestParseManifest(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"A: 1\r\n\r\nName: x\r\nB: 2\r\n\r\n", "x"},
		{"A: 1\n\nName: x\n y\nB: 2\n", "xy"},
		{"A: 1\r\rName: x\rB: 2", "x"},
		{"A: 1\n\n\n\nName: x\nB: 2\n\n\n", "x"},
		{"", ""},
		{"A: 1\n\nB: 2\n", "error"},
		{"A: 1\nA: 2\n", "error"},
		{"A: 1\na: 2\n", "error"},
		{"A:1\n", "error"},
		{" A: 1\n", "error"},
		{"A: 1\n\nName: x\n\nName: x\n\n", "error"},
		{"\x00: 1\n", "error"},
	} {
		m, err := parseManifest([]byte(test.text))
		got := "error"
		if err == nil {
			got = ""
			for name := range m.named {
				got += name
			}
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
	}
}

func TestManifestSections(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Manifest-Version: 1.0\r\n\r\n")
	for i := range maxSections + 1 {
		fmt.Fprintf(&b, "Name: %d\r\n\r\n", i)
	}
	_, err := parseManifest(b.Bytes())
	if !errors.Is(err, bundle.ErrLimit) {
		t.Fatal(err)
	}
	if r := unreadManifest("META-INF/MANIFEST.MF", err); r.Status != Unverifiable || r.Source != "META-INF/MANIFEST.MF" {
		t.Errorf("%+v", r)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte("A: 1\r\n\r\nName: x\r\n y\r\nB: 2\r\n\r\n"))
	f.Add([]byte("A: 1\n\nName: x\nB: 2"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		n := len(m.main.raw)
		for _, s := range m.named {
			n += len(s.raw)
		}
		if n > len(data) {
			t.Errorf("sections of %d bytes in %d", n, len(data))
		}
	})
}
