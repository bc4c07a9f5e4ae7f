package attest

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
)

const testProfile = "arn:aws:signer:eu-west-1:111111111111:/signing-profiles/prod/AbCdEf"

// awsOptions is what differs from a good signature.
type awsOptions struct {
	profile     string
	expiry      time.Time
	digest      asn1.ObjectIdentifier
	leave       asn1.ObjectIdentifier // a signed attribute that is left out
	attached    bool
	extra       []pkcs7.Attribute
	unsigned    []pkcs7.Attribute
	certificate *testCert
	parents     []*x509.Certificate
}

// awsMessage signs names and contents as AWS Signer does, in DER.
func awsMessage(t testing.TB, o awsOptions, nameBody ...string) []byte {
	t.Helper()
	h := sha512.New384()
	for _, s := range nameBody {
		io.WriteString(h, s)
	}
	sd, err := pkcs7.NewSignedData(h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	if o.digest == nil {
		o.digest = pkcs7.OIDDigestAlgorithmSHA384
	}
	if o.profile == "" {
		o.profile = testProfile
	}
	if o.expiry.IsZero() {
		o.expiry = time.Now().Add(24 * time.Hour)
	}
	sd.SetDigestAlgorithm(o.digest)
	var attrs []pkcs7.Attribute
	for _, a := range append([]pkcs7.Attribute{
		{Type: oidAWSJob, Value: "arn:aws:signer:eu-west-1:111111111111:/signing-jobs/x"},
		{Type: oidAWSExpiry, Value: o.expiry.UTC()},
		{Type: oidAWSProfile, Value: o.profile},
	}, o.extra...) {
		if !a.Type.Equal(o.leave) {
			attrs = append(attrs, a)
		}
	}
	if err := sd.AddSignerChain(o.certificate.Certificate, o.certificate.key, o.parents, pkcs7.SignerInfoConfig{ExtraSignedAttributes: attrs, ExtraUnsignedAttributes: o.unsigned}); err != nil {
		t.Fatal(err)
	}
	if !o.attached {
		sd.Detach()
	}
	der, err := sd.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

var awsContents = []string{"index.js", "exports.handler = () => 1\n", "lib/", "", "lib/a.js", "module.exports = 1\n"}

// awsZip makes a signed zip.
func awsZip(t testing.TB, message []byte, nameBody ...string) []byte {
	all := append(slices.Clone(nameBody), awsFolder, "", awsSignature, string(pemOf("PKCS7", message)))
	return zipped(t, zip.Deflate, all...)
}

func awsCase(t testing.TB) (root, leaf *testCert, d Demand) {
	root = authority(t, "Signer root")
	leaf = codeSigner(t, "Signer leaf", root)
	return root, leaf, Demand{Root: Root{X509: []*x509.Certificate{root.Certificate}}, Profiles: []string{testProfile}}
}

func awsVerify(t testing.TB, data []byte, d Demand, now time.Time) Result {
	t.Helper()
	got := verifyAWSSigner(context.Background(), &Request{Subject: artifact(data), Demand: d, Now: now})
	if len(got) != 1 {
		t.Fatalf("%d results", len(got))
	}
	return got[0]
}

func TestAWSSigner(t *testing.T) {
	root, leaf, good := awsCase(t)
	other := authority(t, "other root")
	expired := certify(t, x509.Certificate{NotAfter: time.Now().Add(-time.Minute)}, root, nil)
	tls := certify(t, x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, root, nil)
	signed := append(slices.Clone(awsContents), awsFolder, "")
	message := func(o awsOptions) []byte {
		if o.certificate == nil {
			o.certificate, o.parents = leaf, []*x509.Certificate{root.Certificate}
		}
		return awsMessage(t, o, signed...)
	}
	plain := awsZip(t, message(awsOptions{}), awsContents...)
	list, err := EntryDigests(context.Background(), bytes.NewReader(plain), int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(pairs ...string) []string {
		out := slices.Clone(awsContents)
		for i := range out {
			out[i] = strings.NewReplacer(pairs...).Replace(out[i])
		}
		return out
	}
	shifted := replaced("index.js", "index.jse", "exports.handler", "xports.handler")
	duplicate := zipped(t, zip.Store, append(slices.Clone(signed), awsSignature, string(pemOf("PKCS7", message(awsOptions{}))), awsSignature, "x")...)
	for _, test := range []struct {
		name   string
		data   []byte
		demand func(*Demand)
		now    time.Time
		status Status
		step   Step
	}{
		{name: "good", data: plain, status: Verified},
		{name: "stored", data: zipped(t, zip.Store, append(slices.Clone(signed), awsSignature, string(pemOf("PKCS7", message(awsOptions{}))))...), status: Verified},
		{name: "as listed", data: plain, demand: func(d *Demand) { d.EntryDigests = list.Map() }, status: Verified},
		{name: "a byte moved from a content to a name", data: awsZip(t, message(awsOptions{}), shifted...), status: Verified},
		{name: "the same, with a list", data: awsZip(t, message(awsOptions{}), shifted...), demand: func(d *Demand) { d.EntryDigests = list.Map() }, status: Rejected, step: StepContents},
		{name: "changed content", data: awsZip(t, message(awsOptions{}), replaced("1", "2")...), status: Rejected, step: StepContents},
		{name: "renamed", data: awsZip(t, message(awsOptions{}), replaced("lib", "bin")...), status: Rejected, step: StepContents},
		{name: "added", data: awsZip(t, message(awsOptions{}), append(slices.Clone(awsContents), "new.js", "")...), status: Rejected, step: StepContents},
		{name: "removed", data: awsZip(t, message(awsOptions{}), awsContents[:2]...), status: Rejected, step: StepContents},
		{name: "reordered", data: awsZip(t, message(awsOptions{}), append(slices.Clone(awsContents[2:]), awsContents[:2]...)...), status: Rejected, step: StepContents},
		{name: "two signatures", data: duplicate, status: Rejected, step: StepContents},
		{name: "signature under another case", data: zipped(t, zip.Store, "a", "", strings.ToLower(awsSignature), "x"), status: Rejected, step: StepContents},
		{name: "bytes in front", data: append([]byte("hidden"), plain...), status: Rejected, step: StepContents},
		{name: "bytes behind", data: append(slices.Clone(plain), "hidden"...), status: Rejected, step: StepContents},
		{name: "expired", data: plain, now: time.Now().Add(48 * time.Hour), status: Rejected, step: StepExpiry},
		{name: "from the future", data: plain, now: time.Now().Add(-30 * time.Minute), status: Rejected, step: StepTime},
		{name: "another profile", data: awsZip(t, message(awsOptions{profile: testProfile + "x"}), awsContents...), status: Rejected, step: StepProfile},
		{name: "no profile named", data: plain, demand: func(d *Demand) { d.Profiles = nil }, status: Unverifiable, step: StepProfile},
		{name: "no root", data: plain, demand: func(d *Demand) { d.Root = Root{} }, status: Unverifiable, step: StepTrust},
		{name: "no root, changed", data: awsZip(t, message(awsOptions{}), replaced("1", "2")...), demand: func(d *Demand) { d.Root = Root{} }, status: Rejected, step: StepContents},
		{name: "another root", data: plain, demand: func(d *Demand) { d.Root.X509 = []*x509.Certificate{other.Certificate} }, status: Rejected, step: StepChain},
		{name: "expired certificate", data: awsZip(t, message(awsOptions{certificate: expired, parents: []*x509.Certificate{root.Certificate}}), awsContents...), status: Rejected, step: StepChain},
		{name: "a certificate for TLS", data: awsZip(t, message(awsOptions{certificate: tls, parents: []*x509.Certificate{root.Certificate}}), awsContents...), status: Rejected, step: StepChain},
		{name: "SHA-256", data: awsZip(t, message(awsOptions{digest: pkcs7.OIDDigestAlgorithmSHA256}), awsContents...), status: Rejected, step: StepParse},
		{name: "attached", data: awsZip(t, message(awsOptions{attached: true}), awsContents...), status: Rejected, step: StepParse},
		{name: "no expiry", data: awsZip(t, message(awsOptions{leave: oidAWSExpiry}), awsContents...), status: Rejected, step: StepParse},
		{name: "no profile", data: awsZip(t, message(awsOptions{leave: oidAWSProfile}), awsContents...), status: Rejected, step: StepParse},
		{name: "two profiles", data: awsZip(t, message(awsOptions{extra: []pkcs7.Attribute{{Type: oidAWSProfile, Value: "arn:other"}}}), awsContents...), status: Rejected, step: StepParse},
		{name: "not PEM", data: zipped(t, zip.Store, append(slices.Clone(signed), awsSignature, "x")...), status: Rejected, step: StepParse},
		{name: "unsigned", data: zipped(t, zip.Store, awsContents...), status: Missing, step: StepFind},
		{name: "no zip", data: []byte("text"), status: Unverifiable, step: StepParse},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := good
			if test.demand != nil {
				test.demand(&d)
			}
			if test.now.IsZero() {
				test.now = time.Now().Add(time.Minute)
			}
			r := awsVerify(t, test.data, d, test.now)
			if r.Status != test.status || r.Step != test.step {
				t.Errorf("%s at %q: %s; want %s at %q", r.Status, r.Step, r.Reason, test.status, test.step)
			}
			if r.Status != Missing && !slices.Contains(r.Notes, noteAWSFormat) {
				t.Error("the result does not say what the format leaves open")
			}
			if r.Status == Verified && r.Identity != testProfile {
				t.Errorf("identity %s", r.Identity)
			}
		})
	}
	if got := verifyAWSSigner(context.Background(), &Request{Subject: artifact(zipped(t, zip.Store, awsContents...))}); got != nil {
		t.Errorf("of an unsigned zip, with nothing demanded: %v", got)
	}
}

// TestAWSSignerMutations flips every byte of the message and of the zip. What
// still verifies must say the same, and lie in a region that is listed here as not signed.
func TestAWSSignerMutations(t *testing.T) {
	root, leaf, d := awsCase(t)
	signed := append(slices.Clone(awsContents), awsFolder, "")
	message := awsMessage(t, awsOptions{certificate: leaf, parents: []*x509.Certificate{root.Certificate}}, signed...)
	now := time.Now().Add(time.Minute)
	want := awsVerify(t, awsZip(t, message, awsContents...), d, now)
	if want.Status != Verified {
		t.Fatal(want.Reason)
	}
	same := func(r Result) bool {
		return r.Identity == want.Identity && r.Times[0] == want.Times[0] && r.Issuer == want.Issuer && slices.Contains(r.Notes, want.Notes[0])
	}
	t.Run("message", func(t *testing.T) {
		rootAt := bytes.Index(message, root.Raw)
		certs := bytes.Index(message, leaf.Raw)
		for i := range message {
			changed := slices.Clone(message)
			changed[i] ^= 1
			r := awsVerify(t, awsZip(t, changed, awsContents...), d, now)
			if r.Status != Verified {
				continue
			}
			unsigned := ""
			switch {
			case i >= rootAt && i < rootAt+len(root.Raw):
				unsigned = "the copy of the root in the message"
			case i < certs:
				unsigned = "version and list of digest algorithms of SignedData"
			case i > certs && bytes.HasPrefix(message[i-2:], []byte{0x02, 0x01}):
				unsigned = "version of the signer"
			}
			if unsigned == "" || !same(r) {
				t.Errorf("byte %d of %d: still verified", i, len(message))
			}
		}
	})
	t.Run("zip", func(t *testing.T) {
		data := awsZip(t, message, awsContents...)
		for i := range data {
			changed := slices.Clone(data)
			changed[i] ^= 1
			r := awsVerify(t, changed, d, now)
			if r.Status != Verified {
				continue
			}
			if region := zipRegion(data, i); !unsignedZipRegions[region] || !same(r) || contentsOf(t, changed) != contentsOf(t, data) {
				t.Errorf("byte %d, %s: still verified", i, region)
			}
		}
	})
}

// unsignedZipRegions are the fields of a zip that no signature over its entries
// covers, and that change nothing of what is unpacked.
var unsignedZipRegions = map[string]bool{
	"local version": true, "local flags": true, "local time": true,
	"central version": true, "central flags": true, "central time": true, "central attributes": true, "end disk": true,
	"folder local version": true, "folder local flags": true, "folder local method": true, "folder local time": true, "folder local CRC": true,
	"folder central version": true, "folder central flags": true, "folder central method": true, "folder central time": true, "folder central CRC": true, "folder central disk": true, "folder central attributes": true,
}

// zipRegion names the field at an offset of a zip as archive/zip writes it.
func zipRegion(data []byte, at int) string {
	fields := func(start int, list ...any) string {
		folder, name := "", ""
		switch string(data[start : start+4]) {
		case "PK\x01\x02":
			name = string(data[start+46 : start+46+int(data[start+28])])
		case "PK\x03\x04":
			name = string(data[start+30 : start+30+int(data[start+26])])
		}
		if strings.HasSuffix(name, "/") {
			folder = "folder "
		}
		for i := 0; i < len(list); i += 2 {
			n := list[i+1].(int)
			if at < start+n {
				return folder + list[i].(string)
			}
			start += n
		}
		return ""
	}
	central := bytes.Index(data, []byte("PK\x01\x02"))
	end := bytes.LastIndex(data, []byte("PK\x05\x06"))
	switch {
	case at >= end:
		return fields(end, "signature", 4, "end disk", 4, "end counts", 4, "end directory", 8, "end comment", 99)
	case at >= central:
		start := bytes.LastIndex(data[:at+1], []byte("PK\x01\x02"))
		return fields(start, "signature", 4, "central version", 4, "central flags", 2, "central method", 2, "central time", 4, "central CRC", 4, "central sizes", 14, "central disk", 2, "central attributes", 6, "central offset", 4, "central name", 99)
	}
	if d := bytes.LastIndex(data[:at+1], []byte("PK\x07\x08")); d >= 0 && at < d+16 {
		return "descriptor"
	}
	start := bytes.LastIndex(data[:at+1], []byte("PK\x03\x04"))
	return fields(start, "signature", 4, "local version", 2, "local flags", 2, "local method", 2, "local time", 4, "local CRC", 4, "local sizes", 12, "local name and content", 1<<20)
}

// contentsOf lists what a reader unpacks.
func contentsOf(t testing.TB, data []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(f.Name + "\x00")
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestEntryList(t *testing.T) {
	data := zipped(t, zip.Deflate, "b/", "", "b/ü.js", "1", "a", "")
	list, err := EntryDigests(context.Background(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseEntryList(text)
	if err != nil || !slices.Equal(again.Entries, list.Entries) || again.Artifact != list.Artifact || len(list.Entries) != 3 {
		t.Errorf("read back %v, %v; want %v", again, err, list)
	}
	digest := `"` + strings.Repeat("a", 64) + `"`
	for _, bad := range []string{
		``, `[]`, `{}`, `{"schemaVersion":"2","entries":[]}`, `{"schemaVersion":"1","other":1}`, string(text) + "{}",
		`{"schemaVersion":"1","entries":[{"path":"a","sha256":"AA"}]}`,
		`{"schemaVersion":"1","entries":[{"path":"a","sha256":` + strings.ToUpper(digest) + `}]}`,
		`{"schemaVersion":"1","entries":[{"path":"a","sha256":` + digest + `},{"path":"a","sha256":` + digest + `}]}`,
	} {
		if _, err := ParseEntryList([]byte(bad)); err == nil {
			t.Errorf("no error for %s", bad)
		}
	}
	double := zipped(t, zip.Store, "a", "1", "a", "2")
	if _, err := EntryDigests(context.Background(), bytes.NewReader(double), int64(len(double))); err == nil {
		t.Error("no error for a zip with two entries of one name")
	}
}
