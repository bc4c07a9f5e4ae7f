// Package notify tells others what changed in a rescan: a webhook of one's own,
// or a channel of Slack or of what reads Slack's messages. It sends only when
// something changed.
//
// # The webhook
//
// A POST of JSON (Body), signed as Standard Webhooks has it
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
// read 2026-11-28), so that receivers have a library for it:
//
//	webhook-id         what is told, and the same in every attempt and in a run that is repeated
//	webhook-timestamp  when this attempt was made, in seconds since 1970
//	webhook-signature  v1,<base64 of HMAC-SHA256 of "<id>.<timestamp>.<body>">
//	idempotency-key    the same as webhook-id
//
// The key of the HMAC is the secret: what follows whsec_ in it, decoded from
// base64, or its bytes if it does not begin so. A receiver computes the same, compares in constant time,
// refuses a timestamp that is more than five minutes off, and drops an id that
// it had before. TestReceiver is one.
//
// # What may go wrong
//
// An answer of 2xx is success. 408, 425, 429, 5xx and no answer at all are tried again,
// a few times, after a pause that doubles or that the receiver asks for. A receiver
// whose certificate nobody vouches for is told nothing, and not asked again. A
// redirect is an error and never followed: the address is what somebody wrote
// down, and what it leads to may be anybody. Addresses are secrets (whoever has
// Slack's can write to the channel): of one only the host is ever printed.
package notify
