// Package share passes an advisory store on to other machines: as an artifact
// in a registry (Push, Pull), and as one signed file (SignFile, VerifyFile;
// vulndb.Export makes it). So a company builds its store once, and its builds
// neither compile feeds nor touch the public internet.
//
// # The artifact
//
// An OCI image manifest (image-spec 1.1, "Guidelines for Artifact Usage") with
// artifactType application/vnd.fnaudit.db.v1, the empty config, a first layer
// that is snapshot.json, and one layer for each ecosystem and then each feed in
// the snapshot's order, which is the file as it lies in the store. It depends on the
// snapshot and a date alone: the same store pushed twice has one digest. A pull
// of some ecosystems fetches only their layers, and only those that are not
// there yet.
//
// # Trust
//
// What a pull may believe is a manifest's digest: either the reference is
// pinned to it, or a signature by a known key is over it. Everything else
// follows by digests. Signatures are those of cosign with a key
// (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md): a
// manifest under the tag sha256-<hex>.sig whose layers are "simple signing"
// payloads and carry their signature as an annotation. What Push signs is
// verified by
//
//	cosign verify --key KEY.pub --insecure-ignore-tlog REFERENCE
//
// and Pull verifies what
//
//	cosign sign --key KEY.key --tlog-upload=false --new-bundle-format=false --use-signing-config=false REFERENCE
//
// signs; both were tried with cosign v3.1.3 on 2026-11-25, and "sign-blob" and
// "verify-blob" with the file's signature. Pull also verifies what cosign 3
// signs by default: a Sigstore bundle that refers to the manifest (OCI 1.1
// referrers, or the tag sha256-<hex> where a registry cannot list those) and holds
// an in-toto statement about its digest. Keys are ECDSA with
// SHA-256, or Ed25519, as PEM files in PKCS #8 and PKIX. Encrypted private keys
// (those that cosign makes) are not read: who has one signs with cosign.
// Certificates and transparency logs are not read: the key alone is believed, and
// what else a bundle holds counts for nothing.
//
// Keys do not expire: a key that is no longer to be believed is taken off the
// machines that pull, and what it signed is refused from then on.
//
// # A file on a plain server
//
// An export and, under the same address with ".sig" behind it, its detached
// signature (or with ".sigstore.json" the bundle of "cosign sign-blob --bundle") need nothing but a server of files. The signature is fetched each
// time and first; the file only if the server does not answer 304 to the ETag
// or the date of the last pull. That last pull (Receipt) counts only if it was
// verified with the same key, was of the same ecosystems, and the store still
// holds what it brought, byte by byte.
//
// A signature says who made a store, not that it is the newest. Against the
// replay of an old one stand vulndb.Adopt, which refuses to go back, and the
// policy's limit on a store's age.
package share
