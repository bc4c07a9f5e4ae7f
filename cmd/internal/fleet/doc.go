// Package fleet compares what a cloud account says it runs with what was
// judged: lists of deployed functions are joined, by the digest of the code,
// with reports and with the summaries that a gate signed.
//
// The join has two sides. Of what is deployed everything is kept, since lists are
// small. Reports come one by one and are not kept, so that thousands of them fit: see
// [Join]. What no report is about becomes a report of its own, which nobody can
// take for a scan: its check "open" did not run.
//
// Lists are files from outside. They are read within limits, an entry that does
// not make sense makes its file incomplete, and of a function's environment,
// which holds secrets, nothing is kept.
package fleet
