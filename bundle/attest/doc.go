// Package attest answers who signed a function's bytes, who built them and
// from what: signatures, provenance, verification summaries and other signed
// statements, all checked against the bytes at hand and without the network.
//
// One call asks one question:
//
//	outcome := attest.Verify(ctx, attest.Request{Subject: s, Evidence: found, Demand: d, Now: now})
//
// The subject is what was shipped, by its bytes or only by its digests. The
// evidence is what lies beside it (see [Beside] and [Folder]), what an image layout or a
// registry holds for it, and what the artifact carries inside itself (a zip
// signed by AWS Signer, a signed jar). The demand says who is trusted and what
// must be stated. Each piece of evidence gives one [Result] or more, and each
// result is verified, rejected, missing or unverifiable, with the step that
// decided and the reason in plain words.
//
// How it is built: a format is one file with one function of type verifier. It
// is listed in verifiers, gets one [Evidence] and returns Results. A format
// whose envelope carries an in-toto statement returns the statement with the
// verified result, and the files provenance.go, summary.go and predicate.go
// look at it; they never see a statement whose signature did not verify.
//
// Rules that hold for every format:
//   - verify before parsing: what is inside an envelope is looked at only after
//     its signature held;
//   - an envelope that says which digest it is about is compared with the
//     digests of the subject, never with a name;
//   - identities are compared exactly and case-sensitively; a pattern is
//     anchored at both ends whether it says so or not, except one with ^ at its
//     start and no $ at its end, which is open there and says so in the result;
//   - what cannot be checked here (no trusted time, a plug-in, no root) is
//     unverifiable, never rejected and never verified.
package attest
