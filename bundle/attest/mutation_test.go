package attest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unsigned lists the regions of a bundle that nobody signed, by a part of their
// path: a change there may go unnoticed. It never changes what the result says of
// the artifact, the statement, the signer or the time. Whatever is not in this list
// must be noticed, in every byte.
func unsigned(newLog bool) map[string]string {
	out := map[string]string{
		"dsseEnvelope.signatures[0].keyid":         "a hint, DSSE v1.0",
		"verificationMaterial.publicKey.hint":      "a hint: the given keys are tried",
		"x509CertificateChain.certificates[1]":     "certificates above the signer's are not looked at: the trust root has them",
		"timestampVerificationData":                "what lies around the signed part of a timestamp; and a whole timestamp beside a log's time, which counts without it",
		"tlogEntries[0].kindVersion":               "it repeats what the body of the entry says, and is not compared",
		"tlogEntries[0].inclusionProof.checkpoint": "the name and key id before the signature of a checkpoint are hints",
		"mediaType": "versions 0.2 and 0.3, and two ways to write 0.3, differ in what must be there",
	}
	if newLog {
		out["tlogEntries[0].canonicalizedBody"] = "the entry is made again from what the bundle holds, and its hash is what the proof is about"
		out["tlogEntries[0].inclusionProof.rootHash"] = "the signed checkpoint says it"
		out["tlogEntries[0].inclusionProof.treeSize"] = "the signed checkpoint says it"
	}
	return out
}

// verdict is what must never change unnoticed.
type verdict struct {
	status                              Status
	covers, identity, issuer, predicate string
	times                               []Time
}

func verdictOf(r Result) verdict {
	v := verdict{status: r.Status, covers: r.Covers, identity: r.Identity, issuer: r.Issuer, times: r.Times}
	if r.Statement != nil {
		v.predicate = string(r.Statement.Predicate) + r.Statement.PredicateType
	}
	return v
}

// TestMutations flips every byte of every field of good bundles, one at a time,
// then every byte of the JSON, then every byte of the artifact.
func TestMutations(t *testing.T) {
	l := newLab(t)
	key := newKey(t, "p256")
	statement := statementAbout(labArtifact)
	public := keyless(l.trust(true, false, true))
	mail := public
	mail.Identity, mail.Issuer = "ada@acme.example", "https://login.example"
	cases := map[string]struct {
		b    *protobundle.Bundle
		d    Demand
		step int // every byte, or every so many: the same code checks the fields that two bundles share
	}{
		"keyless message":   {l.bundle(order{artifact: labArtifact}), public, 2},
		"keyless statement": {l.bundle(order{statement: statement}), public, 1},
		"key, statement":    {l.bundle(order{statement: statement, key: key, keyed: true, noLog: true}), byKey(t, key), 1},
		"key, message":      {l.bundle(order{artifact: labArtifact, key: key, keyed: true, noLog: true}), byKey(t, key), 1},
		"private statement": {l.bundle(order{statement: statement, noLog: true, stamp: true}), keyless(l.trust(false, false, true)), 2},
		"two clocks":        {l.bundle(order{artifact: labArtifact, stamp: true}), public, 7},
		"old message":       {l.bundle(order{artifact: labArtifact, promise: true}), public, 7},
		"new log":           {l.newLogBundle(statement), mail, 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := verdictOf(ask(t, Request{Subject: labSubject(labArtifact), Demand: c.d}, c.b))
			if good.status != Verified {
				t.Fatalf("the unchanged bundle: %+v", good)
			}
			m := mutation{t: t, good: good, demand: c.d, step: c.step, unsigned: unsigned(name == "new log"), passed: map[string]int{}}
			if testing.Short() {
				m.step *= 11
			}
			m.fields(c.b)
			m.text(c.b)
			m.artifact(c.b)
			for _, path := range slices.Sorted(maps.Keys(m.passed)) {
				t.Logf("unsigned: %d bytes of %s", m.passed[path], path)
			}
		})
	}
}

type mutation struct {
	t      *testing.T
	good   verdict
	demand Demand
	step   int

	unsigned map[string]string
	passed   map[string]int // path -> flips that went unnoticed
}

// judge verifies a changed bundle over an artifact.
func (m *mutation) judge(what string, data, artifact []byte) bool {
	m.t.Helper()
	out, err := Verify(context.Background(), Request{Subject: labSubject(artifact), Demand: m.demand, Now: time.Now(), Evidence: []Evidence{{Data: data, Format: FormatBundle}}})
	if err != nil {
		m.t.Fatal(err)
	}
	if out.Status != Verified {
		return false
	}
	got := verdictOf(out.Results[0])
	for _, at := range got.times { // a clock may be lost: what it said is then not said
		if !slices.Contains(m.good.times, at) {
			m.t.Errorf("%s: verified with the time %v, and unchanged there were %v", what, at, m.good.times)
		}
	}
	if got.times = m.good.times; !reflect.DeepEqual(got, m.good) {
		m.t.Errorf("%s: verified as %+v, and unchanged it was %+v", what, got, m.good)
	}
	return true
}

// fields flips the decoded values.
func (m *mutation) fields(b *protobundle.Bundle) {
	changed := proto.Clone(b).(*protobundle.Bundle)
	flip := func(path string, i int, undo func()) {
		data, err := protojson.Marshal(changed)
		undo()
		if err != nil {
			return // such a bundle cannot be written
		}
		if !m.judge(fmt.Sprintf("%s, byte %d", path, i), data, labArtifact) {
			return
		}
		for region := range m.unsigned {
			if strings.Contains(path, region) {
				m.passed[path]++
				return
			}
		}
		m.t.Errorf("%s: byte %d was changed, and the bundle verified", path, i)
	}
	walk(changed.ProtoReflect(), "", func(path string, v protoreflect.Value, set func(protoreflect.Value)) {
		switch x := v.Interface().(type) {
		case []byte:
			for i := 0; i < len(x); i += m.step {
				y := bytes.Clone(x)
				y[i] ^= 1 << (i % 8)
				set(protoreflect.ValueOfBytes(y))
				flip(path, i, func() { set(v) })
			}
		case string:
			for i := 0; i < len(x); i += m.step {
				y := []byte(x)
				y[i] ^= 0x01
				set(protoreflect.ValueOfString(string(y)))
				flip(path, i, func() { set(v) })
			}
		case int64:
			for i := range 63 {
				set(protoreflect.ValueOfInt64(x ^ 1<<i))
				flip(path, i/8, func() { set(v) })
			}
		case protoreflect.EnumNumber:
			for i := range 3 {
				set(protoreflect.ValueOfEnum(x ^ 1<<i))
				flip(path, i, func() { set(v) })
			}
		default:
			m.t.Errorf("%s: a field of the kind %T, which is not changed", path, x)
		}
	})
}

// walk calls f for every value in a message, with the names of the fields above it.
func walk(msg protoreflect.Message, path string, f func(path string, v protoreflect.Value, set func(protoreflect.Value))) {
	msg.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := strings.TrimPrefix(path+"."+fd.JSONName(), ".")
		switch {
		case fd.IsList():
			for i := range v.List().Len() {
				at := fmt.Sprintf("%s[%d]", at, i)
				if fd.Message() != nil {
					walk(v.List().Get(i).Message(), at, f)
					continue
				}
				f(at, v.List().Get(i), func(x protoreflect.Value) { v.List().Set(i, x) })
			}
		case fd.Message() != nil:
			walk(v.Message(), at, f)
		default:
			f(at, v, func(x protoreflect.Value) { msg.Set(fd, x) })
		}
		return true
	})
}

// text flips the bytes of the JSON. Another way to write the same values may
// verify, and the result must be the same then.
func (m *mutation) text(b *protobundle.Bundle) {
	data, err := protojson.Marshal(b)
	if err != nil {
		m.t.Fatal(err)
	}
	for i := m.step % 5; i < len(data); i += 5 * m.step {
		changed := bytes.Clone(data)
		changed[i] ^= 0x01
		m.judge(fmt.Sprintf("byte %d of the JSON", i), changed, labArtifact)
	}
}

// artifact flips the bytes of the artifact.
func (m *mutation) artifact(b *protobundle.Bundle) {
	data, err := protojson.Marshal(b)
	if err != nil {
		m.t.Fatal(err)
	}
	for i := range labArtifact {
		changed := bytes.Clone(labArtifact)
		changed[i] ^= 0x01
		if m.judge(fmt.Sprintf("byte %d of the artifact", i), data, changed) {
			m.t.Errorf("byte %d of the artifact was changed, and it verified", i)
		}
	}
	for _, changed := range [][]byte{labArtifact[1:], append(bytes.Clone(labArtifact), 0)} {
		if m.judge("artifact of another length", data, changed) {
			m.t.Error("the artifact has another length, and it verified")
		}
	}
}
